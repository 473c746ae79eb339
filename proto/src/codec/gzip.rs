//! Gzip: inflating as the file comes, whole files with a bound on what comes out, and deflating.

use std::io::{self, BufRead, Read, Write};
use std::mem;
use std::slice::Chunks;

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use super::error::{Error, ErrorKind};

/// Whether the bytes begin as gzip does (RFC 1952, ID1 and ID2).
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// As much is kept without asking how much there is.
const KEPT_UNSEEN: usize = 64 << 20;

/// Profiles are seldom smaller than a tenth of what they inflate to; nor are other honest files than this.
const USUAL_RATIO: usize = 32;

/// All members' contents, back to back.
///
/// Room is taken for what the file's end says there is, where that is to be believed. If [`KEPT_UNSEEN`] is exceeded
/// at more than the [`USUAL_RATIO`], the whole is first inflated without keeping it: what exceeds `limit` is refused
/// in little memory, however small the file.
pub(super) fn inflate(bytes: &[u8], limit: u64) -> Result<Vec<u8>, Error> {
    let mut members = Fed::new(bytes);
    // One byte more, so that the end is read as well.
    let mut inflated = vec![0; believable_size(bytes, limit).saturating_add(1)];
    let mut n_filled = 0;
    loop {
        if n_filled == inflated.len() {
            let is_usual = n_filled / USUAL_RATIO <= members.inflater.n_read();
            let is_kept = n_filled < KEPT_UNSEEN || is_usual;
            let room = if is_kept { n_filled.saturating_mul(2) } else { count(bytes, limit)?.saturating_add(1) };
            inflated.resize(room, 0);
        }
        let n = members.read(inflated.get_mut(n_filled..).unwrap_or_default())?;
        n_filled += n;
        if limit < n_filled as u64 {
            return Err(ErrorKind::TooLarge { limit }.at_no_offset());
        }
        if n == 0 {
            inflated.truncate(n_filled);
            return Ok(inflated);
        }
    }
}

/// How large the contents are, if they do not exceed `limit`.
fn count(bytes: &[u8], limit: u64) -> Result<usize, Error> {
    let mut members = Fed::new(bytes);
    let mut scratch = vec![0; 64 << 10];
    let mut total = 0;
    loop {
        let n = members.read(&mut scratch)?;
        total += n;
        if limit < total as u64 {
            return Err(ErrorKind::TooLarge { limit }.at_no_offset());
        }
        if n == 0 {
            return Ok(total);
        }
    }
}

/// The size that the last member's trailer gives (RFC 1952, ISIZE), if a file of this length may well be that large.
fn believable_size(bytes: &[u8], limit: u64) -> usize {
    // Deflate cannot do better.
    const BEST_RATIO: usize = 1032;
    let n_bytes = bytes.len();
    let usual = n_bytes.saturating_mul(USUAL_RATIO);
    let claim = bytes.last_chunk().and_then(|&it| usize::try_from(u32::from_le_bytes(it)).ok());
    let size = claim.filter(|&it| it <= usual.max(KEPT_UNSEEN) && it / BEST_RATIO <= n_bytes);
    size.unwrap_or(usual.min(KEPT_UNSEEN)).min(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// A whole file, inflated piece by piece.
struct Fed<'a> {
    inflater: Inflater,
    chunks: Chunks<'a, u8>,
}

impl<'a> Fed<'a> {
    fn new(file: &'a [u8]) -> Self {
        Fed { inflater: Inflater::new(), chunks: file.chunks(CHUNK) }
    }

    /// Fills the beginning of `buffer`, which must not be empty, and says how much; 0 at the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            match self.inflater.read(buffer)? {
                Inflated::Some(n) => return Ok(n),
                Inflated::End => return Ok(0),
                Inflated::Hungry => match self.chunks.next() {
                    Some(chunk) => self.inflater.push(chunk),
                    None => self.inflater.close(),
                },
            }
        }
    }
}

/// How much of a file that is all there is inflated at once.
pub(super) const CHUNK: usize = 64 << 10;

