//! The call graph: places with their weights, the calls between them, and what labels their samples had.
//!
//! It is what `top`, `tree` and the drawn graph are made of. Weights are summed from the samples each time some places
//! are left out, since what is left then has other callers.

mod alike;
mod build;
mod order;
mod tags;
mod trim;
mod walk;

pub use order::Order;
pub use tags::{Tag, TextTag};
pub use trim::{TrimOptions, Trimmed, trimmed};

pub(super) use tags::BASE_KEY;

use super::frames::{FrameId, Frames};
use crate::profile::SampleRef;

/// What to sum.
#[derive(Debug, Clone, Default)]
pub struct GraphOptions {
    /// Which of a sample's values; see [`sample_index`](super::sample_index).
    pub sample_index: usize,
    /// Divide by the first value, a count.
    pub mean: bool,
    /// Leave out places whose flat, or else cum, is negative.
    pub drop_negative: bool,
    /// A place reached by two ways is two nodes; the graph is then a forest.
    pub call_tree: bool,
    /// Which calls to keep.
    pub calls: Calls,
    /// Keep what each label and each size contributes to a place. The unit that sizes are shown in, as
    /// [`units::scale`](crate::units::scale) takes it.
    pub tags: Option<String>,
}

impl GraphOptions {
    /// Whether samples have more to sum than values.
    fn is_rich(&self) -> bool {
        self.mean || self.tags.is_some()
    }
}

/// Which calls a graph knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Calls {
    /// Every one.
    #[default]
    All,
    /// Those of places that are inlined somewhere: enough to tell where they are, and much less to keep.
    IntoInlined,
    /// The same where no call will be left out: a place that is always inlined into others is so without a call that says
    /// so.
    IntoPartlyInlined,
    /// None, to see which places there are.
    Nothing,
}

/// A place in the graph; only with the [`Graph`] that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIdx(u32);

/// A call in the graph; only with the [`Graph`] that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeIdx(u32);

impl NodeIdx {
    /// The position among all nodes ever made; not all of them are shown.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Sums over samples. Counts are 0 unless averages were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Of samples that end here.
    pub flat: i64,
    /// Of samples that come through here, each once.
    pub cum: i64,
    /// What to divide `flat` by.
    pub flat_count: i64,
    /// What to divide `cum` by.
    pub cum_count: i64,
}

impl Sums {
    /// `flat`, or the average.
    #[must_use]
    pub fn flat_value(&self) -> i64 {
        super::per(self.flat, self.flat_count)
    }

    /// `cum`, or the average.
    #[must_use]
    pub fn cum_value(&self) -> i64 {
        super::per(self.cum, self.cum_count)
    }

    /// Adds another place's.
    pub fn add(&mut self, other: &Sums) {
        self.add_flat(Weight { value: other.flat, count: other.flat_count });
        self.add_cum(Weight { value: other.cum, count: other.cum_count });
    }

    /// Whether there is anything to show; with `drop_negative`, anything that is not less than nothing.
    pub(super) fn is_shown(&self, drop_negative: bool) -> bool {
        let is_negative = self.flat < 0 || (self.flat == 0 && self.cum < 0);
        (self.flat != 0 || self.cum != 0) && !(drop_negative && is_negative)
    }

    pub(super) fn add_flat(&mut self, weight: Weight) {
        self.flat = self.flat.saturating_add(weight.value);
        self.flat_count = self.flat_count.saturating_add(weight.count);
    }

    pub(super) fn add_cum(&mut self, weight: Weight) {
        self.cum = self.cum.saturating_add(weight.value);
        self.cum_count = self.cum_count.saturating_add(weight.count);
    }
}

/// One sample's share in every sum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    value: i64,
    count: i64,
}

impl Weight {
    /// `None` for a sample that changes no sum. With `mean`, counts are the first values.
    pub(super) fn of(sample: SampleRef<'_>, sample_index: usize, mean: bool) -> Option<Self> {
        let weight = Weight { value: sample.values[sample_index], count: if mean { sample.values[0] } else { 0 } };
        (weight.value != 0 || weight.count != 0).then_some(weight)
    }
}

