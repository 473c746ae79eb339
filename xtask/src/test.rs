//! `cargo xtask test`: every check and every test, from a fresh machine. What fails fast comes first.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::bundle::{self, Quality};
use crate::guests;
use crate::project::{Project, answer, run, say};
use crate::setup::{self, Tools};

/// The crate that guests are built with, in other ways than the workspace has it.
const SDK: &str = "wprof-guest";
const SDK_FEATURES: [&[&str]; 3] = [&[], &["--all-features"], &["--no-default-features", "--features=std"]];

/// Sets up, builds, checks and tests.
pub(crate) fn run_all(project: &Project) -> Result<()> {
    let tools = setup::for_tests(project)?;
    project.step("check the formatting", || {
        run(project.cargo("fmt").args(["--all", "--check"]))?;
        let guests = project.root.join("tests/guests");
        run(project.cargo("fmt").arg("--check").current_dir(&guests))?;
        run(project.cargo("fmt").arg("--check").current_dir(guests.join("threads")))
    })?;
    bundle::build(project, &tools.toolchain, Quality::Full)?;
    project.build()?;
    guests::build(project, &tools.toolchain, &tools.compilers)?;
    project.step("clippy", || {
        run(project.cargo("clippy").args(["--release", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
        SDK_FEATURES.iter().try_for_each(|features| {
            let mut clippy = project.cargo("clippy");
            run(clippy.args(["--release", "-p", SDK, "--all-targets"]).args(*features).args(["--", "-D", "warnings"]))
        })
    })?;
    project.step("build the documentation", || {
        let mut doc = project.cargo("doc");
        run(doc.args(["--release", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
        let mut doc = project.cargo("doc");
        run(doc.args(["--release", "-p", SDK, "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    let count = run_tests(project, &tools)?;
    println!("\n{} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped);
    if count.failed > 0 {
        bail!("{} tests failed", count.failed);
    }
    Ok(())
}

/// How many tests did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Runs the tests, all of them even when some fail, and says which left something out and why.
fn run_tests(project: &Project, tools: &Tools) -> Result<Count> {
    let skips = project.target.join("skips.txt");
    fs::write(&skips, "").context("empty the list of skipped tests")?;
    let env = environment(project, tools, &skips);
    let mut count = Count::default();
    project.step("tests", || {
        let has_nextest = answer("cargo", &["nextest", "--version"]).is_some();
        let mut tests = project.cargo(if has_nextest { "nextest" } else { "test" });
        if has_nextest {
            tests.args(["run", "--no-tests=pass"]);
        } else {
            tests.arg("--all-targets");
        }
        tests.args(["--release", "--workspace", "--no-fail-fast", "--color=never"]).envs(env.iter().cloned());
        count.add(&run_counting(&mut tests)?);
        let mut doc_tests = project.cargo("test");
        doc_tests.args(["--release", "--workspace", "--no-fail-fast", "--color=never", "--doc"]);
        count.add(&run_counting(doc_tests.envs(env.iter().cloned()))?);
        // The workspace's run has it as wprof uses it.
        for features in SDK_FEATURES {
            let mut sdk_tests = project.cargo("test");
            count.add(&run_counting(sdk_tests.args(["--release", "-p", SDK, "--color=never"]).args(features))?);
        }
        Ok(())
    })?;
    let skipped = fs::read_to_string(&skips).context("read the list of skipped tests")?;
    for line in skipped.lines() {
        say(&format!("skipped: {line}"));
        count.skipped += 1; // its runner saw it pass, as the rest of it may well have done
    }
    Ok(count)
}

/// What the tests are told. A variable that is not set means that the thing is not there, and the test skips itself by a
/// line in `WPROF_SKIPS`.
fn environment(project: &Project, tools: &Tools, skips: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut env = vec![
        ("WPROF_BIN", project.wprof()),
        ("WPROF_SERVICE", project.service()),
        ("WPROF_GUESTS", project.guests()),
        ("WPROF_SKIPS", skips.to_owned()),
        ("CHROMIUM", tools.browser.chromium.clone()),
        ("CHROMEDRIVER", tools.browser.driver.clone()),
    ];
    env.extend(tools.compilers.go.clone().map(|go| ("WPROF_GO", go)));
    env.extend(tools.pprof.clone().map(|pprof| ("WPROF_PPROF", pprof)));
    env.extend(tools.speedscope.clone().map(|package| ("WPROF_SPEEDSCOPE", package)));
    env.extend(tools.axe.clone().map(|script| ("WPROF_AXE", script)));
    env.push(("WPROF_SCREENSHOTS", project.target.join("screenshots")));
    env.extend(tools.firefox_profiler.clone().map(|cli| ("WPROF_FIREFOX_PROFILER", cli)));
    let shared = project.root.with_file_name("shared");
    if shared.is_dir() {
        say("../shared is there: the tests read it too");
        env.push(("WPROF_SHARED", shared));
    } else {
        say("../shared is not there: the tests that would read it say so");
    }
    env
}

/// Runs a test runner, its output passed through, and counts what it says at its end. Failed tests are a count, not an
/// error; a runner that fails without naming one is.
fn run_counting(command: &mut Command) -> Result<Count> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    say(&format!("$ {command:?}"));
    let mut child = command.spawn().context("could not start the test runner")?;
    let stderr = child.stderr.take().map(|stream| thread::spawn(|| pass_through(stream, std::io::stderr())));
    let mut count = child.stdout.take().map_or_else(Count::default, |stream| pass_through(stream, std::io::stdout()));
    if let Some(counted) = stderr.and_then(|thread| thread.join().ok()) {
        count.add(&counted);
    }
    let status = child.wait().context("wait for the test runner")?;
    if !status.success() && count.failed == 0 {
        bail!("the test runner ended with {status}");
    }
    Ok(count)
}

fn pass_through(stream: impl Read, mut to: impl Write) -> Count {
    let mut count = Count::default();
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        count.add(&Count::parse(&String::from_utf8_lossy(&line)).unwrap_or_default());
        let _ = to.write_all(&line).and_then(|()| to.write_all(b"\n"));
    }
    count
}

impl Count {
    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Reads the closing line of nextest, or one of those that cargo test prints for each file.
    fn parse(line: &str) -> Option<Self> {
        let (_, numbers) = line
            .split_once("tests run:")
            .or_else(|| line.split_once("test run:"))
            .or_else(|| line.strip_prefix("test result:").and_then(|rest| rest.split_once('.')))?;
        let mut count = Self::default();
        for part in numbers.split([',', ';']) {
            let mut words = part.split_whitespace();
            let Some(n) = words.next().and_then(|word| word.parse::<u64>().ok()) else {
                continue;
            };
            match words.next() {
                Some("passed") => count.passed += n,
                Some("failed" | "timed" | "exec") => count.failed += n,
                Some("skipped" | "ignored") => count.skipped += n,
                _ => {}
            }
        }
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_closing_lines() {
        let check = |line: &str, expected: Option<(u64, u64, u64)>| {
            let count = Count::parse(line).map(|count| (count.passed, count.failed, count.skipped));
            assert_eq!(count, expected, "{line}");
        };
        check("     Summary [   0.004s] 1 test run: 1 passed, 0 skipped", Some((1, 0, 0)));
        check(
            "     Summary [  9.1s] 7 tests run: 4 passed (1 slow), 2 failed, 1 timed out, 3 skipped",
            Some((4, 3, 3)),
        );
        check(
            "test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 5 filtered out; finished in 0.1s",
            Some((3, 0, 2)),
        );
        check("test result: FAILED. 0 passed; 1 failed; 0 ignored", Some((0, 1, 0)));
        check("        PASS [   0.004s] xtask tests::reads_closing_lines", None);
    }
}
