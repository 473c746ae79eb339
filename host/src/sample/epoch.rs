//! The epoch sampler: portable, safe code only.
//!
//! A ticker thread raises the engine's epoch once a period. Guest code compiled with epoch interruption notices
//! at its next check (function entries and loop heads) and calls into wasmtime; wasmtime's call hook brings us
//! there, as it does for every host call and every builtin. If a tick has passed since the last look, the stack is
//! captured and weighted by the CPU time it stands for.
//!
//! # Accuracy
//!
//! Because checks exist only at function entries and loop heads, straight-line code is seen at the next check
//! after it: a leaf without a loop is charged to its caller's loop. Time in a host call is charged to that call:
//! what has passed when it returns belongs to it, what had passed when it began belongs to its caller.
//! Weights come from the guest thread's CPU clock, so waiting counts as nothing and a late check loses nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasmtime::{AsContext, CallHook, Engine, Store, StoreContextMut, UpdateDeadline, WasmBacktrace};

use super::{CpuClock, Leaf, Nanos, RawSamples, thread_cpu_elsewhere};
use crate::heap::grow::Growth;
use crate::heap::probe::Probe;
use crate::stack::MAX_FRAMES;

/// Why a guest was stopped from outside; travels as the error of its run.
#[derive(Debug, thiserror::Error)]
#[error("ended by wprof")]
pub struct Ended;

/// What the guest's thread, the ticker and the supervisor share.
#[derive(Debug)]
struct Shared {
    /// Periods of wall time that have passed; raised by the ticker only.
    ticks: AtomicU64,
    /// The value of `ticks` that the guest's thread has dealt with.
    seen: AtomicU64,
    stop_ticker: AtomicBool,
    end_guest: AtomicBool,
    watch: Watch,
    state: Mutex<State>,
}

/// Who else must know of crossings of the guest's border; a store has one call hook.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Growth of the guest's memories.
    pub growth: Arc<Growth>,
    /// The heap profile, where there is one.
    pub heap: Option<Probe>,
}

impl Watch {
    fn set_depth(&self, depth: u32) {
        self.growth.set_in_guest(depth > 0);
        if let Some(heap) = &self.heap {
            heap.set_depth(depth);
        }
    }
}

#[derive(Debug)]
struct State {
    clock: CpuClock,
    samples: RawSamples,
    /// Nesting of host → guest entries.
    depth: u32,
    /// Kept between captures, so that a sample allocates nothing of ours.
    scratch: Vec<u32>,
    /// The guest's thread, and when it first entered the guest; `None` until it has.
    entered: Option<(u32, Instant)>,
}

/// A sampler attached to one store. Dropping it stops the ticker.
#[derive(Debug)]
pub struct EpochSampler {
    shared: Arc<Shared>,
    engine: Engine,
    ticker: Option<JoinHandle<()>>,
}

/// What an [`EpochSampler`] measured.
#[derive(Debug)]
pub struct Measured {
    /// The samples, aggregated by stack.
    pub samples: RawSamples,
    /// CPU time the guest's thread spent in the guest and its host calls, from the first instruction on.
    pub guest_cpu: Nanos,
    /// When the guest was first entered; `None` if it never was.
    pub first_entry: Option<Instant>,
}

impl EpochSampler {
    /// Attaches to a store whose engine has epoch interruption on. With `hz` 0 nothing is sampled, but the
    /// guest's CPU time is still measured and [`Handle::end_guest`] still works.
    ///
    /// # Errors
    ///
    /// When the ticker thread cannot be started.
    pub fn attach<T: 'static>(store: &mut Store<T>, hz: u32, watch: Watch) -> std::io::Result<Self> {
        let period = if hz == 0 { Nanos::MAX } else { period(hz) };
        let shared = Arc::new(Shared {
            ticks: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            stop_ticker: AtomicBool::new(false),
            end_guest: AtomicBool::new(false),
            watch,
            state: Mutex::new(State {
                clock: CpuClock::new(period),
                samples: RawSamples::default(),
                depth: 0,
                scratch: Vec::with_capacity(256),
                entered: None,
            }),
        });

        let hook = Arc::clone(&shared);
        store.call_hook(move |store, event| {
            hook.on_crossing(store, event);
            Ok(())
        });
        let check = Arc::clone(&shared);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_: StoreContextMut<'_, T>| {
            // The sample was taken by the call hook on the way in here.
            if check.end_guest.load(Ordering::Relaxed) {
                return Err(Ended.into());
            }
            Ok(UpdateDeadline::Continue(1))
        });

        let engine = store.engine().clone();
        let ticker = if hz == 0 { None } else { Some(start_ticker(&shared, &engine, hz)?) };
        Ok(Self { shared, engine, ticker })
    }

    /// A handle for other threads: to end the guest, or to take the samples without its help.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { shared: Arc::clone(&self.shared), engine: self.engine.clone() }
    }

    /// Stops the ticker and hands out what was measured. The guest must have returned.
    #[must_use]
    pub fn finish(mut self) -> Measured {
        self.stop_ticker();
        self.handle().take()
    }

    fn stop_ticker(&mut self) {
        self.shared.stop_ticker.store(true, Ordering::Relaxed);
        if let Some(ticker) = self.ticker.take() {
            ticker.thread().unpark();
            // It only sleeps and adds, so it cannot have panicked; if it did, the samples are still good.
            drop(ticker.join());
        }
    }
}

impl Drop for EpochSampler {
    fn drop(&mut self) {
        self.stop_ticker();
    }
}

/// Reaches a sampler from another thread than the guest's.
#[derive(Debug, Clone)]
pub struct Handle {
    shared: Arc<Shared>,
    engine: Engine,
}

