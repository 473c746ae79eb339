//! Makes a profile row by row: interns every table and adds up equal samples.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHasher};

use super::samples::{Label, LabelValue};
use super::tables::{Function, FunctionId, Line, Location, LocationId, Mapping, MappingId, ValueType};
use super::{Profile, StringId};

/// Builds a [`Profile`].
///
/// Equal rows get equal ids; samples with the same stack and labels become one, their values added.
#[derive(Debug, Default)]
pub struct ProfileBuilder {
    profile: Profile,
    functions: FxHashMap<Function, FunctionId>,
    mappings: FxHashMap<Mapping, MappingId>,
    locations: HashTable<LocationId>,
    /// Positions by the hash of stack and labels, which is kept: to make it again a stack would be fetched from memory.
    samples: HashTable<(u64, usize)>,
    /// Scratch for one sample's labels.
    labels: Vec<Label>,
}

/// A mapping to be interned; see [`Mapping`] for the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the fields are Mapping's, with texts in place of ids")]
pub struct MappingSpec<'a> {
    pub start: u64,
    pub limit: u64,
    pub offset: u64,
    pub filename: &'a str,
    pub build_id: &'a str,
    pub has_functions: bool,
    pub has_filenames: bool,
    pub has_line_numbers: bool,
    pub has_inline_frames: bool,
}

/// A function to be interned; see [`Function`] for the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "the fields are Function's, with texts in place of ids")]
pub struct FunctionSpec<'a> {
    pub name: &'a str,
    pub system_name: &'a str,
    pub filename: &'a str,
    pub start_line: i64,
}

/// A label to be interned; see [`Label`].
///
/// An empty text, or a number 0 without a unit, cannot be told from no label in the format, and is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are Label's, with texts in place of ids")]
pub enum LabelSpec<'a> {
    Str { key: &'a str, value: &'a str },
    Num { key: &'a str, num: i64, unit: &'a str },
}

impl ProfileBuilder {
    /// A builder of profiles whose samples carry these (kind, unit) values, in order.
    #[must_use]
    pub fn new(sample_types: &[(&str, &str)]) -> Self {
        let mut builder = ProfileBuilder::default();
        let sample_types = sample_types.iter().map(|&(kind, unit)| builder.value_type(kind, unit)).collect();
        builder.profile.sample_types = sample_types;
        builder
    }

    /// One event in about `period` was sampled, counted in `kind` and `unit`.
    pub fn period(&mut self, kind: &str, unit: &str, period: i64) {
        self.profile.header.period_type = Some(self.value_type(kind, unit));
        self.profile.header.period = period;
    }

    /// When recording began, in nanoseconds since 1970.
    pub fn time_nanos(&mut self, time_nanos: i64) {
        self.profile.header.time_nanos = time_nanos;
    }

    /// How long recording took, in nanoseconds.
    pub fn duration_nanos(&mut self, duration_nanos: i64) {
        self.profile.header.duration_nanos = duration_nanos;
    }

    /// Adds a note; reports show it unless it begins with `#`.
    pub fn comment(&mut self, comment: &str) {
        let comment = self.profile.strings.intern(comment);
        self.profile.header.comments.push(comment);
    }

    /// The kind of the sample type to show first; without, readers take the last.
    pub fn default_sample_type(&mut self, kind: &str) {
        self.profile.header.default_sample_type = self.profile.strings.intern(kind);
    }

    /// Where the profile's meaning is documented.
    pub fn doc_url(&mut self, url: &str) {
        self.profile.header.doc_url = self.profile.strings.intern(url);
    }

    /// The id of a mapping, added if new. The first one added is the main binary.
    pub fn mapping(&mut self, spec: MappingSpec<'_>) -> MappingId {
        let mapping = Mapping {
            start: spec.start,
            limit: spec.limit,
            offset: spec.offset,
            filename: self.profile.strings.intern(spec.filename),
            build_id: self.profile.strings.intern(spec.build_id),
            has_functions: spec.has_functions,
            has_filenames: spec.has_filenames,
            has_line_numbers: spec.has_line_numbers,
            has_inline_frames: spec.has_inline_frames,
        };
        let mappings = &mut self.profile.mappings;
        *self.mappings.entry(mapping).or_insert_with(|| {
            mappings.push(mapping);
            MappingId(row(mappings.len() - 1))
        })
    }

