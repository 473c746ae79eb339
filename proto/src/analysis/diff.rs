//! What changed between two profiles, place by place.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::top::{Top, TopOptions, TopRow, top};
use crate::profile::Profile;
use crate::units::{self, Scale};

/// A place's weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weights {
    /// Of samples whose leaf it is.
    pub flat: i64,
    /// Of samples with it anywhere on the stack.
    pub cum: i64,
}

/// A place that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffRow {
    /// As reports name it.
    pub name: String,
    /// In the first profile; `None` if it is not in there.
    pub before: Option<Weights>,
    /// In the second.
    pub after: Option<Weights>,
}

impl DiffRow {
    /// How much more there is of it.
    #[must_use]
    pub fn change(&self) -> Weights {
        let [before, after] = [self.before, self.after].map(Option::unwrap_or_default);
        Weights { flat: after.flat.saturating_sub(before.flat), cum: after.cum.saturating_sub(before.cum) }
    }

    /// What reports say behind the name: `new`, `gone`, or nothing.
    #[must_use]
    pub fn mark(&self) -> &'static str {
        match (self.before, self.after) {
            (None, _) => "new",
            (_, None) => "gone",
            _ => "",
        }
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Diff {
    /// What the values are.
    pub kind: String,
    /// The first profile's total, which percentages are of.
    pub before: i64,
    /// The second's.
    pub after: i64,
    /// Places that changed: those whose flat grew most first, those whose flat shrank most last.
    pub rows: Vec<DiffRow>,
    /// How many more changed too little to show.
    pub n_dropped: usize,
    /// How many there were to show, if fewer were asked for.
    pub n_places: usize,
    /// How to print the values.
    pub scale: Scale,
}

/// Compares what `options` show of two profiles, of which each may have the sample type at another index. The first's
/// `total` in `options` is not looked at. Values of the second are scaled to the first's unit, and, to `normalize`,
/// so that its total is the first's.
///
/// A place is left out if neither its flat nor its cum changed by `node_fraction` of the first's total; `node_count`
/// keeps those that changed most.
///
/// # Panics
///
/// If an index is not below its profile's number of sample types.
#[must_use]
pub fn diff(before: (&Profile, usize), after: (&Profile, usize), options: &TopOptions, normalize: bool) -> Diff {
    let table = |(profile, sample_index): (&Profile, usize)| {
        let unit = "minimum".to_owned();
        top(profile, &TopOptions { sample_index, total: None, unit, ..options.clone() }.untrimmed())
    };
    let (before, mut after) = (table(before), table(after));
    convert(&mut after, &before, normalize);
    let mut rows = rows(&before, &after);
    rows.retain(|it| it.change() != Weights::default());
    let n_changed = rows.len();
    let cutoff = units::truncate(units::to_f64(before.total) * options.node_fraction).saturating_abs();
    rows.retain(|it| cutoff <= it.change().flat.saturating_abs().max(it.change().cum.saturating_abs()));
    let n_places = rows.len();
    if options.node_count != 0 && options.node_count < n_places {
        let size = |it: &DiffRow| {
            let [flat, cum] = [it.change().flat, it.change().cum].map(i64::saturating_abs);
            Reverse(if options.sort_by_cum { (cum, flat) } else { (flat, cum) })
        };
        rows.sort_by(|a, b| size(a).cmp(&size(b)).then_with(|| a.name.cmp(&b.name)));
        rows.truncate(options.node_count);
    }
    sort(&mut rows, options.sort_by_cum);
    let unit = output_unit(&rows, &before, &after, options);
    Diff {
        kind: before.kind,
        before: before.total,
        after: after.total,
        n_dropped: n_changed - n_places,
        n_places,
        scale: Scale { to: unit, ..before.scale },
        rows,
    }
}

/// Brings the second table to the first's unit.
fn convert(after: &mut Top, before: &Top, normalize: bool) {
    let mut ratio = units::scale(1, &after.scale.from, &before.scale.from).0;
    if normalize && after.total != 0 {
        ratio = units::to_f64(before.total) / units::to_f64(after.total);
    }
    let scaled = |value| units::multiply(value, ratio);
    after.total = scaled(after.total);
    for row in &mut after.rows {
        row.flat = scaled(row.flat);
        row.cum = scaled(row.cum);
    }
}

/// Places are the same if they are called the same.
fn rows(before: &Top, after: &Top) -> Vec<DiffRow> {
    let mut rows: HashMap<&str, (Option<Weights>, Option<Weights>)> = HashMap::new();
    let add = |weights: &mut Option<Weights>, row: &TopRow| {
        let weights = weights.get_or_insert_default();
        weights.flat = weights.flat.saturating_add(row.flat);
        weights.cum = weights.cum.saturating_add(row.cum);
    };
    before.rows.iter().for_each(|row| add(&mut rows.entry(&row.name).or_default().0, row));
    after.rows.iter().for_each(|row| add(&mut rows.entry(&row.name).or_default().1, row));
    rows.into_iter().map(|(name, (before, after))| DiffRow { name: name.to_owned(), before, after }).collect()
}

/// The worst first.
fn sort(rows: &mut [DiffRow], by_cum: bool) {
    rows.sort_by(|a, b| {
        let key = |it: &DiffRow| {
            let Weights { flat, cum } = it.change();
            Reverse(if by_cum { (cum, flat) } else { (flat, cum) })
        };
        key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name))
    });
}

