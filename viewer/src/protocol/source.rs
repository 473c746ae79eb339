//! The lines of a function with their weights, its source where there is one, and its instructions where there is a module.

use serde::{Deserialize, Serialize};

/// Which function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceAsk {
    pub(crate) function: String,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// Whether any sample has the function.
    pub(crate) is_found: bool,
    /// By path.
    pub(crate) files: Vec<SourceFile>,
    /// The function's instructions, if its module is open; or those of functions that it was inlined into.
    pub(crate) code: Vec<Code>,
}

/// The part of a function in one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SourceFile {
    /// As the profile has it.
    pub(crate) path: String,
    pub(crate) flat: String,
    pub(crate) cum: String,
    /// Of the total.
    pub(crate) cum_pct: String,
    /// Where its text comes from; `None` if there is none: then only lines with weight are listed.
    pub(crate) text_of: Option<String>,
    pub(crate) lines: Vec<SourceLine>,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SourceLine {
    /// 0 if it is not known.
    pub(crate) number: i64,
    /// Empty for nothing.
    pub(crate) flat: String,
    pub(crate) cum: String,
    /// Of the function's cum, 0 to 1.
    pub(crate) heat: f32,
    pub(crate) text: String,
    /// The line's places in the binary, in their order.
    pub(crate) offsets: Vec<Offset>,
}

/// An address with weight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Offset {
    pub(crate) address: String,
    pub(crate) flat: String,
    pub(crate) cum: String,
}

/// A function's instructions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Code {
    /// The module's file.
    pub(crate) module: String,
    pub(crate) function: String,
    pub(crate) lines: Vec<CodeLine>,
}

/// One instruction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CodeLine {
    pub(crate) address: String,
    pub(crate) flat: String,
    pub(crate) cum: String,
    pub(crate) heat: f32,
    /// How far it is indented.
    pub(crate) depth: u32,
    pub(crate) text: String,
    /// `file:line` where it differs from the instruction before.
    pub(crate) place: String,
}
