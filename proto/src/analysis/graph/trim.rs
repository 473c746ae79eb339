//! Which places and calls are worth showing.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use super::alike::alike;
use super::tags::MOST_TAGS;
use super::{Calls, EdgeIdx, Graph, GraphOptions, NodeIdx, Order, order};
use crate::analysis::frames::Frames;
use crate::profile::Profile;
use crate::units;

/// What to leave out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrimOptions {
    /// Keep this many places; 0 is all.
    pub node_count: usize,
    /// Leave out places whose cum is below this share of the total.
    pub node_fraction: f64,
    /// Leave out calls below this share of the total.
    pub edge_fraction: f64,
}

/// pprof's, for tables.
impl Default for TrimOptions {
    fn default() -> Self {
        TrimOptions { node_count: 0, node_fraction: 0.005, edge_fraction: 0.001 }
    }
}

impl TrimOptions {
    /// Leaves nothing out.
    pub const NOTHING: TrimOptions = TrimOptions { node_count: 0, node_fraction: 0.0, edge_fraction: 0.0 };
}

/// A graph without what is not worth showing.
#[derive(Debug, Clone)]
pub struct Trimmed {
    /// What is left, in order.
    pub graph: Graph,
    /// How many places there are that are heavy enough; more than the graph shows if a number was asked for.
    pub n_places: usize,
    /// How many places were left out for their small cum.
    pub n_dropped: usize,
    /// How many calls were left out for their small weight.
    pub n_dropped_edges: usize,
}

/// The graph of `profile`, trimmed and ordered. For [`Order::Drawing`], calls that a drawing can do without are left
/// out as well, and tags count as places.
#[must_use]
pub fn trimmed(
    profile: &Profile,
    frames: &Frames,
    options: &GraphOptions,
    trim: &TrimOptions,
    order: Order,
) -> Trimmed {
    let walks_together = !options.call_tree && !options.is_rich();
    let in_a_row = if walks_together { alike(profile) } else { None };
    let sum =
        |options: &GraphOptions, kept: Option<&[bool]>| Graph::new(profile, frames, options, kept, in_a_row.as_deref());
    let rebuild = |kept: &[NodeIdx], graph: &Graph| {
        let mut is_kept = vec![false; frames.len()];
        kept.iter().for_each(|&it| is_kept[graph.node(it).frame.index()] = true);
        sum(options, Some(&is_kept))
    };
    // Calls and tags are not needed to see which places are heavy, and most places are not.
    let is_twice = 0.0 < trim.node_fraction && !options.call_tree;
    let first = if is_twice {
        GraphOptions { calls: Calls::Nothing, tags: None, ..options.clone() }
    } else {
        whole(options, trim)
    };
    let mut graph = sum(&first, None);
    let total_flat = graph.shown.iter().fold(0_i64, |sum, &it| graph.node(it).sums.flat.saturating_add(sum));
    let cutoff = |share| units::truncate(units::to_f64(total_flat) * share).saturating_abs();
    let (node_cutoff, edge_cutoff) = (cutoff(trim.node_fraction), cutoff(trim.edge_fraction));

    let n_all = graph.shown.len();
    if 0 < node_cutoff {
        let is_heavy = |&it: &NodeIdx| node_cutoff <= graph.node(it).sums.cum.saturating_abs();
        let kept: Vec<NodeIdx> = graph.shown.iter().copied().filter(is_heavy).collect();
        if kept.len() != n_all {
            graph = if options.call_tree { graph.keep_in_tree(&kept) } else { rebuild(&kept, &graph) };
        } else if is_twice {
            graph = sum(options, None);
        }
    } else if is_twice {
        graph = sum(options, None);
    }
    let n_dropped = n_all.saturating_sub(graph.shown.len());
    let n_places = graph.shown.len();

    order::sort(&mut graph, frames, order);
    if trim.node_count != 0 {
        // Rare tags and calls would have a say in which places are chosen.
        graph.trim_tags(node_cutoff);
        graph.trim_edges(edge_cutoff);
        let kept = graph.first(trim.node_count, order).to_vec();
        if kept.len() != graph.shown.len() {
            graph = if options.call_tree { graph.keep_in_tree(&kept) } else { rebuild(&kept, &graph) };
            order::sort(&mut graph, frames, order);
        }
    }
    graph.trim_tags(node_cutoff);
    let n_dropped_edges = graph.trim_edges(edge_cutoff);
    if order == Order::Drawing {
        graph.cut_redundant_edges(frames);
    }
    Trimmed { graph, n_places, n_dropped, n_dropped_edges }
}

