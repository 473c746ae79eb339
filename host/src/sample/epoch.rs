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

use wasmtime::{CallHook, Engine, Store, StoreContextMut, UpdateDeadline};

use super::clock::{CpuClock, Nanos, thread_cpu_elsewhere, wall_now};
use super::{
    Carried, Carry, Chained, CurrentLabels, Doing, Kind, Leaf, Measured, Options, RawSamples, Value, Watch, chain,
    period,
};
use crate::stack::{MAX_FRAMES, capture_into};

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
    /// Somebody wants to see the stack.
    is_asked: AtomicBool,
    labels: Arc<CurrentLabels>,
    ticker: Mutex<Option<JoinHandle<()>>>,
    watch: Watch,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    clock: CpuClock,
    period: Nanos,
    /// Whether stacks are captured that have used no CPU time.
    has_wall: bool,
    /// When samples were wanted first, and CPU time that the guest had used by then.
    began: Option<Instant>,
    spent_before: Nanos,
    /// Wall time up to which samples have been taken.
    settled_wall: Nanos,
    /// The thread's CPU clock at that time.
    looked_at: Nanos,
    /// The same clock when the guest will have had as long as the last capture took. No stack is captured before, since
    /// where that takes longer than a period the guest would get nothing done.
    rested_at: Nanos,
    /// Wall time in which it was used before the guest waited.
    carried_wall: Nanos,
    /// The stack that somebody has asked for.
    shown: Option<(Vec<u32>, Leaf)>,
    samples: RawSamples,
    /// Nesting of host → guest entries.
    depth: u32,
    /// Kept between captures, so that a sample allocates nothing of ours.
    scratch: Vec<u32>,
    /// The guest's thread, and when it first entered the guest; `None` until it has.
    entered: Option<(u32, Instant)>,
    /// What other stores have used.
    carry: Option<Arc<Carry>>,
}

/// A sampler attached to one store. Dropping it stops the ticker.
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
        options: Options,
        chained: Chained<T>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            ticks: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            stop_ticker: AtomicBool::new(false),
            end_guest: AtomicBool::new(false),
            is_asked: AtomicBool::new(false),
            labels: Arc::default(),
            ticker: Mutex::default(),
            watch: options.watch,
            state: Mutex::new(State {
                clock: CpuClock::new(Nanos::MAX),
                period: Nanos::MAX,
                has_wall: false,
                began: None,
                spent_before: 0,
                settled_wall: 0,
                looked_at: 0,
                rested_at: 0,
                carried_wall: 0,
                shown: None,
                samples: RawSamples::default(),
                depth: 0,
                scratch: Vec::with_capacity(256),
                entered: None,
                carry: options.carry,
            }),
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

    /// Stops the ticker and hands out what was measured. The guest must have returned.
    pub(super) fn finish(self) -> Measured {
        self.shared.stop_ticker();
        self.handle().take()
    }
}

impl Drop for EpochSampler {
    fn drop(&mut self) {
        self.shared.stop_ticker();
    }
}

/// Reaches a sampler from another thread than the guest's.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    shared: Arc<Shared>,
    engine: Engine,
}

impl Handle {
    /// Takes samples from now on. What was sampled before and has not been taken is dropped.
    ///
    /// # Errors
    ///
    /// When the ticker thread cannot be started.
    pub(super) fn start(&self, hz: u32, has_wall: bool) -> std::io::Result<()> {
        self.shared.stop_ticker();
        self.shared.lock().begin(period(hz), has_wall);
        *self.shared.ticker() = Some(start_ticker(&self.shared, &self.engine, hz)?);
        Ok(())
    }

    /// Takes no more samples, and hands out those since the start, up to now. The guest may go on.
    pub(super) fn stop(&self) -> Measured {
        self.shared.stop_ticker();
        let measured = self.take();
        self.shared.lock().begin(Nanos::MAX, false);
        measured
    }

