//! `diff`: what changed between two profiles, the worst first.

use std::io::{self, Write};

use proto::Profile;
use proto::analysis::diff::{Diff, DiffRow, Weights, diff};
use proto::analysis::{Selection, Warning, select};
use proto::units::Percent;
use serde_json::{Value, json};

use super::{Error, ReportOptions};

/// Two profiles with their names.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The old one.
    pub before: (&'a str, &'a Profile),
    /// The new one.
    pub after: (&'a str, &'a Profile),
    /// Scale the new one so that its total is the old one's.
    pub normalize: bool,
}

/// Prints what changed. [`prepare`](proto::analysis::prepare) both profiles first.
///
/// Returns the difference, and what a reader should know of the filters.
///
/// # Errors
///
/// As [`write`](super::write).
pub fn write_diff(out: &mut dyn Write, pair: Pair<'_>, options: &ReportOptions) -> Result<(Diff, Vec<Warning>), Error> {
    if options.table.divide_by == 0.0 {
        return Err(Error::ZeroDivisor);
    }
    let (before, mut warnings) = select(pair.before.1, &options.select)?;
    // The sample type is the first's, wherever the second has it.
    let kind = kind(&before);
    let same = proto::analysis::SelectOptions { sample_index: Some(kind), ..options.select.clone() };
    let (after, more) = select(pair.after.1, &same)?;
    for warning in more {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    let table = proto::analysis::top::TopOptions { mean: options.select.mean, ..options.table.clone() };
    let diff =
        diff((&before.profile, before.sample_index), (&after.profile, after.sample_index), &table, pair.normalize);
    if options.json {
        serde_json::to_writer_pretty(&mut *out, &as_json(&diff, pair)).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        write_text(out, &diff, pair)?;
    }
    Ok((diff, warnings))
}

fn kind(selection: &Selection<'_>) -> String {
    let profile = &selection.profile;
    profile.string(profile.sample_types()[selection.sample_index].kind).to_owned()
}

fn write_text(out: &mut dyn Write, diff: &Diff, pair: Pair<'_>) -> io::Result<()> {
    let amount = |value| diff.scale.amount(value);
    writeln!(out, "Type: {}", diff.kind)?;
    writeln!(out, "Before: {} total, {}", amount(diff.before), pair.before.0)?;
    writeln!(out, "After:  {} total, {}", amount(diff.after), pair.after.0)?;
    let change = diff.after.saturating_sub(diff.before);
    writeln!(out, "Change: {} ({} of before)", diff.scale.signed(change), share(diff, change))?;
    if 0 < diff.n_dropped {
        writeln!(out, "Dropped {} nodes that changed little", diff.n_dropped)?;
    }
    if diff.rows.len() < diff.n_places {
        writeln!(out, "Showing the {} nodes of {} that changed most", diff.rows.len(), diff.n_places)?;
    }
    writeln!(
        out,
        "{:>10} {:>9} {:>10} {:>10}  {:>10} {:>9} {:>10} {:>10}",
        "flat", "flat%", "before", "after", "cum", "cum%", "before", "after"
    )?;
    diff.rows.iter().try_for_each(|it| write_row(out, diff, it))
}

fn write_row(out: &mut dyn Write, diff: &Diff, row: &DiffRow) -> io::Result<()> {
    let part = |weight: fn(Weights) -> i64| {
        let change = weight(row.change());
        let value = |it: Option<Weights>| it.map_or("-".to_owned(), |it| diff.scale.amount(weight(it)).to_string());
        format!(
            "{:>10} {:>9} {:>10} {:>10}",
            diff.scale.signed(change),
            share(diff, change),
            value(row.before),
            value(row.after)
        )
    };
    let mark = if row.mark().is_empty() { String::new() } else { format!(" ({})", row.mark()) };
    writeln!(out, "{}  {}  {}{mark}", part(|it| it.flat), part(|it| it.cum), row.name)
}

/// Of the first profile's total.
fn share(diff: &Diff, change: i64) -> String {
    Percent { part: change, whole: diff.before }.signed()
}

fn as_json(diff: &Diff, pair: Pair<'_>) -> Value {
    let weights = |it: Option<Weights>| it.map(|it| json!({ "flat": it.flat, "cum": it.cum }));
    let row = |it: &DiffRow| {
        json!({
            "name": it.name,
            "before": weights(it.before),
            "after": weights(it.after),
            "change": weights(Some(it.change())),
        })
    };
    json!({
        "type": diff.kind,
        "unit": diff.scale.from,
        "before": { "source": pair.before.0, "total": diff.before },
        "after": { "source": pair.after.0, "total": diff.after },
        "dropped": diff.n_dropped,
        "places": diff.n_places,
        "rows": diff.rows.iter().map(row).collect::<Vec<_>>(),
    })
}
