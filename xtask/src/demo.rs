//! `cargo xtask demo`: from a fresh machine to a profile of a real guest.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::bundle::{self, Quality};
use crate::guests::Compilers;
use crate::project::{self, Project, say};
use crate::{guests, setup};

/// Builds all, profiles the demo guest into target/demo, and prints its top table.
pub(crate) fn run(project: &Project) -> Result<()> {
    let toolchain = setup::wasm_targets(project)?;
    bundle::build(project, &toolchain, Quality::Full)?;
    project.build()?;
    guests::build(project, &toolchain, &Compilers::default())?;

    let wprof = project.wprof();
    let dir = project.target.join("demo");
    let profile = dir.join("cpu.prof");
    project.step("profile a guest", || {
        say("wordbook: Rust, with crates pulldown-cmark and regex, reads release notes for some 3 seconds");
        fs::create_dir_all(&dir).context("make target/demo")?;
        let guest = project.guests().join(guests::DEMO).with_extension("wasm");
        project::run(Command::new(&wprof).arg("run").arg("-o").arg(&dir).arg(guest))
    })?;
    project.step("the top of its profile", || {
        project::run(Command::new(&wprof).args(["top", "--nodecount=15"]).arg(&profile))
    })?;
    println!("\nThe profile is {}. To look at it in a browser:\n", project.shown(&profile));
    println!("    {} view {}", project.shown(&wprof), project.shown(&profile));
    Ok(())
}
