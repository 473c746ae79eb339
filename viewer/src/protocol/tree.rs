//! The call tree as an expandable table: a window of the rows that are open.

use serde::{Deserialize, Serialize};

use super::{Look, Tree};

/// A window of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TreeAsk {
    pub(crate) tree: Tree,
    /// Nodes whose children are shown. The root's always are.
    pub(crate) open: Vec<u32>,
    /// The node whose row and path are wanted.
    pub(crate) chosen: Option<u32>,
    /// What to open besides.
    pub(crate) reveal: Option<Reveal>,
    pub(crate) query: String,
    /// The first row wanted, and how many.
    pub(crate) first: usize,
    pub(crate) len: usize,
}

/// Nodes to open that the page does not know yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reveal {
    /// Down from the root along the heaviest children, as far as each has half of its parent or more. Chooses nothing.
    Start,
    /// The same from a node, and chooses the last one.
    Hottest(u32),
    /// Chooses the node that a link tells, as [`Zoom::Path`](super::Zoom::Path) has it.
    Path(String),
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TreeRows {
    pub(crate) first: usize,
    pub(crate) rows: Vec<TreeRow>,
    pub(crate) n_rows: usize,
    pub(crate) total: String,
    /// What was opened besides.
    pub(crate) opened: Vec<u32>,
    /// The chosen node, if its row is open.
    pub(crate) chosen: Option<ChosenNode>,
}

/// Where a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChosenNode {
    pub(crate) node: u32,
    pub(crate) row: usize,
    /// For links.
    pub(crate) path: String,
    pub(crate) name: String,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TreeRow {
    pub(crate) node: u32,
    /// None of the root.
    pub(crate) parent: Option<u32>,
    /// The root's is 0.
    pub(crate) depth: u32,
    pub(crate) has_children: bool,
    pub(crate) is_open: bool,
    pub(crate) name: String,
    pub(crate) look: Look,
    pub(crate) flat: String,
    pub(crate) flat_pct: String,
    pub(crate) cum: String,
    pub(crate) cum_pct: String,
    pub(crate) of_parent: String,
    pub(crate) inlined: bool,
}
