//! The epoch sampler: portable, safe code only.
//!
//! A ticker thread raises the engine's epoch once a period, for all stores of the guest. Guest code compiled with
//! epoch interruption notices at its next check (function entries and loop heads) and calls into wasmtime;
//! wasmtime's call hook brings us there, as it does for every host call and every builtin. If a tick has passed
//! since the last look, the stack is captured and weighted by the CPU time it stands for.
//!
//! # Accuracy
//!
//! Because checks exist only at function entries and loop heads, straight-line code is seen at the next check
//! after it: a leaf without a loop is charged to its caller's loop. Time in a host call is charged to that call:
//! what has passed when it returns belongs to it, what had passed when it began belongs to its caller.
//! Weights come from the guest thread's CPU clock, so waiting counts as nothing and a late check loses nothing.

mod handle;
mod state;
mod ticker;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use wasmtime::{CallHook, Engine, Store, StoreContextMut, UpdateDeadline};

use super::clock::{CpuClock, wall_now};
use super::{Chained, CurrentLabels, Doing, Leaf, Measured, Options, Subject, Watch, chain};
use crate::stack::{Asleep, MAX_FRAMES, capture_into};
pub(super) use handle::Handle;
use state::{State, own_thread_id};
pub(super) use ticker::Ticker;
use ticker::Wanted;

/// Why a guest was stopped from outside; travels as the error of its run.
#[derive(Debug, thiserror::Error)]
#[error("ended by wprof")]
pub struct Ended;

/// What the guest's thread and the supervisor share.
#[derive(Debug)]
struct Shared {
    /// What is sampled, and its ticker.
    subject: Arc<Subject>,
    /// The ticks that the guest's thread has dealt with.
    seen: AtomicU64,
    end_guest: AtomicBool,
    /// Somebody wants to see the stack.
    is_asked: AtomicBool,
    labels: Arc<CurrentLabels>,
    /// While samples are taken.
    wanted: Mutex<Option<Wanted>>,
    watch: Watch,
    /// Counts crossings of the guest's border; odd while the guest sits in a host call. The guest's thread alone writes it.
    crossings: AtomicU64,
    /// Sees its stack then, once there is an instance.
    asleep: OnceLock<Asleep>,
    state: Mutex<State>,
}

/// A sampler attached to one store. Dropping it stops it.
#[derive(Debug)]
pub(super) struct EpochSampler {
    shared: Arc<Shared>,
    engine: Engine,
}

impl EpochSampler {
    /// Attaches to a store whose engine has epoch interruption on. With `hz` 0 nothing is sampled, but the
    /// guest's CPU time is still measured and [`Handle::end_guest`] still works.
    ///
    /// # Errors
    ///
    /// When the ticker thread cannot be started.
    pub(super) fn attach<T: 'static>(
        store: &mut Store<T>,
        subject: &Arc<Subject>,
        options: Options,
        chained: Chained<T>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            subject: Arc::clone(subject),
            seen: AtomicU64::new(0),
            end_guest: AtomicBool::new(false),
            is_asked: AtomicBool::new(false),
            labels: Arc::default(),
            wanted: Mutex::default(),
            watch: options.watch,
            crossings: AtomicU64::new(0),
            asleep: OnceLock::new(),
            state: Mutex::new(State::new(options.carry)),
        });

        shared.hook(store, chained);
        let sampler = Self { shared, engine: store.engine().clone() };
        if options.hz > 0 {
            sampler.handle().start(options.hz, options.has_wall)?;
        }
        Ok(sampler)
    }

    /// A handle for other threads: to end the guest, or to take the samples without its help.
    pub(super) fn handle(&self) -> Handle {
        Handle { shared: Arc::clone(&self.shared), engine: self.engine.clone() }
    }

    /// Takes no more samples and hands out what was measured. The guest must have returned.
    pub(super) fn finish(self) -> Measured {
        self.shared.set_wanted(None);
        self.handle().take()
    }
}

impl Drop for EpochSampler {
    fn drop(&mut self) {
        self.shared.set_wanted(None);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves at worst one sample unrecorded.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the ticker is to tick for this store.
    fn set_wanted(&self, wanted: Option<Wanted>) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
    }

