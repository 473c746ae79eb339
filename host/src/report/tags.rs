//! `tags`: what each label's values weigh.

use std::cmp::Reverse;
use std::io::{self, Write};

use proto::analysis::{LabelSums, label_sums};
use proto::units::{Amount, Scale};

use super::Report;

pub(super) fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let selection = &report.selection;
    for sums in label_sums(&selection.profile, selection.sample_index, &selection.label_units) {
        write_key(out, report, &sums)?;
    }
    Ok(())
}

fn write_key(out: &mut dyn Write, report: &Report<'_>, sums: &LabelSums) -> io::Result<()> {
    let scale = report.scale();
    let share = |value: i64| {
        if 0 < report.selection.total { format!(" ({})", report.percent(value)) } else { String::new() }
    };
    let values = by_text(sums, &scale);
    let weights: Vec<String> =
        values.iter().map(|(_, sum)| format!("{}{}:", scale.amount(*sum), share(*sum))).collect();
    // As Go's tabwriter aligns them: to the right, a space to the left of the widest.
    let key = format!("{}:", sums.key);
    let width = 1 + weights.iter().map(|it| it.chars().count()).max().unwrap_or(0);
    let margin = 1 + key.chars().count();
    writeln!(
        out,
        "{key:>margin$} Total {} of {}{}",
        scale.amount(sums.total),
        scale.amount(report.selection.total),
        share(sums.total)
    )?;
    for (weight, (text, _)) in weights.iter().zip(&values) {
        writeln!(out, "{:margin$}{weight:>width$} {text}", "")?;
    }
    writeln!(out)
}

/// All values as they are printed; numbers that print alike are one.
fn by_text(sums: &LabelSums, scale: &Scale) -> Vec<(String, i64)> {
    let mut values = sums.texts.clone();
    for &(num, sum) in &sums.numbers {
        let text = Amount { value: num, from: &sums.unit, to: &scale.to }.to_string();
        match values.iter_mut().find(|it| it.0 == text) {
            Some(same) => same.1 = same.1.saturating_add(sum),
            None => values.push((text, sum)),
        }
    }
    values.sort_by(|a, b| (Reverse(a.1.saturating_abs()), &a.0).cmp(&(Reverse(b.1.saturating_abs()), &b.0)));
    values
}
