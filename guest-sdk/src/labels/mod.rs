//! Labels: what a thread works at, kept with each of its samples.

pub(crate) mod set;

mod context;
mod current;
mod memo;
mod packed;
mod scope;

pub use context::{Context, for_labels, label, with_labels};
pub use scope::{Span, do_, do_in, set_labels, span};
pub use set::LabelSet;

#[cfg(test)]
pub(crate) use packed::unpack;