fn output_unit(rows: &[DiffRow], before: &Top, after: &Top, options: &TopOptions) -> String {
    if options.unit != "minimum" {
        return options.unit.clone();
    }
    let changes = rows.iter().map(|it| match it.change() {
        Weights { flat: 0, cum } => cum.saturating_abs(),
        Weights { flat, .. } => flat.saturating_abs(),
    });
    let total = before.total.max(after.total);
    let smallest = changes.filter(|it| *it != 0).min().unwrap_or(total);
    let [smallest, total] = [smallest, total].map(|it| units::divide(it, options.divide_by));
    units::report_unit(smallest, total, &before.scale.from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stacks;

    fn check(before: &str, after: &str, options: &TopOptions, expected: &[&str]) {
        let profiles = [before, after].map(stacks::profile);
        let found = diff((&profiles[0], 0), (&profiles[1], 0), options, false);
        let text = |it: Option<Weights>| it.map_or("-".to_owned(), |it| format!("{}/{}", it.flat, it.cum));
        let rows: Vec<String> =
            found.rows.iter().map(|it| format!("{} {} {}", it.name, text(it.before), text(it.after))).collect();
        assert_eq!(rows, expected, "{before} → {after}");
    }

    #[test]
    fn what_grew_most_comes_first() {
        let all = TopOptions::default().untrimmed();
        check(
            "m;a 5\nm;b 5\nm;c 9",
            "m;a 8\nm;b 2\nm;d 1\nm;c 9",
            &all,
            &["a 5/5 8/8", "d - 1/1", "m 0/19 0/20", "b 5/5 2/2"],
        );
        check("a 1", "a 1", &all, &[]);
        check("a 1", "b 1", &all, &["b - 1/1", "a 1/1 -"]);
    }

    #[test]
    fn small_changes_are_left_out() {
        let options = TopOptions { node_fraction: 0.1, ..TopOptions::default() };
        check("a 50\nb 50", "a 59\nb 60", &options, &["b 50/50 60/60"]);
        let one = TopOptions { node_count: 1, ..TopOptions::default().untrimmed() };
        check("a 50\nb 50\nc 9", "a 58\nb 30\nc 9", &one, &["b 50/50 30/30"]);
    }

    #[test]
    fn totals_may_be_made_equal() {
        let profiles = ["a 10\nb 30", "a 40\nb 40"].map(stacks::profile);
        let found = diff((&profiles[0], 0), (&profiles[1], 0), &TopOptions::default().untrimmed(), true);
        assert_eq!((found.before, found.after), (40, 40));
        let changes: Vec<_> = found.rows.iter().map(|it| (it.name.as_str(), it.change().flat)).collect();
        assert_eq!(changes, [("a", 10), ("b", -10)]);
    }
}