/// A file's members, read as one, as the file comes.
#[derive(Debug)]
pub(super) struct Inflater {
    member: GzDecoder<Input>,
    n_pushed: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// In a member, or before the first.
    Member,
    /// Behind a member; what comes is another or nothing.
    Between,
    /// It was something else: how it begins, and its length so far.
    Followed { start: Vec<u8>, n_bytes: usize },
}

/// What reading comes to.
#[derive(Debug)]
pub(super) enum Inflated {
    /// So many bytes, more than none.
    Some(usize),
    /// Nothing before there is more of the file.
    Hungry,
    /// Nothing any more.
    End,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Inflater { member: GzDecoder::new(Input::default()), n_pushed: 0, state: State::Member }
    }

    /// Takes more of the file.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.member.get_mut().push(chunk);
        self.n_pushed += chunk.len();
    }

    /// The file has no more.
    pub(super) fn close(&mut self) {
        self.member.get_mut().is_closed = true;
    }

    /// How much of the file was needed for what was read.
    pub(super) fn n_read(&self) -> usize {
        self.n_pushed - self.member.get_ref().rest().len()
    }

    /// Fills the beginning of `buffer`, which must not be empty.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<Inflated, Error> {
        loop {
            match &mut self.state {
                State::Member => match self.member.read(buffer) {
                    Ok(0) => self.state = State::Between,
                    Ok(n) => return Ok(Inflated::Some(n)),
                    Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(Inflated::Hungry),
                    Err(err) => return Err(self.damaged(&err)),
                },
                State::Between => match (self.member.get_ref().rest(), self.member.get_ref().is_closed) {
                    ([], true) => return Ok(Inflated::End),
                    ([] | [_], false) => return Ok(Inflated::Hungry),
                    (rest, _) if is_gzip(rest) => {
                        let input = mem::take(self.member.get_mut());
                        self.member.reset(input);
                        self.state = State::Member;
                    }
                    _ => self.state = State::Followed { start: Vec::new(), n_bytes: 0 },
                },
                State::Followed { start, n_bytes } => {
                    let input = self.member.get_mut();
                    start.extend(input.rest().iter().take(SHOWN - start.len()));
                    *n_bytes += input.rest().len();
                    input.consume(input.bytes.len() - input.n_read);
                    if input.is_closed {
                        return Err(followed_by(start, *n_bytes, self.n_pushed));
                    }
                    return Ok(Inflated::Hungry);
                }
            }
        }
    }

    #[cold]
    fn damaged(&self, err: &io::Error) -> Error {
        let problem = if err.kind() == io::ErrorKind::UnexpectedEof {
            format!("it is cut short after {} bytes", self.n_pushed)
        } else {
            err.to_string()
        };
        ErrorKind::Gzip { problem }.at(self.n_read())
    }
}

/// Enough bytes for the 16 characters that are shown of what is no gzip.
const SHOWN: usize = 64;

#[cold]
fn followed_by(start: &[u8], n_bytes: usize, n_pushed: usize) -> Error {
    let start: String = String::from_utf8_lossy(start).chars().take(16).collect();
    let problem = format!("found {n_bytes} bytes after it, {start:?}…, expected its end or another gzip member");
    ErrorKind::Gzip { problem }.at(n_pushed - n_bytes)
}

/// The part of the file that was pushed and not yet read. At its end it blocks, until the file is closed.
#[derive(Debug, Default)]
struct Input {
    bytes: Vec<u8>,
    n_read: usize,
    is_closed: bool,
}

impl Input {
    fn push(&mut self, chunk: &[u8]) {
        self.bytes.drain(..self.n_read);
        self.n_read = 0;
        self.bytes.extend_from_slice(chunk);
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.n_read..).unwrap_or_default()
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest().is_empty() && !self.is_closed {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(self.rest())
    }

    fn consume(&mut self, n: usize) {
        self.n_read += n;
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

/// One gzip member, the same for the same bytes: no name and no time in it.
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::default());
    #[expect(clippy::expect_used, reason = "writing to a Vec does not fail")]
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a Vec takes all bytes")
}
