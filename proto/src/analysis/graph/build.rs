//! Samples to nodes and edges.

use rustc_hash::FxHashMap;

use super::tags::{SampleTags, TagNames};
use super::walk::Walk;
use super::{Calls, Edge, EdgeIdx, Graph, GraphOptions, Node, NodeIdx, Sums, Weight};
use crate::analysis::frames::{FrameId, Frames};
use crate::profile::{Profile, SampleRef};

impl Graph {
    /// The graph of `profile`. `kept` are the frames that count; the others are passed over as if the stacks did not
    /// have them, except that what ends in one is nobody's flat. `order` is [`alike`](super::alike)'s.
    pub(super) fn new(
        profile: &Profile,
        frames: &Frames,
        options: &GraphOptions,
        kept: Option<&[bool]>,
        order: Option<&[u32]>,
    ) -> Self {
        Builder::new(profile, frames, options, kept).graph_of(profile, options, order)
    }

    fn show(&mut self, drop_negative: bool) {
        let nodes = (0..).map(NodeIdx).zip(&self.nodes);
        self.shown = nodes.filter(|it| it.1.sums.is_shown(drop_negative)).map(|it| it.0).collect();
    }
}

pub(super) struct Builder<'a> {
    pub(super) frames: &'a Frames,
    pub(super) kept: Option<&'a [bool]>,
    /// By frame: whether calls into it are of interest.
    pub(super) wants_calls: Vec<bool>,
    /// Their cum is in `tallies` until the end.
    graph: Graph,
    /// By node.
    pub(super) tallies: Vec<Tally>,
    pub(super) walk: Walk,
    /// By node, the call out of it that was counted last.
    last_calls: Vec<Option<EdgeIdx>>,
    /// Whether there is more to sum than values.
    pub(super) is_rich: bool,
    edge_ids: FxHashMap<(NodeIdx, NodeIdx), EdgeIdx>,
    /// In a forest: the node of each frame below each node, or among the roots.
    children: FxHashMap<(Option<NodeIdx>, FrameId), NodeIdx>,
    /// Of the sample that is being added.
    stamp: usize,
    pub(super) weight: Weight,
    tags: SampleTags,
}

