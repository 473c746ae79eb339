//! `raw`: everything that is in a profile.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use proto::analysis::{FrameOptions, without_inlined};
use proto::{Label, LabelValue, Location, LocationId, Mapping, Profile, SampleRef};

use super::Report;
use super::header::local;
use crate::said::go_duration;

pub(super) fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let &FrameOptions { noinlines, show_columns, .. } = &report.options.table.frames;
    let profile = if noinlines {
        Cow::Owned(without_inlined(report.profile(), show_columns))
    } else {
        Cow::Borrowed(report.profile())
    };
    write_header(out, &profile)?;
    writeln!(out, "Samples:")?;
    writeln!(out, "{}", sample_types(&profile))?;
    profile.samples().try_for_each(|it| write_sample(out, &profile, it))?;
    writeln!(out, "Locations")?;
    profile.location_ids().try_for_each(|it| write_location(out, &profile, it))?;
    writeln!(out, "Mappings")?;
    (1..).zip(profile.mappings()).try_for_each(|(id, it)| write_mapping(out, &profile, id, it))
}

fn write_header(out: &mut dyn Write, profile: &Profile) -> io::Result<()> {
    profile.comments().try_for_each(|it| writeln!(out, "Comment: {it}"))?;
    if !profile.doc_url().is_empty() {
        writeln!(out, "Doc: {}", profile.doc_url())?;
    }
    // pprof prints one that is not there as empty.
    let period_type = profile.period_type().unwrap_or_default();
    writeln!(out, "PeriodType: {} {}", profile.string(period_type.kind), profile.string(period_type.unit))?;
    writeln!(out, "Period: {}", profile.period())?;
    if profile.time_nanos() != 0 {
        // As Go prints a time: without zeros at the end of the fraction.
        writeln!(out, "Time: {}", local(profile.time_nanos()).strftime("%Y-%m-%d %H:%M:%S%.f %z %Z"))?;
    }
    if profile.duration_nanos() != 0 {
        // pprof asks for four characters of it.
        writeln!(out, "Duration: {:.4}", go_duration(profile.duration_nanos()))?;
    }
    Ok(())
}

fn sample_types(profile: &Profile) -> String {
    let default = profile.default_sample_type().unwrap_or("");
    let text = |it: &proto::ValueType| {
        let kind = profile.string(it.kind);
        let mark = if kind == default { "[dflt]" } else { "" };
        format!("{kind}/{}{mark}", profile.string(it.unit))
    };
    profile.sample_types().iter().map(text).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn write_sample(out: &mut dyn Write, profile: &Profile, sample: SampleRef<'_>) -> io::Result<()> {
    const MARGIN: &str = "                ";
    sample.values.iter().try_for_each(|it| write!(out, " {it:>10}"))?;
    write!(out, ": ")?;
    sample.locations.iter().try_for_each(|it| write!(out, "{} ", it.index() + 1))?;
    writeln!(out)?;
    for labels in [text_labels(profile, sample.labels), number_labels(profile, sample.labels)] {
        if !labels.is_empty() {
            writeln!(out, "{MARGIN}{}", labels.join(" "))?;
        }
    }
    Ok(())
}

fn text_labels(profile: &Profile, labels: &[Label]) -> Vec<String> {
    let mut by_key: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for label in labels {
        if let LabelValue::Str(text) = label.value {
            by_key.entry(profile.string(label.key)).or_default().push(profile.string(text));
        }
    }
    sorted(by_key.into_iter().map(|(key, texts)| format!("{key}:[{}]", texts.join(" "))).collect())
}

fn number_labels(profile: &Profile, labels: &[Label]) -> Vec<String> {
    let mut by_key: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for label in labels {
        if let LabelValue::Num { num, unit } = label.value {
            by_key.entry(profile.string(label.key)).or_default().push((num, profile.string(unit)));
        }
    }
    let text = |(key, numbers): (&str, Vec<(i64, &str)>)| {
        let has_units = numbers.iter().any(|it| !it.1.is_empty());
        let number = |(num, unit): &(i64, &str)| if has_units { format!("{num} {unit}") } else { num.to_string() };
        format!("{key}:[{}]", numbers.iter().map(number).collect::<Vec<_>>().join(" "))
    };
    sorted(by_key.into_iter().map(text).collect())
}

/// pprof sorts them as printed.
fn sorted(mut labels: Vec<String>) -> Vec<String> {
    labels.sort_unstable();
    labels
}

fn write_location(out: &mut dyn Write, profile: &Profile, id: LocationId) -> io::Result<()> {
    let &Location { mapping, address, is_folded, .. } = profile.location(id);
    write!(out, "{:>6}: {address:#x} ", id.index() + 1)?;
    if let Some(mapping) = mapping {
        write!(out, "M={} ", mapping.index() + 1)?;
    }
    if is_folded {
        write!(out, "[F] ")?;
    }
    let lines = profile.lines(id);
    if lines.is_empty() {
        return writeln!(out);
    }
    for (idx, line) in lines.iter().enumerate() {
        let function = profile.function(line.function);
        let [name, system_name, file] =
            [function.name, function.system_name, function.filename].map(|it| profile.string(it));
        let margin = if idx == 0 { "" } else { "             " };
        write!(out, "{margin}{name} {file}:{}:{} s={}", line.line, line.column, function.start_line)?;
        writeln!(out, "{}", if name == system_name { String::new() } else { format!("({system_name})") })?;
    }
    Ok(())
}

fn write_mapping(out: &mut dyn Write, profile: &Profile, id: usize, it: &Mapping) -> io::Result<()> {
    let flags = [
        (it.has_functions, "[FN]"),
        (it.has_filenames, "[FL]"),
        (it.has_line_numbers, "[LN]"),
        (it.has_inline_frames, "[IN]"),
    ];
    let flags: String = flags.iter().filter(|it| it.0).map(|it| it.1).collect();
    let [file, build_id] = [it.filename, it.build_id].map(|it| profile.string(it));
    writeln!(out, "{id}: {:#x}/{:#x}/{:#x} {file} {build_id} {flags}", it.start, it.limit, it.offset)
}
