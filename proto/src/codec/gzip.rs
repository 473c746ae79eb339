//! Gzip, with a bound on what comes out.

use std::io::{self, Read, Write};

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
    let mut members = Members::new(bytes);
    // One byte more, so that the end is read as well.
    let mut inflated = vec![0; believable_size(bytes, limit).saturating_add(1)];
    let mut n_filled = 0;
    loop {
        if n_filled == inflated.len() {
            let is_usual = n_filled / USUAL_RATIO <= members.n_read();
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
    let mut members = Members::new(bytes);
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

/// A file's members, read as one.
struct Members<'a> {
    file: &'a [u8],
    member: GzDecoder<&'a [u8]>,
}

impl<'a> Members<'a> {
    fn new(file: &'a [u8]) -> Self {
        Members { file, member: GzDecoder::new(file) }
    }

    /// How much of the file was needed for what was read.
    fn n_read(&self) -> usize {
        self.file.len() - self.member.get_ref().len()
    }

    /// Fills the beginning of `buffer`, which must not be empty, and says how much; 0 at the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            let n = self.member.read(buffer).map_err(|err| self.damaged(&err))?;
            let rest = *self.member.get_ref();
            if n != 0 || rest.is_empty() {
                return Ok(n);
            }
            if !is_gzip(rest) {
                return Err(self.followed_by(rest));
            }
            self.member = GzDecoder::new(rest);
        }
    }

    #[cold]
    fn damaged(&self, err: &io::Error) -> Error {
        let problem = if err.kind() == io::ErrorKind::UnexpectedEof {
            format!("it is cut short after {} bytes", self.file.len())
        } else {
            err.to_string()
        };
        ErrorKind::Gzip { problem }.at(self.n_read())
    }

    #[cold]
    fn followed_by(&self, rest: &[u8]) -> Error {
        let start: String = String::from_utf8_lossy(rest).chars().take(16).collect();
        let n_bytes = rest.len();
        let problem = format!("found {n_bytes} bytes after it, {start:?}…, expected its end or another gzip member");
        ErrorKind::Gzip { problem }.at(self.file.len() - rest.len())
    }
}

/// One gzip member, the same for the same bytes: no name and no time in it.
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::default());
    #[expect(clippy::expect_used, reason = "writing to a Vec does not fail")]
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a Vec takes all bytes")
}
