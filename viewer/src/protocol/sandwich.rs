//! A function between its callers and its callees: pprof's `peek`.

use serde::{Deserialize, Serialize};

use super::Look;

/// Which function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SandwichAsk {
    pub(crate) function: String,
}

/// The answer; flame graphs of both sides are asked for apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sandwich {
    /// Whether any sample has it.
    pub(crate) is_found: bool,
    /// Where it is, as cards say.
    pub(crate) place: String,
    pub(crate) look: Look,
    pub(crate) flat: String,
    pub(crate) flat_pct: String,
    pub(crate) cum: String,
    pub(crate) cum_pct: String,
    /// The heaviest first, as pprof orders them.
    pub(crate) callers: Vec<Neighbour>,
    pub(crate) callees: Vec<Neighbour>,
}

/// A caller or a callee.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Neighbour {
    pub(crate) name: String,
    pub(crate) look: Look,
    /// Of the calls between the two.
    pub(crate) weight: String,
    /// Of the function's cum.
    pub(crate) share: String,
    /// `(inline)` or nothing.
    pub(crate) marker: String,
}
