//! Laws that hold for every profile, tried on random ones through the public interface.
#![expect(clippy::expect_used, reason = "a test helper may stop the test")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use proto::analysis::flame::{self, FlameOptions, Rect, SiblingOrder};
use proto::analysis::sandwich::{Sandwich, sandwich};
use proto::analysis::search;
use proto::analysis::top::{TopOptions, top};
use proto::analysis::tree::{CallTree, GrowingTree, NodeId, TreeOptions};
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

const GRANULARITIES: [Granularity; 6] = [
    Granularity::Functions,
    Granularity::FileFunctions,
    Granularity::Files,
    Granularity::Lines,
    Granularity::Addresses,
    Granularity::Modules,
];

/// A node's frames from the root, and whether each is inlined.
type Path = Vec<(String, bool)>;

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
        let hits = search::hits(&profile, 0, tree.frames(), &flame::Query::new(&name).expect("a query"));
        prop_assert_eq!(hits.cum, cum);
        for node in tree.nodes().skip(1) {
            let is_match = tree.frame(node).is_some_and(|it| hits.is_match[it.index()]);
            prop_assert_eq!(found.is_match[node.index()], is_match);
        }
    }

    /// Both sides of a place are all that comes through it, and each begins with it.
    #[test]
    fn a_sandwich_weighs_what_its_place_does(samples in samples(0..1000), granularity in 0..GRANULARITIES.len()) {
        let profile = build(&samples);
        let options = everything(0, GRANULARITIES[granularity]);
        let rows = top(&profile, &options).rows;
        // A file of two binaries is two places of one name, which is seen from both sides as one.
        for row in rows.iter().filter(|row| rows.iter().filter(|it| it.name == row.name).count() == 1) {
            let Sandwich { callers, callees } = sandwich(&profile, &row.name, &options.frames);
            for (part, inverted) in [(&callers, true), (&callees, false)] {
                prop_assert_eq!(total(part, 0, false), row.cum, "{}", row.name);
                let frames = options.frames.clone();
                let tree = CallTree::new(part, &TreeOptions { inverted, frames, ..TreeOptions::default() });
                let top: Vec<_> = tree.children(NodeId::ROOT).map(|it| (tree.name(it), tree.cum(it))).collect();
                let expected = (row.cum != 0).then(|| (row.name.clone(), row.cum));
                prop_assert_eq!(top, expected.into_iter().collect::<Vec<_>>());
            }
            let place = |part| top(part, &options).rows.into_iter().find(|it| it.name == row.name);
            prop_assert_eq!(place(&callees).map(|it| (it.flat, it.cum)), Some((row.flat, row.cum)));
        }
    }

    #[test]
    fn rectangles_lie_within_their_parents(samples in samples(-100..1000), min_width in 0.0..0.1) {
        let tree = CallTree::new(&build(&samples), &TreeOptions::default());
        let layout = flame::layout(&tree, &FlameOptions { min_width, ..FlameOptions::default() });
        for rect in &layout.rects[1..] {
            let parent = tree.parent(rect.node).expect("only the root has none");
            let parent = layout.rects.iter().find(|it| it.node == parent).expect("it is laid out as well");
            prop_assert!(min_width <= rect.width && rect.depth == parent.depth + 1);
            prop_assert!(parent.x <= rect.x && rect.x + rect.width <= parent.x + parent.width + 1e-9);
        }
        let is_sorted = layout.rects.is_sorted_by(|a, b| a.depth < b.depth || a.x + a.width <= b.x + 1e-9);
        prop_assert!(is_sorted);
    }

    /// In whatever order nodes are split, they are those of the tree that is made at once.
    #[test]
    fn a_growing_tree_becomes_the_whole_tree(
        samples in samples(-100..1000),
        inverted in any::<bool>(),
        looks in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let profile = build(&samples);
        let options = TreeOptions { inverted, also: Some(1), ..TreeOptions::default() };
        let mut growing = GrowingTree::new(&profile, &options);
        for look in looks {
            let node = growing.node(look.index(growing.n_nodes())).expect("an index below their number");
            let _children = growing.children(&profile, node);
        }
        growing.grow(&profile);
        let whole = CallTree::new(&profile, &options);
        let other = CallTree::new(&profile, &TreeOptions { sample_index: 1, ..options.clone() });
        // Nodes without a value are left out, so either of them knows some that the other does not.
        prop_assert!(whole.n_nodes().max(other.n_nodes()) <= growing.n_nodes());
        let mut plain = GrowingTree::new(&profile, &TreeOptions { also: None, ..options });
        plain.grow(&profile);
        prop_assert_eq!(plain.n_nodes(), whole.n_nodes());
        let mut todo = vec![(NodeId::ROOT, NodeId::ROOT)];
        while let Some((of_whole, node)) = todo.pop() {
            let its = (plain.name(node), plain.is_inlined(node), plain.cum(node), plain.flat(&profile, node));
            let expected = (whole.name(of_whole), whole.is_inlined(of_whole), whole.cum(of_whole), whole.flat(of_whole));
            prop_assert_eq!(its, expected);
            prop_assert_eq!(plain.path(node).len(), whole.path(of_whole).len());
            let below = plain.children(&profile, node);
            prop_assert_eq!(below.len(), whole.children(of_whole).len());
            prop_assert_eq!(plain.is_leaf(&profile, node), below.len() == 0);
            todo.extend(whole.children(of_whole).zip(below));
        }
        let path = |it| growing.path(it).into_iter().map(|it| (growing.name(it), growing.is_inlined(it))).collect();
        let sums: BTreeMap<Path, _> = growing.nodes().map(|it| (path(it), (growing.cum(it), growing.also(it)))).collect();
        for (tree, is_other) in [(&whole, false), (&other, true)] {
            for node in tree.nodes() {
                let path: Path = tree.path(node).into_iter().map(|it| (tree.name(it), tree.is_inlined(it))).collect();
                let sum = sums.get(&path).map(|&(cum, also)| if is_other { also.unwrap_or_default() } else { cum });
                prop_assert_eq!(sum, Some(tree.cum(node)), "{:?}", path);
            }
        }
    }

    /// A layout that leaves narrow nodes out is the whole tree's layout without them, and that of some rows its rows.
    #[test]
    fn a_growing_tree_is_laid_out_as_the_whole(
        samples in samples(-100..1000),
        min_width in 0.0..0.1,
        zoom in any::<prop::sample::Index>(),
        max_rows in 1..9_u32,
        order in prop::sample::select(vec![SiblingOrder::Heaviest, SiblingOrder::Name]),
    ) {
        let profile = build(&samples);
        let whole = CallTree::new(&profile, &TreeOptions::default());
        let mut growing = GrowingTree::new(&profile, &TreeOptions::default());
        let narrow = FlameOptions { min_width, order, ..FlameOptions::default() };
        let wide_enough = growing.layout(&profile, &narrow).rects;
        let zoom = wide_enough[zoom.index(wide_enough.len())];
        let rows = FlameOptions { zoom: zoom.node, max_rows: Some(max_rows), ..narrow };
        let first_rows = growing.layout(&profile, &rows);
        let zoomed = growing.layout(&profile, &FlameOptions { max_rows: None, ..rows });
        prop_assert!(zoomed.is_complete || 0.0 < min_width);
        let end = zoom.depth + max_rows;
        let expected: Vec<Rect> = zoomed.rects.iter().copied().filter(|it| it.depth < end).collect();
        prop_assert_eq!(&first_rows.rects, &expected);
        prop_assert!(!first_rows.is_complete || first_rows.rects == zoomed.rects);

        let all = growing.layout(&profile, &FlameOptions { min_width: 0.0, max_rows: None, ..rows });
        let above_or_wide = |it: &&Rect| min_width <= it.width;
        prop_assert_eq!(&zoomed.rects, &all.rects.iter().filter(above_or_wide).copied().collect::<Vec<_>>());
        if order == SiblingOrder::Heaviest {
            let names = |it| growing.path(it).into_iter().map(|it| (growing.name(it), growing.is_inlined(it)));
            let its_names = |it| whole.path(it).into_iter().map(|it| (whole.name(it), whole.is_inlined(it)));
            let same = whole.nodes().find(|&it| its_names(it).eq(names(zoom.node))).expect("it is there, too");
            let expected = flame::layout(&whole, &FlameOptions { zoom: same, ..FlameOptions::default() });
            let place = |it: &Rect, name| (name, it.x, it.width, it.depth);
            let expected: Vec<_> = expected.rects.iter().map(|it| place(it, whole.name(it.node))).collect();
            prop_assert_eq!(all.rects.iter().map(|it| place(it, growing.name(it.node))).collect::<Vec<_>>(), expected);
        }
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
