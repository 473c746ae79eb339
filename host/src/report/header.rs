//! What reports say before their rows.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proto::Profile;
use proto::analysis::top::Top;
use proto::analysis::{FilterOptions, base_name};
use proto::units::{self, Amount, Percent};

/// Of the profile as a whole: binary, comments, what was measured, when, and for how long.
pub(super) fn write_profile(out: &mut dyn Write, profile: &Profile, top: &Top) -> io::Result<()> {
    if let Some(main) = profile.mappings().first() {
        let path = profile.string(main.filename);
        write_if(out, "File: ", if path.is_empty() { "" } else { base_name(path) })?;
        write_if(out, "Build ID: ", profile.string(main.build_id))?;
    }
    for comment in profile.comments().filter(|it| !it.starts_with('#')) {
        writeln!(out, "{comment}")?;
    }
    write_if(out, "Type: ", &top.kind)?;
    write_if(out, "Doc: ", profile.doc_url())?;
    if profile.time_nanos() != 0 {
        writeln!(out, "Time: {}", local_time(profile.time_nanos()))?;
    }
    if profile.duration_nanos() != 0 {
        write_duration(out, profile.duration_nanos(), top)?;
    }
    Ok(())
}

fn write_if(out: &mut dyn Write, title: &str, text: &str) -> io::Result<()> {
    if text.is_empty() { Ok(()) } else { writeln!(out, "{title}{text}") }
}

/// In the machine's zone, or that of `TZ`.
fn local_time(unix_nanos: i64) -> String {
    // An i64 of nanoseconds reaches from 1677 to 2262, which any calendar holds.
    let timestamp = Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or_default();
    timestamp.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// With the share of the duration that was measured, if that is a time as well.
fn write_duration(out: &mut dyn Write, nanos: i64, top: &Top) -> io::Result<()> {
    let duration = Amount::auto(nanos, "nanoseconds");
    let total = top.scale.amount(top.total);
    let (total_nanos, unit) = units::scale(top.total, &top.scale.from, "nanoseconds");
    write!(out, "Duration: {duration}, Total samples = {total} ")?;
    if unit == "ns" && total_nanos != 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "cut to whole nanoseconds")]
        let share = Percent { part: total_nanos as i64, whole: nanos };
        write!(out, "({share})")?;
    }
    writeln!(out)
}

/// What was asked for, so that nobody takes a part for the whole.
pub(super) fn write_filters(out: &mut dyn Write, filters: &FilterOptions) -> io::Result<()> {
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

/// How much of the whole the rows stand for, and what was left out.
pub(super) fn write_selection(out: &mut dyn Write, top: &Top) -> io::Result<()> {
    let amount = |value| top.scale.amount(value);
    let share = Percent { part: top.shown, whole: top.total }.to_string();
    let [shown, total] = [top.shown, top.total].map(amount);
    writeln!(out, "Showing nodes accounting for {shown}, {} of {total} total", share.trim_start())?;
    if top.total == 0 {
        return Ok(());
    }
    if 0 < top.n_dropped {
        let nodes = if top.n_dropped == 1 { "node" } else { "nodes" };
        writeln!(out, "Dropped {} {nodes} (cum <= {})", top.n_dropped, amount(top.dropped_cum))?;
    }
    let n_rows = top.rows.len();
    if 0 < n_rows && n_rows < top.n_places {
        writeln!(out, "Showing top {n_rows} nodes out of {}", top.n_places)?;
    }
    Ok(())
}
