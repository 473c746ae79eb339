//! `top`: places by weight.

use std::io::{self, Write};

use proto::Profile;
use proto::analysis::calls::Purpose;
use proto::analysis::sample_index;
use proto::analysis::top::{Top, TopOptions, TopRow, top};
use proto::units::Percent;

use super::{Report, header};

pub(super) fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let call_graph = report.call_graph(Purpose::Places);
    header::write(out, report, &call_graph)?;
    let top = Top::from(call_graph);
    writeln!(out, "{TITLES}")?;
    rows(&top).try_for_each(|row| writeln!(out, "{row}"))
}

/// The `n` heaviest functions, one a line below a line of titles, for a summary in passing. Nothing if nothing was
/// measured. [`prepare`](proto::analysis::prepare) is not needed for what wprof records.
#[must_use]
pub fn summary_rows(profile: &Profile, n: usize) -> Vec<String> {
    let Ok(sample_index) = sample_index(profile, None) else { return Vec::new() };
    let options = TopOptions { sample_index, node_count: n, ..TopOptions::default() };
    let mut top = top(profile, &options);
    top.rows.truncate(n);
    if top.rows.is_empty() {
        return Vec::new();
    }
    std::iter::once(TITLES.to_owned()).chain(rows(&top)).collect()
}

const TITLES: &str = "      flat  flat%   sum%        cum   cum%";

fn rows(top: &Top) -> impl Iterator<Item = String> {
    let mut sum = 0_i64;
    top.rows.iter().map(move |row| {
        sum = sum.saturating_add(row.flat);
        row_text(top, row, sum)
    })
}

fn row_text(top: &Top, row: &TopRow, sum: i64) -> String {
    let percent = |part| Percent { part, whole: top.total };
    let [flat, cum] = [row.flat, row.cum].map(|it| top.scale.amount(it));
    let marker = row.inline.marker();
    let space = if marker.is_empty() { "" } else { " " };
    format!(
        "{flat:>10} {} {} {cum:>10} {}  {}{space}{marker}",
        percent(row.flat),
        percent(sum),
        percent(row.cum),
        row.name,
    )
}
