//! Bytes to [`Profile`] and back. Knows nothing of what is asked of a profile later.
//!
//! The format is pprof's `profile.proto`, in `proto/profile.proto` in our words. On disk it is gzipped; a bare message
//! is read as well, and so are the formats before it. Whatever the bytes, decoding ends in a checked [`Profile`] or in
//! an [`Error`]; it never panics.
//!
//! # Memory and speed
//!
//! A message is decoded as it is inflated: neither it nor, from a [`Reader`](crate::formats::Reader), the file is kept.
//! The memory needed is the profile's own, mostly four bytes for each frame of a stack, one that is not resolved yet
//! being held in the same place; 256 KiB to inflate into; and while reading, 8 to 16 bytes a sample to say where in the
//! file something wrong is. A column that grows takes the room that the file's length lets one expect, not the double.
//! Whatever is refused is refused in little memory: what is too long is counted, not kept.
//!
//! A million Go stacks of 70 frames, 213 MB, take 0.3 GB, in a browser as well. Ids of one to four bytes, which are most
//! of a file, are read several at a time.
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod decode;
mod encode;
mod error;
mod gzip;
mod ids;
mod legacy;
mod salvage;
mod samples;
mod stream;
mod tables;
mod wire;

pub use encode::{encode, encode_gzip};
pub use error::{Error, ErrorKind, Format};
pub use salvage::Lost;
pub use stream::Progress;
pub(crate) use stream::Stream;

use std::borrow::Cow;

use crate::profile::Profile;

/// The messages that prost generates from `profile.proto`.
#[expect(unreachable_pub, reason = "generated; the comments of profile.proto are its documentation")]
mod message {
    include!(concat!(env!("OUT_DIR"), "/wprof.profile.rs"));
}

/// What a reader puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest message, in bytes after inflating. More is an error, found before the memory is taken.
    pub max_inflated: u64,
}

/// 2 GiB; 1 GiB on wasm32, whose whole memory is 4 GiB.
///
/// A profile takes about 1.5 times its message, five times if it is all small samples.
impl Default for Limits {
    fn default() -> Self {
        let max_inflated = if cfg!(target_family = "wasm") { 1 << 30 } else { 2 << 30 };
        Limits { max_inflated }
    }
}

/// Reads a profile: gzip, of one member or several, or its bare contents.
///
/// These are a message or, if they are none, what older programs write: gperftools' binary CPU profiles, texts of heaps,
/// counts, threads and waits, Java's texts, and jemalloc's. These are read as pprof reads them, but for jemalloc's,
/// which pprof refuses.
///
/// Texts that are not UTF-8 are read with U+FFFD for the bad bytes, as one bad label should not hide a profile.
/// A label with an empty text, or with the number 0 and no unit, says nothing in this format and is dropped.
///
/// # Errors
///
/// If the bytes are not a profile, or one that contradicts itself: see [`ErrorKind`]. The error says where.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Profile, Error> {
    read_message(bytes, limits).or_else(|error| decode_other(&other(bytes, limits, error)?))
}

/// What is wrong with a message, and the bytes that may be of another format.
pub(crate) type Other<'a> = (Cow<'a, [u8]>, Error);

/// The profile of a message, gzipped or not.
pub(crate) fn read_message(bytes: &[u8], limits: &Limits) -> Result<Profile, Error> {
    stream::read(bytes, limits)
}

/// The inflated bytes of a file whose message is no sound one.
pub(crate) fn other<'a>(bytes: &'a [u8], limits: &Limits, error: Error) -> Result<Other<'a>, Error> {
    match error.kind() {
        ErrorKind::Gzip { .. } | ErrorKind::TooLarge { .. } | ErrorKind::NoMemory { .. } => Err(error),
        _ => Ok((plain(bytes, limits)?, error)),
    }
}

/// Reads one of the formats older than `profile.proto`.
pub(crate) fn decode_other((bytes, error): &Other<'_>) -> Result<Profile, Error> {
    if matches!(error.kind(), ErrorKind::Empty | ErrorKind::Concatenated) {
        return Err(error.clone());
    }
    legacy::read(bytes).unwrap_or_else(|| Err(text_error(bytes).unwrap_or_else(|| error.clone())))
}

/// The bytes of a file, inflated if it is gzip, for readers of other formats.
pub(crate) fn plain<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, Error> {
    if gzip::is_gzip(bytes) {
        return gzip::inflate(bytes, limits.max_inflated).map(Cow::Owned);
    }
    if limits.max_inflated < bytes.len() as u64 {
        return Err(ErrorKind::TooLarge { limit: limits.max_inflated }.at_no_offset());
    }
    Ok(Cow::Borrowed(bytes))
}

/// What to say of bytes that do not decode, if they are text: that is of more use than which field it broke.
fn text_error(message: &[u8]) -> Option<Error> {
    let start = message.get(..decode::TEXT_START.min(message.len()))?;
    let is_text = start.iter().all(|it| it.is_ascii_graphic() || it.is_ascii_whitespace());
    let start = std::str::from_utf8(start).ok().filter(|it| is_text && !it.is_empty())?;
    Some(ErrorKind::Text { start: start.lines().next().unwrap_or_default().to_owned() }.at_no_offset())
}

#[cfg(test)]
mod tests;
