//! What a guest tells of its locks and its allocator, and how much of that is to be kept.

use wasmtime::{AsContextMut, Caller, Linker};
use wprof_guest::abi::{MODULE, NEVER};

use super::Host;
use crate::heap::probe::ARM;
use crate::sample::{Leaf, wall_now};
use crate::stack::this_thread;

pub(super) fn add_locks<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "lock_waits", move |lock: i64| {
        own.0.context.own.waiting.set_locking(true);
        own.registry().handle().contention.locks.wait(own.lock(lock), this_thread(), wall_now());
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "lock_taken", move |mut caller: Caller<'_, T>, lock: i64| {
        let contention = &own.registry().handle().contention;
        if let Some(waited) = contention.locks.take(own.lock(lock), this_thread(), wall_now()) {
            contention.waited(waited, Leaf::Guest, caller.as_context_mut());
        }
        own.0.context.own.waiting.set_locking(false);
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "lock_released", move |mut caller: Caller<'_, T>, lock: i64| {
        let contention = &own.registry().handle().contention;
        if let Some(waited) = contention.locks.release(own.lock(lock), wall_now()) {
            contention.released(waited, caller.as_context_mut());
        }
    })?;
    Ok(())
}

pub(super) fn add_rates<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "set_block_profile_rate", move |nanos: i64| {
        own.registry().handle().contention.set_block_rate(nanos);
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "set_mutex_profile_fraction", move |n: i32| {
        own.registry().handle().contention.set_mutex_fraction(n)
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "set_mem_profile_rate", move |caller: Caller<'_, T>, bytes: i64| {
        if let Some(heap) = &own.0.context.own.heap {
            heap.set_rate(caller, u64::try_from(bytes).unwrap_or(0));
        }
    })?;
    Ok(())
}

/// For allocators of the guest's that tell of themselves. Where wprof has hooks of its own, it does not listen to them.
pub(super) fn add_allocator<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let heap = host.0.context.own.heap.clone().filter(|_| host.registry().handle().is_told);
    let own = heap.clone();
    linker.func_wrap(MODULE, "alloc_gap", move |caller: Caller<'_, T>| {
        own.as_ref().map_or(NEVER, |heap| heap.on_alloc(caller, 0, 0, ARM).max(1))
    })?;
    let own = heap.clone();
    linker.func_wrap(MODULE, "alloc_sampled", move |caller: Caller<'_, T>, block: i32, size: i64| {
        own.as_ref().map_or(NEVER, |heap| heap.on_alloc(caller, pointer(block), size.max(0), 0))
    })?;
    linker.func_wrap(MODULE, "free_sampled", move |block: i32| {
        if let Some(heap) = &heap {
            let _was_sampled = heap.on_free(pointer(block));
        }
    })?;
    Ok(())
}

/// Pointers of a 32-bit guest have no sign.
fn pointer(block: i32) -> i64 {
    i64::from(block.cast_unsigned())
}
