//! The call tree: every path from the root, with what was measured on it.

use std::cmp::Reverse;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::frames::{Frame, FrameId, FrameOptions, Frames};
use crate::profile::{LocationId, Profile};

/// What tree to build.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TreeOptions {
    /// Which of a sample's values; see [`sample_index`](super::sample_index).
    pub sample_index: usize,
    /// What counts as the same frame.
    pub frames: FrameOptions,
    /// Begin at the leaves: a node's children are its callers.
    pub inverted: bool,
}

/// A node of a [`CallTree`]; only with the tree that made it.
///
/// Nodes are numbered breadth first: parents before children, siblings in a row, the greatest first.
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
        let mut growing = Growing::new();
        for sample in profile.samples() {
            let value = sample.values[options.sample_index];
            if value != 0 {
                growing.add(&frames, sample.locations, value, options.inverted);
            }
        }
        growing.finish(frames)
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
    pub fn children(&self, node: NodeId) -> impl ExactSizeIterator<Item = NodeId> + DoubleEndedIterator + use<> {
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

fn ids(range: Range<usize>) -> impl ExactSizeIterator<Item = NodeId> + DoubleEndedIterator {
    range.map(node_id)
}

/// # Panics
///
/// From 2³² nodes on, whose columns would take more than 100 GiB.
fn node_id(idx: usize) -> NodeId {
    #[expect(clippy::expect_used, reason = "documented above")]
    NodeId(u32::try_from(idx).expect("fewer than 2^32 nodes"))
}

/// The tree while stacks are added: nodes in order of first use.
struct Growing {
    parents: Vec<NodeId>,
    node_frames: Vec<FrameId>,
    inlined: Vec<bool>,
    flat: Vec<i64>,
    cum: Vec<i64>,
    children: FxHashMap<(NodeId, FrameId, bool), NodeId>,
}

impl Growing {
    fn new() -> Self {
        Growing {
            parents: vec![NodeId::ROOT],
            // The root's frame is never looked at.
            node_frames: vec![FrameId(0)],
            inlined: vec![false],
            flat: vec![0],
            cum: vec![0],
            children: FxHashMap::default(),
        }
    }

    /// Adds a stack, leaf first. Only its last node gets the value now; [`finish`](Self::finish) sums up.
    fn add(&mut self, frames: &Frames, stack: &[LocationId], value: i64, inverted: bool) {
        let mut node = NodeId::ROOT;
        if inverted {
            for &location in stack {
                node = self.step(frames, node, location, true);
            }
        } else {
            for &location in stack.iter().rev() {
                node = self.step(frames, node, location, false);
            }
        }
        let flat = &mut self.flat[node.index()];
        *flat = flat.saturating_add(value);
    }

    /// Where the frames of a location lead from a node.
    fn step(&mut self, frames: &Frames, from: NodeId, location: LocationId, inverted: bool) -> NodeId {
        let at = frames.at(location);
        let outermost = at.len() - 1;
        let step = |node, idx| self.child(node, at[idx], idx != outermost);
        if inverted { (0..at.len()).fold(from, step) } else { (0..at.len()).rev().fold(from, step) }
    }

    fn child(&mut self, parent: NodeId, frame: FrameId, inlined: bool) -> NodeId {
        let id = node_id(self.parents.len());
        let found = *self.children.entry((parent, frame, inlined)).or_insert(id);
        if found == id {
            self.parents.push(parent);
            self.node_frames.push(frame);
            self.inlined.push(inlined);
            self.flat.push(0);
            self.cum.push(0);
        }
        found
    }

    /// Numbers the nodes anew, breadth first.
    fn finish(mut self, frames: Frames) -> CallTree {
        self.sum();
        let children = Children::new(&self, &frames);
        let n_nodes = self.parents.len();
        let mut order = Vec::with_capacity(n_nodes);
        let mut parents = Vec::with_capacity(n_nodes);
        let mut child_starts = Vec::with_capacity(n_nodes + 1);
        order.push(NodeId::ROOT);
        parents.push(NodeId::ROOT);
        for id in ids(0..n_nodes) {
            child_starts.push(node_id(order.len()).0);
            let children = children.of(order[id.index()]);
            order.extend_from_slice(children);
            parents.resize(order.len(), id);
        }
        child_starts.push(node_id(order.len()).0);
        CallTree {
            frames,
            parents,
            child_starts,
            node_frames: order.iter().map(|it| self.node_frames[it.index()]).collect(),
            inlined: order.iter().map(|it| self.inlined[it.index()]).collect(),
            flat: order.iter().map(|it| self.flat[it.index()]).collect(),
            cum: order.iter().map(|it| self.cum[it.index()]).collect(),
        }
    }

    /// cum = flat + the children's cum. Children come after their parents, so one walk back does.
    fn sum(&mut self) {
        for idx in (0..self.parents.len()).rev() {
            self.cum[idx] = self.cum[idx].saturating_add(self.flat[idx]);
            if idx != 0 {
                let parent = self.parents[idx].index();
                self.cum[parent] = self.cum[parent].saturating_add(self.cum[idx]);
            }
        }
    }
}

/// Every node's children, by weight, then name.
struct Children {
    nodes: Vec<NodeId>,
    /// Where each node's children end.
    ends: Vec<usize>,
}

impl Children {
    fn new(tree: &Growing, frames: &Frames) -> Self {
        let n_nodes = tree.parents.len();
        let mut ends = vec![0; n_nodes];
        tree.parents[1..].iter().for_each(|it| ends[it.index()] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        // Each is put before those of its parent that were put already, so that the ends become starts…
        let mut starts = ends.clone();
        let mut nodes = vec![NodeId::ROOT; n_nodes - 1];
        for id in ids(1..n_nodes).rev() {
            let start = &mut starts[tree.parents[id.index()].index()];
            *start -= 1;
            nodes[*start] = id;
        }
        let ranks = name_ranks(frames);
        for (&start, &end) in starts.iter().zip(&ends) {
            nodes[start..end].sort_unstable_by_key(|it| {
                let idx = it.index();
                let rank = ranks[tree.node_frames[idx].index()];
                (Reverse(tree.cum[idx].saturating_abs()), rank, tree.inlined[idx])
            });
        }
        Children { nodes, ends }
    }

    fn of(&self, node: NodeId) -> &[NodeId] {
        let start = if node == NodeId::ROOT { 0 } else { self.ends[node.index() - 1] };
        &self.nodes[start..self.ends[node.index()]]
    }
}

/// Where each frame's name comes among all names in order.
fn name_ranks(frames: &Frames) -> Vec<u32> {
    let mut named: Vec<(String, FrameId)> = frames.ids().map(|it| (frames.get(it).label(), it)).collect();
    named.sort_unstable();
    let mut ranks = vec![0; named.len()];
    for (rank, (_, frame)) in (0..).zip(&named) {
        ranks[frame.index()] = rank;
    }
    ranks
}

#[cfg(test)]
mod tests;
