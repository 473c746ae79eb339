//! The formats older than `profile.proto`, which pprof reads when bytes are no such message, and jemalloc's.
//!
//! All hold bare addresses, most of them return addresses: these lose 1 each, so as to lie within the call. A memory
//! map says which binary each is in; without one, one mapping covers them all. What is read, and in which order the
//! formats are tried, is as in pprof's `profile/legacy_profile.go` and `legacy_java_profile.go`.

mod contention;
mod count;
mod cpu;
mod draft;
mod frames;
mod heap;
mod java;
mod jemalloc;
mod lines;
mod map_text;
mod mappings;
mod numbers;
mod stacks;
mod threads;

use regex::bytes::Regex;

use super::error::Error;
use crate::profile::Profile;

/// Why a reader makes no profile of bytes.
#[derive(Debug)]
enum Refusal {
    /// They are not in its format, or not quite: what it misses is worth saying if no other reader takes them.
    Unrecognized(Option<Error>),
    /// They are in its format, and broken.
    Malformed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Malformed(error)
    }
}

/// What a reader makes of bytes.
type Reading = Result<Profile, Refusal>;

/// Reads a profile in any of the old formats; `None` if it is in none.
pub(super) fn read(bytes: &[u8]) -> Option<Result<Profile, Error>> {
    let readers = [cpu::read, heap::read, count::read, threads::read, contention::read, java::read, jemalloc::read];
    let mut nearly = None;
    for reader in readers {
        match reader(bytes) {
            Ok(profile) => return Some(Ok(profile)),
            Err(Refusal::Malformed(error)) => return Some(Err(error)),
            Err(Refusal::Unrecognized(error)) => nearly = nearly.or(error),
        }
    }
    nearly.map(Err)
}

/// A pattern of ours, on bytes: its classes are of ASCII, as in Go.
#[expect(clippy::expect_used, reason = "the patterns are constants, each used by a test")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(&format!("(?-u){pattern}")).expect("a valid pattern")
}

#[cfg(test)]
mod tests;
