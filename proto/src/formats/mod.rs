//! Profiles in the formats of other tools: written for them, and read back where that makes sense.
//!
//! | format | is | written | read |
//! |---|---|---|---|
//! | [`collapsed`] | folded stacks, a line each, for flame graph tools | one sample type | yes |
//! | [`speedscope`] | JSON for <https://www.speedscope.app> | all sample types | yes |
//! | [`firefox`] | JSON for <https://profiler.firefox.com> | all sample types | no |
//! | [`text`] | what Go's `debug=1` pages print, which `go tool pprof` reads | all sample types | by [`decode`](crate::decode) |
//!
//! None of them keeps all that a pprof file holds: each writer says what it drops. [`read`] is the one door for a file
//! of any kind. Nothing here panics, whatever the bytes; what is kept in memory is bounded by the size of the input, and
//! that by [`Limits`].
#![warn(clippy::indexing_slicing)]

pub mod collapsed;
mod error;
pub mod firefox;
mod frames;
mod reader;
pub mod speedscope;
pub mod text;

pub use crate::codec::{Lost, Progress};
pub use error::{JsonError, LineError, LineProblem, ReadError, WriteError};
pub use reader::Reader;

use std::borrow::Cow;

use crate::codec::{Limits, Other, decode_other, other, read_message};
use crate::profile::{Profile, SampleRef};

/// Reads a file of any kind that wprof knows, gzipped or not: all that [`decode`](crate::decode) reads, speedscope's JSON, and
/// folded stacks, whose values are taken for `samples` in `count`.
///
/// # Errors
///
/// If it is none of these, or a broken one. What looks like nothing else is called what [`decode`](crate::decode) calls it.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Profile, ReadError> {
    read_counted(bytes, limits, collapsed::SAMPLES)
}

/// The same, with folded stacks' values taken for this (kind, unit), as the file does not say.
///
/// # Errors
///
/// As [`read`].
pub fn read_counted(bytes: &[u8], limits: &Limits, counted: (&str, &str)) -> Result<Profile, ReadError> {
    match read_message(bytes, limits) {
        Ok(profile) => Ok(profile),
        Err(error) => read_other(&other(bytes, limits, error)?, limits, counted),
    }
}

/// Reads what is no message.
fn read_other(other: &Other<'_>, limits: &Limits, counted: (&str, &str)) -> Result<Profile, ReadError> {
    let error = match decode_other(other) {
        Ok(profile) => return Ok(profile),
        Err(error) => error,
    };
    let (bytes, _) = other;
    let text = text(bytes);
    match collapsed::read_text(&text, counted) {
        Ok(profile) => Ok(profile),
        // A function's name may begin so, too; but no line of JSON is a folded stack.
        Err(_) if is_json(bytes) => speedscope::read(bytes, limits),
        // One bad line among folded stacks is worth naming; of anything else, the first line is as bad as all.
        Err(bad_line) if collapsed::begins(&text) => Err(bad_line.into()),
        Err(_) => Err(error.into()),
    }
}

fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// Without the mark that some editors put first, and with U+FFFD for what is no UTF-8.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
}

/// The name and unit of a sample type.
fn sample_type(profile: &Profile, sample_index: usize) -> Result<(&str, &str), WriteError> {
    let found = profile.sample_types().get(sample_index);
    let found = found.ok_or(WriteError::NoSampleType { sample_index, len: profile.sample_types().len() })?;
    Ok((profile.string(found.kind), profile.string(found.unit)))
}

/// A sample's value, for formats in which none may be negative.
fn positive(profile: &Profile, sample: SampleRef<'_>, sample_index: usize) -> Result<u64, WriteError> {
    let value = sample.values.get(sample_index).copied().unwrap_or(0);
    u64::try_from(value).or_else(|_negative| {
        let (kind, unit) = sample_type(profile, sample_index)?;
        Err(WriteError::Negative { value, kind: kind.to_owned(), unit: unit.to_owned() })
    })
}

#[cfg(test)]
mod tests;
