//! The call graph: places, calls, and what labels their samples had.

use serde::{Deserialize, Serialize};

/// How much of the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GraphAsk {
    /// As pprof's `-nodecount`.
    pub(crate) n_nodes: usize,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<GraphNode>,
    pub(crate) edges: Vec<GraphEdge>,
    /// What pprof's legend says: how much is shown, how much left out.
    pub(crate) legend: Vec<String>,
}

/// A place, or the box of a label below one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct GraphNode {
    /// In full.
    pub(crate) name: String,
    /// Shortened as pprof does, broken where its parts end.
    pub(crate) lines: Vec<String>,
    /// Value and share; empty for nothing.
    pub(crate) flat: String,
    /// Where it is more than flat.
    pub(crate) cum: Option<String>,
    /// Of the greatest flat, 0 to 1.
    pub(crate) flat_share: f64,
    /// Of the total, -1 to 1.
    pub(crate) cum_share: f64,
    pub(crate) is_tag: bool,
}

/// Calls from one place to another, by position among the nodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct GraphEdge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) weight: String,
    /// Of the total, -1 to 1.
    pub(crate) share: f64,
    pub(crate) is_inline: bool,
    /// There were places between that are left out.
    pub(crate) is_residual: bool,
}
