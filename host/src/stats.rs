//! Figures of a run for `cargo xtask bench`, written as JSON to the file that `WPROF_STATS` names.

use std::time::Instant;

use anyhow::Context;

use crate::sample::epoch::Measured;

/// Writes the figures if they are asked for.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write(measured: &Measured, start: Instant, end: Instant, cache_hits: Option<usize>) -> anyhow::Result<()> {
    let Some(path) = std::env::var_os("WPROF_STATS") else { return Ok(()) };
    let nanos = |from: Instant, to: Instant| to.saturating_duration_since(from).as_nanos().to_string();
    let first = measured.first_entry.unwrap_or(end);
    let (n_captures, capture_nanos) = measured.samples.capture_cost();
    let figures = [
        ("guest_cpu_ns", measured.guest_cpu.to_string()),
        ("guest_wall_ns", nanos(first, end)),
        ("startup_ns", nanos(start, first)),
        ("samples", measured.samples.n_ticks().to_string()),
        ("lost", measured.samples.n_lost().to_string()),
        ("captures", n_captures.to_string()),
        ("sampler_ns", capture_nanos.to_string()),
        ("cache_hit", cache_hits.is_some_and(|hits| hits > 0).to_string()),
    ];
    let fields: Vec<String> = figures.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let text = format!("{{{}}}\n", fields.join(","));
    std::fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
}