/// A place.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where.
    pub frame: FrameId,
    /// What was measured there.
    pub sums: Sums,
    callers: Vec<EdgeIdx>,
    callees: Vec<EdgeIdx>,
    tags: tags::NodeTags,
}

/// Calls from one place to another.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The caller.
    pub from: NodeIdx,
    /// The callee.
    pub to: NodeIdx,
    /// Of the samples that have this call, each once.
    pub weight: i64,
    count: i64,
    /// Whether there were places between that were left out.
    pub is_residual: bool,
    /// Whether the callee was inlined here, each time.
    pub is_inline: bool,
    is_cut: bool,
    /// The last sample that counted here, plus one; 0 and 1 while samples are walked together.
    seen: usize,
}

impl Edge {
    /// The weight, or the average.
    #[must_use]
    pub fn value(&self) -> i64 {
        super::per(self.weight, self.count)
    }

    /// Learns how the call was met once more.
    fn meet(&mut self, is_residual: bool, is_inline: bool) {
        self.is_residual |= is_residual;
        self.is_inline &= is_inline;
    }
}

/// Places and calls.
#[derive(Debug, Clone)]
pub struct Graph {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// Those that have a value, in order.
    shown: Vec<NodeIdx>,
    tag_names: tags::TagNames,
    is_tree: bool,
    /// By frame, for [`Calls::IntoPartlyInlined`]; else empty.
    always_inlined: Vec<bool>,
}

impl Graph {
    /// Whether a place reached by two ways is two nodes.
    #[must_use]
    pub fn is_tree(&self) -> bool {
        self.is_tree
    }

    /// The places to show, in order.
    #[must_use]
    pub fn shown(&self) -> &[NodeIdx] {
        &self.shown
    }

    /// A place.
    #[must_use]
    pub fn node(&self, idx: NodeIdx) -> &Node {
        &self.nodes[idx.index()]
    }

    /// A call.
    #[must_use]
    pub fn edge(&self, idx: EdgeIdx) -> &Edge {
        &self.edges[idx.0 as usize]
    }

    /// The calls into a place, in no order.
    pub fn callers(&self, node: NodeIdx) -> impl Iterator<Item = EdgeIdx> {
        self.nodes[node.index()].callers.iter().copied().filter(|it| !self.edge(*it).is_cut)
    }

    /// The calls out of a place, in no order.
    pub fn callees(&self, node: NodeIdx) -> impl Iterator<Item = EdgeIdx> {
        self.nodes[node.index()].callees.iter().copied().filter(|it| !self.edge(*it).is_cut)
    }

    /// The sum of what the places to show hold themselves; with averages, of the averages.
    #[must_use]
    pub fn total_flat_value(&self) -> i64 {
        self.shown.iter().fold(0, |sum, &it| self.node(it).sums.flat_value().saturating_add(sum))
    }

    /// Calls in pprof's order: the heaviest first, ties by the names of caller and callee.
    pub(super) fn sort_edges(&self, frames: &Frames, edges: &mut [EdgeIdx]) {
        order::sort_edges(self, frames, edges);
    }

    /// Whether a place was inlined into its callers.
    #[must_use]
    pub fn inline(&self, node: NodeIdx) -> Inline {
        if self.always_inlined.get(self.node(node).frame.index()) == Some(&true) {
            return Inline::All;
        }
        let (mut any_inline, mut any_plain) = (false, false);
        for edge in self.callers(node) {
            if self.edge(edge).is_inline {
                any_inline = true;
            } else {
                any_plain = true;
            }
        }
        match (any_inline, any_plain) {
            (false, _) => Inline::No,
            (true, true) => Inline::Partial,
            (true, false) => Inline::All,
        }
    }

    fn edge_mut(&mut self, idx: EdgeIdx) -> &mut Edge {
        &mut self.edges[idx.0 as usize]
    }
}

/// Whether a place was inlined into its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inline {
    /// Into none.
    No,
    /// Into some.
    Partial,
    /// Into all.
    All,
}

impl Inline {
    /// As reports write it behind the name; empty for `No`.
    #[must_use]
    pub fn marker(self) -> &'static str {
        match self {
            Inline::No => "",
            Inline::Partial => "(partial-inline)",
            Inline::All => "(inline)",
        }
    }
}
