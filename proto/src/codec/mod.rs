//! Bytes to [`Profile`] and back. Knows nothing of what is asked of a profile later.
//!
//! The format is pprof's `profile.proto`, in `proto/profile.proto` in our words. On disk it is gzipped; a bare message
//! is read as well. Whatever the bytes, decoding ends in a checked [`Profile`] or in an [`Error`]; it never panics.

mod decode;
mod encode;
mod error;
mod gzip;
mod ids;
mod samples;
mod wire;

pub use encode::{encode, encode_gzip};
pub use error::{Error, ErrorKind};

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

/// 2 GiB; 512 MiB on wasm32, whose whole memory is 4 GiB.
impl Default for Limits {
    fn default() -> Self {
        let max_inflated = if cfg!(target_family = "wasm") { 512 << 20 } else { 2 << 30 };
        Limits { max_inflated }
    }
}

/// Reads a profile: gzip, of one member or several, or the bare message.
///
/// Texts that are not UTF-8 are read with U+FFFD for the bad bytes, as one bad label should not hide a profile.
/// A label with an empty text, or with the number 0 and no unit, says nothing in this format and is dropped.
///
/// # Errors
///
/// If the bytes are not a profile, or one that contradicts itself: see [`ErrorKind`]. The error says where.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Profile, Error> {
    if bytes.is_empty() {
        return Err(ErrorKind::Empty.at_no_offset());
    }
    if gzip::is_gzip(bytes) {
        return decode_message(&gzip::inflate(bytes, limits.max_inflated)?);
    }
    if limits.max_inflated < bytes.len() as u64 {
        return Err(ErrorKind::TooLarge { limit: limits.max_inflated }.at_no_offset());
    }
    decode_message(bytes)
}

fn decode_message(message: &[u8]) -> Result<Profile, Error> {
    decode::decode(message).map_err(|err| text_error(message).unwrap_or(err))
}

/// What to say of bytes that do not decode, if they are text: that is of more use than which field it broke.
fn text_error(message: &[u8]) -> Option<Error> {
    const SHOWN: usize = 32;
    let start = message.get(..SHOWN.min(message.len()))?;
    let is_text = start.iter().all(|it| it.is_ascii_graphic() || it.is_ascii_whitespace());
    let start = std::str::from_utf8(start).ok().filter(|it| is_text && !it.is_empty())?;
    Some(ErrorKind::Text { start: start.lines().next().unwrap_or_default().to_owned() }.at_no_offset())
}

#[cfg(test)]
mod tests;
