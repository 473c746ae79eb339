//! Whether the signal sampler works here: a tiny guest with a known stack is sampled, in its own code and in a host call, and
//! ended.
//!
//! It takes about a millisecond. Whatever is not as expected, from wasmtime's structures to the system's signals, is a
//! reason to use the epoch sampler instead.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use wasmtime::{AsContextMut, Caller, Engine, Func, Instance, Module, Store, WasmBacktrace};

use super::handle::Forgetting;
use super::target::SHOW;
use super::{Handle, SignalSampler};
use crate::guest::Code;
use crate::sample::{Leaf, Subject};
use crate::stack::{Context, Functions, Layout, own_stack};

/// `run` works for so many rounds, three calls deep, and then calls the host; `trap` is where a guest that shall end is sent.
const GUEST: &str = r#"(module
    (import "" "host" (func $host))
    (func $work (param i32)
        (loop $round (br_if $round (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (call $host))
    (func $middle (param i32) (call $work (local.get 0)))
    (func (export "run") (param i32) (call $middle (local.get 0)))
    (func (export "trap") unreachable))"#;

/// The index of `trap`.
const TRAP: u32 = 4;

/// What an instruction that wasmtime takes for a trap looks like: `ud2`, and `udf #0xc11f`.
const TRAP_CODE: &[u8] = if cfg!(target_arch = "aarch64") { &[0x1f, 0xc1, 0, 0] } else { &[0x0f, 0x0b] };

/// Samples a second while the test runs.
const HZ: u32 = 20_000;

/// Rounds of the guest at first, some tens of microseconds, and at most, some tens of milliseconds.
const ROUNDS: Range<i32> = 1 << 16..1 << 26;

/// How long the answer to a request may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// The tiny guest, compiled. Each store that is sampled has an instance of it, as that leads to the store's own structures.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    module: Module,
    trap: usize,
}

impl Probe {
    /// The last one that was compiled does for all stores of its engine: threads and requests have one each.
    pub(super) fn new(engine: &Engine) -> anyhow::Result<Self> {
        static LAST: Mutex<Option<Probe>> = Mutex::new(None);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref().filter(|probe| Engine::same(probe.module.engine(), engine)) {
            Some(probe) => Ok(probe.clone()),
            None => Ok(last.insert(Self::compile(engine)?).clone()),
        }
    }

    fn compile(engine: &Engine) -> anyhow::Result<Self> {
        let module =
            Module::new(engine, GUEST).map_err(anyhow::Error::from).context("failed to compile the test guest")?;
        let trap = trap_in(&module).unwrap_or(0);
        Ok(Self { module, trap })
    }

    /// A function of an instance in this store, which is not to be called.
    pub(super) fn instantiate<T: 'static>(&self, mut store: impl AsContextMut<Data = T>) -> anyhow::Result<Func> {
        let host = Func::wrap(&mut store, || {});
        let instance = Instance::new(&mut store, &self.module, &[host.into()])?;
        instance.get_func(&mut store, "run").context("the test guest has lost its export")
    }

    /// The address of an instruction that traps; 0 if there is none.
    pub(super) fn trap(&self) -> usize {
        self.trap
    }

    pub(super) fn into_module(self) -> Module {
        self.module
    }
}

fn trap_in(module: &Module) -> Option<usize> {
    let code = Functions::of_module(module).code_of(0, TRAP)?;
    let text = module.text();
    let at = text.get(code.clone())?.windows(TRAP_CODE.len()).position(|it| it == TRAP_CODE)?;
    Some(text.as_ptr().addr() + code.start + at)
}

/// Gives the test fuel where the engine burns it. The guest's own is its own.
fn refuel<T>(store: &mut Store<T>) {
    // It fails where there is no fuel, and then none is needed.
    let _ = store.set_fuel(u64::MAX);
}

/// Whether wasmtime's structures are as `layout` says: they are looked at in a host call, through the kernel.
fn check_layout(engine: &Engine, probe: &Probe, layout: Layout) -> anyhow::Result<()> {
    let text = probe.module.text().as_ptr_range();
    let text = text.start.addr()..text.end.addr();
    let Some(stack) = own_stack() else { bail!("the system does not tell where the thread's stack is") };
    let mut store = Store::new(engine, (None::<Context>, false));
    refuel(&mut store);
    let host = Func::wrap(&mut store, move |mut caller: Caller<'_, (Option<Context>, bool)>| {
        let (context, is_as_expected) = caller.data_mut();
        *is_as_expected = context.is_some_and(|context| context.is_as_expected(&text, &stack));
    });
    let instance = Instance::new(&mut store, &probe.module, &[host.into()])?;
    let guest = instance.get_typed_func::<i32, ()>(&mut store, "run")?;
    let func = instance.get_func(&mut store, "run").context("the test guest has lost its export")?;
    store.data_mut().0 = Context::find(&mut store, func, layout);
    guest.call(&mut store, 1)?;
    ensure!(store.data().1, "wasmtime's structures are not where they are expected");
    Ok(())
}

