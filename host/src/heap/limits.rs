//! The limiter of a store whose guest is profiled: it asks the embedder's own, tells of the growth that this allows, and
//! loosens it by just what wprof has added to the guest.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::grow::Growth;
use super::probe::Probe;
use super::rewrite::HOOK_SLOTS;

/// Bytes of the memory of ours that each rewritten module has.
const OWN_BYTES: usize = 2 << 16;

/// Slots of the table that each rewritten module has for its hooks.
const HOOKS: usize = HOOK_SLOTS as usize;

/// Whom a limiter tells.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Growth of the guest's memories.
    pub growth: Arc<Growth>,
    /// Whom a component's bell is for.
    pub heap: Option<Probe>,
    /// Rewritten modules in the file, each with a memory and a table of wprof's.
    pub n_rewritten: usize,
}

/// Limits of one store. Until it is watched, they are the embedder's and nothing else.
#[derive(Debug, Default)]
pub struct Limits<L> {
    own: L,
    watched: Option<Watched>,
    /// How many of the memories and tables of ours have not been made yet.
    memories_due: usize,
    tables_due: usize,
}

impl<L> Limits<L> {
    /// The embedder's limits, which nobody watches yet.
    pub fn new(own: L) -> Self {
        Self { own, watched: None, memories_due: 0, tables_due: 0 }
    }

    /// Tells of growth from now on. To be called before [`wasmtime::Store::limiter`], and before the guest is instantiated.
    pub fn watch(&mut self, watched: Watched) {
        (self.memories_due, self.tables_due) = (watched.n_rewritten, watched.n_rewritten);
        self.watched = Some(watched);
    }

    /// The embedder's limits.
    pub fn own(&self) -> &L {
        &self.own
    }

    /// The same, to be changed.
    pub fn own_mut(&mut self) -> &mut L {
        &mut self.own
    }

    fn n_rewritten(&self) -> usize {
        self.watched.as_ref().map_or(0, |it| it.n_rewritten)
    }
}

impl<L: ResourceLimiter> ResourceLimiter for Limits<L> {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if self.memories_due > 0 && (current, desired, maximum) == (0, OWN_BYTES, Some(OWN_BYTES)) {
            self.memories_due -= 1;
            return Ok(true);
        }
        let is_allowed = self.own.memory_growing(current, desired, maximum)?;
        if let Some(watched) = self.watched.as_ref().filter(|_| is_allowed) {
            watched.growth.allow((desired - current) as u64);
        }
        Ok(is_allowed)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if let Some(watched) = &self.watched {
            watched.growth.fail();
        }
        self.own.memory_grow_failed(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let heap = self.watched.as_ref().and_then(|it| it.heap.as_ref());
        if let Some(answer) = heap.and_then(|heap| heap.on_ring(current, desired, maximum)) {
            return Ok(answer);
        }
        if self.tables_due > 0 && (current, desired, maximum) == (0, HOOKS, Some(HOOKS)) {
            self.tables_due -= 1;
            return Ok(true);
        }
        self.own.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.own.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        // The sampler has one to itself.
        self.own.instances().saturating_add(usize::from(self.watched.is_some()))
    }

    fn tables(&self) -> usize {
        self.own.tables().saturating_add(self.n_rewritten())
    }

    fn memories(&self) -> usize {
        self.own.memories().saturating_add(self.n_rewritten())
    }
}
