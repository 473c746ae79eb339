//! How a guest ended, what to say of it, and with which code to exit.

use std::fmt::Write;

use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

use crate::heap::rewrite::AddressMap;
use crate::sample::Ended;

/// The exit code after `--timeout`, as coreutils' `timeout` has it.
pub const EXIT_TIMEOUT: i32 = 124;

/// What `wasmtime run` exits with after a trap on Unix: 128 + SIGABRT.
const EXIT_TRAP: i32 = 134;

/// Frames of a trap's backtrace that are printed, as many as wasmtime prints. Capture keeps far more, for samples.
const MAX_PRINTED_FRAMES: usize = 20;

/// How a guest's run ended by itself.
#[derive(Debug)]
pub enum Ending {
    /// It returned, or called `proc_exit` with this code.
    Exited(i32),
    /// It trapped; the text is what wasmtime says about it.
    Trapped(String),
    /// It was stopped on our request.
    Stopped,
    /// It could not be started, or the host refused something.
    Failed(String),
}

impl Ending {
    /// Sorts the outcome of [`super::start`]. Places in a backtrace are of the file that was compiled; `map` leads from
    /// there to the file that the user knows.
    #[must_use]
    pub fn of(outcome: anyhow::Result<()>, map: &AddressMap) -> Self {
        let Err(error) = outcome else { return Self::Exited(0) };
        if let Some(exit) = find::<I32Exit>(&error) {
            Self::Exited(exit.0)
        } else if find::<Ended>(&error).is_some() {
            Self::Stopped
        } else if find::<Trap>(&error).is_some() {
            Self::Trapped(message(&error, map))
        } else {
            Self::Failed(message(&error, map))
        }
    }

    /// The process's exit code, unless it was stopped from outside.
    #[must_use]
    pub fn code(&self) -> i32 {
        match self {
            Self::Exited(code) => *code,
            Self::Trapped(_) => EXIT_TRAP,
            Self::Stopped | Self::Failed(_) => 1,
        }
    }

    /// What is to be printed on stderr.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Exited(_) | Self::Stopped => None,
            Self::Trapped(text) | Self::Failed(text) => Some(text),
        }
    }
}

fn find<E: std::error::Error + Send + Sync + 'static>(error: &anyhow::Error) -> Option<&E> {
    error.downcast_ref::<E>().or_else(|| error.chain().find_map(|cause| cause.downcast_ref::<E>()))
}

/// The chain of causes as wasmtime prints it, with long backtraces cut.
fn message(error: &anyhow::Error, map: &AddressMap) -> String {
    let readable = |text: String| cut_backtrace(&map_backtrace(&text, map));
    let mut text = format!("Error: {}", readable(error.to_string()));
    let causes: Vec<String> = error.chain().skip(1).map(|cause| readable(cause.to_string())).collect();
    if !causes.is_empty() {
        text.push_str("\n\nCaused by:");
    }
    for (idx, cause) in causes.iter().enumerate() {
        for (n_line, line) in cause.lines().enumerate() {
            // Writing to a String cannot fail.
            let _ = match (n_line, causes.len()) {
                (0, 1) => write!(text, "\n    {line}"),
                (0, _) => write!(text, "\n{idx:5}: {line}"),
                (_, 1) => write!(text, "\n    {line}"),
                (_, _) => write!(text, "\n       {line}"),
            };
        }
    }
    text
}

/// Number, place and rest of a backtrace's line, which reads `    12:   0x2f - name`.
fn frame(line: &str) -> Option<(usize, u32, &str)> {
    let (number, rest) = line.trim_start().split_once(':')?;
    let (place, name) = rest.trim_start().strip_prefix("0x")?.split_once(' ')?;
    Some((number.parse().ok()?, u32::from_str_radix(place, 16).ok()?, name))
}

/// Puts the places of the user's file into a backtrace. Functions of wprof's own go.
fn map_backtrace(text: &str, map: &AddressMap) -> String {
    let mut n_gone = 0;
    let lines = text.lines().filter_map(|line| {
        let Some((number, place, name)) = frame(line) else { return Some(line.to_owned()) };
        let Some(place) = map.map(place) else {
            n_gone += 1;
            return None;
        };
        // As wasmtime lays it out.
        Some(format!("{:>5}: {place:#8x} {name}", number - n_gone))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Keeps the first frames of a backtrace.
fn cut_backtrace(text: &str) -> String {
    let is_frame = |line: &&str| frame(line).is_some();
    let n_frames = text.lines().filter(is_frame).count();
    if n_frames <= MAX_PRINTED_FRAMES {
        return text.trim_end().to_owned();
    }
    let mut n_seen = 0;
    let mut kept: Vec<&str> = text
        .lines()
        .filter(|line| {
            n_seen += usize::from(is_frame(line));
            n_seen <= MAX_PRINTED_FRAMES || !is_frame(line)
        })
        .collect();
    let more = format!("    … and {} more frames", n_frames - MAX_PRINTED_FRAMES);
    kept.push(&more);
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::rewrite::{Origin, Segment};

    #[test]
    fn an_exit_code_is_found_under_any_context() {
        let outcome = Err(anyhow::Error::from(I32Exit(42)).context("failed to invoke").context("failed to run"));
        assert_eq!(Ending::of(outcome, &AddressMap::default()).code(), 42);
        assert_eq!(Ending::of(Ok(()), &AddressMap::default()).code(), 0);
        assert!(matches!(Ending::of(Err(Ended.into()), &AddressMap::default()), Ending::Stopped));
        assert_eq!(
            Ending::of(Err(anyhow::Error::from(Trap::StackOverflow).context("x")), &AddressMap::default()).code(),
            134
        );
    }

    #[test]
    fn a_backtrace_tells_the_places_of_the_users_file() {
        let segment = |new, origin| Segment { new, origin };
        let map = AddressMap::new(vec![
            segment(0x40..0x50, Origin::Ours),
            segment(0x50..0x60, Origin::PutInto(0x21)),
            segment(0x60..0x90, Origin::Copied(0x30)),
        ]);
        let text =
            "error while executing at wasm backtrace:\n    0:     0x44 - f\n    1:     0x55 - g\n    2:     0x61 - h";
        assert_eq!(
            map_backtrace(text, &map),
            "error while executing at wasm backtrace:\n    0:     0x21 - g\n    1:     0x31 - h"
        );
    }

    #[test]
    fn a_long_backtrace_is_cut_and_says_by_how_much() {
        let frames: Vec<String> = (0..25).map(|n| format!("    {n}:   0x{n:x} - f")).collect();
        let text = cut_backtrace(&format!("error while executing at wasm backtrace:\n{}", frames.join("\n")));
        assert_eq!(text.lines().count(), 22);
        assert!(text.ends_with("   19:   0x13 - f\n    … and 5 more frames") || text.ends_with("… and 5 more frames"));
    }
}
