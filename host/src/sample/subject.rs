//! What is sampled: a guest's code, and what the samplers of all its stores find out about it.

use std::sync::{Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashSet;

use super::epoch::Ticker;
use crate::guest::Code;
use crate::stack::{CodeOffsets, Functions};

/// A guest's code. Each thing that takes a pass over it is found out once, as passes may take longer than short guests run.
#[derive(Debug)]
pub struct Subject {
    code: Code,
    functions: OnceLock<Functions>,
    known: Mutex<Known>,
    ticker: Ticker,
}

/// Where code leads in the file, as far as anybody has asked.
#[derive(Debug, Default)]
struct Known {
    asked: FxHashSet<u32>,
    offsets: CodeOffsets,
}

impl Subject {
    /// This code.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, functions: OnceLock::new(), known: Mutex::default(), ticker: Ticker::default() }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// What ticks for the epoch samplers of all its stores.
    pub(super) fn ticker(&self) -> &Ticker {
        &self.ticker
    }

    /// Its functions.
    pub(super) fn functions(&self) -> &Functions {
        self.functions.get_or_init(|| self.code.functions())
    }

    /// Does something with the offsets of these places in the machine code, and maybe of others.
    pub(super) fn with_offsets<R>(&self, places: impl Iterator<Item = u32>, act: impl FnOnce(&CodeOffsets) -> R) -> R {
        // What a panic has left out is not known, and then a frame is left out.
        let Known { asked, offsets } = &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<u32> = places.filter(|&place| asked.insert(place)).collect();
        if !new.is_empty() {
            offsets.extend(CodeOffsets::resolve(self.code.address_map(), self.functions(), new));
        }
        act(offsets)
    }
}
