//! `cargo xtask bench truth`: are CPU profiles true?
//!
//! Each guest runs under `perf record -e cpu-clock` twice, plain, and with each of wprof's samplers, at the same rate.
//! Compared are flat shares by function of the guest's file; see [`flat`] for what is lumped. The distance between two
//! runs is the total variation distance: half the sum of all differences, in points; that of a sampler is the mean of its
//! distances to both perf runs. Two perf runs are not at distance 0 either: both count samples, which has a distance
//! *by chance* that grows with the number of functions, and no run is quite like another. *Excess* is what a sampler is off beyond
//! that.
//!
//! Where perf cannot run, the guest `truth` is held against its own clocks; see [`clocks`].

mod clocks;
mod flat;
mod functions;
mod perf;

use std::fs;

use anyhow::{Context, Result, bail};
use proto::{Limits, Profile};

use super::run_stats::{self, run_under};
use super::run_time::has_sampler;
use super::workload::{Loop, Workload, loops};
use crate::project::{Project, say};
use clocks::{Clocks, Table};
use flat::Shares;
use functions::Functions;

const GUESTS: [&str; 5] = ["truth", "sqlite", "lua", "python", "wordbook"];
/// The guest that has clocks of its own.
const TRUTH: &str = "truth";
const SAMPLERS: [&str; 2] = ["signal", "epoch"];

/// Of perf and of wprof. Not 2000, so that no clock of the kernel's keeps in step with it.
const HZ: u32 = 1999;
/// CPU time of a run, such that there are 20,000 samples and some to spare.
const SECONDS: f64 = 12.0;
const ENOUGH: f64 = 20_000.0;

/// What a sampler of wprof's saw.
struct Sampled {
    sampler: &'static str,
    n_samples: f64,
    profile: Profile,
    shares: Shares,
    stderr: String,
}

pub(super) fn run(project: &Project, args: &[String]) -> Result<()> {
    let samplers: Vec<_> = SAMPLERS.into_iter().filter(|sampler| has_sampler(project, sampler)).collect();
    let perf = perf::check(project);
    let mut loops = loops(project, &GUESTS, args)?;
    if let Err(error) = &perf {
        say(&format!("perf cannot be used here: {error:#}"));
        say("so only the guest `truth` is looked at, against its own clocks");
        loops.retain(|it| it.name() == TRUTH);
    }
    if loops.is_empty() || samplers.is_empty() {
        bail!("nothing to compare");
    }
    if perf.is_ok() {
        say("flat shares; distances in points; excess: over perf to perf");
        println!(
            "{:<10}{:<16}{:>9}{:>10}{:>10}{:>8}  largest difference (perf → sampler, %)",
            "guest", "", "samples", "by chance", "distance", "excess"
        );
    }
    let mut tables = Vec::new();
    for it in &loops {
        tables.extend(compare(project, it, &samplers, perf.is_ok())?);
    }
    tables.iter().for_each(Table::print);
    Ok(())
}

/// Runs a guest in all ways, and prints its rows. The answer is the table of its parts, if it has clocks.
fn compare(project: &Project, it: &Loop, samplers: &[&'static str], has_perf: bool) -> Result<Option<Table>> {
    let workload = it.lasting(project, SECONDS)?;
    let bytes = fs::read(&workload.module).with_context(|| format!("read {}", workload.module.display()))?;
    let functions = Functions::of(&bytes).with_context(|| format!("read {}", workload.module.display()))?;
    let perfs = match has_perf {
        true => vec![perf::record(project, &workload, &functions)?, perf::record(project, &workload, &functions)?],
        false => Vec::new(),
    };
    let sampled: Vec<Sampled> =
        samplers.iter().map(|sampler| sample(project, &workload, &functions, sampler)).collect::<Result<_>>()?;
    if let [one, other] = &perfs[..] {
        print_rows(it.name(), one, other, &sampled);
    }
    if it.name() != TRUTH {
        return Ok(None);
    }
    let mut table = Table::default();
    perfs.iter().for_each(|perf| table.add_perf(&perf.shares, &perf.names));
    for it in &sampled {
        table.add_sampler(it.sampler, &it.profile, Clocks::read(&it.stderr)?)?;
    }
    Ok(Some(table))
}

fn sample(project: &Project, workload: &Workload, functions: &Functions, sampler: &'static str) -> Result<Sampled> {
    let flags = [format!("--sampler={sampler}"), format!("--hz={HZ}"), "--no-heap".to_owned()];
    let flags = flags.each_ref().map(String::as_str);
    run_under(project, workload, &flags, None)?; // may have to compile
    let (stats, output) = run_under(project, workload, &flags, None)?;
    let file = run_stats::dir(project)?.join("cpu.prof");
    let bytes = fs::read(&file).context("read the CPU profile")?;
    let profile = proto::decode(&bytes, &Limits::default()).context("decode the CPU profile")?;
    let shares = Shares::of_profile(&profile, functions)?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Sampled { sampler, n_samples: stats.samples, profile, shares, stderr })
}

fn print_rows(guest: &str, one: &perf::Recorded, other: &perf::Recorded, sampled: &[Sampled]) {
    let perfs = [&one.shares, &other.shares];
    let noise = one.shares.distance(&other.shares);
    let too_few = |n_samples: f64| if n_samples < ENOUGH { " (too few samples)" } else { "" };
    let name = |place| one.names.get(&place).map_or_else(|| format!("{place:?}"), |name| short(name));
    let chance = one.shares.chance(one.n_samples, other.n_samples);
    let n_perf = one.n_samples.min(other.n_samples);
    println!("{guest:<10}{:<16}{n_perf:>9}{chance:>10.2}{noise:>10.2}{}", "perf to perf", too_few(n_perf));
    for it in sampled {
        let distance = perfs.iter().map(|perf| perf.distance(&it.shares)).sum::<f64>() / 2.0;
        let mean = Shares::mean(perfs);
        let (place, before, after) = mean.largest_difference(&it.shares);
        println!(
            "{:<10}{:<16}{:>9}{:>10.2}{distance:>10.2}{:>8.2}  {} {before:.2} → {after:.2}{}",
            "",
            format!("{} to perf", it.sampler),
            it.n_samples,
            mean.chance(n_perf, it.n_samples),
            distance - noise,
            name(place),
            too_few(it.n_samples)
        );
    }
}

/// A name without the hash of its crate, as in `truth[4c59c9b91301e0f9]::main`, and not endless.
fn short(name: &str) -> String {
    // Printed without zeros in front.
    let is_hash = |text: &str| (10..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pieces = name.split('[').enumerate().map(|(idx, piece)| match piece.split_once(']') {
        Some((hash, rest)) if is_hash(hash) => rest.to_owned(),
        _ if idx == 0 => piece.to_owned(),
        _ => format!("[{piece}"),
    });
    pieces.collect::<String>().chars().take(50).collect()
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn names_are_shown_without_hashes() {
        assert_eq!(short("truth[4c59c9b91301e0f9]::main"), "truth::main");
        assert_eq!(short("<&[u8] as core[9a4b7c11c7068e6]::fmt::Debug>::fmt"), "<&[u8] as core::fmt::Debug>::fmt");
        assert_eq!(short("wasm[0]::function[7]"), "wasm[0]::function[7]");
    }
}
