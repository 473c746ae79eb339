//! The call tree: every path from the root, with what was measured on it.

mod grower;
mod growing;
mod order;
mod part;
mod split;
mod stacks;
mod steps;

use std::ops::Range;

use super::frames::{Frame, FrameId, FrameOptions, Frames};
use crate::profile::Profile;
use steps::Steps;

pub use growing::GrowingTree;

/// What tree to build.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TreeOptions {
    /// Which of a sample's values; see [`sample_index`](super::sample_index).
    pub sample_index: usize,
    /// What counts as the same frame.
    pub frames: FrameOptions,
    /// Begin at the leaves: a node's children are its callers.
    pub inverted: bool,
    /// Another value to sum for each node of a [`GrowingTree`]; see [`GrowingTree::also`].
    pub also: Option<usize>,
}

/// A node of a tree; only with the tree that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// The root: of no frame, and with all samples' values.
    pub const ROOT: NodeId = NodeId(0);

    /// The position among all nodes; the root's is 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A profile's stacks, joined where they begin alike. Inlined frames are nodes of their own.
///
/// Nodes are numbered breadth first: parents before children, siblings in a row, the greatest first.
#[derive(Debug, Clone)]
pub struct CallTree {
    frames: Frames,
    /// The columns; a node's row is its id.
    parents: Vec<NodeId>,
    node_frames: Vec<FrameId>,
    inlined: Vec<bool>,
    flat: Vec<i64>,
    cum: Vec<i64>,
    /// Where each node's children begin; they end where the next node's begin.
    child_starts: Vec<u32>,
}

impl CallTree {
    /// The tree of one of the values of `profile`'s samples.
    ///
    /// # Panics
    ///
    /// If `options.sample_index` is not below the number of sample types and there are samples.
    #[must_use]
    pub fn new(profile: &Profile, options: &TreeOptions) -> Self {
        let frames = Frames::new(profile, &options.frames);
        let steps = Steps::new(&frames, profile.locations().len(), !options.inverted);
        part::grow(profile, &steps, options.sample_index, !options.inverted).into_tree(frames, &steps)
    }

    /// How many nodes there are, the root with them.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        self.parents.len()
    }

    /// Every node, breadth first.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        ids(0..self.n_nodes())
    }

    /// The sum of all samples' values.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.cum[0]
    }

    /// The frame that `node` is an occurrence of; `None` for the root.
    #[must_use]
    pub fn frame(&self, node: NodeId) -> Option<FrameId> {
        (node != NodeId::ROOT).then(|| self.node_frames[node.index()])
    }

    /// The parts of `node`'s frame; `None` for the root.
    #[must_use]
    pub fn frame_info(&self, node: NodeId) -> Option<Frame<'_>> {
        self.frame(node).map(|it| self.frames.get(it))
    }

    /// All frames of the tree.
    #[must_use]
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    /// The node's name as reports print it; `root` for the root.
    #[must_use]
    pub fn name(&self, node: NodeId) -> String {
        self.frame_info(node).map_or_else(|| "root".to_owned(), |it| it.label())
    }

    /// Whether this frame was inlined into its caller here.
    #[must_use]
    pub fn is_inlined(&self, node: NodeId) -> bool {
        self.inlined[node.index()]
    }

    /// The value of the samples whose stack ends here.
    #[must_use]
    pub fn flat(&self, node: NodeId) -> i64 {
        self.flat[node.index()]
    }

    /// The value of the samples whose stack comes through here.
    #[must_use]
    pub fn cum(&self, node: NodeId) -> i64 {
        self.cum[node.index()]
    }

    /// The node above; `None` for the root.
    #[must_use]
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        (node != NodeId::ROOT).then(|| self.parents[node.index()])
    }

    /// The nodes below, the greatest first.
    pub fn children(
        &self,
        node: NodeId,
    ) -> impl ExactSizeIterator<Item = NodeId> + DoubleEndedIterator + Clone + use<> {
        let [start, end] = [node.index(), node.index() + 1].map(|it| self.child_starts[it] as usize);
        ids(start..end)
    }

    /// The nodes from the root to `node`, both with it.
    #[must_use]
    pub fn path(&self, node: NodeId) -> Vec<NodeId> {
        let mut path: Vec<NodeId> = std::iter::successors(Some(node), |&it| self.parent(it)).collect();
        path.reverse();
        path
    }
}

fn ids(range: Range<usize>) -> impl ExactSizeIterator<Item = NodeId> + DoubleEndedIterator + Clone {
    range.map(node_id)
}

/// # Panics
///
/// From 2³² nodes on, whose columns would take more than 100 GiB.
fn node_id(idx: usize) -> NodeId {
    #[expect(clippy::expect_used, reason = "documented above")]
    NodeId(u32::try_from(idx).expect("fewer than 2^32 nodes"))
}

#[cfg(test)]
mod tests;
