//! Plain and profiled runs in turn.

use anyhow::{Result, bail};

use super::run_stats::{RunStats, run_guest};
use super::spread::Spread;
use super::workload::Workload;
use crate::project::{Project, say};

/// A way to run a guest: its name, and what `wprof run` is told.
pub(super) type Mode = (&'static str, &'static [&'static str]);

/// The guest's own code, as an engine without a profiler runs it.
pub(super) const PLAIN: Mode = ("plain", &["--no-cpu", "--no-heap"]);

/// Whether `--sampler=NAME` works here.
pub(super) fn has_sampler(project: &Project, name: &str) -> bool {
    let workload = Workload::guest(project, "ends", "return 0");
    let flag = format!("--sampler={name}");
    let run = run_guest(project, &workload, &[&flag, "--no-heap"]);
    run.inspect_err(|error| say(&format!("{flag} is not available: {}", reason(&format!("{error:#}"))))).is_ok()
}

/// What a failed run said of itself.
fn reason(text: &str) -> &str {
    let said = |line: &str| ["wprof: ", "error: "].iter().any(|start| line.starts_with(start));
    text.lines().find(|line| said(line)).unwrap_or(text)
}

/// Prints each mode's CPU and wall time as ratios to the first mode's in the same turn.
pub(super) fn measure(project: &Project, workloads: &[Workload], modes: &[Mode], n_turns: usize) -> Result<()> {
    if modes.is_empty() {
        bail!("no modes to measure");
    }
    say(&format!("profiled / plain, median of {n_turns} turns (least–most); finish: from the guest's end to wprof's"));
    println!(
        "{:<12}{:<16}{:>24}{:>24}{:>9}{:>7}{:>10}",
        "guest", "", "thread CPU", "wall", "samples", "lost", "finish"
    );
    for workload in workloads {
        for (_, flags) in modes {
            run_guest(project, workload, flags)?; // the first one compiles
        }
        let turns: Vec<_> = (0..n_turns).map(|idx| one_turn(project, workload, modes, idx)).collect::<Result<_>>()?;
        print(&workload.name, modes, &turns);
    }
    Ok(())
}

/// One run in each mode. Another mode begins at each turn, so that none always comes after the same one.
fn one_turn(project: &Project, workload: &Workload, modes: &[Mode], turn_idx: usize) -> Result<Vec<RunStats>> {
    let mut turn = vec![RunStats::default(); modes.len()];
    for idx in 0..modes.len() {
        let mode = (turn_idx + idx) % modes.len();
        turn[mode] = run_guest(project, workload, modes[mode].1)?;
    }
    Ok(turn)
}

fn print(name: &str, modes: &[Mode], turns: &[Vec<RunStats>]) {
    for (mode, (mode_name, _)) in modes.iter().enumerate() {
        let spread = |of: &dyn Fn(&[RunStats]) -> f64| Spread::of(turns.iter().map(|turn| of(turn)));
        let column = |nanos: fn(&RunStats) -> f64| match mode {
            0 => spread(&|turn| nanos(&turn[0]) / 1e9).with_unit(" s"),
            _ => spread(&|turn| nanos(&turn[mode]) / nanos(&turn[0])).with_unit(""),
        };
        println!(
            "{:<12}{mode_name:<16}{:>24}{:>24}{:>9}{:>7}{:>7.0} ms",
            if mode == 0 { name } else { "" },
            column(|stats| stats.guest_cpu_ns),
            column(|stats| stats.guest_wall_ns),
            spread(&|turn| turn[mode].samples).median,
            spread(&|turn| turn[mode].lost).most,
            spread(&|turn| turn[mode].finish_ns / 1e6).median,
        );
    }
}
