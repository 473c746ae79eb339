//! Nodes that are split into their children only when asked: what a [`GrowingTree`](super::GrowingTree) is made of.

use std::ops::Range;

use super::split::Splitter;
use super::stacks::{Path, Place, Stacks, paths, sums};
use super::steps::{Step, Steps};
use super::{NodeId, TreeOptions, node_id};
use crate::profile::Profile;

/// The nodes made so far, with `N` sums each. The samples of a node lie in a row, and in the order of its children where
/// it has been split: those that end there first.
#[derive(Debug, Clone)]
pub(super) struct Grower<const N: usize> {
    paths: Vec<Path<N>>,
    nodes: Vec<Node<N>>,
    splitter: Splitter<N>,
}

#[derive(Debug, Clone)]
struct Node<const N: usize> {
    /// The root's is itself.
    parent: NodeId,
    /// The root's is never looked at.
    step: Step,
    place: Place,
    /// Of its samples.
    start: usize,
    end: usize,
    cum: [i64; N],
    children: Option<Children>,
}

/// Of a node that has been split.
#[derive(Debug, Clone, Copy)]
struct Children {
    first: NodeId,
    n: u32,
}

impl<const N: usize> Grower<N> {
    pub(super) fn new(profile: &Profile, options: &TreeOptions, sample_indexes: [usize; N], steps: &Steps) -> Self {
        let paths = paths(profile, sample_indexes, !options.inverted);
        let root = Node {
            parent: NodeId::ROOT,
            step: Step::VOID,
            place: Place::START,
            start: 0,
            end: paths.len(),
            cum: sums(paths.iter()),
            children: None,
        };
        Grower { paths, nodes: vec![root], splitter: Splitter::new(steps.n_steps()) }
    }

    pub(super) fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn parent(&self, node: NodeId) -> NodeId {
        self.nodes[node.index()].parent
    }

    pub(super) fn step(&self, node: NodeId) -> Option<Step> {
        (node != NodeId::ROOT).then(|| self.nodes[node.index()].step)
    }

    pub(super) fn cum(&self, node: NodeId) -> [i64; N] {
        self.nodes[node.index()].cum
    }

    /// The children, if they are known.
    pub(super) fn children(&self, node: NodeId) -> Option<Range<usize>> {
        let Children { first, n } = self.nodes[node.index()].children?;
        Some(first.index()..first.index() + n as usize)
    }

    /// The sums of the samples that end there.
    pub(super) fn flat(&self, stacks: Stacks<'_>, node: NodeId) -> [i64; N] {
        let &Node { start, end, place, .. } = &self.nodes[node.index()];
        let Some(children) = self.children(node) else {
            let next = stacks.next(place, self.step(node));
            return sums(self.paths[start..end].iter().filter(|it| next(it).is_none()));
        };
        let end = if children.is_empty() { end } else { self.nodes[children.start].start };
        sums(self.paths[start..end].iter())
    }

    /// Whether all its samples end there.
    pub(super) fn is_leaf(&self, stacks: Stacks<'_>, node: NodeId) -> bool {
        let Node { start, end, place, .. } = self.nodes[node.index()];
        let next = stacks.next(place, self.step(node));
        self.children(node)
            .map_or_else(|| self.paths[start..end].iter().all(|it| next(it).is_none()), |children| children.is_empty())
    }

    /// The children, which are made if they are not yet known.
    pub(super) fn split(&mut self, stacks: Stacks<'_>, node: NodeId) -> Range<usize> {
        if let Some(children) = self.children(node) {
            return children;
        }
        let Node { start, end, place, .. } = self.nodes[node.index()];
        let last = self.step(node);
        let paths = &mut self.paths[start..end];
        let next = stacks.next_ahead(paths, place, last);
        let parts = self.splitter.split(paths, next);
        let first = self.nodes.len();
        let mut start = start;
        for part in parts {
            let end = start + part.n_paths;
            if let Some(step) = part.step {
                let place = stacks.after(place, last, step);
                self.nodes.push(Node { parent: node, step, place, start, end, cum: part.sums, children: None });
            }
            start = end;
        }
        let children = first..self.nodes.len();
        // The last one's number is looked at, too, so that all have one.
        let n = node_id(children.end).0 - node_id(first).0;
        self.nodes[node.index()].children = Some(Children { first: node_id(first), n });
        children
    }
}
