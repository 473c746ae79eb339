//! What each label weighs: pprof's `tags`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::LabelUnits;
use crate::profile::{LabelValue, Profile, StringId};

/// The weights of one key's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSums {
    /// The key.
    pub key: String,
    /// The sum over all values. A sample with two values of a key counts for each.
    pub total: i64,
    /// The texts, the heaviest first.
    pub texts: Vec<(String, i64)>,
    /// The numbers, the heaviest first.
    pub numbers: Vec<(i64, i64)>,
    /// The unit of the numbers, given or inferred from the key.
    pub unit: String,
}

#[derive(Debug, Default)]
struct Sums {
    texts: FxHashMap<StringId, i64>,
    numbers: FxHashMap<i64, i64>,
}

/// The labels of `profile`'s samples, by key.
///
/// # Panics
///
/// If `sample_index` is not below the number of sample types and there are samples.
#[must_use]
pub fn label_sums(profile: &Profile, sample_index: usize, units: &LabelUnits) -> Vec<LabelSums> {
    let mut by_key: BTreeMap<&str, (StringId, Sums)> = BTreeMap::new();
    for sample in profile.samples() {
        for label in sample.labels {
            let (_, sums) = by_key.entry(profile.string(label.key)).or_insert_with(|| (label.key, Sums::default()));
            let sum = match label.value {
                LabelValue::Str(text) => sums.texts.entry(text).or_default(),
                LabelValue::Num { num, .. } => sums.numbers.entry(num).or_default(),
            };
            *sum = sum.saturating_add(sample.values[sample_index]);
        }
    }
    let sums = |(key, (id, sums)): (&str, (StringId, Sums))| LabelSums {
        key: key.to_owned(),
        total: sums.texts.values().chain(sums.numbers.values()).fold(0, |sum, it| it.saturating_add(sum)),
        texts: heaviest_first(sums.texts.into_iter().map(|(id, sum)| (profile.string(id).to_owned(), sum)).collect()),
        numbers: heaviest_first(sums.numbers.into_iter().collect()),
        unit: units.get(profile, id).to_owned(),
    };
    by_key.into_iter().map(sums).collect()
}

fn heaviest_first<T: Ord + Clone>(mut sums: Vec<(T, i64)>) -> Vec<(T, i64)> {
    sums.sort_by(|a, b| (Reverse(a.1.saturating_abs()), &a.0).cmp(&(Reverse(b.1.saturating_abs()), &b.0)));
    sums
}
