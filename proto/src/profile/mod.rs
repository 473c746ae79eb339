//! The model: a checked profile whose ids all resolve, with its samples in columns.

mod builder;
mod merge;
mod samples;
mod strings;
mod tables;

pub use builder::{FunctionSpec, LabelSpec, MappingSpec, ProfileBuilder};
pub use merge::{MergeError, merge};
pub use samples::{Label, LabelValue, SampleRef};
pub use strings::StringId;
pub use tables::{Function, FunctionId, Line, Location, LocationId, Mapping, MappingId, ValueType};

pub(crate) use samples::Samples;
pub(crate) use strings::StringTable;

/// A profile: stacks with values, and the tables that name their frames.
///
/// Immutable once built, and whole: whoever has one may look up any id it holds without a check. It is made by
/// [`ProfileBuilder`], [`decode`](crate::decode) or [`merge`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    pub(crate) strings: StringTable,
    pub(crate) sample_types: Vec<ValueType>,
    pub(crate) samples: Samples,
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) locations: Vec<Location>,
    /// All locations' lines; a [`Location`] knows its range.
    pub(crate) lines: Vec<Line>,
    pub(crate) functions: Vec<Function>,
    pub(crate) header: Header,
}

/// What is said once a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Header {
    pub(crate) period_type: Option<ValueType>,
    pub(crate) period: i64,
    pub(crate) time_nanos: i64,
    pub(crate) duration_nanos: i64,
    pub(crate) comments: Vec<StringId>,
    pub(crate) default_sample_type: StringId,
    pub(crate) doc_url: StringId,
    pub(crate) drop_frames: StringId,
    pub(crate) keep_frames: StringId,
}

/// Looking up. An id is good only with the profile that it came from; another profile's may panic.
impl Profile {
    /// The same profile, of another time: Unix nanoseconds, and how long it took, in nanoseconds; 0 where it took none.
    #[must_use]
    pub fn with_time(mut self, time_nanos: i64, duration_nanos: i64) -> Self {
        (self.header.time_nanos, self.header.duration_nanos) = (time_nanos, duration_nanos);
        self
    }

    /// The text of `id`.
    #[must_use]
    pub fn string(&self, id: StringId) -> &str {
        self.strings.get(id)
    }

    /// The function of `id`.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.functions[id.index()]
    }

    /// The location of `id`.
    #[must_use]
    pub fn location(&self, id: LocationId) -> &Location {
        &self.locations[id.index()]
    }

    /// The source lines of a location: innermost inlined frame first, last the function whose code it is. Empty if
    /// nothing is known but the address.
    #[must_use]
    pub fn lines(&self, id: LocationId) -> &[Line] {
        &self.lines[self.locations[id.index()].lines()]
    }

    /// The mapping of `id`.
    #[must_use]
    pub fn mapping(&self, id: MappingId) -> &Mapping {
        &self.mappings[id.index()]
    }

    /// Every function, in id order.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Every location, in id order.
    #[must_use]
    pub fn locations(&self) -> &[Location] {
        &self.locations
    }

    /// The id of every location, in order.
    pub fn location_ids(&self) -> impl Iterator<Item = LocationId> + use<> {
        (0..).map(LocationId).take(self.locations.len())
    }

    /// Every mapping, in id order; the first is the main binary.
    #[must_use]
    pub fn mappings(&self) -> &[Mapping] {
        &self.mappings
    }
}

/// Samples.
impl Profile {
    /// What each of a sample's values counts, in the values' order.
    #[must_use]
    pub fn sample_types(&self) -> &[ValueType] {
        &self.sample_types
    }

    /// The kind of the sample type to show first, where the writer named one.
    #[must_use]
    pub fn default_sample_type(&self) -> Option<&str> {
        Some(self.string(self.header.default_sample_type)).filter(|it| !it.is_empty())
    }

    /// How many samples there are. Their values, not their number, are what was measured.
    #[must_use]
    pub fn n_samples(&self) -> usize {
        self.samples.len()
    }

    /// One sample.
    ///
    /// # Panics
    ///
    /// If `idx` is not below [`n_samples`](Self::n_samples).
    #[must_use]
    pub fn sample(&self, idx: usize) -> SampleRef<'_> {
        self.samples.get(idx, self.sample_types.len())
    }

    /// The same profile with other samples, whose ids must be its own.
    pub(crate) fn with_samples(&self, samples: Samples) -> Profile {
        let Profile { strings, sample_types, samples: _, mappings, locations, lines, functions, header } = self;
        Profile {
            samples,
            strings: strings.clone(),
            sample_types: sample_types.clone(),
            mappings: mappings.clone(),
            locations: locations.clone(),
            lines: lines.clone(),
            functions: functions.clone(),
            header: header.clone(),
        }
    }

    /// Every sample, in the file's order.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = SampleRef<'_>> {
        (0..self.n_samples()).map(|idx| self.sample(idx))
    }
}

/// What is said once.
impl Profile {
    /// Free-form notes by the writer; reports show those that do not begin with `#`.
    pub fn comments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.header.comments.iter().map(|&it| self.string(it))
    }

    /// When the profile was begun, in nanoseconds since 1970; 0 if unknown.
    #[must_use]
    pub fn time_nanos(&self) -> i64 {
        self.header.time_nanos
    }

    /// How long it was recorded, in nanoseconds; 0 where that has no meaning.
    #[must_use]
    pub fn duration_nanos(&self) -> i64 {
        self.header.duration_nanos
    }

    /// One event in about this many was sampled, counted in [`period_type`](Self::period_type); 0 if unknown.
    #[must_use]
    pub fn period(&self) -> i64 {
        self.header.period
    }

    /// What [`period`](Self::period) counts.
    #[must_use]
    pub fn period_type(&self) -> Option<ValueType> {
        self.header.period_type
    }

    /// Where the profile's meaning is documented; may be empty.
    #[must_use]
    pub fn doc_url(&self) -> &str {
        self.string(self.header.doc_url)
    }

    /// The pattern of frames that reports leave out with all they call; may be empty.
    #[must_use]
    pub fn drop_frames(&self) -> &str {
        self.string(self.header.drop_frames)
    }

    /// The pattern of frames that [`drop_frames`](Self::drop_frames) spares; may be empty.
    #[must_use]
    pub fn keep_frames(&self) -> &str {
        self.string(self.header.keep_frames)
    }
}
