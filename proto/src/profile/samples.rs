//! The samples, in columns: three flat arrays and two of offsets instead of a million small objects.

use super::strings::StringId;
use super::tables::LocationId;

/// One sample, borrowed from the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleRef<'a> {
    /// The stack, leaf first. May be empty: the sample then counts in totals only.
    pub locations: &'a [LocationId],
    /// One value for every sample type, in their order.
    pub values: &'a [i64],
    /// Labels; a key may repeat.
    pub labels: &'a [Label],
}

/// A key and value attached to a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The key.
    pub key: StringId,
    /// The value.
    pub value: LabelValue,
}

/// What a label says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelValue {
    /// A text, never empty.
    Str(StringId),
    /// A number.
    Num {
        /// The number.
        num: i64,
        /// Its unit; empty means that readers infer it from the key.
        unit: StringId,
    },
}

/// The columns. Offsets hold each sample's end; it begins where the one before ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Samples {
    pub(crate) locations: Vec<LocationId>,
    pub(crate) location_ends: Vec<usize>,
    pub(crate) values: Vec<i64>,
    pub(crate) labels: Vec<Label>,
    pub(crate) label_ends: Vec<usize>,
}

impl Samples {
    pub(crate) fn len(&self) -> usize {
        self.location_ends.len()
    }

    pub(crate) fn get(&self, idx: usize, n_types: usize) -> SampleRef<'_> {
        SampleRef {
            locations: &self.locations[start(&self.location_ends, idx)..self.location_ends[idx]],
            values: &self.values[idx * n_types..(idx + 1) * n_types],
            labels: &self.labels[start(&self.label_ends, idx)..self.label_ends[idx]],
        }
    }

    /// Adds a sample; `values` must be as many as there are sample types.
    pub(crate) fn push(&mut self, locations: &[LocationId], values: &[i64], labels: &[Label]) {
        self.locations.extend_from_slice(locations);
        self.values.extend_from_slice(values);
        self.labels.extend_from_slice(labels);
        self.end_sample();
    }

    /// Ends the sample whose parts were pushed to the columns one by one.
    pub(crate) fn end_sample(&mut self) {
        self.location_ends.push(self.locations.len());
        self.label_ends.push(self.labels.len());
    }
}

fn start(ends: &[usize], idx: usize) -> usize {
    if idx == 0 { 0 } else { ends[idx - 1] }
}
