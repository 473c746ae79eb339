//! Laws of the other tools' formats, tried on random profiles and random bytes through the public interface.
#![expect(clippy::expect_used, reason = "a test helper may stop the test")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use proto::analysis::top::{TopOptions, top};
use proto::analysis::{Granularity, total};
use proto::{FunctionSpec, LabelSpec, Limits, Line, LocationId, Profile, ProfileBuilder, decode, encode_gzip, formats};

const TYPES: [(&str, &str); 2] = [("samples", "count"), ("cpu", "nanoseconds")];

/// A sample: its stack from the root, by name, two values, and a label.
type Sample = (Vec<String>, [i64; 2], Option<u8>);

/// Names as they are, and as nobody would have them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-e]", "[a-c ;#0-9.\n\t\"\\\\<>_]{0,6}", any::<String>()]
}

fn samples(names: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<Sample>> {
    let stack = prop::collection::vec(names, 0..6);
    prop::collection::vec((stack, prop::array::uniform2(0..1000_i64), prop::option::of(0..3_u8)), 0..20)
}

/// Every third frame is inlined into the one before.
fn build(samples: &[Sample]) -> Profile {
    let mut builder = ProfileBuilder::new(&TYPES);
    for (names, values, label) in samples {
        let stack: Vec<LocationId> = names.chunks(3).rev().map(|names| location(&mut builder, names)).collect();
        let text = label.map(|it| format!("value {it}"));
        let labels: Vec<_> = text.iter().map(|value| LabelSpec::Str { key: "key", value }).collect();
        builder.sample(&stack, values, &labels);
    }
    builder.finish()
}

fn location(builder: &mut ProfileBuilder, names: &[String]) -> LocationId {
    let function = |name| FunctionSpec { name, filename: "main.rs", ..FunctionSpec::default() };
    let lines: Vec<Line> =
        names.iter().rev().map(|it| Line { function: builder.function(function(it)), line: 3, column: 0 }).collect();
    builder.location(None, 8, &lines)
}

fn read(bytes: &[u8]) -> Profile {
    formats::read(bytes, &Limits::default()).expect("what was written")
}

fn collapsed(profile: &Profile, sample_index: usize) -> Vec<u8> {
    let mut out = Vec::new();
    formats::collapsed::write(&mut out, profile, sample_index).expect("no negative values");
    out
}

fn speedscope(profile: &Profile) -> Vec<u8> {
    let mut out = Vec::new();
    formats::speedscope::write(&mut out, profile, 0).expect("no negative values");
    out
}

/// The stacks by function, with what each has in all.
fn stacks(profile: &Profile, sample_index: usize) -> BTreeMap<Vec<&str>, i64> {
    let mut sums = BTreeMap::new();
    for sample in profile.samples().filter(|it| it.values[sample_index] != 0) {
        let lines = sample.locations.iter().flat_map(|it| profile.lines(*it));
        let names = lines.map(|it| profile.string(profile.function(it.function).name));
        // A function without a name comes back with the one that it is shown by.
        let names = names.map(|it| if it.is_empty() { "<unknown>" } else { it }).collect();
        *sums.entry(names).or_insert(0) += sample.values[sample_index];
    }
    sums
}

fn rows(profile: &Profile, sample_index: usize, granularity: Granularity) -> Vec<(String, i64, i64)> {
    let mut options = TopOptions { sample_index, ..TopOptions::default() }.untrimmed();
    options.frames.granularity = granularity;
    top(profile, &options).rows.into_iter().map(|it| (it.name, it.flat, it.cum)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// One value of each stack comes back, and what comes back is written the same.
    #[test]
    fn folded_stacks_keep_totals(samples in samples(name()), sample_index in 0..2_usize) {
        let profile = build(&samples);
        let expected = total(&profile, sample_index, false);
        let text = collapsed(&profile, sample_index);
        prop_assert_eq!(text.is_empty(), expected == 0);
        if expected != 0 {
            let back = read(&text);
            prop_assert_eq!(total(&back, 0, false), expected);
            let again = read(&collapsed(&back, 0));
            prop_assert_eq!(&again, &back);
        }
    }

    #[test]
    fn folded_stacks_keep_plain_names(samples in samples("[a-c][a-c:<> ]{0,3}[a-c]")) {
        let mut samples = samples;
        // A stack of nothing comes back with a frame that says so.
        samples.retain(|it| !it.0.is_empty());
        let profile = build(&samples);
        for idx in 0..2 {
            let text = collapsed(&profile, idx);
            if !text.is_empty() {
                let back = read(&text);
                prop_assert_eq!(stacks(&back, 0), stacks(&profile, idx));
            }
        }
    }

    #[test]
    fn speedscope_keeps_all(samples in samples(name())) {
        let profile = build(&samples);
        let back = read(&speedscope(&profile));
        for idx in 0..2 {
            prop_assert_eq!(stacks(&back, idx), stacks(&profile, idx));
            prop_assert_eq!(total(&back, idx, false), total(&profile, idx, false));
            for granularity in [Granularity::Functions, Granularity::FileFunctions] {
                let named = samples.iter().all(|it| it.0.iter().all(|name| !name.is_empty()));
                if named {
                    prop_assert_eq!(rows(&back, idx, granularity), rows(&profile, idx, granularity));
                }
            }
        }
        prop_assert_eq!(speedscope(&back), speedscope(&read(&speedscope(&back))));
    }

    /// Any profile at all can be written for Firefox, with the same weights.
    #[test]
    fn firefox_has_all_weights(samples in samples(name())) {
        let profile = build(&samples);
        let mut out = Vec::new();
        formats::firefox::write(&mut out, &profile, 0).expect("sample type 0");
        let json: serde_json::Value = serde_json::from_slice(&out)?;
        let sum: i64 = json["threads"][0]["samples"]["weight"].as_array().into_iter().flatten().filter_map(|it| it.as_i64()).sum();
        prop_assert_eq!(sum, total(&profile, 0, false));
    }

    #[test]
    fn a_profile_is_read_as_what_it_is(samples in samples(name())) {
        let profile = build(&samples);
        prop_assert_eq!(read(&encode_gzip(&profile)), profile);
    }

    /// Whatever a file holds, reading it ends; and what is read can be kept.
    #[test]
    fn random_files_end_well(text in "([ab;# ]{0,9} ?[0-9]{0,20}\n){0,4}", bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        for bytes in [text.as_bytes(), &bytes] {
            if let Ok(profile) = formats::read(bytes, &Limits::default()) {
                prop_assert_eq!(decode(&encode_gzip(&profile), &Limits::default())?, profile);
            }
        }
    }

    /// The same with what is nearly a file of speedscope's: one of its characters is another.
    #[test]
    fn damaged_json_ends_well(samples in samples("[ab]"), at in any::<prop::sample::Index>(), byte in "[0-9\\[\\]{}\",.e-]") {
        let mut json = speedscope(&build(&samples));
        let at = at.index(json.len());
        json[at] = byte.as_bytes()[0];
        if let Ok(profile) = formats::read(&json, &Limits::default()) {
            prop_assert_eq!(decode(&encode_gzip(&profile), &Limits::default())?, profile);
        }
    }
}
