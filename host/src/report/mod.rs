//! Reports as text, byte for byte as `go tool pprof` prints them. What they say comes from [`proto::analysis`].

mod header;

use std::io::{self, Write};

use proto::Profile;
use proto::analysis::top::{Top, TopOptions, TopRow};
use proto::analysis::{BadFilter, FilterOptions, UnknownSampleType, Warning, filter, sample_index, total};
use proto::units::Percent;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sample type asked for is not in the profile.
    #[error(transparent)]
    SampleType(#[from] UnknownSampleType),
    /// A filter is none.
    #[error(transparent)]
    Filter(#[from] BadFilter),
    /// Values cannot be divided by 0.
    #[error("zero divisor specified")]
    ZeroDivisor,
    /// The report could not be written.
    #[error("write the report")]
    Write(#[from] io::Error),
}

/// What `wprof top` shows.
#[derive(Debug, Clone, Default)]
pub struct TopReport {
    /// The sample type's number or name; `None` is the profile's default.
    pub sample_index: Option<String>,
    /// The table; its `sample_index` and `total` are not looked at.
    pub table: TopOptions,
    /// Which samples are in it. Percentages are of all.
    pub filters: FilterOptions,
    /// Leave out what is said of the profile as a whole.
    pub compact_labels: bool,
}

/// Prints the places of `profile` by weight. [`prepare`](proto::analysis::prepare) the profile first.
///
/// Returns what a reader should know of the filters.
///
/// # Errors
///
/// If the profile has no such sample type, the divisor is 0, a filter is none, or `out` takes no more.
pub fn top(out: &mut dyn Write, profile: &Profile, options: &TopReport) -> Result<Vec<Warning>, Error> {
    let sample_index = sample_index(profile, options.sample_index.as_deref())?;
    if options.table.divide_by == 0.0 {
        return Err(Error::ZeroDivisor);
    }
    let (part, warnings) = filter(profile, &options.filters)?;
    let total = Some(total(profile, sample_index, options.table.mean));
    let top = proto::analysis::top::top(&part, &TopOptions { sample_index, total, ..options.table.clone() });
    if !options.compact_labels {
        header::write_profile(out, profile, &top)?;
    }
    header::write_filters(out, &options.filters)?;
    header::write_selection(out, &top)?;
    write_rows(out, &top)?;
    Ok(warnings)
}

/// The `n` heaviest functions, one a line below a line of titles, for a summary in passing. Nothing if nothing was
/// measured. [`prepare`](proto::analysis::prepare) is not needed for what wprof records.
#[must_use]
pub fn summary_rows(profile: &Profile, n: usize) -> Vec<String> {
    let Ok(sample_index) = sample_index(profile, None) else { return Vec::new() };
    let options = TopOptions { sample_index, node_count: n, ..TopOptions::default() };
    let mut top = proto::analysis::top::top(profile, &options);
    top.rows.truncate(n);
    if top.rows.is_empty() {
        return Vec::new();
    }
    std::iter::once(TITLES.to_owned()).chain(rows(&top)).collect()
}

const TITLES: &str = "      flat  flat%   sum%        cum   cum%";

fn write_rows(out: &mut dyn Write, top: &Top) -> io::Result<()> {
    writeln!(out, "{TITLES}")?;
    rows(top).try_for_each(|row| writeln!(out, "{row}"))
}

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
