//! Rows of the profiles that count execution contexts.

use std::io;

use proto::formats::WriteError;

use super::{Own, Registry};
use crate::contexts::{CreatedAt, Snapshot};
use crate::labels::LabelsId;
use crate::record::{self, CountRow, RowLeaf, Traceback};
use crate::sample::Leaf;

/// Stands for a context that runs, but could not be interrupted.
const NOT_SAMPLED: &str = "[running, not sampled]";

/// Stands for what has started the main context. A row must have a stack, or readers of the text refuse it.
const START: &str = "[start]";

/// A row for each context.
pub(super) fn rows(snapshots: &[Snapshot]) -> Vec<CountRow> {
    let row = |it: &Snapshot| {
        let (offsets, leaf) = match &it.stack {
            Some((offsets, Leaf::HostCall)) => (offsets.clone(), RowLeaf::HostCall),
            Some((offsets, Leaf::Guest)) => (offsets.clone(), RowLeaf::Guest),
            None => (Vec::new(), RowLeaf::Named(NOT_SAMPLED)),
        };
        CountRow { offsets, is_cut: false, leaf, labels: it.labels, count: 1 }
    };
    snapshots.iter().map(row).collect()
}

/// The contexts that there ever were, by where they began.
pub(super) fn creations(created: Vec<(CreatedAt, u64)>) -> Vec<CountRow> {
    let row = |((offsets, is_cut), count): (CreatedAt, u64)| {
        let leaf = if offsets.is_empty() { RowLeaf::Named(START) } else { RowLeaf::Guest };
        CountRow { offsets, is_cut, leaf, labels: LabelsId::NONE, count }
    };
    created.into_iter().map(row).collect()
}

impl Registry {
    /// Each context by itself.
    pub(super) fn write_traceback(&self, own: Option<&Own>, out: &mut impl io::Write) -> Result<(), WriteError> {
        let id = own.map(|(id, _)| *id);
        let mut snapshots = self.handle().contexts.snapshots(own);
        // Go prints the one that asks first.
        snapshots.sort_by_key(|it| (Some(it.id) != id, it.id));
        let of = Traceback { snapshots: &snapshots, own: id };
        Ok(self.record_now(|names, run| record::traceback(&of, out, names, run))?)
    }
}
