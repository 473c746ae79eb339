//! Stacks one after the other in one column.

use std::collections::HashMap;

use crate::codec::error::{Error, ErrorKind};
use crate::profile::LocationId;

/// Stacks, leaf first, of whatever stands for a frame.
#[derive(Debug)]
pub(super) struct Stacks<T> {
    frames: Vec<T>,
    /// Where each stack ends; it begins where the one before ends.
    ends: Vec<usize>,
}

impl<T: Copy> Stacks<T> {
    pub(super) fn new() -> Self {
        Stacks { frames: Vec::new(), ends: Vec::new() }
    }

    pub(super) fn push(&mut self, stack: impl IntoIterator<Item = T>) {
        self.frames.extend(stack);
        self.ends.push(self.frames.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[T]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.frames.get(start..end).unwrap_or_default())
    }

    /// Takes the leaf's caller out of the stacks where `is_unwanted(leaf, caller)`.
    pub(super) fn remove_callers(&mut self, is_unwanted: impl Fn(T, T) -> bool) {
        let mut kept =
            Stacks { frames: Vec::with_capacity(self.frames.len()), ends: Vec::with_capacity(self.ends.len()) };
        for stack in self.iter() {
            match *stack {
                [leaf, caller, ref callers @ ..] if is_unwanted(leaf, caller) => {
                    kept.frames.push(leaf);
                    kept.push(callers.iter().copied());
                }
                _ => kept.push(stack.iter().copied()),
            }
        }
        *self = kept;
    }
}

impl Stacks<u64> {
    /// The stacks with a row number for each address, and the rows: each address once, as it first came.
    pub(super) fn number(&self) -> Result<(Stacks<LocationId>, Vec<u64>), Error> {
        // With a keyed hash, as the addresses may be chosen to collide.
        let mut ids = HashMap::new();
        let mut rows = Vec::new();
        let mut frames = Vec::with_capacity(self.frames.len());
        for &address in &self.frames {
            let next = row_number(rows.len(), "location")?;
            frames.push(*ids.entry(address).or_insert_with(|| {
                rows.push(address);
                LocationId(next)
            }));
        }
        Ok((Stacks { frames, ends: self.ends.clone() }, rows))
    }
}

/// The number of the row that a table of `len` rows gets next.
pub(super) fn row_number(len: usize, table: &'static str) -> Result<u32, Error> {
    u32::try_from(len).ok().filter(|it| *it < u32::MAX).ok_or_else(|| ErrorKind::TooMany { table }.at_no_offset())
}
