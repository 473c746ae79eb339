//! What is run: a guest of tests/guests, a module of the user's, or a program of the corpus; some of them in a loop that is as
//! long as is asked for.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::run_stats::run_guest;
use crate::project::{Project, say};
use crate::setup;

/// A guest, what it is told, and what of `wprof run` it needs (`--dir` …).
#[derive(Debug, Clone, Default)]
pub(super) struct Workload {
    pub(super) name: String,
    pub(super) module: PathBuf,
    pub(super) options: Vec<String>,
    pub(super) args: Vec<String>,
}

impl Workload {
    /// A guest of tests/guests.
    pub(super) fn guest(project: &Project, name: &str, args: &str) -> Self {
        let module = project.guests().join(name).with_extension("wasm");
        let args = args.split_whitespace().map(str::to_owned).collect();
        Self { name: name.to_owned(), module, options: Vec::new(), args }
    }

    /// `[--dir HOST[::GUEST]] [--env NAME=VALUE] FILE.wasm [[--] ARG…]`; `None` when no module is named.
    pub(super) fn of_user(args: &[String]) -> Result<Option<Self>> {
        let mut options = Vec::new();
        let mut args = args.iter().cloned();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--dir" | "--env" => {
                    let value = args.next().with_context(|| format!("{arg} needs a value"))?;
                    options.extend([arg, value]);
                }
                option if option.starts_with("--dir=") || option.starts_with("--env=") => options.push(arg),
                option if option.starts_with('-') => bail!("unknown option {option}"),
                _ if arg.ends_with(".wasm") => {
                    let name = Path::new(&arg).file_stem().unwrap_or_default().to_string_lossy().into_owned();
                    let args = args.skip_while(|arg| arg == "--").collect();
                    return Ok(Some(Self { name, module: arg.into(), options, args }));
                }
                _ if options.is_empty() => return Ok(None),
                _ => bail!("{arg} is no .wasm file, and the others take no options"),
            }
        }
        if options.is_empty() { Ok(None) } else { bail!("no .wasm file is named") }
    }
}

/// Work that can be done as many times over as a measurement needs. Its first turn costs what each does.
#[derive(Debug, Clone)]
pub(super) struct Loop {
    /// Without its number of turns.
    workload: Workload,
    turns: Turns,
}

