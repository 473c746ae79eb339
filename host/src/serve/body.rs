//! Answers that are read from their file while they are sent: profiles may be as large as memory.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

use super::shown::Content;

/// How much is read at once, in bytes.
const CHUNK: u64 = 256 << 10;

/// What is there now, with its length.
pub(super) fn of(content: &Content) -> io::Result<Body> {
    let path = match content {
        Content::Bytes(bytes) => return Ok(Body::from(bytes.clone())),
        Content::File(path) => path,
    };
    let file = File::open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no file any more"));
    }
    Ok(Body::new(FileBody { file, left: found.len() }))
}

/// A file from here on.
#[derive(Debug)]
struct FileBody {
    file: File,
    left: u64,
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    /// Reads at once and not on a thread of its own: it is a file of this machine, and one browser asks.
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let len = self.left.min(CHUNK);
        let mut chunk = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
        let read = self.file.by_ref().take(len).read_to_end(&mut chunk);
        Poll::Ready(Some(read.and_then(|n_read| {
            // The length was promised; the connection breaks, so that nobody takes a part for the whole.
            if n_read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter"));
            }
            self.left -= n_read as u64;
            Ok(Frame::data(chunk.into()))
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
