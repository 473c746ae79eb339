//! A call tree that grows where one looks: its root is made at once, whatever the profile's size.

use super::grower::Grower;
use super::stacks::Stacks;
use super::steps::{Step, Steps};
use super::{NodeId, TreeOptions, ids};
use crate::analysis::frames::{Frame, FrameId, Frames};
use crate::profile::Profile;

/// A profile's stacks, joined where they begin alike, as far as one has looked. Inlined frames are nodes of their own.
///
/// Nodes are the same as a [`CallTree`](super::CallTree)'s, but are numbered in the order in which they were asked for:
/// parents before children, siblings in a row, the greatest first. A number once given stays. What takes a profile wants
/// the one that the tree was made of.
#[derive(Debug, Clone)]
pub struct GrowingTree {
    frames: Frames,
    steps: Steps,
    is_inverted: bool,
    nodes: Nodes,
}

#[derive(Debug, Clone)]
enum Nodes {
    Plain(Grower<1>),
    /// With another value's sums.
    Twofold(Grower<2>),
}

/// The same of either kind of nodes.
macro_rules! of_either {
    ($nodes:expr, $it:ident => $answer:expr) => {
        match $nodes {
            Nodes::Plain($it) => $answer,
            Nodes::Twofold($it) => $answer,
        }
    };
}

impl GrowingTree {
    /// The root of the tree of one of the values of `profile`'s samples.
    ///
    /// # Panics
    ///
    /// If `options.sample_index`, or `options.also`, is not below the number of sample types and there are samples.
    #[must_use]
    pub fn new(profile: &Profile, options: &TreeOptions) -> Self {
        let frames = Frames::new(profile, &options.frames);
        let steps = Steps::new(&frames, profile.locations().len(), !options.inverted);
        let nodes = match options.also {
            None => Nodes::Plain(Grower::new(profile, options, [options.sample_index], &steps)),
            Some(also) => Nodes::Twofold(Grower::new(profile, options, [options.sample_index, also], &steps)),
        };
        GrowingTree { frames, steps, is_inverted: options.inverted, nodes }
    }

    /// Makes all nodes, depth first.
    pub fn grow(&mut self, profile: &Profile) {
        let mut todo = vec![NodeId::ROOT];
        while let Some(node) = todo.pop() {
            todo.extend(self.children(profile, node).rev());
        }
    }

    /// The nodes below, the greatest first. They are made now if nobody asked for them before.
    pub fn children(
        &mut self,
        profile: &Profile,
        node: NodeId,
    ) -> impl ExactSizeIterator<Item = NodeId> + DoubleEndedIterator + Clone + use<> {
        let stacks = Stacks::new(profile, &self.steps, !self.is_inverted);
        ids(of_either!(&mut self.nodes, it => it.split(stacks, node)))
    }

    /// Whether there is nothing below.
    #[must_use]
    pub fn is_leaf(&self, profile: &Profile, node: NodeId) -> bool {
        of_either!(&self.nodes, it => it.is_leaf(self.stacks(profile), node))
    }

    /// How many nodes there are so far, the root with them.
    #[must_use]
    pub fn n_nodes(&self) -> usize {
        of_either!(&self.nodes, it => it.n_nodes())
    }

    /// Every node so far, parents before children.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        ids(0..self.n_nodes())
    }

    /// The node at a position among all so far, if there is one.
    #[must_use]
    pub fn node(&self, idx: usize) -> Option<NodeId> {
        self.nodes().nth(idx)
    }

    /// The sum of all samples' values.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.cum(NodeId::ROOT)
    }

    /// The frame that `node` is an occurrence of; `None` for the root.
    #[must_use]
    pub fn frame(&self, node: NodeId) -> Option<FrameId> {
        self.step(node).map(|it| self.steps.frame(it))
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
        self.step(node).is_some_and(Step::is_inlined)
    }

    /// The value of the samples whose stack ends here. Takes a look at each of them.
    #[must_use]
    pub fn flat(&self, profile: &Profile, node: NodeId) -> i64 {
        let stacks = self.stacks(profile);
        match &self.nodes {
            Nodes::Plain(it) => it.flat(stacks, node)[0],
            Nodes::Twofold(it) => it.flat(stacks, node)[0],
        }
    }

    /// The value of the samples whose stack comes through here.
    #[must_use]
    pub fn cum(&self, node: NodeId) -> i64 {
        match &self.nodes {
            Nodes::Plain(it) => it.cum(node)[0],
            Nodes::Twofold(it) => it.cum(node)[0],
        }
    }

    /// The same of the other value, if the tree has [one](TreeOptions::also).
    #[must_use]
    pub fn also(&self, node: NodeId) -> Option<i64> {
        match &self.nodes {
            Nodes::Plain(_) => None,
            Nodes::Twofold(it) => Some(it.cum(node)[1]),
        }
    }

    /// The node above; `None` for the root.
    #[must_use]
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        (node != NodeId::ROOT).then(|| of_either!(&self.nodes, it => it.parent(node)))
    }

    /// The nodes from the root to `node`, both with it.
    #[must_use]
    pub fn path(&self, node: NodeId) -> Vec<NodeId> {
        let mut path: Vec<NodeId> = std::iter::successors(Some(node), |&it| self.parent(it)).collect();
        path.reverse();
        path
    }

    /// The deepest node that names, of children below children of the root, lead to. Where siblings have one name, as
    /// if one of them is inlined, it is the way that leads deepest, or else the greatest.
    pub fn node_for_path(&mut self, profile: &Profile, names: &[&str]) -> NodeId {
        let mut deepest = vec![NodeId::ROOT];
        for name in names {
            let children: Vec<NodeId> = deepest.iter().flat_map(|&it| self.children(profile, it)).collect();
            let named: Vec<NodeId> = children.into_iter().filter(|&it| self.name(it) == *name).collect();
            if named.is_empty() {
                break;
            }
            deepest = named;
        }
        deepest.first().copied().unwrap_or(NodeId::ROOT)
    }

    /// What siblings are ordered by if not by weight: their names, and plain before inlined.
    pub(in crate::analysis) fn name_order(&self, node: NodeId) -> impl Ord + use<> {
        self.step(node)
    }

    fn step(&self, node: NodeId) -> Option<Step> {
        of_either!(&self.nodes, it => it.step(node))
    }

    fn stacks<'a>(&'a self, profile: &'a Profile) -> Stacks<'a> {
        Stacks::new(profile, &self.steps, !self.is_inverted)
    }
}
