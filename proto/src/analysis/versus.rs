//! Two profiles in one, side by side: what a flame graph of differences is drawn from.

use super::total;
use crate::profile::{MergeError, Profile, ProfileBuilder, Samples, merge};
use crate::units;

/// The sample type that sums the sizes of both: how wide a node is drawn.
pub const BOTH: usize = 0;
/// The first profile's values.
pub const BEFORE: usize = 1;
/// The second's.
pub const AFTER: usize = 2;

/// A profile of three sample types, [`BOTH`], [`BEFORE`] and [`AFTER`], of a value of each of two profiles. Values of the
/// second are scaled to the first's unit, and, to `normalize`, so that its total is the first's.
///
/// Scaled values are rounded so that all of them together are the whole scaled, and not each for itself: counts of one
/// would otherwise all go, or all stay. Labels stay.
///
/// # Errors
///
/// If the two values' units do not convert into each other.
///
/// # Panics
///
/// If an index is not below its profile's number of sample types.
pub fn versus(before: (&Profile, usize), after: (&Profile, usize), normalize: bool) -> Result<Profile, MergeError> {
    let [unit, other_unit] = [before, after].map(|(profile, idx)| profile.string(profile.sample_types()[idx].unit));
    if !units::are_compatible(unit, other_unit) {
        let describe = |(profile, idx): (&Profile, usize), unit| {
            format!("{}/{unit}", profile.string(profile.sample_types()[idx].kind))
        };
        return Err(MergeError::SampleTypes { one: describe(before, unit), other: describe(after, other_unit) });
    }
    let [of_before, of_after] = [before, after].map(|(profile, idx)| total(profile, idx, false));
    let mut ratio = if unit == other_unit { 1.0 } else { units::scale(1, other_unit, unit).0 };
    if normalize && of_after != 0 {
        ratio = units::to_f64(of_before) / units::to_f64(of_after);
    }
    merge(&[one_of_three(before, 1.0, BEFORE, unit), one_of_three(after, ratio, AFTER, unit)])
}

/// The profile with its value, times `ratio`, at `column`.
fn one_of_three((profile, sample_index): (&Profile, usize), ratio: f64, column: usize, unit: &str) -> Profile {
    let mut samples = Samples::default();
    let (mut sum, mut scaled_sum) = (0_i64, 0_i64);
    for sample in profile.samples() {
        sum = sum.saturating_add(sample.values[sample_index]);
        let scaled = units::multiply(sum, ratio).saturating_sub(scaled_sum);
        scaled_sum = scaled_sum.saturating_add(scaled);
        let mut values = [scaled.saturating_abs(), 0, 0];
        values[column] = scaled;
        samples.push(sample.locations, &values, sample.labels);
    }
    let mut three = profile.with_samples(samples);
    let types = ProfileBuilder::new(&[("both", unit), ("before", unit), ("after", unit)]).finish();
    three.sample_types = (types.sample_types.iter())
        .map(|it| crate::ValueType {
            kind: three.strings.intern(types.string(it.kind)),
            unit: three.strings.intern(types.string(it.unit)),
        })
        .collect();
    // What the two were sampled by does not matter any more, and need not be the same.
    three.header.period_type = None;
    three.header.period = 0;
    three.header.default_sample_type = crate::StringId::default();
    three
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tree::{CallTree, TreeOptions};
    use crate::stacks;

    fn profile(unit: &str, text: &str) -> Profile {
        let mut builder = ProfileBuilder::new(&[("other", "count"), ("cpu", unit)]);
        builder.period(unit, "count", 7);
        stacks::add(&mut builder, text);
        builder.finish()
    }

    fn check(before: &Profile, after: &Profile, normalize: bool, expected: &[&str]) {
        let both = versus((before, 1), (after, 1), normalize).unwrap();
        let tree = |sample_index| CallTree::new(&both, &TreeOptions { sample_index, ..TreeOptions::default() });
        let [all, before, after] = [BOTH, BEFORE, AFTER].map(tree);
        let of =
            |tree: &CallTree, name: &str| tree.nodes().find(|&it| tree.name(it) == name).map_or(0, |it| tree.cum(it));
        let names: Vec<String> = all.nodes().map(|it| all.name(it)).collect();
        let found: Vec<String> =
            (names.iter()).map(|it| format!("{it} {} {} {}", of(&all, it), of(&before, it), of(&after, it))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn two_profiles_lie_side_by_side() {
        let before = profile("ms", "main;a 1,3\nmain;b 1,1");
        let after = profile("ms", "main;a 1,1\nmain;c 1,4");
        check(&before, &after, false, &["root 9 4 5", "main 9 4 5", "a 4 3 1", "c 4 0 4", "b 1 1 0"]);
    }

    #[test]
    fn units_and_totals_are_made_alike() {
        let before = profile("us", "a 1,3000\nb 1,-1000");
        let after = profile("ms", "a 1,1\nb 1,1");
        check(&before, &after, false, &["root 6000 2000 2000", "a 4000 3000 1000", "b 2000 -1000 1000"]);
        check(&before, &after, true, &["root 8000 2000 4000", "a 5000 3000 2000", "b 3000 -1000 2000"]);
        let bytes = profile("bytes", "a 1,1");
        assert!(matches!(versus((&before, 1), (&bytes, 1), true), Err(MergeError::SampleTypes { .. })));
    }

    #[test]
    fn what_is_normalized_is_as_much_as_it_is_to_be() {
        let before = profile("ms", "a 1,100");
        let stacks: String = (0..1000).map(|it| format!("a;f{it} 1,1\n")).collect();
        let both = versus((&before, 1), (&profile("ms", &stacks), 1), true).unwrap();
        assert_eq!((total(&both, BEFORE, false), total(&both, AFTER, false)), (100, 100));
    }
}
