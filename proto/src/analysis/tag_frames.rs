//! Labels as frames: pprof's `tagroot` and `tagleaf`.

use rustc_hash::FxHashMap;

use crate::profile::{Function, FunctionId, Label, LabelValue, Line, Location, LocationId, Profile, Samples, StringId};
use crate::units::Amount;

/// Which labels become frames: keys, from the root's side to the leaf's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TagFrames {
    /// Those put above all stacks.
    pub roots: Vec<String>,
    /// Those put below.
    pub leaves: Vec<String>,
    /// The unit of numbers that have one, as [`units::scale`](crate::units::scale) takes it.
    pub unit: String,
}

/// Which of the two sides found a label.
pub(super) struct Found {
    pub(super) root: bool,
    pub(super) leaf: bool,
}

/// The profile with a frame for each key at the ends of every stack: named like the label's value, its file like the
/// key; of no name where a sample has no such label.
pub(super) fn add_tag_frames(mut profile: Profile, options: &TagFrames) -> (Profile, Found) {
    let mut adder = Adder { unit: &options.unit, locations: FxHashMap::default() };
    let mut found = Found { root: false, leaf: false };
    let old = std::mem::take(&mut profile.samples);
    let n_types = profile.sample_types.len();
    let mut samples = Samples::default();
    let mut stack = Vec::new();
    for sample in (0..old.len()).map(|idx| old.get(idx, n_types)) {
        stack.clear();
        found.leaf |= adder.add(&mut profile, sample.labels, &options.leaves, &mut stack);
        stack.extend_from_slice(sample.locations);
        found.root |= adder.add(&mut profile, sample.labels, &options.roots, &mut stack);
        samples.push(&stack, sample.values, sample.labels);
    }
    profile.samples = samples;
    (profile, found)
}

struct Adder<'a> {
    unit: &'a str,
    /// By name and file.
    locations: FxHashMap<(StringId, StringId), LocationId>,
}

impl Adder<'_> {
    /// Puts a frame for each key on the stack, the last first; says whether there was a value.
    fn add(&mut self, profile: &mut Profile, labels: &[Label], keys: &[String], stack: &mut Vec<LocationId>) -> bool {
        let mut any = false;
        for key in keys.iter().rev() {
            let values = self.values(profile, labels, key);
            any |= !values.is_empty();
            let name = profile.strings.intern(&values.join(","));
            let file = profile.strings.intern(key);
            stack.push(*self.locations.entry((name, file)).or_insert_with(|| new_location(profile, name, file)));
        }
        any
    }

    fn values(&self, profile: &Profile, labels: &[Label], key: &str) -> Vec<String> {
        let of_key = || labels.iter().filter(|it| profile.string(it.key) == key);
        let texts = of_key().filter_map(|it| match it.value {
            LabelValue::Str(text) => Some(profile.string(text).to_owned()),
            LabelValue::Num { .. } => None,
        });
        let numbers = || {
            of_key().filter_map(|it| match it.value {
                LabelValue::Num { num, unit } => Some((num, profile.string(unit))),
                LabelValue::Str(_) => None,
            })
        };
        // Where none has a unit they are printed as they are.
        let has_units = numbers().any(|it| !it.1.is_empty());
        let to = if has_units { self.unit } else { "" };
        texts.chain(numbers().map(|(value, from)| Amount { value, from, to }.to_string())).collect()
    }
}

fn new_location(profile: &mut Profile, name: StringId, filename: StringId) -> LocationId {
    // The tables of a profile are numbered in u32; labels are fewer than what they held before.
    let row = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    let function = FunctionId(row(profile.functions.len()));
    profile.functions.push(Function { name, system_name: StringId::default(), filename, start_line: 0 });
    let lines_start = row(profile.lines.len());
    profile.lines.push(Line { function, line: 0, column: 0 });
    let id = LocationId(row(profile.locations.len()));
    let lines_end = row(profile.lines.len());
    profile.locations.push(Location { mapping: None, address: 0, is_folded: false, lines_start, lines_end });
    id
}