    /// The guest, which has waited in the host, runs on; it may have come to another thread, with another clock.
    pub(super) fn resume(&self) {
        let mut state = self.shared.lock();
        if state.depth > 0 && !state.clock.is_inside() {
            let now = CpuClock::now();
            state.clock.enter(now);
            (state.looked_at, state.rested_at) = (now, now);
            state.entered = state.entered.map(|(_, since)| (own_thread_id(), since));
        }
    }

    /// The guest waits in the host, and its thread does something else.
    pub(super) fn pause(&self) {
        let mut state = self.shared.lock();
        if state.depth > 0 {
            state.clock.leave(CpuClock::now());
        }
    }

    /// The labels of the guest's thread.
    pub(super) fn labels(&self) -> &Arc<CurrentLabels> {
        &self.shared.labels
    }

    /// Makes the guest trap with [`Ended`] at its next epoch check. A guest that sits in a host call gets there
    /// only when that returns.
    pub(super) fn end_guest(&self) {
        self.shared.end_guest.store(true, Ordering::Relaxed);
        self.engine.increment_epoch();
    }

    /// The guest's stack at its next check; `None` if there is none for so long.
    pub(super) fn stack(&self, patience: Duration) -> Option<(Vec<u32>, Leaf)> {
        {
            let mut state = self.shared.lock();
            state.shown = None;
            if state.depth == 0 {
                return None;
            }
        }
        self.shared.is_asked.store(true, Ordering::Relaxed);
        self.shared.ticks.fetch_add(1, Ordering::Relaxed);
        self.engine.increment_epoch();
        let due = Instant::now() + patience;
        loop {
            std::thread::sleep(Duration::from_millis(1));
            let shown = self.shared.lock().shown.take();
            if shown.is_some() || Instant::now() > due {
                self.shared.is_asked.store(false, Ordering::Relaxed);
                return shown;
            }
        }
    }