    /// Sets the store's call hook and epoch callback, which call the embedder's own.
    fn hook<T: 'static>(self: &Arc<Self>, store: &mut Store<T>, chained: Chained<T>) {
        let Chained { call_hook, epoch, until_end } = chained;
        let kept = (Arc::clone(self), until_end);
        match call_hook {
            None => store.call_hook(move |store, event| {
                // All of it is named, so that the store has all of it.
                let (shared, _) = &kept;
                shared.on_crossing(store, event);
                Ok(())
            }),
            Some(mut own) => store.call_hook(move |store, event| {
                let (shared, _) = &kept;
                chain::tell(&mut own, store, event, |store| shared.on_crossing(store, event))
            }),
        }
        let (check, mut epoch) = (Arc::clone(self), epoch);
        epoch.iter_mut().for_each(chain::OwnEpoch::start);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |store: StoreContextMut<'_, T>| {
            // The sample was taken by the call hook on the way in here.
            if check.end_guest.load(Ordering::Relaxed) {
                return Err(Ended.into());
            }
            match &mut epoch {
                None => Ok(UpdateDeadline::Continue(1)),
                Some(own) => own.on_tick(store),
            }
        });
    }

    /// Called on every crossing of the guest's border, so the common case is four loads and a store, none of which waits for others.
    fn on_crossing<T: 'static>(&self, mut store: StoreContextMut<'_, T>, event: CallHook) {
        match event {
            CallHook::CallingHost => {
                self.watch.on_call(&mut store);
                self.sample_if_due(&store, Leaf::Guest);
                self.cross(1);
            }
            CallHook::ReturningFromHost => {
                self.cross(0);
                self.watch.on_return(&mut store);
                self.sample_if_due(&store, Leaf::HostCall);
            }
            CallHook::CallingWasm => {
                self.cross(0);
                self.enter(&store);
            }
            CallHook::ReturningFromWasm => {
                self.cross(0);
                self.leave();
            }
        }
    }

    /// The border is crossed; 1 into a host call. One that has called the guest is not known again as such when that returns.
    fn cross(&self, is_in_host: u64) {
        let crossings = self.crossings.load(Ordering::Relaxed);
        self.crossings.store((crossings | 1) + 1 + is_in_host, Ordering::Release);
    }

    /// The stack of a guest that sits in a host call, and has stayed there while it was looked at.
    fn stack_asleep(&self) -> Option<Vec<u32>> {
        let crossings = self.crossings.load(Ordering::Acquire);
        if crossings.is_multiple_of(2) || self.lock().depth != 1 {
            return None;
        }
        let stack = self.asleep.get()?.stack()?;
        fence(Ordering::Acquire);
        (self.crossings.load(Ordering::Relaxed) == crossings).then_some(stack)
    }

    fn sample_if_due<T: 'static>(&self, store: &StoreContextMut<'_, T>, leaf: Leaf) {
        let ticks = self.subject.ticker().ticks();
        if ticks == self.seen.load(Ordering::Relaxed) && !self.is_asked.load(Ordering::Relaxed) {
            return;
        }
        self.seen.store(ticks, Ordering::Relaxed);
        let mut state = self.lock();
        state.sample(store, Doing { leaf, labels: self.labels.get() }, CpuClock::now());
        if self.is_asked.swap(false, Ordering::Relaxed) {
            let mut shown = Vec::new();
            capture_into(store, &mut shown);
            state.shown = Some((shown, leaf));
        }
    }

    fn enter<T: 'static>(&self, store: &StoreContextMut<'_, T>) {
        let now = CpuClock::now();
        let mut state = self.lock();
        if state.depth == 0 {
            state.clock.enter(now);
            (state.settled_wall, state.looked_at, state.rested_at) = (wall_now(), now, now);
            if state.entered.is_none() {
                state.entered = Some((own_thread_id(), Instant::now()));
            }
            self.seen.store(self.subject.ticker().ticks(), Ordering::Relaxed);
        } else {
            // A host function calls back into the guest: what has passed so far was the host function's.
            state.sample(store, Doing { leaf: Leaf::HostCall, labels: self.labels.get() }, now);
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
            state.end_stay(now);
            state.clock.leave(now);
        }
    }
}

/// The bound that must be set on the engine so that a capture sees [`MAX_FRAMES`] and knows of one more.
#[must_use]
pub fn backtrace_bound() -> std::num::NonZeroUsize {
    std::num::NonZeroUsize::MIN.saturating_add(MAX_FRAMES)
}
