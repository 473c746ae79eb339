//! Figures of a run for `cargo xtask bench`, written as JSON to the file that `WPROF_STATS` names.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::measure::Measured;

/// Writes the figures if they are asked for.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write(
    measured: &Measured,
    hz: u32,
    rewriting: Duration,
    start: Instant,
    end: Instant,
    cache_hits: Option<usize>,
) -> anyhow::Result<()> {
    let Some(path) = std::env::var_os("WPROF_STATS") else { return Ok(()) };
    let nanos = |from: Instant, to: Instant| to.saturating_duration_since(from).as_nanos().to_string();
    let first = measured.cpu.first_entry.unwrap_or(end);
    let (n_captures, capture_nanos) = measured.cpu.samples.capture_cost();
    let (heap_captures, heap_capture_nanos) = measured.heap.as_ref().map_or((0, 0), |heap| heap.captures);
    let figures = [
        ("rewrite_ns", rewriting.as_nanos().to_string()),
        ("peak_rss_bytes", peak_rss().unwrap_or(0).to_string()),
        ("heap_captures", heap_captures.to_string()),
        ("heap_capture_ns", heap_capture_nanos.to_string()),
        ("guest_cpu_ns", measured.cpu.guest_cpu.to_string()),
        ("guest_wall_ns", nanos(first, end)),
        ("startup_ns", nanos(start, first)),
        ("sampler", format!("\"{}\"", if hz > 0 { measured.cpu.sampler.name() } else { "none" })),
        ("samples", measured.cpu.samples.total().ticks.to_string()),
        ("lost", measured.cpu.samples.lost().ticks.to_string()),
        ("overruns", measured.cpu.n_overruns.to_string()),
        ("bad_walks", measured.cpu.n_bad_stacks.to_string()),
        ("captures", n_captures.to_string()),
        ("sampler_ns", capture_nanos.to_string()),
        ("cache_hit", cache_hits.is_some_and(|hits| hits > 0).to_string()),
    ];
    let fields: Vec<String> = figures.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let text = format!("{{{}}}\n", fields.join(","));
    std::fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
}

/// The most memory that this process has had, as Linux tells it.
#[must_use]
pub fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
