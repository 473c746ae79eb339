//! What the guest may take of the machine: the limits that the user sets, kept as wasmtime keeps them.

use std::sync::Arc;

use wasmtime::{StoreLimits, StoreLimitsBuilder};

use super::GuestOptions;
use crate::heap::limits::{Limits, Watched};
use crate::sample::Watch;

/// Limits of one store, in a file of which wprof has rewritten so many modules.
pub(super) fn limits(options: &GuestOptions, watch: &Watch, n_rewritten: usize) -> Limits<StoreLimits> {
    let mut limits = Limits::new(users(options));
    limits.watch(Watched { growth: Arc::clone(&watch.growth), heap: watch.heap.clone(), n_rewritten });
    limits
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
