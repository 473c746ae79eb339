//! What changed from a base: a window of the table of changes.

use serde::{Deserialize, Serialize};

use super::{FileId, Look, Sort};

/// A window of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiffAsk {
    pub(crate) base: FileId,
    /// Also what changed too little for `wprof diff` to show.
    pub(crate) all: bool,
    /// The profile is first scaled so that its total is the base's.
    pub(crate) normalize: bool,
    pub(crate) query: String,
    pub(crate) sort: Sort,
    pub(crate) first: usize,
    pub(crate) len: usize,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiffRows {
    pub(crate) first: usize,
    pub(crate) rows: Vec<DiffRow>,
    pub(crate) n_rows: usize,
    /// Totals of the base and of the profile.
    pub(crate) before: String,
    pub(crate) after: String,
    /// The change of the total, and as a share of the base's.
    pub(crate) change: (String, String),
    /// How many changed too little to show.
    pub(crate) n_dropped: usize,
    /// The profiles cannot be compared, and why.
    pub(crate) refused: Option<String>,
}

/// A function that changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiffRow {
    pub(crate) name: String,
    pub(crate) look: Look,
    pub(crate) flat: DiffCells,
    pub(crate) cum: DiffCells,
    /// `new`, `gone` or nothing.
    pub(crate) mark: String,
}

/// What changed of one value, numbers signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiffCells {
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) change: String,
    /// Of the base's total.
    pub(crate) share: String,
}