impl Handle {
    /// Makes the guest trap with [`Ended`] at its next epoch check. A guest that sits in a host call gets there
    /// only when that returns.
    pub fn end_guest(&self) {
        self.shared.end_guest.store(true, Ordering::Relaxed);
        self.engine.increment_epoch();
    }

    /// Takes the samples out, also while the guest still sits in a host call: the CPU time it used there has no
    /// stack, as none can be captured from outside, and is counted as lost.
    #[must_use]
    pub fn take(&self) -> Measured {
        let mut state = self.shared.lock();
        let first_entry = state.entered.map(|(_, at)| at);
        let now = state.clock_from_outside();
        let guest_cpu = state.clock.guest_cpu(now);
        let unseen = state.clock.take_ticks(now);
        state.samples.record_tail(unseen);
        Measured { samples: std::mem::take(&mut state.samples), guest_cpu, first_entry }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves at worst one sample unrecorded.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called on every crossing of the guest's border, so the common case is two relaxed loads.
    fn on_crossing<T: 'static>(&self, mut store: StoreContextMut<'_, T>, event: CallHook) {
        match event {
            CallHook::CallingHost => {
                if let Some(heap) = &self.watch.heap {
                    // The guest may be left in that call for good, and then nobody could.
                    heap.free_queued(&mut store);
                }
                self.sample_if_due(&store, Leaf::Guest);
            }
            CallHook::ReturningFromHost => {
                self.watch.growth.on_return(&store);
                if let Some(heap) = &self.watch.heap {
                    heap.on_return(&mut store);
                }
                self.sample_if_due(&store, Leaf::HostCall);
            }
            CallHook::CallingWasm => self.enter(&store),
            CallHook::ReturningFromWasm => self.leave(),
        }
    }

    fn sample_if_due<T>(&self, store: &StoreContextMut<'_, T>, leaf: Leaf) {
        let ticks = self.ticks.load(Ordering::Relaxed);
        if ticks == self.seen.load(Ordering::Relaxed) {
            return;
        }
        self.seen.store(ticks, Ordering::Relaxed);
        let mut state = self.lock();
        let weight = state.clock.take_ticks(CpuClock::now());
        if weight > 0 {
            state.capture(store, leaf, weight);
        }
    }

    fn enter<T>(&self, store: &StoreContextMut<'_, T>) {
        let now = CpuClock::now();
        let mut state = self.lock();
        if state.depth == 0 {
            state.clock.enter(now);
            if state.entered.is_none() {
                state.entered = Some((own_thread_id(), Instant::now()));
            }
            self.seen.store(self.ticks.load(Ordering::Relaxed), Ordering::Relaxed);
        } else {
            // A host function calls back into the guest: what has passed so far was the host function's.
            let weight = state.clock.take_ticks(now);
            if weight > 0 {
                state.capture(store, Leaf::HostCall, weight);
            }
        }
        state.depth += 1;
        self.watch.set_depth(state.depth);
    }

    fn leave(&self) {
        let now = CpuClock::now();
        let mut state = self.lock();
        state.depth = state.depth.saturating_sub(1);
        self.watch.set_depth(state.depth);
        if state.depth == 0 {
            // The guest's frames are gone: ticks since its last check have no stack any more.
            let unseen = state.clock.take_ticks(now);
            state.samples.record_tail(unseen);
            state.clock.leave(now);
        }
    }
}

impl State {
    fn capture<T>(&mut self, store: &StoreContextMut<'_, T>, leaf: Leaf, weight: u64) {
        let began = Instant::now();
        let backtrace = WasmBacktrace::force_capture(store.as_context());
        self.scratch.clear();
        self.scratch.extend(
            backtrace
                .frames()
                .iter()
                .filter_map(|frame| frame.module_offset())
                .filter_map(|offset| u32::try_from(offset).ok()),
        );
        self.samples.record(&self.scratch, leaf, weight);
        self.samples.note_capture(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }

    /// The guest thread's CPU clock as another thread can read it; where it cannot, as of the last sample.
    fn clock_from_outside(&self) -> Nanos {
        self.entered.and_then(|(thread_id, _)| thread_cpu_elsewhere(thread_id)).unwrap_or_else(|| self.clock.settled())
    }
}

fn own_thread_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

/// The sampling period at `hz`, as the profile states it (SEMANTICS §1: integer division).
#[must_use]
pub fn period(hz: u32) -> Nanos {
    1_000_000_000 / Nanos::from(hz.max(1))
}

fn start_ticker(shared: &Arc<Shared>, engine: &Engine, hz: u32) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    let engine = engine.clone();
    let period = Duration::from_nanos(period(hz));
    std::thread::Builder::new().name("wprof-ticker".to_owned()).spawn(move || {
        // Sleeps end up to 50 µs late by default, half a period at 10 kHz. Where this is refused, the rate
        // suffers, but not the totals: weights come from the CPU clock.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1_000));
        let mut due = Instant::now() + period;
        while !shared.stop_ticker.load(Ordering::Relaxed) {
            let now = Instant::now();
            if let Some(early) = due.checked_duration_since(now).filter(|early| !early.is_zero()) {
                std::thread::park_timeout(early);
                continue;
            }
            shared.ticks.fetch_add(1, Ordering::Relaxed);
            engine.increment_epoch();
            due += period;
            if due < now {
                due = now + period;
            }
        }
    })
}

/// The bound that must be set on the engine so that a capture sees [`MAX_FRAMES`] and knows of one more.
#[must_use]
pub fn backtrace_bound() -> std::num::NonZeroUsize {
    std::num::NonZeroUsize::MIN.saturating_add(MAX_FRAMES)
}
