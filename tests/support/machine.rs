//! What `cargo xtask test` found or built, by the environment variables it sets; and skipping a test without it.
#![expect(clippy::print_stderr, reason = "says what is left out")]

use std::env;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A profile that was made up for the tests.
#[must_use]
pub fn profile(name: &str) -> PathBuf {
    workspace().join("tests/profiles/synth").join(name)
}

/// The wprof under test.
#[must_use]
pub fn wprof_bin() -> PathBuf {
    built("WPROF_BIN", "target/release/wprof")
}

/// The example of the library, which is built with the tests.
#[must_use]
pub fn service_bin() -> PathBuf {
    built("WPROF_SERVICE", "target/release/examples/service")
}

/// A guest program that `cargo xtask guests` built. Those in C, C++ and Go are there only where their compilers are.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    let path = find_guest(name);
    assert!(path.is_file(), "{} is missing: run `cargo xtask test`, which builds it", path.display());
    path
}

/// A guest that may be missing for want of a compiler.
#[must_use]
pub fn guest_if_built(name: &str) -> Option<PathBuf> {
    Some(find_guest(name)).filter(|path| path.is_file())
}

fn find_guest(name: &str) -> PathBuf {
    built("WPROF_GUESTS", "target/guests").join(name).with_extension("wasm")
}

fn built(variable: &str, otherwise: &str) -> PathBuf {
    let path = env::var_os(variable).map_or_else(|| workspace().join(otherwise), PathBuf::from);
    assert!(path.exists(), "{} is missing: run `cargo xtask test`, which builds it", path.display());
    path
}

/// A folder of `../shared`, which is there on the project's own machines only.
#[must_use]
pub fn shared(folder: &str) -> Option<PathBuf> {
    let Some(shared) = env::var_os("WPROF_SHARED") else {
        skip(format_args!("it reads ../shared/{folder}, and WPROF_SHARED does not say where that is"));
        return None;
    };
    let path = Path::new(&shared).join(folder);
    assert!(path.is_dir(), "WPROF_SHARED is set, but {} is no folder", path.display());
    Some(path)
}

/// The real pprof. `what` says what this test then leaves out; one that is about nothing else calls [`skip`].
#[must_use]
pub fn pprof(what: &str) -> Option<Command> {
    let mut command = if let Some(pprof) = env::var_os("WPROF_PPROF") {
        Command::new(pprof)
    } else if let Some(go) = env::var_os("WPROF_GO") {
        let mut command = Command::new(go);
        command.args(["tool", "pprof"]);
        command
    } else {
        eprintln!("left out: {what} by `go tool pprof`: neither WPROF_PPROF nor WPROF_GO is set");
        return None;
    };
    command.env("TZ", "UTC");
    Some(command)
}

/// A program or package for node, by the variable that says where it is.
#[must_use]
pub fn node(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        skip(format_args!("{variable} is not set"));
    }
    path
}

/// The browser and its driver.
#[must_use]
pub fn browser() -> Option<(PathBuf, PathBuf)> {
    let both = env::var_os("CHROMIUM").zip(env::var_os("CHROMEDRIVER"));
    if both.is_none() {
        skip("CHROMIUM and CHROMEDRIVER are not set");
    }
    both.map(|(browser, driver)| (browser.into(), driver.into()))
}

/// Says that this test is left out, and why; `cargo xtask test` counts these. The caller returns then.
pub fn skip(why: impl Display) {
    let thread = std::thread::current();
    let line = format!("{}: {why}", thread.name().unwrap_or("a test"));
    eprintln!("skipped: {line}");
    if let Some(list) = env::var_os("WPROF_SKIPS") {
        let mut list = OpenOptions::new().create(true).append(true).open(list).unwrap();
        list.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// Where the wprof under test keeps compiled code: not the user's own cache, and the same for all tests.
#[must_use]
pub fn cache() -> PathBuf {
    // target/PROFILE/deps/TEST
    let exe = env::current_exe().unwrap();
    exe.ancestors().nth(3).unwrap().join("tests-cache")
}
