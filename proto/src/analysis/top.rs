//! The table of places by weight: pprof's `top`.

use super::calls::{CallGraph, Purpose, call_graph};
use super::frames::{FrameOptions, Frames};
use super::graph::{Graph, NodeIdx};
use crate::profile::Profile;
use crate::units::Scale;

pub use super::graph::Inline;

/// What to show. The default is what pprof shows by default.
#[derive(Debug, Clone, PartialEq)]
pub struct TopOptions {
    /// Which of a sample's values; see [`sample_index`](super::sample_index).
    pub sample_index: usize,
    /// What counts as one place.
    pub frames: FrameOptions,
    /// What percentages are of, where that is more than this profile: the [`total`](super::total) of the one that it is
    /// a part of.
    pub total: Option<i64>,
    /// Show averages: values divided by the first value, a count.
    pub mean: bool,
    /// Order by cum instead of flat.
    pub sort_by_cum: bool,
    /// Show every value divided by this; not 0.
    pub divide_by: f64,
    /// The unit to show values in; `minimum` is one unit for all, fine enough for the least; `auto` lets each choose.
    pub unit: String,
    /// Show this many rows; 0 is all.
    pub node_count: usize,
    /// Leave out places whose cum is below this share of the total.
    pub node_fraction: f64,
    /// Calls below this share of the total do not count when telling whether a place was inlined everywhere.
    pub edge_fraction: f64,
    /// Leave out places with negative values, as differences have.
    pub drop_negative: bool,
}

impl Default for TopOptions {
    fn default() -> Self {
        TopOptions {
            sample_index: 0,
            frames: FrameOptions::default(),
            total: None,
            mean: false,
            sort_by_cum: false,
            divide_by: 1.0,
            unit: "minimum".to_owned(),
            node_count: 0,
            node_fraction: 0.005,
            edge_fraction: 0.001,
            drop_negative: false,
        }
    }
}

impl TopOptions {
    /// The same, leaving nothing out.
    #[must_use]
    pub fn untrimmed(self) -> Self {
        TopOptions { node_count: 0, node_fraction: 0.0, edge_fraction: 0.0, ..self }
    }
}

/// The table.
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    /// What the values are: `cpu`, `inuse_space`, `mean_delay`.
    pub kind: String,
    /// The rows, in order.
    pub rows: Vec<TopRow>,
    /// What percentages are of: what was asked for, or else the sum of all samples' absolute values.
    pub total: i64,
    /// The sum of the rows' flat.
    pub shown: i64,
    /// How many places were left out for their small cum.
    pub n_dropped: usize,
    /// The cum that they are at or below.
    pub dropped_cum: i64,
    /// How many places the others are; more than there are rows if a number of rows was asked for.
    pub n_places: usize,
    /// How to print the values.
    pub scale: Scale,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopRow {
    /// As reports name it.
    pub name: String,
    /// The value of samples whose leaf this is.
    pub flat: i64,
    /// The value of samples with this anywhere on the stack.
    pub cum: i64,
    /// Whether it was inlined into its callers.
    pub inline: Inline,
}

/// The places of `profile` by weight.
///
/// # Panics
///
/// If `options.sample_index` is not below the number of sample types.
#[must_use]
pub fn top(profile: &Profile, options: &TopOptions) -> Top {
    call_graph(profile, options, Purpose::Places).into()
}

/// The table of the places that the graph shows, in its order.
impl From<CallGraph> for Top {
    fn from(call_graph: CallGraph) -> Self {
        let CallGraph { kind, total, shown, n_dropped, dropped_cum, n_places, scale, frames, graph, .. } = call_graph;
        let rows = graph.shown().iter().map(|&it| row(&graph, &frames, it)).collect();
        Top { kind, rows, total, shown, n_dropped, dropped_cum, n_places, scale }
    }
}

fn row(graph: &Graph, frames: &Frames, node: NodeIdx) -> TopRow {
    let sums = graph.node(node).sums;
    TopRow {
        name: frames.get(graph.node(node).frame).label(),
        flat: sums.flat_value(),
        cum: sums.cum_value(),
        inline: graph.inline(node),
    }
}

#[cfg(test)]
mod tests;
