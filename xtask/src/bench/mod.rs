//! `cargo xtask bench`: what profiling costs. Plain and profiled runs take turns, so that a machine that slows down slows
//! both; a ratio is of neighbours, and is shown with its spread.

mod codec;
mod run_stats;
mod spread;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::{Project, say};
use crate::{bundle, guests, setup};
use run_stats::{RunStats, run_guest};
use spread::Spread;

/// Ways to run a guest, the plain one first: the guest's own code with epoch checks in it, but nobody who asks for
/// samples. `usual` is what `wprof run` does when nothing is said.
const MODES: [(&str, &[&str]); 6] = [
    ("plain", &["--no-cpu", "--no-heap"]),
    ("100 Hz", &["--hz=100", "--no-heap"]),
    ("1000 Hz", &["--hz=1000", "--no-heap"]),
    ("heap", &["--no-cpu"]),
    ("heap all", &["--no-cpu", "--memprofilerate=1"]),
    ("usual", &[]),
];
const TURNS: usize = 7;

/// A guest, and what it is told.
#[derive(Debug, Clone)]
struct Workload {
    name: String,
    module: PathBuf,
    args: Vec<String>,
}

/// Builds all, then measures: the guests named, or a module of the user's with its arguments, or the usual ones.
pub(crate) fn run(project: &Project, args: &[String]) -> Result<()> {
    let toolchain = setup::wasm_targets(project)?;
    bundle::build(project, &toolchain)?;
    project.build()?;
    guests::build(project, &toolchain, &guests::Compilers::find(project))?;
    let workloads = workloads(&project.guests(), args)?;
    project.step("run time", || run_time(project, &workloads))?;
    if !args.is_empty() {
        return Ok(());
    }
    project.step("cost of a sample", || cost_of_a_sample(project))?;
    project.step("cost of a block", || cost_of_a_block(project))?;
    project.step("start-up", || start_up(project))?;
    project.step("encoding and decoding", codec::measure)
}

fn workloads(guests: &Path, args: &[String]) -> Result<Vec<Workload>> {
    if let Some(module) = args.first().filter(|arg| arg.ends_with(".wasm")) {
        let name = Path::new(module).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let args = args.iter().skip(1).skip_while(|arg| *arg == "--").cloned().collect();
        return Ok(vec![Workload { name, module: module.into(), args }]);
    }
    let usual = [
        ("wordbook", ""),
        ("lists", "80"),
        ("shapes", ""),
        ("mapper", "60"),
        ("allocs", "200000 64"),
        ("pairs", "30000000"),
        ("hostcalls", "clock 5000000"),
    ];
    let has_name = |name: &str| args.is_empty() || args.iter().any(|arg| arg == name);
    let chosen = usual.into_iter().filter(|(name, _)| has_name(name)).map(|(name, args)| guest(guests, name, args));
    let chosen: Vec<_> = chosen.filter(|workload| workload.module.is_file()).collect();
    if chosen.is_empty() {
        bail!("no such guest; there are {}", usual.map(|(name, _)| name).join(", "));
    }
    Ok(chosen)
}

fn guest(guests: &Path, name: &str, args: &str) -> Workload {
    let module = guests.join(name).with_extension("wasm");
    Workload { name: name.to_owned(), module, args: args.split_whitespace().map(str::to_owned).collect() }
}

/// Ratios of profiled to plain, in the guest's CPU time and in wall time.
fn run_time(project: &Project, workloads: &[Workload]) -> Result<()> {
    say(&format!("profiled / plain, median of {TURNS} turns (least–most); finish: from the guest's end to wprof's"));
    println!("{:<12}{:<9}{:>24}{:>24}{:>9}{:>7}{:>10}", "guest", "", "thread CPU", "wall", "samples", "lost", "finish");
    for workload in workloads {
        for (_, flags) in MODES {
            run_guest(project, workload, flags)?; // the first one compiles
        }
        let mut turns: Vec<[RunStats; MODES.len()]> = Vec::new();
        for _ in 0..TURNS {
            let mut turn = [RunStats::default(); MODES.len()];
            for (stats, (_, flags)) in turn.iter_mut().zip(MODES) {
                *stats = run_guest(project, workload, flags)?;
            }
            turns.push(turn);
        }
        print_turns(&workload.name, &turns);
    }
    Ok(())
}

fn print_turns(name: &str, turns: &[[RunStats; MODES.len()]]) {
    for (mode, (mode_name, _)) in MODES.iter().enumerate() {
        let spread = |of: &dyn Fn(&[RunStats; MODES.len()]) -> f64| Spread::of(turns.iter().map(of));
        let column = |nanos: fn(&RunStats) -> f64| match mode {
            0 => spread(&|turn| nanos(&turn[0]) / 1e9).with_unit(" s"),
            _ => spread(&|turn| nanos(&turn[mode]) / nanos(&turn[0])).with_unit(""),
        };
        println!(
            "{:<12}{mode_name:<9}{:>24}{:>24}{:>9}{:>7}{:>7.0} ms",
            if mode == 0 { name } else { "" },
            column(|stats| stats.guest_cpu_ns),
            column(|stats| stats.guest_wall_ns),
            spread(&|turn| turn[mode].samples).median,
            spread(&|turn| turn[mode].lost).most,
            spread(&|turn| turn[mode].finish_ns / 1e6).median,
        );
    }
}