/// What nothing is left out of can do with fewer calls.
fn whole(options: &GraphOptions, trim: &TrimOptions) -> GraphOptions {
    let is_whole = *trim == TrimOptions::NOTHING && options.calls == Calls::IntoInlined && !options.call_tree;
    GraphOptions { calls: if is_whole { Calls::IntoPartlyInlined } else { options.calls }, ..options.clone() }
}

impl Graph {
    fn trim_tags(&mut self, cutoff: i64) {
        for &node in &self.shown {
            self.nodes[node.index()].tags.trim(cutoff);
        }
    }

    /// Leaves calls out; says how many.
    fn trim_edges(&mut self, cutoff: i64) -> usize {
        let mut n_cut = 0;
        for &node in &self.shown {
            for &edge in &self.nodes[node.index()].callers {
                let edge = &mut self.edges[edge.0 as usize];
                if !edge.is_cut && edge.weight.saturating_abs() < cutoff {
                    edge.is_cut = true;
                    n_cut += 1;
                }
            }
        }
        n_cut
    }

    /// The first places, of which a drawing has room for fewer if they have tags.
    fn first(&self, n: usize, order: Order) -> &[NodeIdx] {
        let mut n_nodes = n.min(self.shown.len());
        if order == Order::Drawing {
            let mut count = 0;
            for (idx, &node) in self.shown.iter().enumerate() {
                count += 1 + self.node(node).tags.n_flat().min(MOST_TAGS);
                if n <= count {
                    n_nodes = n_nodes.min(idx + 1);
                    break;
                }
            }
        }
        &self.shown[..n_nodes]
    }

    /// A forest with only these nodes. Calls over others that go are residual.
    fn keep_in_tree(mut self, kept: &[NodeIdx]) -> Self {
        let is_kept: FxHashSet<NodeIdx> = kept.iter().copied().collect();
        for node in std::mem::take(&mut self.shown) {
            if is_kept.contains(&node) {
                self.shown.push(node);
                continue;
            }
            let into = self.callers(node).next();
            let out_of: Vec<EdgeIdx> = self.callees(node).collect();
            let Some(into) = into else {
                out_of.iter().for_each(|&it| self.edge_mut(it).is_cut = true);
                continue;
            };
            let Edges { parent, is_inline } = self.cut_from_parent(into);
            for edge in out_of {
                let moved = self.edge_mut(edge);
                moved.from = parent;
                moved.is_residual = true;
                moved.is_inline &= is_inline;
                self.nodes[parent.index()].callees.push(edge);
            }
            self.nodes[node.index()].callees.clear();
        }
        self
    }

    fn cut_from_parent(&mut self, edge: EdgeIdx) -> Edges {
        let edge = self.edge_mut(edge);
        edge.is_cut = true;
        Edges { parent: edge.from, is_inline: edge.is_inline }
    }

    /// Leaves out residual calls whose callee is reached another way; the lightest first.
    fn cut_redundant_edges(&mut self, frames: &Frames) {
        for node in self.shown.clone().into_iter().rev() {
            let mut callers: Vec<EdgeIdx> = self.callers(node).collect();
            self.sort_edges(frames, &mut callers);
            for &edge in callers.iter().rev() {
                // One that is lighter than a call that is seen as it is would mislead.
                if !self.edge(edge).is_residual {
                    break;
                }
                if self.is_redundant(edge) {
                    self.edge_mut(edge).is_cut = true;
                }
            }
        }
    }

    /// Whether the callee is reached from the caller without this call.
    fn is_redundant(&self, edge: EdgeIdx) -> bool {
        let (from, to) = (self.edge(edge).from, self.edge(edge).to);
        let mut seen: FxHashSet<NodeIdx> = FxHashSet::from_iter([to]);
        let mut queue = VecDeque::from([to]);
        while let Some(node) = queue.pop_front() {
            for into in self.callers(node).filter(|&it| it != edge) {
                let caller = self.edge(into).from;
                if caller == from && seen.contains(&caller) {
                    continue;
                }
                if caller == from {
                    return true;
                }
                if seen.insert(caller) {
                    queue.push_back(caller);
                }
            }
        }
        false
    }
}

struct Edges {
    parent: NodeIdx,
    is_inline: bool,
}
