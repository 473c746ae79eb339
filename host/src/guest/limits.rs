//! What the guest may take of the machine: the limits that the user sets, kept as wasmtime keeps them, and loosened by
//! just what wprof has added to the guest.

use std::sync::Arc;

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

use super::GuestOptions;
use crate::heap::grow::Growth;
use crate::heap::probe::Probe;
use crate::heap::rewrite::HOOK_SLOTS;
use crate::sample::Watch;

/// Bytes of the memory of ours that each rewritten module has.
const OWN_BYTES: usize = 2 << 16;

/// Slots of the table that each rewritten module has for its hooks.
const HOOKS: usize = HOOK_SLOTS as usize;

/// Limits of one store, which tell of the growth that they allow.
#[derive(Debug)]
pub(super) struct Limits {
    users: StoreLimits,
    growth: Arc<Growth>,
    /// Whom a component's bell is for.
    heap: Option<Probe>,
    /// Rewritten modules, each with a memory and a table of wprof's.
    n_rewritten: usize,
    /// How many of those memories and tables have not been made yet.
    memories_due: usize,
    tables_due: usize,
}

impl Limits {
    pub(super) fn new(options: &GuestOptions, watch: &Watch, n_rewritten: usize) -> Self {
        let (users, growth, heap) = (users(options), Arc::clone(&watch.growth), watch.heap.clone());
        Self { users, growth, heap, n_rewritten, memories_due: n_rewritten, tables_due: n_rewritten }
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if self.memories_due > 0 && (current, desired, maximum) == (0, OWN_BYTES, Some(OWN_BYTES)) {
            self.memories_due -= 1;
            return Ok(true);
        }
        let is_allowed = self.users.memory_growing(current, desired, maximum)?;
        if is_allowed {
            self.growth.allow((desired - current) as u64);
        }
        Ok(is_allowed)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.growth.fail();
        self.users.memory_grow_failed(error)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if let Some(answer) = self.heap.as_ref().and_then(|heap| heap.on_ring(current, desired, maximum)) {
            return Ok(answer);
        }
        if self.tables_due > 0 && (current, desired, maximum) == (0, HOOKS, Some(HOOKS)) {
            self.tables_due -= 1;
            return Ok(true);
        }
        self.users.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.users.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        // The sampler has one to itself.
        self.users.instances().saturating_add(1)
    }

    fn tables(&self) -> usize {
        self.users.tables().saturating_add(self.n_rewritten)
    }

    fn memories(&self) -> usize {
        self.users.memories().saturating_add(self.n_rewritten)
    }
}

fn users(options: &GuestOptions) -> StoreLimits {
    let wasm = &options.common.wasm;
    let mut limits = StoreLimitsBuilder::new();
    if let Some(max) = wasm.max_memory_size {
        limits = limits.memory_size(max);
    }
    if let Some(max) = wasm.max_table_elements {
        limits = limits.table_elements(max);
    }
    if let Some(max) = wasm.max_instances {
        limits = limits.instances(max);
    }
    if let Some(max) = wasm.max_tables {
        limits = limits.tables(max);
    }
    if let Some(max) = wasm.max_memories {
        limits = limits.memories(max);
    }
    if let Some(trap) = wasm.trap_on_grow_failure {
        limits = limits.trap_on_grow_failure(trap);
    }
    limits.build()
}
