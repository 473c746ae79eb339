//! Flame graphs: which tree, which part of it, and the rectangles that answer.

use serde::{Deserialize, Serialize};

use super::{FileId, FlameBox, Look};

/// A window of a flame graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FlameAsk {
    pub(crate) tree: Tree,
    pub(crate) query: String,
    /// The function to outline.
    pub(crate) function: Option<String>,
    pub(crate) zoom: Zoom,
    /// Siblings by name, not by weight.
    pub(crate) by_name: bool,
    /// Width of the canvas in CSS pixels: boxes below half a pixel are left out.
    pub(crate) width: u32,
    /// The first row wanted, and how many.
    pub(crate) first_row: u32,
    pub(crate) n_rows: u32,
}

impl FlameAsk {
    /// Whether boxes that answer one may be shown, at least for a moment, to whoever asks the other.
    pub(crate) fn same_graph(&self, other: &FlameAsk) -> bool {
        (&self.tree, self.by_name) == (&other.tree, other.by_name)
    }
}

/// Which call tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Tree {
    /// All stacks, from the root.
    #[default]
    Callees,
    /// All stacks, from the leaf.
    Callers,
    /// What called a function, from it upwards; recursion folded.
    CallersOf(String),
    /// What a function called; recursion folded.
    CalleesOf(String),
    /// This profile and another together, from the root.
    Diff { base: FileId, normalize: bool },
}

/// What is drawn at full width.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Zoom {
    #[default]
    Root,
    /// A node that the worker told of.
    Node(u32),
    /// As links have it: for each node on the way its position among its siblings by weight, equal ones in a row as
    /// `0x17`.
    Path(String),
}

/// The boxes of a flame graph that fall into a window, and what is said around them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flame {
    #[serde(skip)]
    pub(crate) boxes: Vec<FlameBox>,
    /// Names of the boxes wide enough to show one.
    pub(crate) names: Vec<String>,
    /// Rows of the whole graph at this zoom, as far as known.
    pub(crate) n_rows: u32,
    /// Only the first rows are here; the rest follows.
    pub(crate) is_partial: bool,
    /// The zoomed node, its row, and how a link tells it.
    pub(crate) zoom: u32,
    pub(crate) zoom_row: u32,
    pub(crate) zoom_path: String,
    /// From the root to the zoomed node, of a long way only both ends.
    pub(crate) trail: Vec<Crumb>,
    /// How many nodes are left out behind the first.
    pub(crate) n_elided: usize,
    /// The number of the function to outline.
    pub(crate) function: Option<u32>,
    /// What the search matched of the total, such as `17.77%`.
    pub(crate) matched: Option<String>,
    /// The packages with the most weight, for a legend.
    pub(crate) legend: Vec<Key>,
}

/// The module of what runs outside the guest. pprof calls such by names in brackets, and this is wprof's.
pub(crate) const HOST: &str = "[host]";

/// A colour and what it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) package: String,
    pub(crate) look: Look,
    /// Of the total, in frames of this package themselves.
    pub(crate) share: String,
}

/// A node that can be zoomed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crumb {
    pub(crate) node: u32,
    pub(crate) name: String,
}

/// Everything about one box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CardAsk {
    pub(crate) tree: Tree,
    pub(crate) node: u32,
    /// With who is around it, for the keyboard and for actions on whole stacks.
    pub(crate) in_full: bool,
}

/// The hover card of a box.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) name: String,
    /// `file:line` or the mapping, empty where neither is known.
    pub(crate) place: String,
    /// The module, if `place` does not say it.
    pub(crate) module: String,
    pub(crate) flat: String,
    pub(crate) flat_pct: String,
    pub(crate) cum: String,
    pub(crate) cum_pct: String,
    /// Share of the box above, which is the caller.
    pub(crate) of_parent: String,
    /// All boxes of this function together: flat and cum, each with its share of the total.
    pub(crate) everywhere: Option<((String, String), (String, String))>,
    /// In a diff: before, after, and the change, of cum.
    pub(crate) change: Option<(String, String, String)>,
    pub(crate) inlined: bool,
    pub(crate) host: bool,
    pub(crate) look: Look,
    pub(crate) package: String,
    /// The nodes above, the siblings and the children, in the order of a tree that is read out.
    pub(crate) kin: Vec<Kin>,
}

/// A node as it is read out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kin {
    pub(crate) node: u32,
    pub(crate) name: String,
    /// Of the total.
    pub(crate) share: String,
    /// The root's is 1.
    pub(crate) level: u32,
    /// Among its siblings by weight, the first's is 1.
    pub(crate) position: u32,
    pub(crate) n_siblings: u32,
    /// Of the node itself and those above.
    pub(crate) n_children: Option<u32>,
    pub(crate) is_leaf: bool,
}
