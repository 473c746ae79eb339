//! What is offered, what it weighs, and that the filter finds just that.

use super::*;
use crate::analysis::{FilterOptions, filter};
use crate::{LabelSpec, ProfileBuilder};

fn profile(labels: &[(&str, i64, &str)]) -> Profile {
    let mut builder = ProfileBuilder::new(&[("objects", "count"), ("space", "bytes")]);
    for &(key, num, unit) in labels {
        builder.sample(&[], &[1, num], &[LabelSpec::Num { key, num, unit }]);
    }
    builder.sample(&[], &[1000, 1000], &[LabelSpec::Str { key: "text", value: "1" }]);
    builder.finish()
}

fn bounds(label: &NumberLabel) -> Vec<(i64, i64)> {
    label.ranges.iter().map(|it| (it.first, it.last)).collect()
}

#[test]
fn few_numbers_are_offered_one_by_one() {
    let profile = profile(&[("bytes", 64, ""), ("latency", 5, "ms"), ("bytes", 16, ""), ("bytes", 64, "")]);
    let labels = number_labels(&profile);
    let told: Vec<_> = labels.iter().map(|it| (it.key.as_str(), it.unit.as_str(), bounds(it))).collect();
    assert_eq!(told, [("bytes", "bytes", vec![(16, 16), (64, 64)]), ("latency", "ms", vec![(5, 5)])]);
    assert_eq!((labels[0].weights(&profile, 0), labels[0].weights(&profile, 1)), (vec![1, 2], vec![16, 128]));
}

#[test]
fn many_numbers_are_offered_by_powers_of_two() {
    let numbers: Vec<_> = (-2..=16).chain([100, 1024, 1500, i64::MAX]).map(|it| ("bytes", it, "")).collect();
    let profile = profile(&numbers);
    let labels = number_labels(&profile);
    let expected =
        [(i64::MIN, 0), (1, 1), (2, 3), (4, 7), (8, 15), (16, 31), (64, 127), (1024, 2047), (1 << 62, i64::MAX)];
    assert_eq!(bounds(&labels[0]), expected);
    // 0 without a unit is no label, so there are two that are not positive.
    assert_eq!(labels[0].weights(&profile, 0), [2, 1, 2, 4, 8, 1, 1, 2, 1]);
}

/// Whatever the unit, the filter of a range leaves what the range weighs.
#[test]
fn a_range_is_what_its_filter_finds() {
    for (key, unit) in [("bytes", ""), ("size", "kilobytes"), ("wait", "μs"), ("request_id", ""), ("n", "count")] {
        let numbers: Vec<_> = (-3..40).map(|it| (key, it * it * it, unit)).collect();
        for profile in [profile(&numbers), profile(&numbers[..12])] {
            let [label] = &number_labels(&profile)[..] else { panic!("one label was given") };
            for (&range, weight) in label.ranges.iter().zip(label.weights(&profile, 0)) {
                let options = FilterOptions { tagfocus: label.tagfocus(range), ..FilterOptions::default() };
                let (part, _) = filter(&profile, &options).unwrap();
                let left: i64 = part.samples().map(|it| it.values[0]).sum();
                assert_eq!(left, weight, "{}", options.tagfocus);
            }
        }
    }
}

#[test]
fn filters_are_pprofs() {
    let label = |unit: &str| NumberLabel { key: "bytes".to_owned(), unit: unit.to_owned(), ranges: Vec::new() };
    let range = |first, last| NumberRange { first, last };
    assert_eq!(label("bytes").tagfocus(range(64, 64)), "bytes=64b");
    assert_eq!(label("bytes").tagfocus(range(1024, 2047)), "bytes=1024b:2047b");
    assert_eq!(label("widgets").tagfocus(range(i64::MIN, 0)), "bytes=:0");
    assert_eq!(label("nanoseconds").tagfocus(range(1 << 62, i64::MAX)), "bytes=4611686018427387904ns:");
}