    /// The id of a function, added if new.
    pub fn function(&mut self, spec: FunctionSpec<'_>) -> FunctionId {
        let function = Function {
            name: self.profile.strings.intern(spec.name),
            system_name: self.profile.strings.intern(spec.system_name),
            filename: self.profile.strings.intern(spec.filename),
            start_line: spec.start_line,
        };
        let functions = &mut self.profile.functions;
        *self.functions.entry(function).or_insert_with(|| {
            functions.push(function);
            FunctionId(row(functions.len() - 1))
        })
    }

    /// The id of a location, added if new. `lines`: innermost inlined frame first; empty if only the address is known.
    ///
    /// # Panics
    ///
    /// If `mapping`, or the function of a line, is not from this builder.
    pub fn location(&mut self, mapping: Option<MappingId>, address: u64, lines: &[Line]) -> LocationId {
        assert!(mapping.is_none_or(|it| it.index() < self.profile.mappings.len()), "a mapping of another builder");
        let ours = |line: &Line| line.function.index() < self.profile.functions.len();
        assert!(lines.iter().all(ours), "a function of another builder");
        self.intern_location(mapping, address, false, lines)
    }

    /// Adds a note unless it is there already.
    pub(crate) fn unite_comment(&mut self, comment: &str) {
        let comment = self.profile.strings.intern(comment);
        let comments = &mut self.profile.header.comments;
        if !comments.contains(&comment) {
            comments.push(comment);
        }
    }

    /// The patterns of frames that reports leave out, and of those that are spared.
    pub fn frame_patterns(&mut self, drop: &str, keep: &str) {
        self.profile.header.drop_frames = self.profile.strings.intern(drop);
        self.profile.header.keep_frames = self.profile.strings.intern(keep);
    }

    pub(crate) fn intern_location(
        &mut self,
        mapping: Option<MappingId>,
        address: u64,
        is_folded: bool,
        lines: &[Line],
    ) -> LocationId {
        let profile = &mut self.profile;
        let hash = FxBuildHasher.hash_one((mapping, address, is_folded, lines));
        let same = |&id: &LocationId| {
            let it = profile.location(id);
            (it.mapping, it.address, it.is_folded) == (mapping, address, is_folded) && profile.lines(id) == lines
        };
        if let Some(&id) = self.locations.find(hash, same) {
            return id;
        }
        let lines_start = row(profile.lines.len());
        profile.lines.extend_from_slice(lines);
        let lines_end = row(profile.lines.len());
        profile.locations.push(Location { mapping, address, is_folded, lines_start, lines_end });
        let id = LocationId(row(profile.locations.len() - 1));
        self.locations.insert_unique(hash, id, |&id| {
            let it = profile.location(id);
            FxBuildHasher.hash_one((it.mapping, it.address, it.is_folded, profile.lines(id)))
        });
        id
    }

    /// Adds `values` to the sample with this stack (leaf first) and these labels, in whatever order they are given.
    ///
    /// # Panics
    ///
    /// If there are not as many values as sample types, or a location is not from this builder.
    pub fn sample(&mut self, locations: &[LocationId], values: &[i64], labels: &[LabelSpec<'_>]) {
        assert_eq!(values.len(), self.profile.sample_types.len(), "a sample needs a value for each sample type");
        let n_locations = self.profile.locations.len();
        assert!(locations.iter().all(|it| it.index() < n_locations), "a location of another builder");
        let mut interned = std::mem::take(&mut self.labels);
        interned.clear();
        interned.extend(labels.iter().filter_map(|label| self.label(label)));
        // By name, as Go writes them; equal names by what they are.
        interned.sort_unstable_by(|a, b| (self.profile.string(a.key), a).cmp(&(self.profile.string(b.key), b)));
        self.add(locations, values, &interned);
        self.labels = interned;
    }

    /// How many samples there are by now: equal ones became one.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.profile.samples.len()
    }

    /// [`sample`](Self::sample) with labels that are interned and sorted.
    pub(crate) fn add(&mut self, locations: &[LocationId], values: &[i64], labels: &[Label]) {
        let n_types = self.profile.sample_types.len();
        let samples = &mut self.profile.samples;
        let hash = hash_sample(locations, labels);
        let same = |&(its_hash, idx): &(u64, usize)| {
            let sample = (its_hash == hash).then(|| samples.get(idx, n_types));
            sample.is_some_and(|it| it.locations == locations && it.labels == labels)
        };
        if let Some(&(_, idx)) = self.samples.find(hash, same) {
            for (sum, value) in samples.values[idx * n_types..].iter_mut().zip(values) {
                *sum = sum.saturating_add(*value);
            }
            return;
        }
        let idx = samples.len();
        samples.push(locations, values, labels);
        self.samples.insert_unique(hash, (hash, idx), |&(hash, _)| hash);
    }

