//! How a guest ended, what to say of it, and with which code to exit.

use std::fmt::Write;

use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

use crate::sample::epoch::Ended;

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
    /// Sorts the outcome of [`super::start`].
    #[must_use]
    pub fn of(outcome: anyhow::Result<()>) -> Self {
        let Err(error) = outcome else { return Self::Exited(0) };
        if let Some(exit) = find::<I32Exit>(&error) {
            Self::Exited(exit.0)
        } else if find::<Ended>(&error).is_some() {
            Self::Stopped
        } else if find::<Trap>(&error).is_some() {
            Self::Trapped(message(&error))
        } else {
            Self::Failed(message(&error))
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
fn message(error: &anyhow::Error) -> String {
    let mut text = format!("Error: {}", cut_backtrace(&error.to_string()));
    let causes: Vec<String> = error.chain().skip(1).map(|cause| cut_backtrace(&cause.to_string())).collect();
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

/// Keeps the first frames of a backtrace; a line of it reads `    12:   0x2f - name`.
fn cut_backtrace(text: &str) -> String {
    let is_frame = |line: &&str| {
        line.trim_start().split_once(':').is_some_and(|(number, rest)| {
            !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && rest.trim_start().starts_with("0x")
        })
    };
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

    #[test]
    fn an_exit_code_is_found_under_any_context() {
        let outcome = Err(anyhow::Error::from(I32Exit(42)).context("failed to invoke").context("failed to run"));
        assert_eq!(Ending::of(outcome).code(), 42);
        assert_eq!(Ending::of(Ok(())).code(), 0);
        assert!(matches!(Ending::of(Err(Ended.into())), Ending::Stopped));
        assert_eq!(Ending::of(Err(anyhow::Error::from(Trap::StackOverflow).context("x"))).code(), 134);
    }

    #[test]
    fn a_long_backtrace_is_cut_and_says_by_how_much() {
        let frames: Vec<String> = (0..25).map(|n| format!("    {n}:   0x{n:x} - f")).collect();
        let text = cut_backtrace(&format!("error while executing at wasm backtrace:\n{}", frames.join("\n")));
        assert_eq!(text.lines().count(), 22);
        assert!(text.ends_with("   19:   0x13 - f\n    … and 5 more frames") || text.ends_with("… and 5 more frames"));
    }
}
