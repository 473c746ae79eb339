//! Profiles as text, and simple sums over them: reckoned here once more, so that `proto::analysis` is not its own judge.

use std::collections::{BTreeMap, BTreeSet};

use proto::{Function, LocationId, Profile, SampleRef};

/// The frames of a sample by name, root first, inlined calls as frames of their own.
#[must_use]
pub fn frames<'a>(profile: &'a Profile, sample: &SampleRef<'_>) -> Vec<&'a str> {
    sample.locations.iter().rev().flat_map(|&location| location_frames(profile, location)).collect()
}

/// A location's lines are innermost first; outermost first here.
fn location_frames(profile: &Profile, location: LocationId) -> impl Iterator<Item = &str> {
    profile.lines(location).iter().rev().map(|line| profile.string(profile.function(line.function).name))
}

/// Whether a stack, or its line, is of time that has none in the guest: on a busy machine some has no sample, or one of a moment
/// outside.
#[must_use]
pub fn is_outside(stack: &str) -> bool {
    ["[lost samples]", "[entering or leaving the guest]"].iter().any(|frame| stack.starts_with(frame))
}

/// The profile as lines like `main;fib;fib 3`, sorted; equal stacks are added up.
#[must_use]
pub fn lines(profile: &Profile, value_idx: usize) -> Vec<String> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for sample in profile.samples() {
        *sums.entry(frames(profile, &sample).join(";")).or_default() += sample.values[value_idx];
    }
    sums.into_iter().map(|(stack, value)| format!("{stack} {value}")).collect()
}

/// The sum over all samples.
#[must_use]
pub fn total(profile: &Profile, value_idx: usize) -> i64 {
    profile.samples().map(|sample| sample.values[value_idx]).sum()
}

/// The sum over the samples whose stack holds a frame with this name, or one that ends in `::NAME`.
#[must_use]
pub fn cum(profile: &Profile, value_idx: usize, name: &str) -> i64 {
    profile
        .samples()
        .filter(|sample| frames(profile, sample).into_iter().any(|frame| is(frame, name)))
        .map(|sample| sample.values[value_idx])
        .sum()
}

/// The sum over the samples whose innermost frame has this name.
#[must_use]
pub fn flat(profile: &Profile, value_idx: usize, name: &str) -> i64 {
    profile
        .samples()
        .filter(|sample| frames(profile, sample).last().is_some_and(|frame| is(frame, name)))
        .map(|sample| sample.values[value_idx])
        .sum()
}

/// A name stands for itself in any module.
fn is(frame: &str, name: &str) -> bool {
    frame == name || frame.strip_suffix(name).is_some_and(|path| path.ends_with("::"))
}

/// Every function by name with its cum, greatest first.
#[must_use]
pub fn by_cum(profile: &Profile, value_idx: usize) -> Vec<(&str, i64)> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for sample in profile.samples() {
        let once: BTreeSet<&str> = frames(profile, &sample).into_iter().collect();
        for name in once {
            *sums.entry(name).or_default() += sample.values[value_idx];
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|&(name, sum)| (-sum, name));
    sums
}

/// The function of this name, which must be there.
#[must_use]
pub fn function<'a>(profile: &'a Profile, name: &str) -> &'a Function {
    let found = profile.functions().iter().find(|function| profile.string(function.name) == name);
    found.unwrap_or_else(|| panic!("no {name} among {:?}", names(profile)))
}

/// A location's calls, innermost first: name, line, and the line on which the function begins.
#[must_use]
pub fn calls(profile: &Profile, location: LocationId) -> Vec<(&str, i64, i64)> {
    let call = |line: &proto::Line| {
        let function = profile.function(line.function);
        (profile.string(function.name), line.line, function.start_line)
    };
    profile.lines(location).iter().map(call).collect()
}

/// The name of the mapping that a location lies in.
#[must_use]
pub fn mapping_name(profile: &Profile, location: LocationId) -> &str {
    profile.location(location).mapping.map_or("", |mapping| profile.string(profile.mapping(mapping).filename))
}

/// All names that occur on stacks.
#[must_use]
pub fn names(profile: &Profile) -> BTreeSet<&str> {
    profile.functions().iter().map(|function| profile.string(function.name)).collect()
}
