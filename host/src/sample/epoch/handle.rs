//! What the guest's thread and others do with an epoch sampler while it runs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use wasmtime::{AsContextMut, Engine, Func, Module};

use super::Shared;
use super::state::own_thread_id;
use crate::sample::clock::{CpuClock, Nanos};
use crate::sample::{Carried, CurrentLabels, Kind, Leaf, Measured, period};
use crate::stack::Asleep;

/// Reaches a sampler from another thread than the guest's.
#[derive(Debug, Clone)]
pub(in crate::sample) struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) engine: Engine,
}

impl Handle {
    /// Takes samples from now on. What was sampled before and has not been taken is dropped.
    ///
    /// # Errors
    ///
    /// When the ticker thread cannot be started.
    pub(in crate::sample) fn start(&self, hz: u32, has_wall: bool) -> std::io::Result<()> {
        let period = period(hz);
        let wanted = self.shared.subject.ticker().want(&self.engine, Duration::from_nanos(period))?;
        self.shared.lock().begin(period, has_wall);
        self.shared.set_wanted(Some(wanted));
        Ok(())
    }

    /// Takes no more samples, and hands out those since the start, up to now. The guest may go on.
    pub(in crate::sample) fn stop(&self) -> Measured {
        self.shared.set_wanted(None);
        let measured = self.take();
        self.shared.lock().begin(Nanos::MAX, false);
        measured
    }

    /// The guest, which has waited in the host, runs on; it may have come to another thread, with another clock.
    pub(in crate::sample) fn resume(&self) {
        let mut state = self.shared.lock();
        if state.depth > 0 && !state.clock.is_inside() {
            let now = CpuClock::now();
            state.clock.enter(now);
            (state.looked_at, state.rested_at) = (now, now);
            state.entered = state.entered.map(|(_, since)| (own_thread_id(), since));
        }
    }

    /// The guest waits in the host, and its thread does something else.
    pub(in crate::sample) fn pause(&self) {
        let mut state = self.shared.lock();
        if state.depth > 0 {
            state.clock.leave(CpuClock::now());
        }
    }

    /// The labels of the guest's thread.
    pub(in crate::sample) fn labels(&self) -> &Arc<CurrentLabels> {
        &self.shared.labels
    }

    /// Makes the guest trap with [`Ended`] at its next epoch check. A guest that sits in a host call gets there
    /// only when that returns.
    pub(in crate::sample) fn end_guest(&self) {
        self.shared.end_guest.store(true, Ordering::Relaxed);
        self.engine.increment_epoch();
    }

    /// Shows the stack of a guest that sits in a host call, by any function of its instance.
    pub(in crate::sample) fn see_asleep(&self, store: impl AsContextMut, module: &Module, func: Func) {
        if let Some(asleep) = Asleep::new(store, module, func) {
            // A store has one instance of a guest.
            let _is_first = self.shared.asleep.set(asleep);
        }
    }

    /// The guest's stack at its next check, or in the host call that it sits in; `None` if there is none for so long.
    pub(in crate::sample) fn stack(&self, patience: Duration) -> Option<(Vec<u32>, Leaf)> {
        {
            let mut state = self.shared.lock();
            state.shown = None;
            if state.depth == 0 {
                return None;
            }
        }
        self.shared.is_asked.store(true, Ordering::Relaxed);
        self.engine.increment_epoch();
        let due = Instant::now() + patience;
        loop {
            std::thread::sleep(Duration::from_millis(1));
            let shown = self.shared.lock().shown.take();
            // Whoever waits there reaches no check; one that is there for a moment only has one soon.
            let shown = shown.or_else(|| Some((self.shared.stack_asleep()?, Leaf::HostCall)));
            if shown.is_some() || Instant::now() > due {
                self.shared.is_asked.store(false, Ordering::Relaxed);
                return shown;
            }
        }
    }

    /// Takes the samples out, also while the guest still sits in a host call. Where its stack cannot be seen from outside, the time
    /// it used there is counted as lost.
    pub(in crate::sample) fn take(&self) -> Measured {
        let asleep = self.shared.stack_asleep();
        let mut state = self.shared.lock();
        let began = state.began;
        let first_entry = state.entered.map(|(_, at)| began.map_or(at, |began| began.max(at)));
        let now = state.clock_from_outside();
        let spent = state.clock.guest_cpu(now);
        let guest_cpu = spent.saturating_sub(std::mem::replace(&mut state.spent_before, spent));
        if state.is_sampled() {
            match asleep {
                Some(stack) => state.end_in_call(&stack, self.labels().get(), now),
                None if state.depth > 0 => state.end_stay(now),
                None => {}
            }
            if let Some(carry) = state.carry.clone() {
                carry.put(Carried { cpu: state.clock.settle(now), ..Carried::default() });
            }
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
