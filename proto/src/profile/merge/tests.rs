//! Merging: what adds up, what stays apart, what is refused.

use super::*;
use crate::{ProfileBuilder, SampleRef, stacks};

fn samples(profile: &Profile) -> Vec<String> {
    let describe = |sample: SampleRef<'_>| {
        let frames = sample.locations.iter().rev().map(|&it| {
            let lines = profile.lines(it).iter().rev();
            let names = lines.map(|it| profile.string(profile.function(it.function).name));
            names.collect::<Vec<_>>().join(">")
        });
        let values: Vec<String> = sample.values.iter().map(i64::to_string).collect();
        let labels = sample.labels.iter().map(|it| match it.value {
            LabelValue::Str(value) => format!(" {}={}", profile.string(it.key), profile.string(value)),
            LabelValue::Num { num, .. } => format!(" {}={num}", profile.string(it.key)),
        });
        format!("{} {}{}", frames.collect::<Vec<_>>().join(";"), values.join(","), labels.collect::<String>())
    };
    profile.samples().map(describe).collect()
}

fn with_types(types: &[(&str, &str)], text: &str) -> Profile {
    let mut builder = ProfileBuilder::new(types);
    stacks::add(&mut builder, text);
    builder.finish()
}

fn check(types: [&[(&str, &str)]; 2], texts: [&str; 2], expected: &[&str]) {
    let profiles = [with_types(types[0], texts[0]), with_types(types[1], texts[1])];
    assert_eq!(samples(&merge(&profiles).unwrap()), expected, "{texts:?}");
}

#[test]
fn equal_stacks_with_equal_labels_add_up() {
    let count: &[_] = &[("samples", "count")];
    check([count, count], ["a;b 1\na 2", "a;b 10\nc 5"], &["a;b 11", "a 2", "c 5"]);
    check([count, count], ["a 1 k=v", "a 2 k=w\na 4 k=v"], &["a 5 k=v", "a 2 k=w"]);
    check([count, count], ["a 1 k=v j=u", "a 2 j=u k=v"], &["a 3 j=u k=v"]);
    check([count, count], ["a>b 1", "a;b 1"], &["a>b 1", "a;b 1"]);
    check([count, count], ["a 1\nb 2", "a -1\nb 0"], &["b 2"]);
    check([count, count], ["a 0", "b 0"], &[]);
}

#[test]
fn only_common_sample_types_are_kept() {
    let one: &[_] = &[("samples", "count"), ("cpu", "nanoseconds")];
    let other: &[_] = &[("cpu", "nanoseconds"), ("wall", "nanoseconds"), ("samples", "count")];
    check([one, other], ["a 1,10", "a 20,99,2"], &["a 3,30"]);
    check([&one[1..], other], ["a 10", "a 20,99,2"], &["a 30"]);
}

#[test]
fn values_are_scaled_to_the_finest_unit() {
    let [ms, us]: [&[_]; 2] = [&[("cpu", "milliseconds")], &[("cpu", "microseconds")]];
    check([ms, us], ["a 2", "a 5"], &["a 2005"]);
    check([us, ms], ["a 5", "a 2"], &["a 2005"]);
}

#[test]
fn headers_are_united() {
    let header = |time, duration, period, comment: &str, default: &str| {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        stacks::add(&mut builder, "a 1");
        builder.time_nanos(time);
        builder.duration_nanos(duration);
        builder.period("cpu", "nanoseconds", period);
        builder.comment(comment);
        builder.default_sample_type(default);
        builder.finish()
    };
    let merged =
        merge(&[header(0, 1, 10, "same", ""), header(9, 2, 30, "same", "samples"), header(7, 4, 20, "new", "x")]);
    let merged = merged.unwrap();
    assert_eq!((merged.time_nanos(), merged.duration_nanos(), merged.period()), (7, 7, 30));
    assert_eq!(merged.comments().collect::<Vec<_>>(), ["same", "new"]);
    assert_eq!(merged.default_sample_type(), Some("samples"));
}

/// One binary at two addresses is one binary; its addresses are the first profile's.
#[test]
fn addresses_are_compared_within_their_mapping() {
    let at = |start: u64, build_id: &str| {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        let mapping = builder.mapping(MappingSpec {
            start,
            limit: start + 0x1ff0,
            filename: "a.wasm",
            build_id,
            ..MappingSpec::default()
        });
        let location = builder.location(Some(mapping), start + 0x10, &[]);
        builder.sample(&[location], &[1], &[]);
        builder.finish()
    };
    let same = merge(&[at(0x10000, "id"), at(0x50000, "id")]).unwrap();
    assert_eq!((same.mappings().len(), same.n_samples()), (1, 1));
    assert_eq!((same.locations()[0].address, same.sample(0).values), (0x10010, &[2][..]));
    let other = merge(&[at(0x10000, "id"), at(0x10000, "di")]).unwrap();
    assert_eq!((other.mappings().len(), other.n_samples()), (2, 2));
}

#[test]
fn what_does_not_add_up_is_an_error() {
    let check = |one: &Profile, other: &Profile, expected: &str| {
        assert_eq!(merge(&[one.clone(), other.clone()]).unwrap_err().to_string(), expected);
    };
    assert_eq!(merge(&[]).unwrap_err().to_string(), "no profiles to merge");
    let typed = |kind, unit| with_types(&[(kind, unit)], "a 1");
    let period = |kind, unit| {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        builder.period(kind, unit, 1);
        builder.finish()
    };
    check(&typed("cpu", "ns"), &typed("wall", "ns"), "profiles have empty common sample type list");
    check(&typed("cpu", "ns"), &typed("cpu", "bytes"), "incompatible sample types cpu/ns and cpu/bytes");
    check(&period("cpu", "ns"), &period("space", "bytes"), "incompatible period types cpu/ns and space/bytes");
    let none = ProfileBuilder::new(&[]).finish();
    assert_eq!(merge(&[none]).unwrap_err().to_string(), "profiles have empty common sample type list");
}

#[test]
fn one_profile_is_left_as_it_is() {
    let profile = stacks::profile("a;b 0\na 1\n5");
    assert_eq!(merge(std::slice::from_ref(&profile)).unwrap(), profile);
}
