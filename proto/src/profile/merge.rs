//! Adds profiles up: pprof's merge of the files on a command line.

mod types;

use super::builder::{FunctionSpec, MappingSpec, ProfileBuilder};
use super::tables::{FunctionId, Line, LocationId, Mapping, MappingId};
use super::{Label, LabelValue, Profile, StringId};
use rustc_hash::FxHashMap;
use types::Columns;

/// Why profiles cannot be added up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// There was nothing to merge.
    #[error("no profiles to merge")]
    Nothing,
    /// No sample type is in all of them.
    #[error("profiles have empty common sample type list")]
    NoCommonSampleTypes,
    /// Types of one name are counted in units that do not convert.
    #[error("incompatible sample types {one} and {other}")]
    SampleTypes {
        /// The first's, as kind/unit.
        one: String,
        /// The other's.
        other: String,
    },
    /// The periods count different things.
    #[error("incompatible period types {one} and {other}")]
    PeriodTypes {
        /// The first's, as kind/unit.
        one: String,
        /// The other's.
        other: String,
    },
}

/// Adds profiles up.
///
/// Only the sample types that all have are kept, by name, in the first profile's order; values are scaled to the
/// finest unit among them. Samples with equal stacks and labels become one; those that are all zero go, with the rows
/// that only they used. Addresses are compared within their mapping, as it may lie elsewhere in each profile.
///
/// A single profile comes back as it is, unless it has two sample types of one name, which are dropped.
///
/// # Errors
///
/// If there is no profile, no common sample type, or types do not convert into each other: see [`MergeError`].
pub fn merge(profiles: &[Profile]) -> Result<Profile, MergeError> {
    let first = profiles.first().ok_or(MergeError::Nothing)?;
    let columns = types::common(profiles)?;
    if let ([_], [only]) = (profiles, columns.as_slice())
        && only.is_all_of(first)
    {
        return Ok(first.clone());
    }
    let (period_unit, period) = types::period(profiles)?;
    let mut merged = builder(first, &columns[0]);
    if let Some(period_type) = first.period_type() {
        merged.period(first.string(period_type.kind), &period_unit, period);
    } else {
        merged.profile().header.period = period;
    }
    merge_headers(profiles, &columns, &mut merged);
    // At least so many, but for those without a value.
    merged.reserve(profiles.iter().map(Profile::n_samples).max().unwrap_or(0));
    for (profile, columns) in profiles.iter().zip(&columns) {
        Source::new(profile, columns).add_to(&mut merged);
    }
    let merged = merged.finish();
    // Values of two profiles may cancel out.
    if merged.samples().any(|it| is_zero(it.values)) { without_zeros(&merged) } else { Ok(merged) }
}

fn without_zeros(profile: &Profile) -> Result<Profile, MergeError> {
    let columns = types::common(std::slice::from_ref(profile))?;
    let mut kept = builder(profile, &columns[0]);
    if let Some(period_type) = profile.period_type() {
        kept.period(profile.string(period_type.kind), profile.string(period_type.unit), profile.period());
    }
    merge_headers(std::slice::from_ref(profile), &columns, &mut kept);
    Source::new(profile, &columns[0]).add_to(&mut kept);
    Ok(kept.finish())
}

fn builder(first: &Profile, columns: &Columns) -> ProfileBuilder {
    let types: Vec<(&str, &str)> = (columns.from.iter().zip(&columns.units))
        .map(|(&from, unit)| (first.string(first.sample_types()[from].kind), unit.as_str()))
        .collect();
    ProfileBuilder::new(&types)
}

fn merge_headers(profiles: &[Profile], columns: &[Columns], merged: &mut ProfileBuilder) {
    let (mut time, mut duration) = (0, 0_i64);
    let mut default_type = "";
    for (profile, columns) in profiles.iter().zip(columns) {
        // As pprof has it: a profile without a time is passed over only if it comes first.
        if time == 0 || profile.time_nanos() < time {
            time = profile.time_nanos();
        }
        duration = duration.saturating_add(profile.duration_nanos());
        if default_type.is_empty() {
            default_type = columns.default_sample_type(profile);
        }
    }
    merged.time_nanos(time);
    merged.duration_nanos(duration);
    merged.default_sample_type(default_type);
    merged.doc_url(profiles.iter().map(Profile::doc_url).find(|it| !it.is_empty()).unwrap_or(""));
    for comment in profiles.iter().flat_map(Profile::comments) {
        merged.unite_comment(comment);
    }
    let first = &profiles[0];
    merged.frame_patterns(first.drop_frames(), first.keep_frames());
}

fn is_zero(values: &[i64]) -> bool {
    values.iter().all(|it| *it == 0)
}

/// A profile being added, and what its rows became.
struct Source<'a> {
    profile: &'a Profile,
    columns: &'a Columns,
    locations: Vec<Option<LocationId>>,
    functions: Vec<Option<FunctionId>>,
    /// With each, how far its addresses move.
    mappings: Vec<Option<(MappingId, u64)>>,
    strings: FxHashMap<StringId, StringId>,
}

