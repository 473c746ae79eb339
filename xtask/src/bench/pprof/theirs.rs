//! Go's pprof as a program that we can time: its sources come with Go, and timer.go is put among them, as their
//! packages are internal.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::{Project, run_quietly, say, write_if_changed};
use crate::setup;

const TIMER: &str = include_str!("timer.go");
const SOURCES: &str = "src/cmd/vendor/github.com/google/pprof";
/// What timer.go imports, and what that does.
const PACKAGES: [&str; 5] = ["profile", "internal/graph", "internal/measurement", "internal/plugin", "internal/report"];

/// The built timer; `None` if there is no Go.
pub(super) fn build(project: &Project) -> Result<Option<PathBuf>> {
    let Some(go) = setup::go(project) else { return Ok(None) };
    let go_root = go.ancestors().nth(2).context("Go lies in a folder `bin`")?;
    let go_path = project.target.join("tools/pprof-timer");
    let sources = go_path.join("src/github.com/google/pprof");
    for package in PACKAGES {
        copy_package(&go_root.join(SOURCES).join(package), &sources.join(package))?;
    }
    let main = sources.join("timer");
    fs::create_dir_all(&main).with_context(|| format!("make {}", main.display()))?;
    write_if_changed(&main.join("main.go"), TIMER.as_bytes())?;
    let timer = go_path.join("timer").with_extension(std::env::consts::EXE_EXTENSION);
    say("go builds a timer of its pprof");
    let mut build = setup::go_command(project, &go, "build");
    build.env("GOPATH", &go_path).arg("-o").arg(&timer).arg("github.com/google/pprof/timer");
    run_quietly(&mut build)?;
    Ok(Some(timer))
}

fn copy_package(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("list {}", from.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let source = fs::read(entry.path()).with_context(|| format!("read {}", entry.path().display()))?;
            write_if_changed(&to.join(entry.file_name()), &source)?;
        }
    }
    Ok(())
}
