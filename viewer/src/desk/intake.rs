//! A file as it comes in, piece by piece, and what it turns out to be.

use proto::codec::ErrorKind;
use proto::formats::{ReadError, Reader};
use proto::{Limits, Profile};

use crate::protocol::{Fault, Refusal, Summary};

/// What was read of a file.
#[derive(Debug)]
pub(crate) struct Intake {
    n_read: u64,
    /// The first bytes, to tell what they are if they are no profile.
    head: Vec<u8>,
    as_what: As,
}

#[derive(Debug)]
enum As {
    /// Decoded as it comes.
    Profile(Box<Reader>),
    /// Kept until all is there.
    Bytes(Vec<u8>),
}

/// What a file turned out to be.
#[derive(Debug)]
pub(crate) enum Taken {
    Profile(Box<Summary>),
    /// A module or a source: what it is, for people.
    Attached(String),
}

/// A file at its end.
#[derive(Debug)]
pub(super) enum Content {
    Source(String),
    Module(Vec<u8>),
    /// With what was lost of it, if it is cut or damaged.
    Profile(Box<Profile>, Vec<String>),
}

const HEAD: usize = 64;

/// Names of sources end so. Folded stacks and older formats are texts, too, but are not called so.
const SOURCES: [&str; 26] = [
    "rs", "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "go", "ts", "js", "mjs", "zig", "py", "rb", "swift", "kt", "java",
    "cs", "d", "nim", "s", "wat", "inc", "inl", "mbt",
];

impl Intake {
    /// Of the file `name`, of `n_bytes` if that is known.
    pub(crate) fn new(name: &str, n_bytes: Option<u64>) -> Intake {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let is_source = extension.is_some_and(|extension| SOURCES.contains(&extension.as_str()));
        let as_what = if is_source {
            As::Bytes(Vec::new())
        } else {
            let mut reader = Box::new(Reader::new(&Limits::default()));
            if let Some(n_bytes) = n_bytes {
                reader.expect(n_bytes);
            }
            As::Profile(reader)
        };
        Intake { n_read: 0, head: Vec::new(), as_what }
    }

    /// Takes the next piece; false if no more is wanted, as it is no use.
    pub(crate) fn push(&mut self, piece: &[u8]) -> bool {
        if self.n_read == 0 && piece.starts_with(b"\0asm") {
            self.as_what = As::Bytes(Vec::new());
        }
        let n_missing = HEAD - self.head.len();
        self.head.extend(piece.iter().take(n_missing));
        self.n_read += piece.len() as u64;
        match &mut self.as_what {
            As::Profile(reader) => reader.push(piece).is_ok(),
            As::Bytes(bytes) => {
                bytes.extend_from_slice(piece);
                true
            }
        }
    }

    pub(crate) fn n_read(&self) -> u64 {
        self.n_read
    }

    /// Samples found so far.
    pub(crate) fn n_samples(&self) -> usize {
        match &self.as_what {
            As::Profile(reader) => reader.progress().n_samples,
            As::Bytes(_) => 0,
        }
    }

    /// What it is, now that all is there.
    pub(super) fn finish(self) -> Result<Content, Refusal> {
        let Intake { n_read, head, as_what } = self;
        match as_what {
            As::Bytes(bytes) if bytes.starts_with(b"\0asm") => Ok(Content::Module(bytes)),
            As::Bytes(bytes) => Ok(Content::Source(String::from_utf8_lossy(&bytes).into_owned())),
            As::Profile(reader) => match reader.finish_salvaged() {
                Ok((profile, lost)) => {
                    Ok(Content::Profile(Box::new(profile), lost.iter().map(ToString::to_string).collect()))
                }
                Err(error) => Err(undecodable(&error, head, n_read)),
            },
        }
    }
}

fn undecodable(error: &ReadError, head: Vec<u8>, n_bytes: u64) -> Refusal {
    let fault = match error {
        ReadError::Profile(error) => match error.kind() {
            ErrorKind::Empty => Fault::Empty,
            ErrorKind::TooLarge { .. } => Fault::TooLarge,
            _ => Fault::Other,
        },
        _ => Fault::Other,
    };
    Refusal::Undecodable { error: error.to_string(), fault, n_bytes, head }
}
