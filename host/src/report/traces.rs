//! `traces`: every sample with its labels, its value and its stack.

use std::collections::BTreeMap;
use std::io::{self, Write};

use proto::analysis::Frames;
use proto::units::Amount;
use proto::{LabelValue, SampleRef};

use super::{Report, header};

const RULE: &str = "-----------+-------------------------------------------------------";

/// Samples without a stack are passed over.
pub(super) fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    header::write_profile(out, report, &report.scale())?;
    let frames = Frames::new(report.profile(), &report.options.table.frames);
    for sample in report.profile().samples().filter(|it| !it.locations.is_empty()) {
        writeln!(out, "{RULE}")?;
        for line in text_labels(report, sample).into_iter().chain(number_labels(report, sample)) {
            writeln!(out, "{line}")?;
        }
        write_stack(out, report, &frames, sample)?;
    }
    writeln!(out, "{RULE}")
}

fn text_labels(report: &Report<'_>, sample: SampleRef<'_>) -> Vec<String> {
    lines(sample.labels.iter().filter_map(|it| match it.value {
        LabelValue::Str(text) => Some((report.profile().string(it.key), report.profile().string(text).to_owned())),
        LabelValue::Num { .. } => None,
    }))
}

fn number_labels(report: &Report<'_>, sample: SampleRef<'_>) -> Vec<String> {
    let units = &report.selection.label_units;
    lines(sample.labels.iter().filter_map(|it| match it.value {
        LabelValue::Num { num, .. } => {
            let unit = units.get(report.profile(), it.key);
            Some((report.profile().string(it.key), Amount::auto(num, unit).to_string()))
        }
        LabelValue::Str(_) => None,
    }))
}

/// A line a key, in order.
fn lines<'a>(labels: impl Iterator<Item = (&'a str, String)>) -> Vec<String> {
    let mut by_key: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    labels.for_each(|(key, value)| by_key.entry(key).or_default().push(value));
    let mut lines: Vec<String> =
        by_key.into_iter().map(|(key, values)| format!("{key:>10}:  {}", values.join(" "))).collect();
    // pprof sorts what it prints, in which short keys begin with spaces.
    lines.sort_unstable();
    lines
}

fn write_stack(out: &mut dyn Write, report: &Report<'_>, frames: &Frames, sample: SampleRef<'_>) -> io::Result<()> {
    let mut value = report.scale().amount(report.value(sample)).to_string();
    for &location in sample.locations {
        let at = frames.at(location);
        for (idx, &frame) in at.iter().enumerate() {
            let marker = if idx + 1 < at.len() { " (inline)" } else { "" };
            writeln!(out, "{value:>10}   {}{marker}", frames.get(frame).label())?;
            value.clear();
        }
    }
    Ok(())
}

impl Report<'_> {
    /// A sample's value, or its average.
    pub(super) fn value(&self, sample: SampleRef<'_>) -> i64 {
        let value = sample.values[self.selection.sample_index];
        let count = if self.options.select.mean { sample.values[0] } else { 0 };
        if count == 0 { value } else { value.checked_div(count).unwrap_or(i64::MAX) }
    }
}
