//! What changed from a base to the profile on show, as `wprof diff` has it.

use std::cmp::Reverse;
use std::collections::HashMap;

use proto::analysis::diff::{Diff, DiffRow as Change, Weights, diff};
use proto::analysis::flame::Query;
use proto::analysis::top::TopOptions;
use proto::units::Percent;

use super::Opened;
use super::subject::Subject;
use crate::label;
use crate::protocol::{Column, DiffAsk, DiffCells, DiffRow, DiffRows, FileId, Look, Sort};

/// The difference asked for last.
#[derive(Debug)]
pub(super) struct Changes {
    base: FileId,
    normalize: bool,
    trimmed: Diff,
    /// With what changed little, too, once that is asked for.
    whole: Option<Diff>,
}

impl Subject {
    pub(super) fn changes(&mut self, ask: &DiffAsk, profiles: &HashMap<FileId, Opened>) -> DiffRows {
        let wants_all = ask.all || !ask.query.is_empty();
        if let Err(why) = self.compare(ask, wants_all, profiles) {
            return DiffRows { refused: Some(why), ..DiffRows::default() };
        }
        let Some(changes) = &self.changes else { return DiffRows::default() };
        let trimmed = &changes.trimmed;
        let rows = &changes.whole.as_ref().filter(|_| wants_all).unwrap_or(trimmed).rows;
        let rows = ordered(rows, Query::new(&ask.query).as_ref(), ask.sort);
        let amount = |value| trimmed.scale.amount(value).to_string();
        let change = trimmed.after.saturating_sub(trimmed.before);
        let row = |change: &&Change| self.diff_row(trimmed, change);
        DiffRows {
            first: ask.first,
            rows: rows.iter().skip(ask.first).take(ask.len).map(row).collect(),
            n_rows: rows.len(),
            before: amount(trimmed.before),
            after: amount(trimmed.after),
            change: (trimmed.scale.signed(change), share(trimmed, change)),
            n_dropped: if wants_all { 0 } else { trimmed.n_dropped },
            refused: None,
        }
    }

    /// Works out the difference, unless it is that of the last question.
    fn compare(&mut self, ask: &DiffAsk, all: bool, profiles: &HashMap<FileId, Opened>) -> Result<(), String> {
        let same = |it: &Changes| (it.base, it.normalize) == (ask.base, ask.normalize);
        let is_there = self.changes.as_ref().is_some_and(|it| same(it) && (!all || it.whole.is_some()));
        if is_there {
            return Ok(());
        }
        let opened = profiles.get(&ask.base).ok_or("The base is no longer open.")?;
        let sample_index = self.sample_index();
        let kind_of = |profile: &proto::Profile, at: usize| {
            profile.sample_types().get(at).map(|it| profile.string(it.kind).to_owned()).unwrap_or_default()
        };
        let kind = kind_of(&self.profile, sample_index);
        let n_types = opened.profile.sample_types().len();
        let Some(base_index) = (0..n_types).find(|&at| kind_of(&opened.profile, at) == kind) else {
            let kinds: Vec<String> = (0..n_types).map(|at| kind_of(&opened.profile, at)).collect();
            return Err(format!(
                "The base has no {kind}: it has {}. Choose another sample type above.",
                kinds.join(", ")
            ));
        };
        let before = self.same_part(opened)?;
        let options = self.top_options(sample_index);
        let diff =
            |options: &TopOptions| diff((&before, base_index), (&self.profile, sample_index), options, ask.normalize);
        let whole = all.then(|| diff(&options.clone().untrimmed()));
        let trimmed = match self.changes.take().filter(same) {
            Some(changes) => changes.trimmed,
            None => diff(&options),
        };
        self.changes = Some(Changes { base: ask.base, normalize: ask.normalize, trimmed, whole });
        Ok(())
    }

    fn diff_row(&self, diff: &Diff, row: &Change) -> DiffRow {
        let cells = |weight: fn(Weights) -> i64| {
            let value = |it: Option<Weights>| it.map_or("-".to_owned(), |it| diff.scale.amount(weight(it)).to_string());
            let change = weight(row.change());
            DiffCells {
                before: value(row.before),
                after: value(row.after),
                change: diff.scale.signed(change),
                share: share(diff, change),
            }
        };
        let look = self.catalog.look_of(&row.name);
        DiffRow {
            name: row.name.clone(),
            // What is gone is in no catalog of this profile.
            look: look.unwrap_or_else(|| Look::guest(label::hue(label::package(&row.name, "")))),
            flat: cells(|it| it.flat),
            cum: cells(|it| it.cum),
            mark: row.mark().to_owned(),
        }
    }
}

/// Rows come ordered by flat, what grew most first.
fn ordered<'a>(rows: &'a [Change], query: Option<&Query>, sort: Sort) -> Vec<&'a Change> {
    let mut rows: Vec<&Change> = rows.iter().filter(|row| query.is_none_or(|query| query.matches(&row.name))).collect();
    match sort.column {
        Column::Flat => {}
        Column::Cum => rows.sort_by_key(|row| (Reverse(row.change().cum), Reverse(row.change().flat), &row.name)),
        Column::Name => rows.sort_by_key(|row| Reverse(&row.name)),
    }
    if !sort.descending {
        rows.reverse();
    }
    rows
}

/// Of the base's total.
fn share(diff: &Diff, change: i64) -> String {
    Percent { part: change, whole: diff.before }.signed()
}
