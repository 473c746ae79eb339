//! Labels that are numbers: their units, and the ranges in which one may choose among them.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Warning;
use crate::profile::{Label, LabelValue, Profile, StringId};
use crate::units;

/// The unit of each numeric label's key, as pprof has it: the first that a sample gives, or else the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelUnits(FxHashMap<StringId, StringId>);

impl LabelUnits {
    /// The units of `profile`'s numeric labels.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let mut units = FxHashMap::default();
        for &Label { key, value } in &profile.samples.labels {
            if let LabelValue::Num { unit, .. } = value
                && unit.index() != 0
            {
                units.entry(key).or_insert(unit);
            }
        }
        LabelUnits(units)
    }

    /// The unit of a key. `profile` may be any part of the one that the units are of.
    #[must_use]
    pub fn get<'a>(&self, profile: &'a Profile, key: StringId) -> &'a str {
        let key_text = profile.string(key);
        match self.0.get(&key) {
            Some(&unit) => profile.string(unit),
            None if matches!(key_text, "alignment" | "request") => "bytes",
            None => key_text,
        }
    }

    /// A warning for each key whose numbers come in several units.
    pub(super) fn conflicts(&self, profile: &Profile) -> Vec<Warning> {
        let mut others: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for &Label { key, value } in &profile.samples.labels {
            if let LabelValue::Num { unit, .. } = value
                && unit.index() != 0
                && self.0.get(&key) != Some(&unit)
            {
                others.entry(profile.string(key)).or_default().insert(profile.string(unit));
            }
        }
        let used = |key: &str| {
            let unit = self.0.iter().find(|it| profile.string(*it.0) == key);
            unit.map_or("", |it| profile.string(*it.1)).to_owned()
        };
        let warning = |(key, units): (&str, BTreeSet<&str>)| Warning::LabelUnits {
            key: key.to_owned(),
            used: used(key),
            others: units.into_iter().map(str::to_owned).collect(),
        };
        others.into_iter().map(warning).collect()
    }
}

/// The numbers that the samples of a profile carry under one key, in ranges few enough to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberLabel {
    /// The key.
    pub key: String,
    /// The unit of the numbers, given or inferred from the key.
    pub unit: String,
    /// In order, apart from each other, none without a number: one for each number where there are few, or else from
    /// one power of two to the next.
    pub ranges: Vec<NumberRange>,
}

/// Numbers from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NumberRange {
    /// The least.
    pub first: i64,
    /// The greatest.
    pub last: i64,
}

/// More different numbers than these are put into ranges.
const MOST_NUMBERS: usize = 20;

/// The numeric labels of `profile`, by key. A key that no filter could name is left out.
#[must_use]
pub fn number_labels(profile: &Profile) -> Vec<NumberLabel> {
    let mut numbers: FxHashMap<StringId, FxHashSet<i64>> = FxHashMap::default();
    for &Label { key, value } in &profile.samples.labels {
        if let LabelValue::Num { num, .. } = value {
            numbers.entry(key).or_default().insert(num);
        }
    }
    let label_units = LabelUnits::of(profile);
    let label = |(key, numbers): (StringId, FxHashSet<i64>)| NumberLabel {
        key: profile.string(key).to_owned(),
        unit: label_units.get(profile, key).to_owned(),
        ranges: ranges(&numbers),
    };
    let mut labels: Vec<NumberLabel> = numbers.into_iter().map(label).collect();
    labels.retain(|it| !it.key.is_empty() && !it.key.contains('='));
    labels.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    labels
}

fn ranges(numbers: &FxHashSet<i64>) -> Vec<NumberRange> {
    let range = |&number: &i64| {
        if numbers.len() <= MOST_NUMBERS {
            NumberRange { first: number, last: number }
        } else {
            NumberRange::around(number)
        }
    };
    let ranges: FxHashSet<NumberRange> = numbers.iter().map(range).collect();
    let mut ranges: Vec<NumberRange> = ranges.into_iter().collect();
    ranges.sort_unstable_by_key(|it| it.first);
    ranges
}

impl NumberRange {
    /// From the power of two at or below `number` to the next; all that is not positive is together.
    fn around(number: i64) -> Self {
        if number <= 0 {
            return NumberRange { first: i64::MIN, last: 0 };
        }
        let first = 1 << number.ilog2();
        NumberRange { first, last: first + (first - 1) }
    }

    fn contains(self, number: i64) -> bool {
        (self.first..=self.last).contains(&number)
    }
}

impl NumberLabel {
    /// What the samples of each range weigh, in the order of the ranges. A sample with several numbers of this key counts
    /// for each range once.
    ///
    /// # Panics
    ///
    /// If `sample_index` is not below the number of sample types and there are samples.
    #[must_use]
    pub fn weights(&self, profile: &Profile, sample_index: usize) -> Vec<i64> {
        let mut weights = vec![0_i64; self.ranges.len()];
        let mut found: Vec<usize> = Vec::new();
        for sample in profile.samples() {
            let numbers = sample.labels.iter().filter_map(|it| match it.value {
                LabelValue::Num { num, .. } if profile.string(it.key) == self.key => Some(num),
                _ => None,
            });
            found.clear();
            for range in numbers.filter_map(|it| self.range_of(it)) {
                if !found.contains(&range) {
                    weights[range] = weights[range].saturating_add(sample.values[sample_index]);
                    found.push(range);
                }
            }
        }
        weights
    }

    fn range_of(&self, number: i64) -> Option<usize> {
        let idx = self.ranges.partition_point(|it| it.last < number);
        self.ranges.get(idx).filter(|it| it.contains(number)).map(|_| idx)
    }

    /// The [`tagfocus`](super::FilterOptions) that finds the numbers of `range`.
    #[must_use]
    pub fn tagfocus(&self, range: NumberRange) -> String {
        let NumberLabel { key, unit, .. } = self;
        // pprof compares in the unit of the filter. A plain number is of no unit that bytes or times convert to; for
        // other units it is the number as it is.
        let suffix = units::spelling(unit).unwrap_or("");
        match range {
            NumberRange { first, last } if first == last => format!("{key}={first}{suffix}"),
            NumberRange { first: i64::MIN, last } => format!("{key}=:{last}{suffix}"),
            NumberRange { first, last: i64::MAX } => format!("{key}={first}{suffix}:"),
            NumberRange { first, last } => format!("{key}={first}{suffix}:{last}{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests;