/// The same for the wasmtime that this crate is built with, once a process.
pub(super) fn check_our_layout(engine: &Engine, probe: &Probe) -> anyhow::Result<()> {
    static IS_CHECKED: AtomicBool = AtomicBool::new(false);
    if !IS_CHECKED.load(Ordering::Relaxed) {
        check_layout(engine, probe, Layout::ours())?;
        IS_CHECKED.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// What the host function of the test sees.
#[derive(Default)]
struct Seen {
    handle: Option<Handle>,
    /// The functions on the stack, as wasmtime captures them and as the sampler walks them.
    captured: Vec<u32>,
    walked: Option<(Vec<u32>, Leaf)>,
}

/// Runs the test on the calling thread, which is to be the guest's. `engine` must be as the guest's.
///
/// # Errors
///
/// Says what is not as expected.
pub(in crate::sample) fn run(engine: &Engine) -> anyhow::Result<()> {
    run_with(engine, Layout::ours())
}

fn run_with(engine: &Engine, layout: Layout) -> anyhow::Result<()> {
    let probe = Probe::new(engine)?;
    check_layout(engine, &probe, layout)?;
    let subject = Arc::new(Subject::new(Code::Module(probe.module.clone())));
    let mut store = Store::new(engine, Seen::default());
    refuel(&mut store);
    let host = Func::wrap(&mut store, on_call);
    let instance = Instance::new(&mut store, &probe.module, &[host.into()])?;
    let guest = instance.get_typed_func::<i32, ()>(&mut store, "run")?;
    let func = instance.get_func(&mut store, "run").context("the test guest has lost its export")?;
    let Some(context) = Context::find(&mut store, func, layout) else {
        bail!("wasmtime's structures are not where they are expected");
    };
    let can_trap = probe.trap != 0;
    let sampler = SignalSampler::attach_at(context, probe, &subject, None, HZ)?;
    let handle = sampler.handle();
    let _forgetting = Forgetting(handle.clone());
    store.data_mut().handle = Some(handle.clone());

    let mut rounds = ROUNDS.start;
    loop {
        handle.enter();
        let outcome = guest.call(&mut store, rounds);
        handle.leave();
        outcome.map_err(anyhow::Error::from).context("the test guest failed")?;
        let Seen { captured, walked, .. } = store.data();
        let Some((walked, leaf)) = walked else { bail!("no signal arrives in a host call") };
        ensure!(walked == captured && *leaf == Leaf::HostCall, "the stack in a host call was not as expected");
        if sees(&handle, captured)? {
            break;
        }
        rounds = rounds.saturating_mul(2);
        ensure!(rounds < ROUNDS.end, "no signal arrives in the guest's code");
    }
    // Without an instruction to send it to, a guest is ended by ending the process.
    if can_trap {
        handle.end_guest();
        handle.enter();
        let outcome = guest.call(&mut store, ROUNDS.end);
        handle.leave();
        ensure!(outcome.is_err() && handle.has_ended_guest(), "a guest could not be ended");
    }
    Ok(())
}

/// Whether the guest was seen at work. Every stack that was sampled must be the whole stack or its outer part.
fn sees(handle: &Handle, captured: &[u32]) -> anyhow::Result<bool> {
    let mut has_seen = false;
    let collected = handle.0.drain();
    ensure!(collected.n_bad() == 0, "a stack did not end where the guest was entered");
    for (functions, leaf) in collected.function_stacks() {
        ensure!(captured.ends_with(&functions), "the stack in the guest's code was not as expected");
        has_seen |= leaf == Leaf::Guest && functions == captured;
    }
    Ok(has_seen)
}

fn on_call(mut caller: Caller<'_, Seen>) {
    let backtrace = WasmBacktrace::force_capture(&caller);
    let captured = backtrace.frames().iter().map(wasmtime::FrameInfo::func_index).collect();
    let Seen { handle, .. } = caller.data();
    let walked = handle.as_ref().and_then(|handle| handle.functions_now(PATIENCE));
    let seen = caller.data_mut();
    (seen.captured, seen.walked) = (captured, walked);
}

impl Handle {
    /// The functions on the guest's stack, seen on the guest's own thread, which is in a host call.
    pub(super) fn functions_now(&self, patience: Duration) -> Option<(Vec<u32>, Leaf)> {
        let due = Instant::now() + patience;
        self.0.request(SHOW);
        loop {
            let shown = self.0.drain().take_shown_functions();
            if shown.is_some() || Instant::now() > due {
                self.0.calm_down(SHOW);
                return shown;
            }
            std::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests;
