//! What wprof says on stderr, beside the guest's own words.
#![expect(clippy::print_stderr, reason = "the one place that talks to the user")]

use std::io::IsTerminal;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Color {
    /// When stderr is a terminal and `NO_COLOR` is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Prints messages, or with `--quiet` only errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Messages {
    quiet: bool,
    color: bool,
}

impl Messages {
    pub(super) fn new(quiet: bool, color: Color) -> Self {
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self { quiet, color }
    }

    /// A line of wprof's own.
    pub(super) fn note(self, text: &str) {
        if !self.quiet {
            eprintln!("{} {text}", self.paint("wprof:", "1"));
        }
    }

    /// Something that went wrong and did not stop the run.
    pub(super) fn warn(self, text: &str) {
        if !self.quiet {
            eprintln!("{} {text}", self.paint("wprof: warning:", "1;33"));
        }
    }

    /// A block of text without a prefix.
    pub(super) fn block(self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// What the guest's end calls for; also with `--quiet`.
    pub(super) fn guest_error(self, text: &str) {
        eprintln!("{text}");
    }

    /// Something that wprof failed to do; also with `--quiet`.
    pub(super) fn error(self, text: &str) {
        eprintln!("{} {text}", self.paint("wprof: error:", "1;31"));
    }

    fn paint(self, text: &str, sgr: &str) -> String {
        // ECMA-48 "select graphic rendition".
        if self.color { format!("\x1b[{sgr}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
