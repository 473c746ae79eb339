//! What single things cost: a sample, a block, a start.

use anyhow::{Context, Result, bail};

use super::TURNS;
use super::run_stats::{RunStats, run_guest};
use super::spread::Spread;
use super::workload::Workload;
use crate::project::{Project, say};

/// Time in the sampler for each stack it captured, at several depths.
pub(super) fn cost_of_a_sample(project: &Project) -> Result<()> {
    println!("{:<12}{:>24}{:>10}", "depth", "µs a sample", "samples");
    for depth in [10, 100, 1000] {
        let workload = Workload::guest(project, "deep", &format!("{depth} 1000"));
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
pub(super) fn cost_of_a_block(project: &Project) -> Result<()> {
    const PAIRS: f64 = 30e6;
    const LIVE: f64 = 1e6;
    let workload = Workload::guest(project, "pairs", "30000000");
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
    let live = Workload::guest(project, "live", "1000000 32");
    let [without, with] =
        ["--no-heap", "--memprofilerate=1"].map(|flag| run_guest(project, &live, &["--no-cpu", flag]));
    let bytes = (with?.peak_rss_bytes - without?.peak_rss_bytes) / LIVE;
    println!("{bytes:.0} bytes of wprof's memory for each of a million live blocks");
    Ok(())
}

/// From wprof's start to the guest's first instruction, with an empty compile cache and with a filled one.
pub(super) fn start_up(project: &Project) -> Result<()> {
    let cache = project.target.join("bench-cache");
    let config = project.target.join("bench-cache.toml");
    std::fs::write(&config, format!("[cache]\ndirectory = {:?}\n", cache.display().to_string()))
        .context("write the cache's settings")?;
    let config = format!("cache-config={}", config.display());
    println!("{:<16}{:>10}{:>24}{:>24}{:>20}", "guest", "MB", "cold cache", "warm cache", "rewriting");
    for (name, args) in [("ends", "return 0"), ("wordbook", "1")] {
        let workload = Workload::guest(project, name, args);
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