/// Time in the sampler for each stack it captured, at several depths.
fn cost_of_a_sample(project: &Project) -> Result<()> {
    println!("{:<12}{:>24}{:>10}", "depth", "µs a sample", "samples");
    for depth in [10, 100, 1000] {
        let workload = guest(&project.guests(), "deep", &format!("{depth} 1000"));
        let mut runs = Vec::new();
        for _ in 0..TURNS {
            runs.push(run_guest(project, &workload, &["--hz=1000", "--no-heap"])?);
        }
        let cost = Spread::of(runs.iter().map(|stats| stats.sampler_ns / stats.captures.max(1.0) / 1e3));
        let n_samples = Spread::of(runs.iter().map(|stats| stats.captures)).median;
        println!("{depth:<12}{:>24}{n_samples:>10}", cost.with_unit(""));
    }
    Ok(())
}

/// What a block costs that is allocated and freed at once: nothing looked at, one in 512 kB, all; and the memory that a
/// live block takes when all are looked at.
fn cost_of_a_block(project: &Project) -> Result<()> {
    const PAIRS: f64 = 30e6;
    const LIVE: f64 = 1e6;
    let workload = guest(&project.guests(), "pairs", "30000000");
    if !workload.module.is_file() {
        say("the guest `pairs` is not there, as there is no C compiler");
        return Ok(());
    }
    println!("{:<12}{:>24}{:>24}", "rate", "ns a pair", "to plain");
    let modes = [("plain", "--no-heap"), ("524288", "--memprofilerate=524288"), ("1", "--memprofilerate=1")];
    let mut turns = Vec::new();
    for _ in 0..TURNS {
        turns.push(modes.map(|(_, flag)| run_guest(project, &workload, &["--no-cpu", flag])));
    }
    let turns: Vec<[RunStats; 3]> = turns.into_iter().map(|[a, b, c]| Ok([a?, b?, c?])).collect::<Result<_>>()?;
    for (mode, (name, _)) in modes.iter().enumerate() {
        let nanos = Spread::of(turns.iter().map(|turn| turn[mode].guest_cpu_ns / PAIRS));
        let ratio = Spread::of(turns.iter().map(|turn| turn[mode].guest_cpu_ns / turn[0].guest_cpu_ns));
        println!("{name:<12}{:>24}{:>24}", nanos.with_unit(""), ratio.with_unit(""));
    }
    let live = guest(&project.guests(), "live", "1000000 32");
    let [without, with] =
        ["--no-heap", "--memprofilerate=1"].map(|flag| run_guest(project, &live, &["--no-cpu", flag]));
    let bytes = (with?.peak_rss_bytes - without?.peak_rss_bytes) / LIVE;
    println!("{bytes:.0} bytes of wprof's memory for each of a million live blocks");
    Ok(())
}

/// From wprof's start to the guest's first instruction, with an empty compile cache and with a filled one.
fn start_up(project: &Project) -> Result<()> {
    let cache = project.target.join("bench-cache");
    let config = project.target.join("bench-cache.toml");
    std::fs::write(&config, format!("[cache]\ndirectory = {:?}\n", cache.display().to_string()))
        .context("write the cache's settings")?;
    let config = format!("cache-config={}", config.display());
    println!("{:<16}{:>10}{:>24}{:>24}{:>20}", "guest", "MB", "cold cache", "warm cache", "rewriting");
    for (name, args) in [("ends", "return 0"), ("wordbook", "1")] {
        let workload = guest(&project.guests(), name, args);
        let size = std::fs::metadata(&workload.module).context("find the guest's size")?.len();
        let (mut cold, mut warm, mut rewriting) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..TURNS {
            if cache.is_dir() {
                std::fs::remove_dir_all(&cache).context("empty the bench's compile cache")?;
            }
            for (runs, is_warm) in [(&mut cold, false), (&mut warm, true)] {
                let stats = run_guest(project, &workload, &["-C", &config])?;
                if stats.cache_hit != is_warm {
                    bail!("the compile cache was to be {}", if is_warm { "hit" } else { "empty" });
                }
                runs.push(stats.startup_ns / 1e6);
                rewriting.push(stats.rewrite_ns / 1e6);
            }
        }
        let [cold, warm, rewriting] = [cold, warm, rewriting].map(|runs| Spread::of(runs).with_unit(" ms"));
        let mb = size as f64 / 1e6;
        println!("{name:<16}{mb:>10.1}{cold:>24}{warm:>24}{rewriting:>20}");
    }
    Ok(())
}
