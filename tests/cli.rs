//! The command line, case by case: every file in cli/ is a test, its commands in its first comment lines, what they should
//! print beside it in a file named `.out`. `BLESS=1` writes those anew; review the difference. A module is run as the
//! commands say and on each sampler once more: nothing that is printed may depend on that.
//!
//! ```text
//! ;; RUN: run --quiet %        the command, after `wprof`; % is this file
//! ;; STDIN: some text\n        what it reads
//! ;; FILE name: text           another file in the folder it runs in
//! ```
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test harness may stop")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use regex::Regex;
use support::sampler::Sampler;
use support::wprof::Wprof;

fn main() -> ExitCode {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli");
    let mut files: Vec<PathBuf> = dir.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wat" || extension == "txt"));
    files.sort();
    libtest_mimic::run(&Arguments::from_args(), files.iter().flat_map(|path| trials(path)).collect()).exit_code()
}

/// The tests that a file makes: `NAME` as it stands there, and for a module `NAME::epoch` and `NAME::signal`.
fn trials(path: &Path) -> Vec<Trial> {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let trial = |name: String, sampler: Option<Sampler>| {
        let path = path.to_owned();
        Trial::test(name.clone(), move || match sampler {
            Some(sampler) if !sampler.is_here(&name) => Ok(()),
            _ => check(&path, sampler),
        })
    };
    let mut trials = vec![trial(name.clone(), None)];
    if path.extension().is_some_and(|extension| extension == "wat") {
        let both = [Sampler::Epoch, Sampler::Signal].into_iter();
        trials.extend(both.map(|sampler| trial(format!("{name}::{}", sampler.name()), Some(sampler))));
    }
    trials
}

/// Runs a file's commands, each in a folder of its own, and compares all they printed.
fn check(path: &Path, sampler: Option<Sampler>) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let case = Case { name: path.file_name().unwrap().to_str().unwrap(), text: &text, sampler };
    let commands: Vec<&str> = case.header("RUN: ").collect();
    assert!(!commands.is_empty(), "{} has no `;; RUN:` line", path.display());
    let actual: String = commands.iter().map(|command| case.run(command)).collect();

    let golden = path.with_extension("out");
    if std::env::var_os("BLESS").is_some() {
        // What both samplers print is what either does.
        return if sampler.is_none() { Ok(fs::write(golden, actual)?) } else { Ok(()) };
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    if actual == expected {
        return Ok(());
    }
    Err(format!("expected (in {}):\n{expected}\n\nbut it was (BLESS=1 writes that):\n{actual}", golden.display())
        .into())
}

struct Case<'a> {
    name: &'a str,
    text: &'a str,
    /// Named in front of what the command says.
    sampler: Option<Sampler>,
}

impl<'a> Case<'a> {
    /// The values of the header lines that begin like this.
    fn header(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let lines = self.text.lines().map_while(|line| line.strip_prefix(";; "));
        lines.filter_map(move |line| line.strip_prefix(key))
    }

    fn run(&self, command: &str) -> String {
        let mut args = command.split_whitespace().map(|word| word.replace('%', self.name));
        let subcommand = args.next().unwrap();
        let sampler = self.sampler.filter(|_| subcommand == "run").map(|sampler| ["--sampler", sampler.name()]);
        let mut wprof = Wprof::new(&subcommand).args(sampler.into_iter().flatten()).args(args);
        wprof = wprof.file(self.name, self.text);
        for file in self.header("FILE ") {
            let (name, contents) = file.split_once(": ").expect("`;; FILE name: text`");
            wprof = wprof.file(name, unescape(contents));
        }
        for stdin in self.header("STDIN: ") {
            wprof = wprof.stdin(unescape(stdin));
        }
        let before = files(wprof.dir());
        let run = wprof.finish();

        let mut report = format!("$ wprof {}\n", command.replace('%', self.name));
        for (title, text) in [("stdout", &run.stdout()), ("stderr", &mask(run.stderr()))] {
            if !text.is_empty() {
                let end = if text.ends_with('\n') { "" } else { "[no newline]\n" };
                write!(report, "-- {title}\n{text}{end}").unwrap();
            }
        }
        let written: Vec<String> = files(run.dir.path()).difference(&before).cloned().collect();
        writeln!(report, "-- exit code {}, files: {written:?}\n", run.code()).unwrap();
        report
    }
}

/// What differs from run to run, or from one processor to another.
fn mask(text: &str) -> String {
    let times = Regex::new(r"\b\d+(\.\d+)?(ns|µs|ms|s)\b").unwrap();
    let frames = Regex::new(r"and \d+ more frames").unwrap();
    frames.replace_all(&times.replace_all(text, "TIME"), "and N more frames").into_owned()
}

/// The names of all files in a folder and those below it, but for wprof's figures.
fn files(dir: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in dir.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            names.extend(files(&path).into_iter().map(|below| format!("{name}/{below}")));
        } else if name != ".stats.json" {
            names.insert(name);
        }
    }
    names
}

/// `\n` and `\xNN`, for files that are no text.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut parts = text.split('\\');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        if let Some(hex) = part.strip_prefix('x') {
            bytes.push(u8::from_str_radix(&hex[..2], 16).unwrap());
            bytes.extend_from_slice(&hex.as_bytes()[2..]);
        } else {
            bytes.push(b'\n');
            bytes.extend_from_slice(&part.as_bytes()[1..]);
        }
    }
    bytes
}
