//! One run of a guest, and the figures that wprof writes of it where `WPROF_STATS` says.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::workload::Workload;
use crate::project::{Project, run_quietly};

/// Figures of a run. Counts are floats, as they are only ever divided.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct RunStats {
    /// CPU time of the guest's thread, from its first instruction on.
    pub(super) guest_cpu_ns: f64,
    pub(super) guest_wall_ns: f64,
    /// From wprof's start to the guest's first instruction.
    pub(super) startup_ns: f64,
    pub(super) cache_hit: bool,
    pub(super) samples: f64,
    pub(super) lost: f64,
    /// Stacks captured, and the time that took.
    pub(super) captures: f64,
    pub(super) sampler_ns: f64,
    /// Finding and hooking the allocator.
    pub(super) rewrite_ns: f64,
    /// The most memory that wprof and its guest had.
    pub(super) peak_rss_bytes: f64,
    /// From the guest's end to wprof's: symbols, encoding, writing. Measured here, so it has the process's end in it.
    pub(super) finish_ns: f64,
}

/// Runs a guest to its end, its output thrown away.
pub(super) fn run_guest(project: &Project, workload: &Workload, flags: &[&str]) -> Result<RunStats> {
    run_under(project, workload, flags, None).map(|(stats, _)| stats)
}

/// The same under another program (`perf record`), where one is given; with what went to stderr. Profiles lie in [`dir`].
pub(super) fn run_under(
    project: &Project,
    workload: &Workload,
    flags: &[&str],
    program: Option<Command>,
) -> Result<(RunStats, Output)> {
    let dir = dir(project)?;
    let file = dir.join("stats.json");
    let mut run = match program {
        Some(mut program) => {
            program.arg(project.wprof());
            program
        }
        None => Command::new(project.wprof()),
    };
    run.args(["run", "--quiet", "-o"]).arg(&dir).args(flags).args(&workload.options);
    run.arg(&workload.module).args(&workload.args);
    // A pipe would make writing the guest's work, and reading it ours.
    run.env("WPROF_STATS", &file).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let output = run_quietly(&mut run)?;
    let total = start.elapsed();
    let text = fs::read_to_string(&file).context("wprof wrote no figures")?;
    fs::remove_file(&file).context("remove the figures")?;
    let mut stats: RunStats = serde_json::from_str(&text).with_context(|| format!("read wprof's figures: {text}"))?;
    stats.finish_ns = total.as_nanos() as f64 - stats.startup_ns - stats.guest_wall_ns;
    Ok((stats, output))
}

/// Where runs leave their files.
pub(super) fn dir(project: &Project) -> Result<PathBuf> {
    let dir = project.target.join("bench");
    fs::create_dir_all(&dir).context("make target/bench")?;
    Ok(dir)
}
