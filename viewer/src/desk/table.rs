//! The top table for one sample type: pprof's rows, searched, ordered and cut to the window in view.

use std::cmp::Reverse;

use proto::analysis::flame::Query;
use proto::analysis::top::{Top, TopOptions, TopRow, top};
use proto::units::Percent;

use super::Desk;
use super::catalog::Catalog;
use super::shown::Shown;
use crate::protocol::{Column, Row, Rows, RowsQuestion, Sort};

/// Rows as `pprof -top` has them by default, which decide the unit of all; and every row, once one is asked for.
#[derive(Debug)]
pub(super) struct Table {
    trimmed: Top,
    whole: Option<Top>,
    /// The sum of what is picked, while something is.
    part: Option<i64>,
    /// The order last asked for, which the next window most likely is a part of.
    ordered: Option<Ordered>,
}

/// The rows that a question selects, in its order.
#[derive(Debug)]
struct Ordered {
    query: String,
    sort: Sort,
    all: bool,
    /// Indices into the rows of the [`Top`] used, each with the sum of flat down to it.
    rows: Vec<(usize, i64)>,
}

impl Table {
    fn new(shown: &Shown, sample_index: usize) -> Table {
        let trimmed = top(shown.profile(), &options(sample_index, shown.total(sample_index)));
        Table { trimmed, whole: None, part: shown.part_total(sample_index), ordered: None }
    }

    fn whole(&mut self, shown: &Shown, sample_index: usize) {
        // Where nothing was left out the rows are the same, but which count as inlined may not be.
        if self.trimmed.n_dropped > 0 && self.whole.is_none() {
            self.whole = Some(top(shown.profile(), &options(sample_index, self.trimmed.total).untrimmed()));
        }
    }

    /// A search looks through all functions: one that is too small to be shown is still there to be found.
    fn rows_for(&self, question: &RowsQuestion) -> &Top {
        let all = question.all || !question.query.is_empty();
        self.whole.as_ref().filter(|_| all).unwrap_or(&self.trimmed)
    }

    fn order(&mut self, question: &RowsQuestion) {
        let RowsQuestion { query, sort, all, .. } = question;
        let same = |ordered: &Ordered| (&ordered.query, ordered.sort, ordered.all) == (query, *sort, *all);
        if self.ordered.as_ref().is_some_and(same) {
            return;
        }
        let rows = ordered(&self.rows_for(question).rows, Query::new(query).as_ref(), *sort);
        self.ordered = Some(Ordered { query: query.clone(), sort: *sort, all: *all, rows });
    }

    fn window(&self, question: &RowsQuestion, catalog: &Catalog) -> Rows {
        let ordered = self.ordered.as_ref().map_or(&[][..], |ordered| &ordered.rows);
        let top = self.rows_for(question);
        let in_window = ordered.iter().skip(question.first).take(question.len);
        let rows = in_window.filter_map(|&(at, sum)| Some(self.row(top.rows.get(at)?, sum, catalog))).collect();
        let shown = ordered.last().map_or(0, |&(_, sum)| sum);
        let whole_is_shown = question.all || !question.query.is_empty();
        let n_dropped = if whole_is_shown { 0 } else { self.trimmed.n_dropped };
        Rows {
            first: question.first,
            rows,
            n_rows: ordered.len(),
            total: self.amount(self.trimmed.total),
            part: self.part.map(|part| self.amount(part)),
            accounting: format!(
                "Showing nodes accounting for {}, {} of {} total",
                self.amount(shown),
                self.percent(shown),
                self.amount(self.trimmed.total)
            ),
            dropped: (n_dropped > 0).then(|| (n_dropped, self.amount(self.trimmed.dropped_cum))),
        }
    }

    fn row(&self, row: &TopRow, sum: i64, catalog: &Catalog) -> Row {
        let function = catalog.function(&row.name).unwrap_or(u32::MAX);
        Row {
            flat: self.amount(row.flat),
            flat_pct: self.percent(row.flat),
            sum_pct: self.percent(sum),
            cum: self.amount(row.cum),
            cum_pct: self.percent(row.cum),
            name: row.name.clone(),
            marker: row.inline.marker().to_owned(),
            function,
            look: catalog.get(function).map(|entry| entry.look).unwrap_or_default(),
        }
    }

    /// A value and its share, in the unit of the whole report.
    pub(super) fn with_share(&self, value: i64) -> (String, String) {
        (self.amount(value), self.percent(value))
    }

    /// Flat and cum of a function, if it is in a table at hand.
    pub(super) fn values_of(&self, name: &str) -> Option<(i64, i64)> {
        let top = self.whole.as_ref().unwrap_or(&self.trimmed);
        top.rows.iter().find(|row| row.name == name).map(|row| (row.flat, row.cum))
    }

    fn amount(&self, value: i64) -> String {
        self.trimmed.scale.amount(value).to_string()
    }

    fn percent(&self, part: i64) -> String {
        Percent { part, whole: self.trimmed.total }.to_string().trim_start().to_owned()
    }
}

impl Desk {
    pub(super) fn rows(&mut self, question: &RowsQuestion) -> Rows {
        let table = self.table.get_or_insert_with(|| Table::new(&self.shown, self.sample_index));
        if question.all || !question.query.is_empty() {
            table.whole(&self.shown, self.sample_index);
        }
        table.order(question);
        table.window(question, &self.catalog)
    }

    pub(super) fn table(&mut self) -> &Table {
        self.table.get_or_insert_with(|| Table::new(&self.shown, self.sample_index))
    }
}

/// pprof's, for a table whose percentages are of `total`.
fn options(sample_index: usize, total: i64) -> TopOptions {
    TopOptions { sample_index, total: Some(total), ..TopOptions::default() }
}

/// Which rows match, in order, each with the running sum of flat. Rows come ordered by flat, the greatest first.
fn ordered(rows: &[TopRow], query: Option<&Query>, sort: Sort) -> Vec<(usize, i64)> {
    let matching = rows.iter().enumerate().filter(|(_, row)| query.is_none_or(|query| query.matches(&row.name)));
    let mut matching: Vec<(usize, &TopRow)> = matching.collect();
    match sort.column {
        Column::Flat => {}
        Column::Cum => matching.sort_by_key(|(_, row)| (Reverse(row.cum.unsigned_abs()), &row.name)),
        Column::Name => matching.sort_by_key(|(_, row)| Reverse(&row.name)),
    }
    if !sort.descending {
        matching.reverse();
    }
    let mut sum = 0_i64;
    let add = |(at, row): (usize, &TopRow)| {
        sum = sum.saturating_add(row.flat);
        (at, sum)
    };
    matching.into_iter().map(add).collect()
}
