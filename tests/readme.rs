//! The commands in README.md work as they stand there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use support::machine::{cache, guest, workspace, wprof_bin};
use support::running::{Running, Signal};

/// The lines of the fenced `sh` blocks, without comments.
fn commands(markdown: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut in_block = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            in_block = line == "```sh";
        } else if in_block && !line.trim().is_empty() {
            commands.push(line.split(" #").next().unwrap_or(line).trim());
        }
    }
    commands
}

/// Runs one of wprof's commands in a folder that looks like a checkout that was built.
fn run_wprof(checkout: &Path, command: &str) {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    let mut wprof = Command::new(checkout.join(program));
    wprof.args(words).current_dir(checkout).env("XDG_CACHE_HOME", cache()).env("TZ", "UTC");
    if command.starts_with("target/release/wprof view") {
        let mut running = Running::start(wprof.arg("--no-open"));
        running.wait_for_message("the viewer is at http://127.0.0.1:");
        running.signal(Signal::INT);
        drop(running);
        return;
    }
    let ended = Running::start(&mut wprof).finish();
    assert_eq!(ended.code, 0, "{command}: {}", ended.stderr);
    match command.split_once(" -o ") {
        Some((_, output)) => assert!(checkout.join(output).is_file(), "{command} writes nothing"),
        None => assert!(!ended.stdout.is_empty(), "{command} prints nothing"),
    }
}

#[test]
fn its_commands_work() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("there is one");
    let xtask = fs::read_to_string(workspace().join("xtask/src/main.rs")).expect("there is one");
    let checkout = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(checkout.path().join("target/release")).expect("a fresh folder");
    symlink(wprof_bin(), checkout.path().join("target/release/wprof")).expect("a fresh folder");
    let guests = guest("wordbook").parent().expect("a folder").to_owned();
    symlink(guests, checkout.path().join("target/guests")).expect("a fresh folder");

    let (mut n_wprof, mut n_xtask) = (0, 0);
    for command in commands(&readme) {
        if let Some(task) = command.strip_prefix("cargo xtask ") {
            // Running these would be running this test.
            let is_known = xtask.contains(&format!("\"{task}\" =>")) && xtask.contains(&format!("\n  {task} "));
            assert!(is_known, "`{command}`: xtask has no such command");
            n_xtask += 1;
        } else if command.starts_with("target/release/wprof ") {
            run_wprof(checkout.path(), command);
            n_wprof += 1;
        } else if let Some(runner) = command.strip_prefix("export CARGO_TARGET_WASM32_WASIP1_RUNNER=") {
            assert_eq!(runner, "\"wprof run\"", "tests/record.rs runs it so");
        } else {
            panic!("this test does not know how to try `{command}`");
        }
    }
    assert!(n_wprof >= 3 && n_xtask >= 2, "the README's commands were not found: {n_wprof} and {n_xtask}");
    assert!(checkout.path().join("cpu.prof").is_file(), "`wprof run` leaves cpu.prof");
}
