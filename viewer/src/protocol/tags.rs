//! What labels weigh: texts as lists, numbers as histograms.

use serde::{Deserialize, Serialize};

/// All labels of the samples on show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagsAsk {}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tags {
    pub(crate) total: String,
    pub(crate) keys: Vec<TagKey>,
}

/// A label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagKey {
    pub(crate) key: String,
    /// Of all its values, and as a share of the total.
    pub(crate) total: String,
    pub(crate) share: String,
    /// The heaviest texts, the heaviest first.
    pub(crate) texts: Vec<TagValue>,
    /// How many lighter ones there are.
    pub(crate) n_more: usize,
    /// Its numbers in order: each by itself where there are few, or else from one power of two to the next.
    pub(crate) numbers: Vec<TagValue>,
    /// The sample type that counts what the other one weighs, such as `alloc_objects`, if [`TagValue::count`] is there.
    pub(crate) count_kind: Option<String>,
}

/// A text, a number or a range of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagValue {
    pub(crate) name: String,
    pub(crate) weight: String,
    /// Of the total.
    pub(crate) share: String,
    /// Of the heaviest of its kind, for a bar.
    pub(crate) bar: String,
    /// What the sample type that counts says.
    pub(crate) count: Option<String>,
    /// The `tagfocus` that leaves these samples alone; `None` where no pattern can.
    pub(crate) focus: Option<String>,
}
