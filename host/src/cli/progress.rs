//! The line that says a long compile is going on.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::messages::Messages;

/// A compile shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where nobody watches a line move, one line says what takes long.
const PATIENCE_IN_A_LOG: Duration = Duration::from_secs(5);

/// Shown from when a compile takes long until it is dropped.
pub(super) struct Progress {
    began: Instant,
    what: String,
    on_terminal: bool,
    messages: Messages,
    shown: Shown,
}

enum Shown {
    Nothing,
    Line(ProgressBar),
    Logged,
}

impl Progress {
    pub(super) fn new(what: String, messages: Messages) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        Self { began: Instant::now(), what, on_terminal, messages, shown: Shown::Nothing }
    }

    /// To be called when [`Progress::due`] has come.
    pub(super) fn show(&mut self) {
        self.shown = if self.on_terminal {
            let line = ProgressBar::new_spinner().with_message(self.what.clone());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
                line.set_style(style);
            }
            line.enable_steady_tick(Duration::from_millis(120));
            Shown::Line(line)
        } else {
            self.messages.note(&self.what);
            Shown::Logged
        };
    }

    /// When to show it; `None` once it is.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.shown {
            Shown::Nothing => Some(self.began + if self.on_terminal { PATIENCE } else { PATIENCE_IN_A_LOG }),
            _ => None,
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Line(line) = &self.shown {
            line.finish_and_clear();
        }
    }
}