/// What every frame of every sample asks for, and no more, so that it stays at hand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) cum: i64,
    /// The last sample that counted here, plus one: recursion counts once a sample. 0 and 1 while samples are walked together.
    pub(super) seen: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(profile: &Profile, frames: &'a Frames, options: &GraphOptions, kept: Option<&'a [bool]>) -> Self {
        // Without a tree every frame is a node, whether it is used or not, so that a frame's id is its node's.
        let nodes = if options.call_tree { Vec::new() } else { frames.ids().map(Node::new).collect() };
        let tag_names = TagNames::new(profile, options.tags.as_deref());
        let mut always_inlined = Vec::new();
        let wants_calls = match options.calls {
            Calls::All => vec![true; frames.len()],
            Calls::IntoInlined => ever_inlined(profile, frames),
            Calls::IntoPartlyInlined => {
                always_inlined = inlined_into_others_only(profile, frames);
                let partly = |(ever, always): (bool, &bool)| ever && !always;
                ever_inlined(profile, frames).into_iter().zip(&always_inlined).map(partly).collect()
            }
            Calls::Nothing => vec![false; frames.len()],
        };
        let is_tree = options.call_tree;
        Builder {
            frames,
            kept,
            wants_calls,
            tallies: vec![Tally::default(); nodes.len()],
            walk: Walk::default(),
            last_calls: vec![None; nodes.len()],
            is_rich: options.is_rich(),
            graph: Graph { nodes, edges: Vec::new(), shown: Vec::new(), tag_names, is_tree, always_inlined },
            edge_ids: FxHashMap::default(),
            children: FxHashMap::default(),
            stamp: 0,
            weight: Weight { value: 0, count: 0 },
            tags: SampleTags::default(),
        }
    }

    pub(super) fn graph_of(mut self, profile: &Profile, options: &GraphOptions, order: Option<&[u32]>) -> Graph {
        for idx in 0..profile.n_samples() {
            let sample = profile.sample(order.map_or(idx, |it| it[idx] as usize));
            let Some(weight) = Weight::of(sample, options.sample_index, options.mean) else { continue };
            self.stamp = idx + 1;
            self.weight = weight;
            self.tags = self.graph.tag_names.of_sample(profile, sample.labels);
            if options.call_tree {
                self.add_to_tree(sample);
            } else if self.is_rich {
                self.add(sample);
            } else {
                self.add_after_last(sample);
            }
        }
        self.leave(0);
        let mut graph = self.finish();
        graph.show(options.drop_negative);
        graph
    }

    fn finish(self) -> Graph {
        let mut graph = self.graph;
        for (node, tally) in graph.nodes.iter_mut().zip(self.tallies) {
            node.sums.cum = tally.cum;
        }
        graph
    }

    fn add(&mut self, sample: SampleRef<'_>) {
        let mut parent: Option<NodeIdx> = None;
        // A residual edge goes over frames that do not count.
        let mut is_residual = false;
        for &location in sample.locations.iter().rev() {
            let at = self.frames.at(location);
            for (depth, &frame) in at.iter().enumerate().rev() {
                if self.kept.is_some_and(|it| !it[frame.index()]) {
                    is_residual = true;
                    continue;
                }
                let node = NodeIdx(frame.0);
                self.add_cum(node);
                if let Some(caller) = parent
                    && caller != node
                    && self.wants_calls[frame.index()]
                {
                    self.add_edge(caller, node, is_residual, depth + 1 < at.len());
                }
                parent = Some(node);
                is_residual = false;
            }
        }
        if let Some(leaf) = parent.filter(|_| !is_residual) {
            self.add_flat(leaf);
        }
    }

    fn add_to_tree(&mut self, sample: SampleRef<'_>) {
        let mut parent: Option<NodeIdx> = None;
        for &location in sample.locations.iter().rev() {
            let at = self.frames.at(location);
            for (depth, &frame) in at.iter().enumerate().rev() {
                let node = self.child(parent, frame);
                self.add_cum(node);
                if let Some(caller) = parent {
                    self.add_edge(caller, node, false, depth + 1 < at.len());
                }
                parent = Some(node);
            }
        }
        if let Some(leaf) = parent {
            self.add_flat(leaf);
        }
    }

    fn child(&mut self, parent: Option<NodeIdx>, frame: FrameId) -> NodeIdx {
        let Builder { graph: Graph { nodes, .. }, tallies, last_calls, .. } = self;
        *self.children.entry((parent, frame)).or_insert_with(|| {
            nodes.push(Node::new(frame));
            tallies.push(Tally::default());
            last_calls.push(None);
            NodeIdx(row(nodes.len() - 1))
        })
    }

    fn add_cum(&mut self, node: NodeIdx) {
        let tally = &mut self.tallies[node.index()];
        if tally.seen == self.stamp {
            return;
        }
        tally.seen = self.stamp;
        tally.cum = tally.cum.saturating_add(self.weight.value);
        if self.is_rich {
            let node = &mut self.graph.nodes[node.index()];
            node.sums.add_cum(self.weight);
            node.tags.add_cum(&self.tags, self.weight);
        }
    }

    pub(super) fn add_flat(&mut self, node: NodeIdx) {
        let node = &mut self.graph.nodes[node.index()];
        node.sums.add_flat(self.weight);
        node.tags.add_flat(&self.tags, self.weight);
    }

    fn add_edge(&mut self, from: NodeIdx, to: NodeIdx, is_residual: bool, is_inline: bool) {
        let idx = self.edge(from, to, is_residual, is_inline);
        let edge = &mut self.graph.edges[idx.0 as usize];
        if edge.seen != self.stamp {
            edge.seen = self.stamp;
            edge.weight = edge.weight.saturating_add(self.weight.value);
            edge.count = edge.count.saturating_add(self.weight.count);
            edge.meet(is_residual, is_inline);
        }
    }

    /// A call that stays on the stack, unless it is there already.
    pub(super) fn begin_call(
        &mut self,
        from: NodeIdx,
        to: NodeIdx,
        is_residual: bool,
        is_inline: bool,
    ) -> Option<EdgeIdx> {
        let idx = self.edge(from, to, is_residual, is_inline);
        let edge = &mut self.graph.edges[idx.0 as usize];
        if edge.seen != 0 {
            return None;
        }
        edge.seen = 1;
        edge.meet(is_residual, is_inline);
        Some(idx)
    }

    pub(super) fn end_call(&mut self, idx: EdgeIdx, weight: i64) {
        let edge = &mut self.graph.edges[idx.0 as usize];
        edge.seen = 0;
        edge.weight = edge.weight.saturating_add(weight);
    }

    fn edge(&mut self, from: NodeIdx, to: NodeIdx, is_residual: bool, is_inline: bool) -> EdgeIdx {
        let Graph { nodes, edges, .. } = &mut self.graph;
        // Stacks come in runs that share calls, so the last callee of a caller is mostly the next.
        let last = self.last_calls[from.index()].filter(|it| edges[it.0 as usize].to == to);
        let idx = last.unwrap_or_else(|| {
            *self.edge_ids.entry((from, to)).or_insert_with(|| {
                let idx = EdgeIdx(row(edges.len()));
                let (is_cut, seen) = (false, 0);
                edges.push(Edge { from, to, weight: 0, count: 0, is_residual, is_inline, is_cut, seen });
                nodes[from.index()].callees.push(idx);
                nodes[to.index()].callers.push(idx);
                idx
            })
        });
        self.last_calls[from.index()] = Some(idx);
        idx
    }
}

impl Node {
    fn new(frame: FrameId) -> Self {
        Node {
            frame,
            sums: Sums::default(),
            callers: Vec::new(),
            callees: Vec::new(),
            tags: super::tags::NodeTags::default(),
        }
    }
}

/// # Panics
///
/// From 2³² nodes or edges on, which would take hundreds of gigabytes.
fn row(idx: usize) -> u32 {
    #[expect(clippy::expect_used, reason = "documented above")]
    u32::try_from(idx).expect("fewer than 2^32 nodes and edges")
}

fn ever_inlined(profile: &Profile, frames: &Frames) -> Vec<bool> {
    let mut inlined = vec![false; frames.len()];
    for location in profile.location_ids() {
        if let [inner @ .., _] = frames.at(location) {
            inner.iter().for_each(|it| inlined[it.index()] = true);
        }
    }
    inlined
}

/// Which frames no location has for its outermost, and none directly in itself, where there would be no call.
fn inlined_into_others_only(profile: &Profile, frames: &Frames) -> Vec<bool> {
    let mut always = ever_inlined(profile, frames);
    for location in profile.location_ids() {
        let at = frames.at(location);
        at.windows(2).filter(|it| it[0] == it[1]).for_each(|it| always[it[0].index()] = false);
        at.last().iter().for_each(|it| always[it.index()] = false);
    }
    always
}
