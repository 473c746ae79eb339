//! What the page needs to know of a profile before it asks anything.

use serde::{Deserialize, Serialize};

use super::Measure;

/// A profile's own facts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) sample_types: Vec<SampleType>,
    /// The one pprof shows when none is asked for.
    pub(crate) sample_index: usize,
    /// The numeric labels that samples may be picked by.
    pub(crate) measures: Vec<Measure>,
    /// Whether any sample has a label.
    pub(crate) has_labels: bool,
    pub(crate) duration: Option<String>,
    /// Nanoseconds since 1970; 0 where the profile does not say.
    pub(crate) time_nanos: i64,
    /// What was profiled, where and how much: a label and its value.
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) comments: Vec<String>,
    /// Where more is said of the profile; any text.
    pub(crate) doc_url: String,
    /// What was mapped into the process.
    pub(crate) binaries: Vec<Binary>,
    /// Remarks of the decoder and of the analysis.
    pub(crate) warnings: Vec<String>,
    /// What was lost of a file that is cut or damaged.
    pub(crate) lost: Vec<String>,
}

/// One kind of value that every sample carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SampleType {
    pub(crate) kind: String,
    pub(crate) unit: String,
    /// The sum over all samples.
    pub(crate) total: String,
}

/// A mapped binary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binary {
    pub(crate) file: String,
    pub(crate) build_id: String,
    /// Addresses, such as `0x400000 – 0x8f2000`.
    pub(crate) range: String,
    /// What the profile knows of its locations: functions, files, lines, inlined frames.
    pub(crate) has: String,
}
