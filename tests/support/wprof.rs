//! `wprof …` in a folder of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proto::Profile;
use tempfile::TempDir;

use crate::http::Server;
use crate::machine;
use crate::running::{Ended, Reading, Running};
use crate::sampler::Sampler;

/// A command line of wprof's, and the folder it is to run in.
#[derive(Debug)]
pub struct Wprof {
    command: Command,
    dir: TempDir,
    stdin: Vec<u8>,
    reading: Reading,
}

/// What came of it.
#[derive(Debug)]
pub struct Run {
    /// The folder it ran in.
    pub dir: TempDir,
    /// Exit code and output.
    pub ended: Ended,
}

/// A run that is still going on.
#[derive(Debug)]
pub struct RunningWprof {
    /// The process.
    pub process: Running,
    dir: TempDir,
}

/// What `wprof run` counted, by its own `WPROF_STATS`.
#[derive(Debug)]
pub struct Stats(serde_json::Value);

impl Wprof {
    /// `wprof SUBCOMMAND`.
    #[must_use]
    pub fn new(subcommand: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(machine::wprof_bin());
        command.arg(subcommand).current_dir(dir.path());
        // Nothing of the user's settings, and one cache for all tests.
        command.env("XDG_CACHE_HOME", machine::cache()).env_remove("XDG_CONFIG_HOME").env_remove("RUST_BACKTRACE");
        command.env("TZ", "UTC").env("NO_COLOR", "1").env("WPROF_STATS", dir.path().join(STATS));
        Self { command, dir, stdin: Vec::new(), reading: Reading::AtOnce }
    }

    /// `wprof run OPTIONS… GUEST ARGS…`; the options go first, so give them to [`Wprof::arg`] before the guest.
    #[must_use]
    pub fn run(options: &[&str], guest: impl AsRef<OsStr>, args: &[&str]) -> Self {
        Self::new("run").args(options).arg(guest).args(args)
    }

    /// The same, with CPU samples taken in this way.
    #[must_use]
    pub fn run_on(sampler: Sampler, options: &[&str], guest: impl AsRef<OsStr>, args: &[&str]) -> Self {
        Self::new("run").args(["--sampler", sampler.name()]).args(options).arg(guest).args(args)
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds several.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Runs it in this folder instead of its own.
    #[must_use]
    pub fn cd(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it is to read; nothing otherwise.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Takes from the pipe of its stdout so slowly that it has to wait.
    #[must_use]
    pub fn read_slowly(mut self) -> Self {
        self.reading = Reading::Slowly;
        self
    }

    /// Puts a file into the folder.
    #[must_use]
    pub fn file(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        fs::write(self.dir.path().join(name), contents).unwrap();
        self
    }

    /// Puts a copy of a folder into the folder.
    #[must_use]
    pub fn folder(self, name: &str, from: &Path) -> Self {
        for (path, contents) in files_below(from) {
            let to = self.dir.path().join(name).join(path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, contents).unwrap();
        }
        self
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Runs it to its end.
    #[must_use]
    pub fn finish(mut self) -> Run {
        let stdin = std::mem::take(&mut self.stdin);
        let mut running = self.start();
        running.process.write_stdin(stdin);
        running.finish()
    }

    /// Starts a command that serves the viewer, and waits until it does.
    #[must_use]
    pub fn start_viewer(self) -> (RunningWprof, Server) {
        let mut running = self.start();
        let server = running.viewer();
        (running, server)
    }

    /// Starts it, its stdin left open.
    #[must_use]
    pub fn start(mut self) -> RunningWprof {
        RunningWprof { process: Running::start_reading(&mut self.command, self.reading), dir: self.dir }
    }
}

impl RunningWprof {
    /// Waits until it serves the viewer; the answer is where.
    #[must_use]
    pub fn viewer(&mut self) -> Server {
        let line = self.process.wait_for_message("the viewer is at http://127.0.0.1:");
        Server::at(line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default())
    }

    /// Waits until it serves a guest's profiles, by `--http`; the answer is where.
    #[must_use]
    pub fn http(&mut self) -> Server {
        let line = self.process.wait_for_message("serving http://");
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap_or_default();
        Server::at(url.strip_suffix("/debug/pprof/").expect("the address of the profiles"))
    }

    /// Waits for its end.
    #[must_use]
    pub fn finish(self) -> Run {
        Run { ended: self.process.finish(), dir: self.dir }
    }

    /// The folder it runs in.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

const STATS: &str = ".stats.json";

/// What it writes unasked; `memory.prof` is in the place of `heap.prof` where no allocator is known.
const PROFILES: [&str; 3] = ["cpu.prof", "heap.prof", "memory.prof"];

impl Run {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.ended.code
    }

    /// What it printed.
    #[must_use]
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.ended.stdout).into_owned()
    }

    /// What it said, the guest's words and wprof's.
    #[must_use]
    pub fn stderr(&self) -> &str {
        &self.ended.stderr
    }

    /// Stops the test unless the exit code was this one.
    #[must_use]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "the exit code; stderr was:\n{}", self.stderr());
        self
    }

    /// Stops the test unless samples were taken in this way, and every stack that was walked made sense.
    #[must_use]
    pub fn expect_sampler(self, sampler: Sampler) -> Self {
        let stats = self.stats();
        assert_eq!(stats.text("sampler"), sampler.name(), "{stats:?}; stderr was:\n{}", self.stderr());
        assert_eq!(stats.get("bad_walks"), 0.0, "{stats:?}");
        self
    }

    /// The path of a file that it should have written.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The CPU profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        read_profile(&self.path("cpu.prof"))
    }

    /// The heap profile.
    #[must_use]
    pub fn heap(&self) -> Profile {
        read_profile(&self.path("heap.prof"))
    }

    /// What it counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let text = fs::read(self.path(STATS)).expect("no statistics were written");
        Stats(serde_json::from_slice(&text).unwrap())
    }

    /// Every file below the folder but wprof's own, with its contents.
    #[must_use]
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = files_below(self.dir.path());
        files.retain(|path, _| path != Path::new(STATS) && !PROFILES.contains(&path.to_string_lossy().as_ref()));
        files
    }
}

impl Stats {
    /// A figure by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }

    /// A word by its name.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }
}

/// Reads a profile that must be a good one.
#[must_use]
pub fn read_profile(path: &Path) -> Profile {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{} was not written: {error}", path.display()));
    assert!(bytes.starts_with(&[0x1f, 0x8b]), "{} is not gzip", path.display());
    proto::decode(&bytes, &proto::Limits::default()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_below(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in next.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                files.insert(path.strip_prefix(dir).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Splits a command line at spaces; no argument of the tests has one.
#[must_use]
pub fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}
