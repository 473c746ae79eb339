//! `go tool pprof` on a file or an address, as a user runs it.

use std::path::Path;
use std::process::Output;

use crate::machine;

/// What it printed, and what it said beside that.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said, but for what it says of every file that it fetches.
    pub stderr: String,
}

/// Runs it with these arguments in a folder. `None` where there is none; the test is then said to be left out.
#[must_use]
pub fn pprof(dir: &Path, args: &[&str]) -> Option<Said> {
    let Some(mut command) = machine::pprof("what pprof says") else {
        machine::skip("it is about pprof alone");
        return None;
    };
    let Output { status, stdout, stderr } =
        command.args(args).env("PPROF_TMPDIR", dir).current_dir(dir).output().unwrap();
    let is_usual = |line: &&str| {
        !["Fetching profile over", "Saved profile in", "Please wait"].iter().any(|it| line.starts_with(it))
    };
    let stderr = String::from_utf8_lossy(&stderr).lines().filter(is_usual).collect::<Vec<_>>().join("\n");
    Some(Said { code: status.code(), stdout: String::from_utf8_lossy(&stdout).into_owned(), stderr })
}

impl Said {
    /// What it printed, if it has done so without a word beside it.
    #[must_use]
    #[track_caller]
    pub fn clean(self) -> String {
        assert!(self.code == Some(0) && self.stderr.is_empty(), "{self:#?}");
        self.stdout
    }

    /// The samples of `-raw`: their lines, labels on lines of their own.
    #[must_use]
    pub fn samples(&self) -> Vec<&str> {
        let (_, samples) = self.stdout.split_once("Samples:\n").unwrap_or_default();
        let (samples, _) = samples.split_once("Locations\n").unwrap_or_default();
        samples.lines().skip(1).map(str::trim).collect()
    }
}