    /// Makes room for `n_samples` different samples.
    pub(crate) fn reserve(&mut self, n_samples: usize) {
        self.samples.reserve(n_samples, |&(hash, _)| hash);
    }

    /// The profile.
    #[must_use]
    pub fn finish(self) -> Profile {
        self.profile
    }

    pub(crate) fn profile(&mut self) -> &mut Profile {
        &mut self.profile
    }

    fn value_type(&mut self, kind: &str, unit: &str) -> ValueType {
        ValueType { kind: self.profile.strings.intern(kind), unit: self.profile.strings.intern(unit) }
    }

    fn label(&mut self, label: &LabelSpec<'_>) -> Option<Label> {
        let strings = &mut self.profile.strings;
        let (key, value) = match *label {
            LabelSpec::Str { key, value } => (key, LabelValue::Str(strings.intern(value))),
            LabelSpec::Num { key, num, unit } => (key, LabelValue::Num { num, unit: strings.intern(unit) }),
        };
        let nothing = LabelValue::Num { num: 0, unit: StringId::default() };
        let is_void = value == nothing || value == LabelValue::Str(StringId::default());
        (!is_void).then(|| Label { key: strings.intern(key), value })
    }
}

/// Only whole words: rustc-hash is fast at those, and a stack is nothing else.
fn hash_sample(locations: &[LocationId], labels: &[Label]) -> u64 {
    let mut hasher = FxHasher::default();
    let (pairs, rest) = locations.as_chunks::<2>();
    for [one, other] in pairs {
        hasher.write_u64(u64::from(one.0) << 32 | u64::from(other.0));
    }
    for location in rest {
        hasher.write_u32(location.0);
    }
    labels.hash(&mut hasher);
    hasher.finish()
}

/// A table's row number as an id.
///
/// # Panics
///
/// From 2³² rows on, which no memory of this use holds: a row takes tens of bytes.
fn row(idx: usize) -> u32 {
    #[expect(clippy::expect_used, reason = "documented above")]
    u32::try_from(idx).expect("fewer than 2^32 rows")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_one() {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        let spec = FunctionSpec { name: "main", filename: "main.rs", ..FunctionSpec::default() };
        let main = builder.function(spec);
        assert_eq!(builder.function(spec), main);
        assert_ne!(builder.function(FunctionSpec { start_line: 1, ..spec }), main);
        let line = Line { function: main, line: 3, column: 0 };
        let location = builder.location(None, 8, &[line]);
        assert_eq!(builder.location(None, 8, &[line]), location);
        assert_ne!(builder.location(None, 8, &[line, line]), location);
        assert_ne!(builder.location(None, 9, &[line]), location);
        let mapping = builder.mapping(MappingSpec { limit: 5, ..MappingSpec::default() });
        assert_eq!(builder.mapping(MappingSpec { limit: 5, ..MappingSpec::default() }), mapping);
        assert_ne!(builder.location(Some(mapping), 8, &[line]), location);
    }

    #[test]
    fn equal_samples_add_up_whatever_the_labels_order() {
        let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
        let location = builder.location(None, 8, &[]);
        let tenant = LabelSpec::Str { key: "tenant", value: "a" };
        let size = LabelSpec::Num { key: "bytes", num: 8, unit: "" };
        builder.sample(&[location], &[1, 10], &[tenant, size]);
        builder.sample(&[location], &[2, 20], &[size, tenant]);
        builder.sample(&[location, location], &[4, 40], &[size, tenant]);
        builder.sample(&[location], &[8, i64::MAX], &[]);
        builder.sample(&[location], &[8, 1], &[]);
        let profile = builder.finish();
        let values: Vec<_> = profile.samples().map(|it| it.values.to_vec()).collect();
        assert_eq!(values, [vec![3, 30], vec![4, 40], vec![16, i64::MAX]]);
    }

    #[test]
    #[should_panic(expected = "a location of another builder")]
    fn another_builders_ids_are_refused() {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        builder.sample(&[LocationId(7)], &[1], &[]);
    }
}
