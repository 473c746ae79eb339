//! Nodes in the order in which they were found, depth first, to a tree numbered breadth first.

use super::super::frames::{FrameId, Frames};
use super::steps::{Step, Steps};
use super::{CallTree, NodeId, node_id};

/// Nodes depth first, siblings in their order, in columns.
///
/// Then nodes of one depth are in the order they have in the tree, so that each node's number is found by counting.
#[derive(Debug, Default)]
pub(super) struct Preorder {
    /// How far below the root.
    depths: Vec<u32>,
    /// By position here.
    parents: Vec<u32>,
    /// The root's is never looked at.
    nodes: Vec<Step>,
    flat: Vec<i64>,
    cum: Vec<i64>,
    /// How many nodes there are at each depth.
    n_at_depth: Vec<u32>,
}

impl Preorder {
    /// Adds the next node, whose position is the answer. The root comes first, as its own parent.
    pub(super) fn push(&mut self, parent: u32, step: Step, cum: i64) -> u32 {
        let idx = node_id(self.nodes.len()).0;
        // A node is deeper than its parent by one, so there are no more depths than nodes.
        let depth = if idx == 0 { 0 } else { self.depths[parent as usize] + 1 };
        if self.n_at_depth.len() <= depth as usize {
            self.n_at_depth.push(0);
        }
        self.n_at_depth[depth as usize] += 1;
        self.depths.push(depth);
        self.parents.push(parent);
        self.nodes.push(step);
        self.flat.push(0);
        self.cum.push(cum);
        idx
    }

    pub(super) fn set_flat(&mut self, node: u32, flat: i64) {
        self.flat[node as usize] = flat;
    }

    /// The tree. Columns go one by one, so that hardly more than one is there twice.
    pub(super) fn into_tree(self, frames: Frames, steps: &Steps) -> CallTree {
        let Preorder { depths, parents, nodes, flat, cum, n_at_depth } = self;
        let n_nodes = nodes.len();
        // Where the next node of each depth goes.
        let mut next = Vec::with_capacity(n_at_depth.len() + 1);
        let mut sum = 0;
        for n in n_at_depth {
            next.push(sum);
            sum += n;
        }
        next.push(sum);
        let mut child_starts = vec![0; n_nodes + 1];
        child_starts[n_nodes] = sum;
        // Each node's depth becomes its number.
        let mut ids = depths;
        for id in &mut ids {
            let depth = *id as usize;
            *id = next[depth];
            next[depth] += 1;
            // Its children are the next ones below.
            child_starts[*id as usize] = next[depth + 1];
        }
        let parents = scatter(&ids, parents, NodeId::ROOT, |it| NodeId(ids[it as usize]));
        let flat = scatter(&ids, flat, 0, |it| it);
        let cum = scatter(&ids, cum, 0, |it| it);
        let inlined = scatter(&ids, &nodes, false, |it: &Step| it.is_inlined());
        let node_frames = scatter(&ids, nodes, FrameId(0), |it| steps.frame(it));
        CallTree { frames, parents, node_frames, inlined, flat, cum, child_starts }
    }
}

/// Each of `from` at its place among `ids`.
fn scatter<T, U: Copy>(ids: &[u32], from: impl IntoIterator<Item = T>, void: U, map: impl Fn(T) -> U) -> Vec<U> {
    let mut to = vec![void; ids.len()];
    for (&id, it) in ids.iter().zip(from) {
        to[id as usize] = map(it);
    }
    to
}
