//! Laws that hold for every profile, tried on random ones through the public interface.
#![expect(clippy::expect_used, reason = "a test helper may stop the test")]

use std::path::PathBuf;

use proptest::prelude::*;
use proto::analysis::flame::{self, FlameOptions};
use proto::analysis::top::{TopOptions, top};
use proto::analysis::tree::{CallTree, NodeId, TreeOptions};
use proto::analysis::{FilterOptions, FrameOptions, Granularity, PrepareOptions, filter, prepare, total};
use proto::{
    FunctionSpec, LabelSpec, Limits, Line, LocationId, MappingSpec, Profile, ProfileBuilder, decode, encode,
    encode_gzip, merge,
};

/// A sample: indexes into fixed locations, two values, a label.
type Sample = (Vec<usize>, [i64; 2], Option<u8>);

fn samples(values: std::ops::Range<i64>) -> impl Strategy<Value = Vec<Sample>> {
    let stack = prop::collection::vec(0..N_LOCATIONS, 1..12);
    let value = prop::array::uniform2(values);
    prop::collection::vec((stack, value, prop::option::of(0..3_u8)), 0..40)
}

const N_LOCATIONS: usize = 12;

fn build(samples: &[Sample]) -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    builder.period("cpu", "nanoseconds", 10_000_000);
    let locations = locations(&mut builder);
    for (stack, values, label) in samples {
        let stack: Vec<LocationId> = stack.iter().map(|&it| locations[it]).collect();
        let text = label.map(|it| format!("value {it}"));
        let labels: Vec<_> = text.iter().map(|value| LabelSpec::Str { key: "key", value }).collect();
        builder.sample(&stack, values, &labels);
    }
    builder.finish()
}

/// Some in a binary and some not, some without lines, some with an inlined one.
fn locations(builder: &mut ProfileBuilder) -> Vec<LocationId> {
    let mapping = builder.mapping(MappingSpec { limit: 0x1000, filename: "guest.wasm", ..MappingSpec::default() });
    let line = |builder: &mut ProfileBuilder, idx: usize| {
        let name = format!("function{}", idx % 7);
        let function = builder.function(FunctionSpec { name: &name, filename: "main.rs", ..FunctionSpec::default() });
        Line { function, line: i64::try_from(idx).unwrap_or(0), column: 0 }
    };
    (0..N_LOCATIONS)
        .map(|idx| {
            let lines: Vec<Line> = (0..idx % 3).map(|inner| line(builder, idx + inner)).collect();
            builder.location((idx % 4 != 0).then_some(mapping), idx as u64 * 8, &lines)
        })
        .collect()
}

fn everything(sample_index: usize, granularity: Granularity) -> TopOptions {
    let frames = FrameOptions { granularity, ..FrameOptions::default() };
    TopOptions { sample_index, frames, ..TopOptions::default() }.untrimmed()
}

