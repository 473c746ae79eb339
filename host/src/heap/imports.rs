//! Allocators that a module imports: wrapped in the linker, with the meaning that `rewrite::wrapper` has in the guest.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, anyhow};
use wasmtime::{Caller, Extern, Func, Linker, Store, Val};

use super::find::ImportHook;
use super::hook::{Kind, Size};
use super::probe::{ARM, Probe};
use crate::memory;

/// Counts down over all imported functions of a guest.
#[derive(Debug)]
struct Countdown {
    bytes: i64,
    /// Whether a call is under way; what that calls is part of it.
    is_inside: bool,
}

/// Puts wrappers in front of what the linker has for these imports. Those that it does not have are left out.
///
/// # Errors
///
/// When the linker refuses a wrapper.
pub fn wrap<T: 'static>(
    linker: &mut Linker<T>,
    store: &mut Store<T>,
    imports: &[ImportHook],
    probe: &Probe,
) -> anyhow::Result<()> {
    let first_gap = probe.on_alloc(&mut *store, 0, 0, ARM);
    let countdown = Arc::new(Mutex::new(Countdown { bytes: first_gap, is_inside: false }));
    for ImportHook { import: (module, name), kind } in imports {
        let Ok(Extern::Func(real)) = linker.get(&mut *store, module, name) else { continue };
        let (kind, probe, countdown) = (*kind, probe.clone(), Arc::clone(&countdown));
        let ty = real.ty(&*store);
        let wrapper = Func::new(&mut *store, ty, move |mut caller: Caller<'_, T>, args, results| {
            let call = Call { real: &real, kind, probe: &probe, countdown: &countdown };
            call.run(&mut caller, args, results)
        });
        linker.allow_shadowing(true);
        linker
            .define(&*store, module, name, wrapper)
            .map_err(|error| anyhow!(error))
            .with_context(|| format!("wrap the import {module}.{name}"))?;
        linker.allow_shadowing(false);
    }
    Ok(())
}

/// One wrapped import.
struct Call<'a> {
    real: &'a Func,
    kind: Kind,
    probe: &'a Probe,
    countdown: &'a Mutex<Countdown>,
}

impl Call<'_> {
    fn run<T: 'static>(&self, caller: &mut Caller<'_, T>, args: &[Val], results: &mut [Val]) -> wasmtime::Result<()> {
        if let Kind::Free { block, bias } = self.kind {
            self.forget(args, block, bias);
            return self.real.call(caller, args, results);
        }
        if std::mem::replace(&mut self.lock().is_inside, true) {
            return self.real.call(caller, args, results);
        }
        let outcome = self.real.call(&mut *caller, args, results);
        self.lock().is_inside = false;
        outcome?;
        let result = results.first().and_then(integer).unwrap_or(0);
        match self.kind {
            Kind::Alloc { size, bias } if result != 0 => {
                self.count(caller, result + i64::from(bias), bytes(args, size))
            }
            Kind::Realloc { block, size, bias } => {
                let size = bytes(args, size);
                if result != 0 || size == 0 {
                    self.forget(args, block, bias);
                }
                if result != 0 {
                    self.count(caller, result + i64::from(bias), size);
                }
            }
            Kind::AllocInto { out, size } if result == 0 => {
                if let Some(block) = pointer_at(caller, args.get(out as usize)) {
                    self.count(caller, block, bytes(args, size));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn count<T: 'static>(&self, caller: &mut Caller<'_, T>, block: i64, size: i64) {
        if size == 0 {
            return;
        }
        let mut countdown = self.lock();
        countdown.bytes = countdown.bytes.saturating_sub(size);
        if countdown.bytes < 0 {
            countdown.bytes = self.probe.on_alloc(caller, block, size, 0);
        }
    }

    fn forget(&self, args: &[Val], block: u32, bias: i32) {
        if let Some(block) = args.get(block as usize).and_then(integer).filter(|&block| block != 0) {
            let _was_sampled = self.probe.on_free(block + i64::from(bias));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Countdown> {
        self.countdown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sizes and pointers have no sign.
fn integer(value: &Val) -> Option<i64> {
    match value {
        Val::I32(value) => Some(i64::from(value.cast_unsigned())),
        Val::I64(value) => Some(*value),
        _ => None,
    }
}

fn bytes(args: &[Val], size: Size) -> i64 {
    let arg = |param: u32| args.get(param as usize).and_then(integer).unwrap_or(0);
    match size {
        Size::Param(param) => arg(param),
        Size::Product(count, each) => arg(count).saturating_mul(arg(each)),
        Size::Less(param, own) => arg(param).saturating_sub(i64::from(own)),
    }
}

/// The pointer that stands where an argument points, in the guest's exported memory.
fn pointer_at<T: 'static>(caller: &mut Caller<'_, T>, address: Option<&Val>) -> Option<i64> {
    let at = u32::try_from(integer(address?)?).ok()?;
    memory::with(caller, |memory| match address? {
        Val::I64(_) => memory::read(&memory, at, 8)?.try_into().ok().map(i64::from_le_bytes),
        _ => memory::read(&memory, at, 4)?.try_into().ok().map(u32::from_le_bytes).map(i64::from),
    })?
}
