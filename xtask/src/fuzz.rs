//! `cargo xtask fuzz`: libFuzzer on the targets of tests/fuzz. Needs a C++ compiler, but no nightly Rust.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::project::{Project, answer, run, say};

/// What cargo-fuzz passes, but for the sanitizers, which stable Rust has not: coverage counters in all our code and
/// in what it uses. With overflow checks, since a sum that wraps is a fault, too.
const RUSTFLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions";

/// How long each target is tried, in seconds, if nothing is said.
const SECONDS: u32 = 60;
/// Inputs do not get longer, in bytes; a fuzzer finds more with small ones.
const MAX_LEN: u32 = 1 << 14;

/// Tries the targets named, or all: `[TARGET…] [--seconds N]`.
pub(crate) fn run_targets(project: &Project, args: &[String]) -> Result<()> {
    let (seconds, names) = arguments(args)?;
    let corpus = project.root.join("tests/fuzz/corpus");
    let all: Vec<String> = folders(&corpus)?;
    if let Some(unknown) = names.iter().find(|it| !all.contains(it)) {
        bail!("no target {unknown}; there are {}", all.join(", "));
    }
    let fuzzer = project.step("build the fuzzer", || build(project))?;
    let found = project.target.join("fuzz/found");
    for name in if names.is_empty() { &all } else { &names } {
        project.step(&format!("fuzz {name}"), || fuzz(project, &fuzzer, name, seconds, &corpus))?;
    }
    say(&format!("nothing found; what is found is put into {}", project.shown(&found)));
    Ok(())
}

fn arguments(args: &[String]) -> Result<(u32, Vec<String>)> {
    let Some(at) = args.iter().position(|it| it == "--seconds") else { return Ok((SECONDS, args.to_vec())) };
    let seconds = args.get(at + 1).context("--seconds is followed by a number")?;
    let seconds = seconds.parse().with_context(|| format!("--seconds {seconds}"))?;
    Ok((seconds, [&args[..at], &args[at + 2..]].concat()))
}

fn folders(dir: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))?;
    let mut names: Vec<String> = entries.flatten().filter_map(|it| it.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn build(project: &Project) -> Result<PathBuf> {
    let host = answer("rustc", &["--print", "host-tuple"]).context("rustc does not say what machine this is")?;
    let target_dir = project.target.join("fuzz");
    // With a target named, build scripts and macros are built without the counters.
    let mut cargo = project.cargo("build");
    cargo.args(["--release", "--package", "wprof-fuzz", "--bin", "fuzz", "--target", &host]);
    cargo.arg("--target-dir").arg(&target_dir).env("RUSTFLAGS", RUSTFLAGS);
    run(&mut cargo)?;
    Ok(target_dir.join(host).join("release/fuzz"))
}

fn fuzz(project: &Project, fuzzer: &Path, name: &str, seconds: u32, corpus: &Path) -> Result<()> {
    let [grown, found] = ["grown", "found"].map(|it| project.target.join("fuzz").join(it).join(name));
    fs::create_dir_all(&grown)?;
    fs::create_dir_all(&found)?;
    let mut command = Command::new(fuzzer);
    command.arg(&grown).arg(corpus.join(name)).env("FUZZ_TARGET", name);
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={MAX_LEN}"));
    command.args(["-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0"]);
    command.arg(format!("-artifact_prefix={}/", found.display()));
    command.env("RUST_BACKTRACE", env::var_os("RUST_BACKTRACE").unwrap_or_else(|| "1".into()));
    run(&mut command).with_context(|| format!("{name} found something: see {}", project.shown(&found)))
}
