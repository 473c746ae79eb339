//! Laws that hold for every profile.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use proto::analysis::calls::{Purpose, call_graph};
use proto::analysis::diff::diff;
use proto::analysis::top::{TopOptions, top};
use proto::analysis::tree::{CallTree, TreeOptions};
use proto::analysis::{
    CompareOptions, FilterOptions, FrameOptions, Granularity, PrepareOptions, SelectOptions, TagFrames, compare,
    prepare, select,
};
use proto::{Profile, merge};

use crate::random;

/// What a table shows that leaves nothing out.
fn everything(sample_index: usize, granularity: Granularity) -> TopOptions {
    let frames = FrameOptions { granularity, ..FrameOptions::default() };
    TopOptions { sample_index, frames, ..TopOptions::default() }.untrimmed()
}

/// The sum of all samples' values; wide, since the profile of a hostile file may overflow.
pub(crate) fn total(profile: &Profile, sample_index: usize) -> i128 {
    profile.samples().map(|it| i128::from(it.values[sample_index])).sum()
}

/// Laws of one profile: no analysis panics, and sums agree.
pub(crate) fn hold(profile: &Profile) {
    let (profile, _) = prepare(profile.clone(), &PrepareOptions::default());
    let magnitude = |idx| profile.samples().map(|it| i128::from(it.values[idx]).abs()).sum::<i128>();
    for sample_index in 0..profile.sample_types().len() {
        let is_sound = magnitude(sample_index) <= i128::from(i64::MAX);
        sums_agree(&profile, sample_index, is_sound);
        for purpose in [Purpose::Table, Purpose::Drawing { call_tree: true }, Purpose::Export { call_tree: false }] {
            let options = TopOptions { sample_index, node_count: 5, ..TopOptions::default() };
            let graph = call_graph(&profile, &options, purpose);
            assert!(graph.graph.shown().len() <= 5);
        }
    }
}

fn sums_agree(profile: &Profile, sample_index: usize, is_sound: bool) {
    let top = top(profile, &everything(sample_index, Granularity::Functions));
    let tree = CallTree::new(profile, &TreeOptions { sample_index, ..TreeOptions::default() });
    if !is_sound {
        return;
    }
    let nowhere = profile.samples().filter(|it| it.locations.is_empty());
    let nowhere: i128 = nowhere.map(|it| i128::from(it.values[sample_index])).sum();
    let flat: i128 = top.rows.iter().map(|it| i128::from(it.flat)).sum();
    assert_eq!(flat + nowhere, total(profile, sample_index), "total = Σ flat");
    assert_eq!(i128::from(tree.total()), total(profile, sample_index), "the tree's root");
}

/// Runs a law on what the bytes make; too few bytes make nothing.
fn try_on(bytes: &[u8], law: impl FnOnce(&mut Unstructured<'_>) -> Result<()>) {
    // An error says that the bytes were used up, which is no fault.
    let _too_few = law(&mut Unstructured::new(bytes));
}

/// Reports sum up.
pub(crate) fn summing(bytes: &[u8]) {
    try_on(bytes, |bytes| {
        hold(&random::profile(bytes)?);
        Ok(())
    });
}

/// Merging adds up, in any order.
pub(crate) fn merging(bytes: &[u8]) {
    try_on(bytes, |bytes| {
        let (one, other) = (random::profile(bytes)?, random::profile(bytes)?);
        let (Ok(merged), Ok(swapped)) = (merge(&[one.clone(), other.clone()]), merge(&[other.clone(), one.clone()]))
        else {
            return Ok(());
        };
        hold(&merged);
        assert_eq!(by_type(&merged), by_type(&swapped), "merge is commutative");
        let only_samples =
            |profile: &Profile| profile.sample_types().iter().position(|it| profile.string(it.kind) == "samples");
        if let (Some(idx), Some(first), Some(second)) =
            (only_samples(&merged), only_samples(&one), only_samples(&other))
        {
            assert_eq!(total(&merged, idx), total(&one, first) + total(&other, second), "totals add");
        }
        Ok(())
    });
}

fn by_type(profile: &Profile) -> BTreeMap<String, i128> {
    let kinds = profile.sample_types().iter().enumerate();
    kinds.map(|(idx, it)| (profile.string(it.kind).to_owned(), total(profile, idx))).collect()
}

/// A profile less itself is nothing.
pub(crate) fn comparing(bytes: &[u8]) {
    try_on(bytes, |bytes| {
        let (one, other) = (random::profile(bytes)?, random::profile(bytes)?);
        for sample_index in 0..one.sample_types().len() {
            let same = diff((&one, sample_index), (&one, sample_index), &TopOptions::default().untrimmed(), false);
            assert!(same.rows.is_empty(), "diff(A, A) = ∅");
        }
        if let Ok(nothing) = compare(one.clone(), one.clone(), &CompareOptions::default()) {
            assert_eq!(nothing.n_samples(), 0, "A − A = ∅");
        }
        let options = CompareOptions { is_diff: bytes.arbitrary()?, normalize: bytes.arbitrary()? };
        if let Ok(compared) = compare(one, other, &options) {
            hold(&compared);
        }
        Ok(())
    });
}

/// Filters never add anything, and what `focus` and `ignore` leave is all there is.
pub(crate) fn filtering(bytes: &[u8]) {
    try_on(bytes, |bytes| {
        let profile = random::profile(bytes)?;
        let mut options = SelectOptions { filters: random_filters(bytes)?, ..SelectOptions::default() };
        if bytes.ratio(1, 4)? {
            options.tag_frames =
                TagFrames { roots: vec!["tenant".to_owned()], leaves: vec!["bytes".to_owned()], unit: "ms".to_owned() };
        }
        if let Ok((selection, _)) = select(&profile, &options) {
            assert!(selection.profile.n_samples() <= profile.n_samples());
            hold(&selection.profile);
        }
        let pattern = options.filters.focus.clone();
        let part = |filters| select(&profile, &SelectOptions { filters, ..SelectOptions::default() });
        let focused = part(FilterOptions { focus: pattern.clone(), ..FilterOptions::default() });
        let ignored = part(FilterOptions { ignore: pattern, ..FilterOptions::default() });
        if let (Ok((focused, _)), Ok((ignored, _))) = (focused, ignored)
            && !options.filters.focus.is_empty()
        {
            let n_unplaced = profile.samples().filter(|it| it.locations.is_empty()).count();
            let n_parts = focused.profile.n_samples() + ignored.profile.n_samples();
            assert_eq!(n_parts + n_unplaced, profile.n_samples(), "focus and ignore part a profile");
        }
        Ok(())
    });
}

fn random_filters(bytes: &mut Unstructured<'_>) -> Result<FilterOptions> {
    let mut pattern = || -> Result<String> {
        Ok(match bytes.int_in_range(0..=5)? {
            0..=2 => String::new(),
            3 => (*bytes.choose(&["main", "malloc", "host", "^a", "src", "x|y", "."])?).to_owned(),
            4 => (*bytes.choose(&["tenant=a", "bytes=1kb:", ":5ms", "tenant:a,b", "=", "1:2"])?).to_owned(),
            _ => bytes.arbitrary::<&str>()?.chars().take(12).collect(),
        })
    };
    Ok(FilterOptions {
        focus: pattern()?,
        ignore: pattern()?,
        hide: pattern()?,
        show: pattern()?,
        show_from: pattern()?,
        prune_from: pattern()?,
        tagfocus: pattern()?,
        tagignore: pattern()?,
        tagshow: pattern()?,
        taghide: pattern()?,
    })
}