/// How the number of turns is told.
#[derive(Debug, Clone, Copy)]
enum Turns {
    /// There is one only: a module of the user's.
    One,
    /// As the last argument, that many times this, and then this.
    Argument(usize, &'static str),
    /// In a script of this name in the folder that the guest sees as /w, made by this of the corpus's script and the
    /// number.
    Script(&'static str, fn(&str, usize) -> String),
}

/// Guests that can be had here, of those named, or all; the others' absence is said.
pub(super) fn loops(project: &Project, known: &[&str], args: &[String]) -> Result<Vec<Loop>> {
    if let Some(workload) = Workload::of_user(args)? {
        return Ok(vec![Loop { workload, turns: Turns::One }]);
    }
    if let Some(unknown) = args.iter().find(|arg| !known.contains(&arg.as_str())) {
        bail!("no guest {unknown} here; there are {}, or name a .wasm file", known.join(", "));
    }
    let mut found = Vec::new();
    for name in known.iter().filter(|name| args.is_empty() || args.iter().any(|arg| arg == **name)) {
        match Loop::find(project, name) {
            Ok(it) => found.push(it),
            Err(error) => say(&format!("skipped: {name}: {error:#}")),
        }
    }
    Ok(found)
}

impl Loop {
    fn find(project: &Project, name: &str) -> Result<Self> {
        let guest = |args: &str, turns| Self { workload: Workload::guest(project, name, args), turns };
        let found = match name {
            "truth" => guest("", Turns::Argument(100, "")),
            "wordbook" => guest("", Turns::Argument(60, "")),
            "deep" => guest("1000", Turns::Argument(10_000, "x")),
            "sqlite" => Self::of_corpus(project, name, "bench.sql", |script, n| {
                format!("{script};\nDROP TABLE t; DROP TABLE u;\n").repeat(n)
            })?,
            "lua" => Self::of_corpus(project, name, "bench.lua", |script, n| {
                format!("local function turn()\n{script}\nend\nfor _ = 1, {n} do turn() end\n")
            })?,
            "python" => Self::of_corpus(project, name, "bench.py", |script, n| {
                // What is a string in JSON is one in Python.
                format!("turn = {}\nfor _ in range({n}): exec(turn, {{}})\n", serde_json::Value::from(script))
            })?,
            _ => bail!("nobody knows it"),
        };
        if !found.workload.module.is_file() {
            bail!("{} is not there", found.workload.module.display());
        }
        Ok(found)
    }

    /// A program of `../shared/corpus`, which is there on the project's own machines only, and the script that it runs.
    fn of_corpus(project: &Project, name: &str, script: &'static str, turn: fn(&str, usize) -> String) -> Result<Self> {
        let shared = env::var_os("WPROF_SHARED").map_or_else(|| project.root.with_file_name("shared"), PathBuf::from);
        let corpus = shared.join("corpus");
        if !corpus.is_dir() {
            bail!("it reads ../shared/corpus, which is not there, and WPROF_SHARED names no other place");
        }
        let module = match name {
            "python" => setup::python_wasm(project)?,
            _ => corpus.join("modules").join(name).with_extension("wasm"),
        };
        let dir = project.target.join("bench/scripts");
        fs::create_dir_all(&dir).context("make target/bench/scripts")?;
        fs::copy(corpus.join("data").join(script), dir.join(script)).with_context(|| format!("copy {script}"))?;
        let options = vec!["--dir".to_owned(), format!("{}::/w", dir.display())];
        let workload = Workload { name: name.to_owned(), module, options, args: Vec::new() };
        Ok(Self { workload, turns: Turns::Script(script, turn) })
    }

    pub(super) fn name(&self) -> &str {
        &self.workload.name
    }

    /// So many turns of it.
    pub(super) fn times(&self, project: &Project, n: usize) -> Result<Workload> {
        let mut workload = self.workload.clone();
        match self.turns {
            Turns::One => {}
            Turns::Argument(times, unit) => workload.args.push(format!("{}{unit}", n * times)),
            Turns::Script(script, turn) => {
                let dir = project.target.join("bench/scripts");
                let text = fs::read_to_string(dir.join(script)).with_context(|| format!("read {script}"))?;
                let looped = format!("loop_{n}_{script}");
                fs::write(dir.join(&looped), turn(&text, n)).with_context(|| format!("write {looped}"))?;
                workload.args.push(format!("/w/{looped}"));
            }
        }
        Ok(workload)
    }

    /// As many turns as take about this much CPU time. Compiles the guest too, for one turn has to be run for it.
    pub(super) fn lasting(&self, project: &Project, seconds: f64) -> Result<Workload> {
        let plain = ["--no-cpu", "--no-heap"];
        let one = self.times(project, 1)?;
        run_guest(project, &one, &plain)?; // may have to compile, and finds cold files
        let turn = run_guest(project, &one, &plain)?.guest_cpu_ns / 1e9;
        let n = (seconds / turn).ceil().clamp(1.0, 1e6);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between one and a million")]
        self.times(project, n as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_of_the_users_has_options_and_arguments() {
        let check = |line: &str, expected: Option<(&str, &str, &str)>| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let found = Workload::of_user(&words).unwrap();
            let found = found.map(|it| (it.name, it.options.join(" "), it.args.join(" ")));
            assert_eq!(found, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())), "{line}");
        };
        check("", None);
        check("wordbook lists", None);
        check("a/b.wasm", Some(("b", "", "")));
        check("a/b.wasm -- -x 1", Some(("b", "", "-x 1")));
        check("--dir x::/y --env=A=1 b.wasm 1", Some(("b", "--dir x::/y --env=A=1", "1")));
        for wrong in ["--dir", "--dir x", "--dir x wordbook", "--hz=1 b.wasm"] {
            let words: Vec<String> = wrong.split_whitespace().map(str::to_owned).collect();
            assert!(Workload::of_user(&words).is_err(), "{wrong}");
        }
    }
}
