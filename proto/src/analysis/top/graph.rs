//! Sums over all samples, by place and by call.

use rustc_hash::FxHashMap;

use super::Inline;
use crate::analysis::frames::{FrameId, Frames};
use crate::profile::{Profile, SampleRef};

/// What to sum.
pub(super) struct GraphOptions<'a> {
    pub(super) sample_index: usize,
    pub(super) mean: bool,
    pub(super) drop_negative: bool,
    /// The frames that count; the others are passed over as if the stacks did not have them, except that what ends in
    /// one is nobody's flat.
    pub(super) kept: Option<&'a [bool]>,
}

/// A place's sums.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    pub(super) flat: i64,
    pub(super) cum: i64,
    /// For averages: what to divide by.
    pub(super) flat_count: i64,
    pub(super) cum_count: i64,
    /// The last sample that counted here, plus one: recursion counts once a sample.
    last_sample: usize,
}

/// A call's sum.
#[derive(Debug, Clone, Copy)]
struct Edge {
    weight: i64,
    is_inline: bool,
    last_sample: usize,
}

#[derive(Debug)]
pub(super) struct Graph {
    /// By frame.
    nodes: Vec<Node>,
    drop_negative: bool,
    /// By caller and callee. Only those into frames that are inlined somewhere, as they answer nothing else.
    edges: FxHashMap<(FrameId, FrameId), Edge>,
    is_ever_inlined: Vec<bool>,
}

impl Graph {
    pub(super) fn new(profile: &Profile, frames: &Frames, options: &GraphOptions<'_>) -> Self {
        let mut graph = Graph {
            nodes: vec![Node::default(); frames.len()],
            drop_negative: options.drop_negative,
            edges: FxHashMap::default(),
            is_ever_inlined: ever_inlined(profile, frames),
        };
        for (idx, sample) in profile.samples().enumerate() {
            let count = if options.mean { sample.values[0] } else { 0 };
            let value = sample.values[options.sample_index];
            if value != 0 || count != 0 {
                graph.add(frames, sample, idx + 1, Weight { value, count }, options.kept);
            }
        }
        graph
    }

    fn add(&mut self, frames: &Frames, sample: SampleRef<'_>, stamp: usize, weight: Weight, kept: Option<&[bool]>) {
        let mut parent: Option<FrameId> = None;
        let mut is_leaf_kept = false;
        for &location in sample.locations.iter().rev() {
            let at = frames.at(location);
            for (depth, &frame) in at.iter().enumerate().rev() {
                is_leaf_kept = kept.is_none_or(|it| it[frame.index()]);
                if !is_leaf_kept {
                    continue;
                }
                self.nodes[frame.index()].add_cum(stamp, weight);
                if let Some(caller) = parent
                    && caller != frame
                    && self.is_ever_inlined[frame.index()]
                {
                    self.add_edge((caller, frame), stamp, weight, depth + 1 < at.len());
                }
                parent = Some(frame);
            }
        }
        if let Some(leaf) = parent.filter(|_| is_leaf_kept) {
            self.nodes[leaf.index()].add_flat(weight);
        }
    }

    fn add_edge(&mut self, call: (FrameId, FrameId), stamp: usize, weight: Weight, is_inline: bool) {
        let edge = self.edges.entry(call).or_insert(Edge { weight: 0, is_inline, last_sample: 0 });
        if edge.last_sample != stamp {
            edge.last_sample = stamp;
            edge.weight = edge.weight.saturating_add(weight.value);
            edge.is_inline &= is_inline;
        }
    }

    /// The places that have a value.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (FrameId, &Node)> {
        let frames = (0..).map(FrameId);
        frames.zip(&self.nodes).filter(|(_, node)| node.is_shown(self.drop_negative))
    }

    pub(super) fn len(&self) -> usize {
        self.nodes().count()
    }

    pub(super) fn total_flat(&self) -> i64 {
        self.nodes().fold(0, |sum, (_, node)| node.flat.saturating_add(sum))
    }

    /// Which frames have a value and satisfy `wanted`.
    pub(super) fn mark(&self, wanted: impl Fn(&Node) -> bool) -> Vec<bool> {
        self.nodes.iter().map(|it| it.is_shown(self.drop_negative) && wanted(it)).collect()
    }

    /// Whether each frame is inlined, by the calls into it of at least `cutoff`.
    pub(super) fn inline(&self, cutoff: i64) -> Vec<Inline> {
        let mut calls = vec![(false, false); self.nodes.len()];
        for (&(_, callee), edge) in &self.edges {
            if cutoff <= edge.weight.saturating_abs() {
                let (inline, plain) = &mut calls[callee.index()];
                *(if edge.is_inline { inline } else { plain }) = true;
            }
        }
        let inline = |(inline, plain)| match (inline, plain) {
            (false, _) => Inline::No,
            (true, true) => Inline::Partial,
            (true, false) => Inline::All,
        };
        calls.into_iter().map(inline).collect()
    }
}

/// One sample's share in every sum.
#[derive(Debug, Clone, Copy)]
struct Weight {
    value: i64,
    count: i64,
}

impl Node {
    fn add_cum(&mut self, stamp: usize, weight: Weight) {
        if self.last_sample != stamp {
            self.last_sample = stamp;
            self.cum = self.cum.saturating_add(weight.value);
            self.cum_count = self.cum_count.saturating_add(weight.count);
        }
    }

    fn add_flat(&mut self, weight: Weight) {
        self.flat = self.flat.saturating_add(weight.value);
        self.flat_count = self.flat_count.saturating_add(weight.count);
    }

    fn is_shown(&self, drop_negative: bool) -> bool {
        let is_negative = self.flat < 0 || (self.flat == 0 && self.cum < 0);
        (self.flat != 0 || self.cum != 0) && !(drop_negative && is_negative)
    }
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