impl<'a> Source<'a> {
    fn new(profile: &'a Profile, columns: &'a Columns) -> Self {
        Source {
            profile,
            columns,
            locations: vec![None; profile.locations().len()],
            functions: vec![None; profile.functions().len()],
            mappings: vec![None; profile.mappings().len()],
            strings: FxHashMap::default(),
        }
    }

    fn add_to(mut self, merged: &mut ProfileBuilder) {
        // The first mapping is the main binary: it must come first, used or not.
        if merged.profile().mappings.is_empty() && !self.profile.mappings().is_empty() {
            self.mapping(MappingId(0), merged);
        }
        let mut values = Vec::new();
        let mut stack = Vec::new();
        let mut labels: Vec<Label> = Vec::new();
        for sample in self.profile.samples() {
            values.clear();
            self.columns.convert(sample.values, &mut values);
            if is_zero(&values) {
                continue;
            }
            stack.clear();
            stack.extend(sample.locations.iter().map(|&it| self.location(it, merged)));
            labels.clear();
            labels.extend(sample.labels.iter().map(|&it| self.label(it, merged)));
            // Several values of a key keep their order.
            labels.sort_by_key(|it| (matches!(it.value, LabelValue::Num { .. }), it.key));
            merged.add(&stack, &values, &labels);
        }
    }

    fn location(&mut self, id: LocationId, merged: &mut ProfileBuilder) -> LocationId {
        if let Some(known) = self.locations[id.index()] {
            return known;
        }
        let location = *self.profile.location(id);
        let mapping = location.mapping.map(|it| self.mapping(it, merged));
        let (mapping, moved) = mapping.unzip();
        let lines: Vec<Line> = (self.profile.lines(id).iter())
            .map(|it| Line { function: self.function(it.function, merged), ..*it })
            .collect();
        let address = location.address.wrapping_add(moved.unwrap_or(0));
        let new = merged.intern_location(mapping, address, location.is_folded, &lines);
        self.locations[id.index()] = Some(new);
        new
    }

    fn function(&mut self, id: FunctionId, merged: &mut ProfileBuilder) -> FunctionId {
        if let Some(known) = self.functions[id.index()] {
            return known;
        }
        let it = self.profile.function(id);
        let [name, system_name, filename] = [it.name, it.system_name, it.filename].map(|it| self.profile.string(it));
        let new = merged.function(FunctionSpec { name, system_name, filename, start_line: it.start_line });
        self.functions[id.index()] = Some(new);
        new
    }

    fn mapping(&mut self, id: MappingId, merged: &mut ProfileBuilder) -> (MappingId, u64) {
        if let Some(known) = self.mappings[id.index()] {
            return known;
        }
        let it = self.profile.mapping(id);
        let key = mapping_key(self.profile, it);
        let target = merged.profile();
        let same = target.mappings.iter().position(|other| mapping_key(target, other) == key);
        let new = match same.and_then(|it| u32::try_from(it).ok()).map(MappingId) {
            Some(same) => (same, target.mapping(same).start.wrapping_sub(it.start)),
            None => (merged.mapping(mapping_spec(self.profile, it)), 0),
        };
        self.mappings[id.index()] = Some(new);
        new
    }

    fn label(&mut self, label: Label, merged: &mut ProfileBuilder) -> Label {
        let value = match label.value {
            LabelValue::Str(text) => LabelValue::Str(self.string(text, merged)),
            LabelValue::Num { num, unit } => LabelValue::Num { num, unit: self.string(unit, merged) },
        };
        Label { key: self.string(label.key, merged), value }
    }

    fn string(&mut self, id: StringId, merged: &mut ProfileBuilder) -> StringId {
        let strings = &mut merged.profile().strings;
        *self.strings.entry(id).or_insert_with(|| strings.intern(self.profile.string(id)))
    }
}

/// What makes two mappings the same binary, wherever each lies: size in 4 KiB pages, offset, and build id or else name.
fn mapping_key<'a>(profile: &'a Profile, mapping: &Mapping) -> (u64, u64, &'a str) {
    const PAGE: u64 = 0x1000;
    let size = mapping.limit.wrapping_sub(mapping.start);
    let pages = size.wrapping_add(PAGE - 1) / PAGE;
    let name = if mapping.build_id.index() == 0 { mapping.filename } else { mapping.build_id };
    (pages, mapping.offset, profile.string(name))
}

fn mapping_spec<'a>(profile: &'a Profile, it: &Mapping) -> MappingSpec<'a> {
    MappingSpec {
        start: it.start,
        limit: it.limit,
        offset: it.offset,
        filename: profile.string(it.filename),
        build_id: profile.string(it.build_id),
        has_functions: it.has_functions,
        has_filenames: it.has_filenames,
        has_line_numbers: it.has_line_numbers,
        has_inline_frames: it.has_inline_frames,
    }
}

#[cfg(test)]
mod tests;