const GRANULARITIES: [Granularity; 5] = [
    Granularity::Functions,
    Granularity::FileFunctions,
    Granularity::Files,
    Granularity::Lines,
    Granularity::Addresses,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_what_was_encoded_gives_the_same(samples in samples(i64::MIN..i64::MAX)) {
        let profile = build(&samples);
        prop_assert_eq!(&decode(&encode(&profile), &Limits::default())?, &profile);
        prop_assert_eq!(&decode(&encode_gzip(&profile), &Limits::default())?, &profile);
    }

    /// Each sample has one leaf, so nothing is counted twice and nothing is lost.
    #[test]
    fn the_total_is_the_sum_of_flat(samples in samples(0..1000)) {
        let profile = build(&samples);
        for (sample_index, granularity) in (0..2).flat_map(|it| GRANULARITIES.map(|granularity| (it, granularity))) {
            let top = top(&profile, &everything(sample_index, granularity));
            prop_assert_eq!(top.total, total(&profile, sample_index, false));
            prop_assert_eq!(top.shown, top.total);
            prop_assert_eq!(top.rows.iter().map(|it| it.flat).sum::<i64>(), top.total);
            prop_assert!(top.rows.iter().all(|it| it.flat <= it.cum && it.cum <= top.total));
        }
    }

    #[test]
    fn trees_and_tables_agree(samples in samples(0..1000), inverted in any::<bool>()) {
        let profile = build(&samples);
        let tree = CallTree::new(&profile, &TreeOptions { inverted, ..TreeOptions::default() });
        prop_assert_eq!(tree.total(), total(&profile, 0, false));
        prop_assert_eq!(tree.nodes().map(|it| tree.flat(it)).sum::<i64>(), tree.total());
        if !inverted {
            for row in top(&profile, &everything(0, Granularity::Functions)).rows {
                let nodes = tree.nodes().filter(|&it| tree.name(it) == row.name);
                prop_assert_eq!(nodes.map(|it| tree.flat(it)).sum::<i64>(), row.flat, "{}", row.name);
            }
        }
    }

    /// What is found is what the table calls cum, as both count recursion once.
    #[test]
    fn a_search_finds_cum(samples in samples(0..1000), wanted in 0..7) {
        let profile = build(&samples);
        let tree = CallTree::new(&profile, &TreeOptions::default());
        let name = format!("function{wanted}");
        let found = flame::search(&tree, &flame::Query::new(&name).expect("a query"));
        let rows = top(&profile, &everything(0, Granularity::Functions)).rows;
        let cum = rows.iter().find(|it| it.name == name).map_or(0, |it| it.cum);
        prop_assert_eq!(found.cum, cum);
    }

    #[test]
    fn rectangles_lie_within_their_parents(samples in samples(-100..1000), min_width in 0.0..0.1) {
        let tree = CallTree::new(&build(&samples), &TreeOptions::default());
        let layout = flame::layout(&tree, &FlameOptions { zoom: NodeId::ROOT, min_width });
        for rect in &layout.rects[1..] {
            let parent = tree.parent(rect.node).expect("only the root has none");
            let parent = layout.rects.iter().find(|it| it.node == parent).expect("it is laid out as well");
            prop_assert!(min_width <= rect.width && rect.depth == parent.depth + 1);
            prop_assert!(parent.x <= rect.x && rect.x + rect.width <= parent.x + parent.width + 1e-9);
        }
        let is_sorted = layout.rects.is_sorted_by(|a, b| a.depth < b.depth || a.x + a.width <= b.x + 1e-9);
        prop_assert!(is_sorted);
    }

    #[test]
    fn merging_adds_totals(one in samples(0..1000), other in samples(0..1000)) {
        let profiles = [build(&one), build(&other)];
        let merged = merge(&profiles)?;
        for idx in 0..2 {
            let sum: i64 = profiles.iter().map(|it| total(it, idx, false)).sum();
            prop_assert_eq!(total(&merged, idx, false), sum);
        }
        prop_assert!(merged.samples().all(|it| it.values.iter().any(|it| *it != 0)));
        let [one, other] = profiles;
        let swapped = merge(&[other, one])?;
        let rows = |it| top(it, &everything(1, Granularity::Addresses)).rows;
        prop_assert_eq!(rows(&merged), rows(&swapped));
        prop_assert_eq!(&decode(&encode(&merged), &Limits::default())?, &merged);
    }

    /// What a filter finds and what it leaves are all there is.
    #[test]
    fn a_filter_parts_a_profile(samples in samples(0..1000), wanted in "key=value [0-2]|value 1|key=value 0,value 2|2") {
        let profile = build(&samples);
        let focus = FilterOptions { tagfocus: wanted.clone(), ..FilterOptions::default() };
        let ignore = FilterOptions { tagignore: wanted, ..FilterOptions::default() };
        let parts = [filter(&profile, &focus)?.0, filter(&profile, &ignore)?.0];
        for idx in 0..2 {
            prop_assert_eq!(parts.iter().map(|it| total(it, idx, false)).sum::<i64>(), total(&profile, idx, false));
        }
        let wholes = TopOptions { total: Some(total(&profile, 1, false)), ..everything(1, Granularity::Functions) };
        let shown: i64 = parts.iter().map(|it| top(it, &wholes).shown).sum();
        prop_assert_eq!(shown, top(&profile, &wholes).shown);
    }

    #[test]
    fn random_bytes_end_well(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(profile) = decode(&bytes, &Limits::default()) {
            prop_assert_eq!(&decode(&encode(&profile), &Limits::default())?, &profile);
        }
    }
}

/// The files that real programs wrote, where they are at hand.
#[test]
fn real_profiles_come_back_the_same() {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    let shared = std::env::var_os("WPROF_SHARED").map_or(beside, PathBuf::from);
    if !shared.is_dir() {
        println!("skipped: no shared files at {}", shared.display());
        return;
    }
    let mut n_read = 0;
    let mut folders = vec![shared.join("spec/golden"), shared.join("corpus/pprof")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the shared folder's layout") {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".pb.gz") && !name.starts_with("odd_zipbomb") {
                n_read += usize::from(comes_back(&std::fs::read(&path).expect("a readable file"), &name));
            }
        }
    }
    assert!(40 < n_read, "only {n_read} profiles under {}", shared.display());
}

fn comes_back(bytes: &[u8], name: &str) -> bool {
    let decoded = decode(bytes, &Limits::default());
    if decoded.is_err() && name.starts_with("odd_") {
        return false;
    }
    let profile = decoded.expect(name);
    assert_eq!(decode(&encode_gzip(&profile), &Limits::default()).as_ref(), Ok(&profile), "{name}");
    let (profile, _) = prepare(profile, &PrepareOptions::default());
    for sample_index in 0..profile.sample_types().len() {
        let top = top(&profile, &everything(sample_index, Granularity::Functions));
        let without_stack = profile.samples().filter(|it| it.locations.is_empty());
        let nowhere: i64 = without_stack.map(|it| it.values[sample_index]).sum();
        let sum: i64 = profile.samples().map(|it| it.values[sample_index]).sum();
        assert_eq!(top.shown + nowhere, sum, "{name} {sample_index}");
    }
    true
}
