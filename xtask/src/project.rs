//! The checkout: where things are, the log of steps, and how a command is run.

use std::cell::RefCell;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The checkout that this program was built in.
pub(crate) struct Project {
    /// The folder of the workspace's manifest.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    timings: RefCell<Vec<(String, Duration)>>,
}

impl Project {
    /// Finds both folders from where this program was built and lies, so that it works from any current folder.
    pub(crate) fn find() -> Result<Self> {
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
        let root = Path::new(&manifest_dir).parent().context("xtask lies in the workspace's folder")?.to_owned();
        let exe = env::current_exe().context("find this program's own path")?;
        let target = exe.ancestors().nth(2).context("this program lies in target/release")?.to_owned();
        Ok(Self { root, target, timings: RefCell::default() })
    }

    /// Does one step: says so, times it, and names it when it fails.
    pub(crate) fn step<T>(&self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = work();
        self.timings.borrow_mut().push((name.to_owned(), start.elapsed()));
        outcome.with_context(|| format!("{name} failed"))
    }

    /// How long each step took.
    pub(crate) fn print_timings(&self) {
        let timings = self.timings.borrow();
        if timings.len() < 2 {
            return;
        }
        println!();
        for (name, time) in timings.iter() {
            println!("{:>8.1} s  {name}", time.as_secs_f64());
        }
        println!("{:>8.1} s  in all", timings.iter().map(|(_, time)| time.as_secs_f64()).sum::<f64>());
    }

    /// `cargo SUBCOMMAND` in the workspace. Everything is built with the release profile: wasmtime is built once for all.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).arg(subcommand);
        command
    }

    /// Builds everything that runs on this machine. Always the whole workspace: with fewer packages cargo would choose
    /// fewer features for what they share, and build wasmtime once more.
    pub(crate) fn build(&self) -> Result<()> {
        self.step("build wprof", || run(self.cargo("build").args(["--release", "--workspace"])))
    }

    /// The built `wprof`.
    pub(crate) fn wprof(&self) -> PathBuf {
        self.target.join("release").join(format!("wprof{}", env::consts::EXE_SUFFIX))
    }

    /// The built example of the library.
    pub(crate) fn service(&self) -> PathBuf {
        self.target.join("release/examples").join(format!("service{}", env::consts::EXE_SUFFIX))
    }

    /// Where guests land.
    pub(crate) fn guests(&self) -> PathBuf {
        self.target.join("guests")
    }

    /// `path` as a user would type it: without the checkout's folder in front.
    pub(crate) fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// Says what a step found or did.
pub(crate) fn say(message: &str) {
    println!("   {message}");
}

/// Runs a command to its end, its output passed through.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    say(&format!("$ {line}"));
    let status = command.status().with_context(|| format!("could not start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs a command quietly: its output is in the error when it fails.
pub(crate) fn run_quietly(command: &mut Command) -> Result<Output> {
    let line = command_line(command);
    let output = command.output().with_context(|| format!("could not start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(output)
}

/// What a command prints on stdout, trimmed; nothing when it fails or does not exist.
pub(crate) fn answer(program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first of these programs that is on PATH.
pub(crate) fn on_path(programs: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    programs.iter().find_map(|program| env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file()))
}

/// The command as one would type it, its program by its last name.
fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

/// Writes a file unless it holds these bytes already, so that what depends on it is not built again.
pub(crate) fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    std::fs::write(path, bytes).with_context(|| format!("write {}", path.display()))
}
