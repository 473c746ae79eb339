//! What reports say before their rows.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use proto::analysis::calls::CallGraph;
use proto::analysis::{FilterOptions, base_name};
use proto::units::{self, Amount, Percent, Scale};

use super::Report;

/// All that stands above a table.
pub(super) fn write(out: &mut dyn Write, report: &Report<'_>, call_graph: &CallGraph) -> io::Result<()> {
    if !report.options.compact_labels {
        write_profile(out, report, &call_graph.scale)?;
    }
    write_filters(out, &report.options.select.filters)?;
    write_selection(out, call_graph, false)
}

/// The legend of a drawing, a line each.
pub(super) fn legend(report: &Report<'_>, call_graph: &CallGraph) -> Vec<String> {
    let mut text = Vec::new();
    let written = write_profile(&mut text, report, &call_graph.scale)
        .and_then(|()| write_filters(&mut text, &report.options.select.filters))
        .and_then(|()| write_selection(&mut text, call_graph, true));
    debug_assert!(written.is_ok(), "writing to memory cannot fail");
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
}

/// Of the profile as a whole: binary, comments, what was measured, when, and for how long.
pub(super) fn write_profile(out: &mut dyn Write, report: &Report<'_>, scale: &Scale) -> io::Result<()> {
    let profile = report.profile();
    if let Some(main) = profile.mappings().first() {
        let path = profile.string(main.filename);
        write_if(out, "File: ", if path.is_empty() { "" } else { base_name(path) })?;
        write_if(out, "Build ID: ", profile.string(main.build_id))?;
    }
    for comment in profile.comments().filter(|it| !it.starts_with('#')) {
        writeln!(out, "{comment}")?;
    }
    write_if(out, "Type: ", &report.value_kind())?;
    write_if(out, "Doc: ", profile.doc_url())?;
    if profile.time_nanos() != 0 {
        writeln!(out, "Time: {}", local(profile.time_nanos()).strftime("%Y-%m-%d %H:%M:%S %Z"))?;
    }
    if profile.duration_nanos() != 0 {
        write_duration(out, profile.duration_nanos(), report.selection.total, scale)?;
    }
    Ok(())
}

fn write_if(out: &mut dyn Write, title: &str, text: &str) -> io::Result<()> {
    if text.is_empty() { Ok(()) } else { writeln!(out, "{title}{text}") }
}

/// A time in the machine's zone, or that of `TZ`.
pub(super) fn local(unix_nanos: i64) -> Zoned {
    // An i64 of nanoseconds reaches from 1677 to 2262, which any calendar holds.
    let timestamp = Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or_default();
    timestamp.to_zoned(TimeZone::system())
}

/// With the share of the duration that was measured, if that is a time as well.
fn write_duration(out: &mut dyn Write, nanos: i64, total: i64, scale: &Scale) -> io::Result<()> {
    let duration = Amount::auto(nanos, "nanoseconds");
    let (total_nanos, unit) = units::scale(total, &scale.from, "nanoseconds");
    write!(out, "Duration: {duration}, Total samples = {} ", scale.amount(total))?;
    if unit == "ns" && total_nanos != 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "cut to whole nanoseconds")]
        let share = Percent { part: total_nanos as i64, whole: nanos };
        write!(out, "({share})")?;
    }
    writeln!(out)
}

/// What was asked for, so that nobody takes a part for the whole.
fn write_filters(out: &mut dyn Write, filters: &FilterOptions) -> io::Result<()> {
    // In bytes, as pprof counts.
    const LONGEST: usize = 80;
    for (idx, (option, text)) in filters.active().enumerate() {
        if idx == 0 {
            writeln!(out, "Active filters:")?;
        }
        let filter = format!("{option}={text}");
        let end = filter.floor_char_boundary(LONGEST);
        writeln!(out, "   {}{}", &filter[..end], if end < filter.len() { "…" } else { "" })?;
    }
    Ok(())
}

/// How much of the whole the places shown stand for, and what was left out: of calls only where they are `drawn`.
fn write_selection(out: &mut dyn Write, call_graph: &CallGraph, drawn: bool) -> io::Result<()> {
    let &CallGraph { total, shown, n_dropped, dropped_cum, n_dropped_edges, dropped_weight, n_places, .. } = call_graph;
    let amount = |value| call_graph.scale.amount(value);
    let share = Percent { part: shown, whole: total }.to_string();
    writeln!(out, "Showing nodes accounting for {}, {} of {} total", amount(shown), share.trim_start(), amount(total))?;
    if total == 0 {
        return Ok(());
    }
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    if 0 < n_dropped {
        writeln!(out, "Dropped {n_dropped} node{} (cum <= {})", plural(n_dropped), amount(dropped_cum))?;
    }
    if drawn && 0 < n_dropped_edges {
        writeln!(
            out,
            "Dropped {n_dropped_edges} edge{} (freq <= {})",
            plural(n_dropped_edges),
            amount(dropped_weight)
        )?;
    }
    let n_shown = call_graph.graph.shown().len();
    if 0 < n_shown && n_shown < n_places {
        writeln!(out, "Showing top {n_shown} nodes out of {n_places}")?;
    }
    Ok(())
}
