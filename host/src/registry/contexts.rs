//! Rows of the profiles that count execution contexts.

use std::io;

use proto::formats::WriteError;

use super::{Own, Registry};
use crate::contexts::{Creation, Snapshot};
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

/// A row for each context that there ever was, by where it began.
pub(super) fn creations(created: &[Creation]) -> Vec<CountRow> {
    let row = |it: &Creation| {
        let leaf = if it.offsets.is_empty() { RowLeaf::Named(START) } else { RowLeaf::Guest };
        CountRow { offsets: it.offsets.clone(), is_cut: it.is_cut, leaf, labels: LabelsId::NONE, count: 1 }
    };
    created.iter().map(row).collect()
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
