//! The call graph as reports show it: trimmed, ordered, in one unit, with what was left out counted.

use super::frames::Frames;
use super::graph::{Calls, EdgeIdx, Graph, GraphOptions, NodeIdx, Order, TrimOptions, Trimmed, trimmed};
use super::top::TopOptions;
use crate::profile::Profile;
use crate::units::{self, Scale};

/// What the graph is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Purpose {
    /// A table of places; of calls only those that tell where places were inlined.
    Places,
    /// A table of places with their callers and callees.
    #[default]
    Table,
    /// A drawing; labels are kept, and what a drawing can do without goes.
    Drawing {
        /// A place reached by two ways is two nodes.
        call_tree: bool,
    },
    /// A file for other tools, in whole units.
    Export {
        /// A place reached by two ways is two nodes.
        call_tree: bool,
    },
}

/// The graph, and what to say of it.
#[derive(Debug, Clone)]
pub struct CallGraph {
    /// What the values are: `cpu`, `inuse_space`, `mean_delay`.
    pub kind: String,
    /// What percentages are of.
    pub total: i64,
    /// The sum of the shown places' flat.
    pub shown: i64,
    /// How many places were left out for their small cum.
    pub n_dropped: usize,
    /// The cum that they are at or below.
    pub dropped_cum: i64,
    /// How many calls were left out for their small weight.
    pub n_dropped_edges: usize,
    /// The weight that they are at or below.
    pub dropped_weight: i64,
    /// How many places there are that were not dropped; more than are shown if a number was asked for.
    pub n_places: usize,
    /// How to print the values.
    pub scale: Scale,
    /// What the nodes are occurrences of.
    pub frames: Frames,
    /// The places and calls.
    pub graph: Graph,
}

impl CallGraph {
    /// The calls into a place, in pprof's order.
    #[must_use]
    pub fn callers(&self, node: NodeIdx) -> Vec<EdgeIdx> {
        self.sorted(self.graph.callers(node))
    }

    /// The calls out of a place, in pprof's order.
    #[must_use]
    pub fn callees(&self, node: NodeIdx) -> Vec<EdgeIdx> {
        self.sorted(self.graph.callees(node))
    }

    /// Calls in pprof's order: the heaviest first, ties by the names of caller and callee.
    pub fn sorted(&self, edges: impl Iterator<Item = EdgeIdx>) -> Vec<EdgeIdx> {
        let mut edges: Vec<EdgeIdx> = edges.collect();
        self.graph.sort_edges(&self.frames, &mut edges);
        edges
    }

    /// A place as reports name it.
    #[must_use]
    pub fn name(&self, node: NodeIdx) -> String {
        self.frames.get(self.graph.node(node).frame).label()
    }
}

/// The call graph of `profile`.
///
/// # Panics
///
/// If `options.sample_index` is not below the number of sample types.
#[must_use]
pub fn call_graph(profile: &Profile, options: &TopOptions, purpose: Purpose) -> CallGraph {
    let sample_type = profile.sample_types()[options.sample_index];
    let total = options.total.unwrap_or_else(|| super::total(profile, options.sample_index, options.mean));
    let frames = Frames::new(profile, &options.frames);
    let trim = TrimOptions {
        node_count: options.node_count,
        node_fraction: options.node_fraction,
        edge_fraction: options.edge_fraction,
    };
    let Trimmed { graph, n_places, n_dropped, n_dropped_edges } =
        trimmed(profile, &frames, &graph_options(options, purpose), &trim, order(options, purpose));
    let prefix = if options.mean { "mean_" } else { "" };
    let share = |fraction| units::truncate(units::to_f64(total) * fraction).saturating_abs();
    let unit = profile.string(sample_type.unit);
    CallGraph {
        kind: format!("{prefix}{}", profile.string(sample_type.kind)),
        total,
        shown: graph.total_flat_value(),
        n_dropped,
        dropped_cum: share(options.node_fraction),
        n_dropped_edges,
        dropped_weight: share(options.edge_fraction),
        n_places,
        scale: Scale {
            to: output_unit(&graph, total, unit, options, purpose),
            from: unit.to_owned(),
            divide_by: options.divide_by,
        },
        frames,
        graph,
    }
}

fn graph_options(options: &TopOptions, purpose: Purpose) -> GraphOptions {
    let &TopOptions { sample_index, mean, drop_negative, .. } = options;
    let (call_tree, wants_tags) = match purpose {
        Purpose::Places | Purpose::Table => (false, false),
        Purpose::Drawing { call_tree } => (call_tree, true),
        Purpose::Export { call_tree } => (call_tree, false),
    };
    GraphOptions {
        sample_index,
        mean,
        drop_negative,
        call_tree,
        calls: if purpose == Purpose::Places { Calls::IntoInlined } else { Calls::All },
        tags: wants_tags.then(|| options.unit.clone()),
    }
}

fn order(options: &TopOptions, purpose: Purpose) -> Order {
    match purpose {
        Purpose::Drawing { .. } => Order::Drawing,
        _ if options.sort_by_cum => Order::Cum,
        _ => Order::Flat,
    }
}

/// One unit for all that is shown.
fn output_unit(graph: &Graph, total: i64, from: &str, options: &TopOptions, purpose: Purpose) -> String {
    if options.unit != "minimum" || graph.shown().is_empty() {
        return options.unit.clone();
    }
    let weights = graph.shown().iter().map(|&it| {
        let sums = graph.node(it).sums;
        if sums.flat_value() == 0 { sums.cum_value() } else { sums.flat_value() }.saturating_abs()
    });
    let smallest = weights.filter(|it| *it != 0).min().unwrap_or(total);
    let [smallest, total] = [smallest, total].map(|it| units::divide(it, options.divide_by));
    match purpose {
        // Such a file has no room for hundredths.
        Purpose::Export { .. } => units::own_unit(smallest, from),
        _ => units::report_unit(smallest, total, from),
    }
}
