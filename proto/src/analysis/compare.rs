//! One profile less another: pprof's `base` and `diff_base`.

use super::graph::BASE_KEY;
use crate::profile::{Label, LabelValue, MergeError, Profile, Samples, merge};
use crate::units;

/// How to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CompareOptions {
    /// Mark the base's samples, so that they are seen apart and percentages are of the base (`diff_base`).
    pub is_diff: bool,
    /// First scale the profile so that it has as much of every sample type as the base.
    pub normalize: bool,
}

/// `profile` less `base`. What they have in common cancels out, so a profile less itself is empty, unless it is marked.
///
/// # Errors
///
/// If they have no sample type in common, or their types do not convert: see [`MergeError`].
pub fn compare(profile: Profile, base: Profile, options: &CompareOptions) -> Result<Profile, MergeError> {
    let base_sums = sums(&base);
    let base = negated(base, options.is_diff);
    let profile = if options.normalize { normalized(profile, &base_sums) } else { profile };
    merge(&[profile, base])
}

impl Profile {
    /// What marks the samples of a base, if any sample has it.
    pub(super) fn base_label(&self) -> Option<Label> {
        let is_mark = |it: &Label| {
            self.string(it.key) == BASE_KEY && matches!(it.value, LabelValue::Str(text) if self.string(text) == "true")
        };
        // A profile has few different labels, but many in all; texts are compared for the first of each run only.
        let mut last = None;
        self.samples.labels.iter().copied().find(|it| last.replace(*it) != Some(*it) && is_mark(it))
    }
}

/// By sample type: its name and sum.
fn sums(profile: &Profile) -> Vec<(String, i64)> {
    let mut sums: Vec<(String, i64)> =
        profile.sample_types().iter().map(|it| (profile.string(it.kind).to_owned(), 0)).collect();
    for sample in profile.samples() {
        for ((_, sum), value) in sums.iter_mut().zip(sample.values) {
            *sum = sum.saturating_add(*value);
        }
    }
    sums
}

fn normalized(profile: Profile, base: &[(String, i64)]) -> Profile {
    let of_base = |kind: &str| base.iter().find(|it| it.0 == kind).map_or(0, |it| it.1);
    let ratio = |(kind, sum): &(String, i64)| {
        if *sum == 0 { 0.0 } else { units::to_f64(of_base(kind)) / units::to_f64(*sum) }
    };
    let ratios: Vec<f64> = sums(&profile).iter().map(ratio).collect();
    let mut samples = Samples::default();
    for sample in profile.samples() {
        let scaled = sample.values.iter().zip(&ratios).map(|(&value, &ratio)| units::multiply(value, ratio));
        let values: Vec<i64> = scaled.collect();
        samples.push(sample.locations, &values, sample.labels);
    }
    Profile { samples, ..profile }
}

fn negated(mut base: Profile, is_marked: bool) -> Profile {
    for value in &mut base.samples.values {
        *value = value.saturating_neg();
    }
    if !is_marked {
        return base;
    }
    let mark = Label { key: base.strings.intern(BASE_KEY), value: LabelValue::Str(base.strings.intern("true")) };
    let mut samples = Samples::default();
    let mut labels = Vec::new();
    for sample in base.samples() {
        labels.clear();
        labels.extend(sample.labels.iter().filter(|it| it.key != mark.key));
        labels.push(mark);
        samples.push(sample.locations, sample.values, &labels);
    }
    Profile { samples, ..base }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::top::{TopOptions, top};
    use crate::analysis::total;
    use crate::stacks;

    fn check(profile: &str, base: &str, options: CompareOptions, expected_total: i64, expected: &[&str]) {
        let compared = compare(stacks::profile(profile), stacks::profile(base), &options).unwrap();
        let rows = top(&compared, &TopOptions::default().untrimmed()).rows;
        let rows: Vec<String> = rows.iter().map(|it| format!("{} {}", it.name, it.flat)).collect();
        assert_eq!(rows, expected, "{profile} less {base}");
        assert_eq!(total(&compared, 0, false), expected_total);
    }

    #[test]
    fn a_base_is_taken_away() {
        let plain = CompareOptions::default();
        check("a 5\nb 3", "a 2", plain, 6, &["a 3", "b 3"]);
        check("a 5\nb 3", "a 5\nb 3", plain, 0, &[]);
        check("a 1", "a 3\nc 1", plain, 3, &["a -2", "c -1"]);
    }

    #[test]
    fn percentages_are_of_a_marked_base() {
        let diff = CompareOptions { is_diff: true, normalize: false };
        check("a 5\nb 3", "a 2", diff, 2, &["a 3", "b 3"]);
        check("a 5", "a 5", diff, 5, &[]);
    }

    #[test]
    fn a_profile_may_be_scaled_to_its_base() {
        let normalize = CompareOptions { is_diff: false, normalize: true };
        check("a 10\nb 30", "a 40\nb 40", normalize, 40, &["a -20", "b 20"]);
    }
}
