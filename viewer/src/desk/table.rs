//! The top table for one sample type: pprof's rows, searched, ordered and cut to the window in view.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::rc::Rc;

use proto::Profile;
use proto::analysis::diff::Weights;
use proto::analysis::flame::Query;
use proto::analysis::top::{Top, TopOptions, TopRow, top};
use proto::units::Scale;

use super::catalog::Catalog;
use super::labels::percent;
use super::subject::Subject;
use crate::protocol::{Column, Row, Rows, RowsAsk, Sort};

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
    fn new(profile: &Profile, part: Option<i64>, options: &TopOptions) -> Table {
        let trimmed = top(profile, options);
        Table { trimmed, whole: None, part, ordered: None }
    }

    fn whole(&mut self, profile: &Profile, options: TopOptions) {
        // Where nothing was left out the rows are the same, but which count as inlined may not be.
        if self.trimmed.n_dropped > 0 && self.whole.is_none() {
            self.whole = Some(top(profile, &options.untrimmed()));
        }
    }

    /// A search looks through all functions: one that is too small to be shown is still there to be found.
    fn rows_for(&self, ask: &RowsAsk) -> &Top {
        let all = ask.all || !ask.query.is_empty();
        self.whole.as_ref().filter(|_| all).unwrap_or(&self.trimmed)
    }

    fn order(&mut self, ask: &RowsAsk) {
        let RowsAsk { query, sort, all, .. } = ask;
        let same = |ordered: &Ordered| (&ordered.query, ordered.sort, ordered.all) == (query, *sort, *all);
        if self.ordered.as_ref().is_some_and(same) {
            return;
        }
        let rows = ordered(&self.rows_for(ask).rows, Query::new(query).as_ref(), *sort);
        self.ordered = Some(Ordered { query: query.clone(), sort: *sort, all: *all, rows });
    }

    fn window(&self, ask: &RowsAsk, catalog: &Catalog) -> Rows {
        let ordered = self.ordered.as_ref().map_or(&[][..], |ordered| &ordered.rows);
        let top = self.rows_for(ask);
        let in_window = ordered.iter().skip(ask.first).take(ask.len);
        let rows = in_window.filter_map(|&(at, sum)| Some(self.row(top.rows.get(at)?, sum, catalog))).collect();
        let shown = ordered.last().map_or(0, |&(_, sum)| sum);
        let whole_is_shown = ask.all || !ask.query.is_empty();
        let n_dropped = if whole_is_shown { 0 } else { self.trimmed.n_dropped };
        Rows {
            first: ask.first,
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
            has_kept: false,
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
            look: catalog.look(function).unwrap_or_default(),
            every: Vec::new(),
            kept: None,
        }
    }

    /// A value and its share, in the unit of the whole report.
    pub(super) fn with_share(&self, value: i64) -> (String, String) {
        (self.amount(value), self.percent(value))
    }

    /// The unit of all its values; `auto` if each has its own.
    pub(super) fn unit(&self) -> &str {
        &self.trimmed.scale.to
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
        percent(part, self.trimmed.total)
    }
}

impl Subject {
    pub(super) fn rows(&mut self, ask: &RowsAsk) -> Rows {
        self.table();
        let (options, profile) = (self.top_options(self.sample_index()), Rc::clone(&self.profile));
        let catalog = Rc::clone(&self.catalog);
        let Some(table) = &mut self.table else { return Rows::default() };
        if ask.all || !ask.query.is_empty() {
            table.whole(&profile, options);
        }
        table.order(ask);
        let mut rows = table.window(ask, &catalog);
        if ask.every_type {
            self.add_every_type(&mut rows);
        }
        rows
    }

    pub(super) fn table(&mut self) -> &Table {
        let options = self.top_options(self.sample_index());
        self.table.get_or_insert_with(|| Table::new(&self.profile, self.part, &options))
    }

    /// pprof's, for a table whose percentages are of the subject's total.
    pub(super) fn top_options(&self, sample_index: usize) -> TopOptions {
        let unit = self.unit(sample_index, "minimum").to_owned();
        TopOptions { sample_index, total: Some(self.total), frames: self.frames(), unit, ..TopOptions::default() }
    }

    /// The same places' flat and cum of all sample types.
    fn add_every_type(&mut self, rows: &mut Rows) {
        if self.every_type.is_none() {
            let options = |at| TopOptions { total: None, ..self.top_options(at) }.untrimmed();
            let of_type = |at| EveryType::new(top(&self.profile, &options(at)));
            self.every_type = Some((0..self.profile.sample_types().len()).map(of_type).collect());
        }
        let tops = self.every_type.as_deref().unwrap_or_default();
        let kind = self.profile.sample_types().get(self.sample_index).map_or("", |it| self.profile.string(it.kind));
        let pair = kept_of(kind, tops);
        rows.has_kept = pair.is_some();
        for row in &mut rows.rows {
            row.every = tops.iter().map(|top| top.cells(&row.name)).collect();
            row.kept =
                pair.map(|[allocated, in_use]| percent(in_use.value(&row.name).cum, allocated.value(&row.name).cum));
        }
    }
}

/// Each place's values of one sample type.
#[derive(Debug)]
pub(super) struct EveryType {
    kind: String,
    scale: Scale,
    values: HashMap<String, Weights>,
}

impl EveryType {
    fn new(top: Top) -> EveryType {
        let value = |row: TopRow| (row.name, Weights { flat: row.flat, cum: row.cum });
        EveryType { kind: top.kind, scale: top.scale, values: top.rows.into_iter().map(value).collect() }
    }

    fn value(&self, name: &str) -> Weights {
        self.values.get(name).copied().unwrap_or_default()
    }

    fn cells(&self, name: &str) -> (String, String) {
        let Weights { flat, cum } = self.value(name);
        (self.scale.amount(flat).to_string(), self.scale.amount(cum).to_string())
    }
}

/// What was allocated and what of it is in use, in objects if those are on show and else in bytes.
fn kept_of<'a>(kind: &str, types: &'a [EveryType]) -> Option<[&'a EveryType; 2]> {
    let suffix = if kind.ends_with("_objects") { "objects" } else { "space" };
    let of = |prefix: &str| types.iter().find(|it| it.kind == format!("{prefix}_{suffix}"));
    Some([of("alloc")?, of("inuse")?])
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
