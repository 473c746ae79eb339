//! Joins a rewritten core module's instance to its probe.

use std::sync::Arc;

use anyhow::anyhow;
use wasmtime::{AsContextMut, Caller, Func, Instance, Module, Ref, Store};

use super::probe::Probe;
use super::rewrite::Armed;
use crate::contention::waiting::Waiting;
use crate::stack::Walker;

/// Fills the instance's hooks and starts its countdown. From here on allocations are seen, and where threads wait for each other.
///
/// # Errors
///
/// When the instance is not one of a rewritten module.
pub fn arm<T: 'static>(
    store: &mut Store<T>,
    module: &Module,
    instance: &Instance,
    armed: &Armed,
    probe: &Probe,
    waiting: &Arc<Waiting>,
) -> anyhow::Result<()> {
    let lost = || anyhow!("the rewritten module does not export its hooks");
    let table = instance.get_table(&mut *store, &armed.table).ok_or_else(lost)?;
    let countdown = instance.get_global(&mut *store, &armed.countdown).ok_or_else(lost)?;
    let own = probe.clone();
    let on_alloc = Func::wrap(&mut *store, move |caller: Caller<'_, T>, block: i64, size: i64, hook: i32| {
        own.on_alloc(caller, block, size, hook)
    });
    let own = probe.clone();
    let on_free = if armed.memory.is_some() {
        // What is freed waits in the queue with others.
        Func::wrap(&mut *store, move |caller: Caller<'_, T>, _block: i64, _hook: i32| {
            own.free_queued(caller);
            0
        })
    } else {
        Func::wrap(&mut *store, move |block: i64, _hook: i32| i32::from(own.on_free(block)))
    };
    let waiting = Arc::clone(waiting);
    let on_atomic = Func::wrap(&mut *store, move |caller: Caller<'_, T>, address: i64, what: i32| {
        waiting.on_atomic(address, what, caller);
        0
    });
    table.set(&mut *store, 0, Ref::Func(Some(on_alloc)))?;
    table.set(&mut *store, 1, Ref::Func(Some(on_free)))?;
    table.set(&mut *store, 2, Ref::Func(Some(on_atomic)))?;
    if let Some(walker) = guest_function(store, instance).and_then(|func| Walker::new(&mut *store, module, func)) {
        probe.walk_with(walker, module);
    }
    if let Some(memory) = &armed.memory {
        probe.free_from(instance.get_memory(&mut *store, memory).ok_or_else(lost)?);
    }
    probe.count_in(store, countdown)?;
    Ok(())
}

/// Any function that the instance exports.
pub(crate) fn guest_function<T: 'static>(store: &mut Store<T>, instance: &Instance) -> Option<Func> {
    let mut functions = instance.exports(store.as_context_mut()).filter_map(wasmtime::Export::into_func);
    functions.next()
}