    /// Takes the samples out, also while the guest still sits in a host call: the CPU time it used there has no
    /// stack, as none can be captured from outside, and is counted as lost.
    pub(super) fn take(&self) -> Measured {
        let mut state = self.shared.lock();
        let began = state.began;
        let first_entry = state.entered.map(|(_, at)| began.map_or(at, |began| began.max(at)));
        let now = state.clock_from_outside();
        let guest_cpu = state.clock.guest_cpu(now).saturating_sub(state.spent_before);
        if state.depth > 0 {
            state.end_stay(now);
        }
        if let Some(carry) = state.carry.as_ref().filter(|_| state.period != Nanos::MAX) {
            carry.put(Carried { cpu: state.clock.unsettled(now), ..Carried::default() });
        }
        Measured {
            samples: std::mem::take(&mut state.samples),
            guest_cpu,
            first_entry,
            sampler: Kind::Epoch,
            n_overruns: 0,
            n_bad_stacks: 0,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves at worst one sample unrecorded.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ticker(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.ticker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop_ticker(&self) {
        let mut ticker = self.ticker();
        if let Some(ticker) = ticker.take() {
            self.stop_ticker.store(true, Ordering::Relaxed);
            ticker.thread().unpark();
            // It only sleeps and adds, so it cannot have panicked; if it did, the samples are still good.
            drop(ticker.join());
            self.stop_ticker.store(false, Ordering::Relaxed);
        }
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

    /// Called on every crossing of the guest's border, so the common case is two relaxed loads.
    fn on_crossing<T: 'static>(&self, mut store: StoreContextMut<'_, T>, event: CallHook) {
        match event {
            CallHook::CallingHost => {
                self.watch.on_call(&mut store);
                self.sample_if_due(&store, Leaf::Guest);
            }
            CallHook::ReturningFromHost => {
                self.watch.on_return(&mut store);
                self.sample_if_due(&store, Leaf::HostCall);
            }
            CallHook::CallingWasm => self.enter(&store),
            CallHook::ReturningFromWasm => self.leave(),
        }
    }

    fn sample_if_due<T: 'static>(&self, store: &StoreContextMut<'_, T>, leaf: Leaf) {
        let ticks = self.ticks.load(Ordering::Relaxed);
        if ticks == self.seen.load(Ordering::Relaxed) {
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
            self.seen.store(self.ticks.load(Ordering::Relaxed), Ordering::Relaxed);
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

impl State {
    /// Forgets what was sampled; samples of this period may come from now on.
    fn begin(&mut self, period: Nanos, has_wall: bool) {
        let now = self.clock_from_outside();
        let spent = self.clock.guest_cpu(now);
        (self.began, self.spent_before) = (Some(Instant::now()), spent);
        self.clock.begin(period, now);
        (self.period, self.has_wall, self.samples) = (period, has_wall, RawSamples::default());
        (self.settled_wall, self.looked_at, self.carried_wall) = (wall_now(), now, 0);
        self.rested_at = now;
    }

    /// Gives the stack what has passed since the last sample.
    fn sample<T: 'static>(&mut self, store: &StoreContextMut<'_, T>, doing: Doing, now: Nanos) {
        // In a call that has waited for most of the time, the CPU time was used before it. The next sample has it, and the
        // wall time that this took.
        let passed = wall_now().saturating_sub(self.settled_wall);
        let used = now.saturating_sub(self.looked_at);
        let has_waited = doing.leaf == Leaf::HostCall && used.saturating_mul(8) < passed;
        if now < self.rested_at && !has_waited {
            return;
        }
        self.looked_at = now;
        let mut value = if has_waited { self.take_wall() } else { self.take_value(now) };
        if has_waited {
            value.wall = value.wall.saturating_sub(used);
            self.carried_wall = self.carried_wall.saturating_add(used);
        }
        if value.ticks == 0 && !self.has_wall {
            return;
        }
        let began = Instant::now();
        capture_into(store, &mut self.scratch);
        self.samples.record(&self.scratch, doing, value);
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.samples.note_capture(took);
        self.rested_at = CpuClock::now().saturating_add(took);
    }

    /// What has passed since it was last asked.
    fn take_value(&mut self, now: Nanos) -> Value {
        let carried = self.carry.as_ref().map(|carry| carry.take()).unwrap_or_default();
        self.clock.owe(carried.cpu);
        self.carried_wall = self.carried_wall.saturating_add(carried.wall);
        let ticks = self.clock.take_ticks(now);
        let wall = self.take_wall().wall.saturating_add(std::mem::take(&mut self.carried_wall));
        Value { ticks, cpu: ticks.saturating_mul(self.period), wall }
    }

    /// The same of wall time alone.
    fn take_wall(&mut self) -> Value {
        let wall = wall_now();
        let passed = wall.saturating_sub(std::mem::replace(&mut self.settled_wall, wall));
        Value { wall: passed, ..Value::default() }
    }

    /// The guest is left, or is not to be seen any more.
    fn end_stay(&mut self, now: Nanos) {
        let tail = self.take_value(now);
        let period = self.period;
        if let Some(carry) = &self.carry {
            return carry.put(Carried { cpu: tail.cpu, wall: tail.wall, owed: 0 });
        }
        self.samples.record_tail(tail, period);
    }

    /// The guest thread's CPU clock as another thread can read it; where it cannot, as of the last sample.
    fn clock_from_outside(&self) -> Nanos {
        let Some((thread_id, _)) = self.entered else { return self.clock.settled() };
        if thread_id == own_thread_id() {
            return CpuClock::now();
        }
        thread_cpu_elsewhere(thread_id).unwrap_or_else(|| self.clock.settled())
    }
}

fn own_thread_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

fn start_ticker(shared: &Arc<Shared>, engine: &Engine, hz: u32) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    let engine = engine.clone();
    let period = Duration::from_nanos(period(hz));
    std::thread::Builder::new().name("wprof-ticker".to_owned()).spawn(move || {
        // Sleeps end up to 50 µs late by default, half a period at 10 kHz. Where this is refused, the rate
        // suffers, but not the totals: weights come from the CPU clock.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1_000));
        // At any moment of the first period, or guests that stay for less would never be seen.
        let mut due = Instant::now() + period.mul_f64(fastrand::f64());
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
