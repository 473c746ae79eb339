//! Our program and Go's, which take turns at one task.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};

use super::worker::Turn;

/// A program that does a turn whenever it is told to.
pub(super) struct Runner {
    child: Child,
    /// Closed, it ends.
    orders: Option<ChildStdin>,
    turns: BufReader<ChildStdout>,
}

/// Whose program.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side<'a> {
    Ours,
    Theirs(&'a Path),
}

impl Runner {
    pub(super) fn start(side: Side<'_>, task: &str, files: &[PathBuf]) -> Result<Self> {
        let mut command = match side {
            Side::Ours => {
                let mut command = Command::new(std::env::current_exe().context("find this program's own path")?);
                command.args(["bench", "pprof-worker"]);
                command
            }
            Side::Theirs(timer) => Command::new(timer),
        };
        command.arg(task).args(files).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("start {}", command.get_program().display()))?;
        let orders = child.stdin.take();
        let turns = BufReader::new(child.stdout.take().context("its output is piped")?);
        Ok(Runner { child, orders, turns })
    }

    pub(super) fn turn(&mut self) -> Result<Turn> {
        let orders = self.orders.as_mut().context("it runs")?;
        orders.write_all(b"\n").and_then(|()| orders.flush()).context("ask for a turn")?;
        let mut line = String::new();
        self.turns.read_line(&mut line).context("read what a turn took")?;
        serde_json::from_str(&line).with_context(|| format!("a turn ended with {line:?}"))
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.orders = None;
        // There is nothing to do about a program that ends badly after its last turn.
        drop(self.child.wait());
    }
}

/// Both sides' turns at one task, each of ours with the one of Go's that followed it. Each is a process's first, as it
/// is when one asks for a report: neither side has memory at hand from the turn before.
pub(super) fn race(timer: Option<&Path>, task: &str, files: &[PathBuf], n_turns: usize) -> Result<Vec<Pair>> {
    let turn = |side| Runner::start(side, task, files)?.turn();
    (0..n_turns).map(|_| Ok((turn(Side::Ours)?, timer.map(|it| turn(Side::Theirs(it))).transpose()?))).collect()
}

/// A turn of ours, and one of Go's if there is Go.
pub(super) type Pair = (Turn, Option<Turn>);
