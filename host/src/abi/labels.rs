//! Labels of the calling thread.

use std::sync::{Arc, OnceLock};

use wasmtime::{Caller, Extern, Linker};
use wprof_guest::abi::{Code, MAX_LABELS, MODULE};

use super::Host;
use super::memory::{read, write};
use crate::labels::{LabelsId, pack};
use crate::memory::MEMORY;

/// Bytes of the place in a guest's memory where its labels stand.
const CELL: i32 = 4;

pub(super) fn add_labels<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "labels_with", move |mut caller: Caller<'_, T>, labels: i32, list: i32, len: i32| {
        let with = labels_of(labels).and_then(|labels| {
            let list = read(&mut caller, list, len, MAX_LABELS)?;
            own.registry().handle().labels.with(labels, &list)
        });
        own.answer(with.map(token), "")
    })?;
    // A guest may do this a million times a second, so nothing here locks.
    let own = host.clone();
    let cell = Arc::new(OnceLock::<i32>::new());
    let (current, sets) = (Arc::clone(host.labels()), Arc::clone(&host.registry().handle().labels));
    let told = Arc::clone(&cell);
    linker.func_wrap(MODULE, "labels_use", move |mut caller: Caller<'_, T>, labels: i32| {
        let Some(labels) = labels_of(labels).ok().filter(|&it| sets.has(it)) else {
            return own.answer(Err(Code::UnknownHandle), "");
        };
        let Some(&cell) = told.get() else { return token(current.replace(labels)) };
        let before = current.get();
        own.answer(write(&mut caller, cell, CELL, &labels.raw().to_le_bytes()).map(|()| token(before)), "")
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "labels_cell", move |mut caller: Caller<'_, T>, at: i32| {
        let labels = own.labels().get();
        let set = write(&mut caller, at, CELL, &labels.raw().to_le_bytes());
        let set = set.and_then(|()| own.follow_labels(&mut caller, at)).map(|()| token(labels));
        // There is one cell for a thread.
        let set = set.and_then(|labels| cell.set(at).map(|()| labels).map_err(|_set| Code::Unavailable));
        own.answer(set, "")
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "labels_current", move || token(own.labels().get()))?;
    let own = host.clone();
    linker.func_wrap(MODULE, "labels_read", move |mut caller: Caller<'_, T>, labels: i32, buf: i32, cap: i32| {
        let sets = &own.registry().handle().labels;
        match labels_of(labels).and_then(|labels| sets.pairs(labels).ok_or(Code::UnknownHandle)) {
            Ok(pairs) => own.give(&mut caller, buf, cap, &pack(&pairs)),
            Err(code) => own.answer(Err(code), ""),
        }
    })?;
    Ok(())
}

impl Host {
    /// Has samples look up the labels in the guest's memory, wherever that moves.
    fn follow_labels<T: 'static>(&self, caller: &mut Caller<'_, T>, at: i32) -> Result<(), Code> {
        let offset = at.cast_unsigned() as usize;
        let can = match caller.get_export(MEMORY) {
            Some(Extern::Memory(memory)) => self.0.context.own.growth.follow(&*caller, memory, offset, self.labels()),
            // One that threads share stays where it is: they use it while it grows.
            Some(Extern::SharedMemory(memory)) => self.labels().follow(memory.data().as_ptr().addr() + offset),
            _ => return Err(Code::Fault),
        };
        can.then_some(()).ok_or(Code::Unavailable)
    }
}

fn labels_of(token: i32) -> Result<LabelsId, Code> {
    u32::try_from(token).map(LabelsId::from_raw).map_err(|_negative| Code::UnknownHandle)
}

fn token(labels: LabelsId) -> i32 {
    // Sets are numbered so that it fits.
    i32::try_from(labels.raw()).unwrap_or(0)
}
