//! Sampling begins and ends, at the guest's start or while it runs, as often as anybody wants.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::handle::Handle;
use super::shared::Shared;
use super::target;
use crate::sample::clock::{CpuClock, Nanos, thread_cpu_elsewhere, wall_now};
use crate::sample::{self, Kind, Measured};
use crate::stack::this_thread;

/// How long the thread that empties the ring sleeps: at most, when there is little, and at least.
const NAPS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(1)];

/// The time in which samples are taken.
#[derive(Debug, Default)]
pub(super) struct Session {
    drainer: Option<JoinHandle<()>>,
    /// When it began, and CPU time that the guest had used by then.
    began: Option<Instant>,
    spent_before: Nanos,
}

impl Session {
    /// Ends the thread that empties the ring, which has been told to.
    pub(super) fn stop_draining(&mut self) {
        if let Some(drainer) = self.drainer.take() {
            drainer.thread().unpark();
            // If it has panicked, what is left in the ring is read by whoever takes the samples.
            drop(drainer.join());
        }
    }
}

impl Handle {
    /// Takes samples from now on. What was sampled before and has not been taken is dropped.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub(in crate::sample) fn start(&self, hz: u32) -> std::io::Result<()> {
        let shared = &self.0;
        let target = shared.target;
        let mut session = shared.session();
        target.is_sampled.store(false, Ordering::SeqCst);
        session.stop_draining();
        let period = sample::period(hz);
        target.period.store(period, Ordering::Relaxed);
        for counter in target.lost.iter().chain([&target.n_overruns]).chain(&shared.carried) {
            counter.store(0, Ordering::Relaxed);
        }
        shared.drain().begin_anew(period);
        (session.began, session.spent_before) = (Some(Instant::now()), shared.tail().0);
        if target.is_running() {
            target.settled_cpu.store(shared.thread_cpu(), Ordering::Relaxed);
        }
        target.settled_wall.store(wall_now(), Ordering::Relaxed);
        target.is_sampled.store(true, Ordering::SeqCst);
        session.drainer = Some(start_drainer(shared)?);
        if target.is_running() {
            let interval = Duration::from_nanos(period);
            shared.set_timer(interval, interval);
        }
        Ok(())
    }

    /// Takes no more samples, and hands out those since the start, up to now. The guest may go on.
    pub(in crate::sample) fn stop(&self) -> Measured {
        let shared = &self.0;
        let was_sampled = shared.target.is_sampled.swap(false, Ordering::SeqCst);
        if shared.target.requests.load(Ordering::SeqCst) == 0 {
            shared.stop_timer();
        }
        let measured = self.measured(was_sampled);
        shared.session().stop_draining();
        measured
    }

    /// Ends sampling and takes the samples out, also while the guest still runs: then up to now.
    pub(in crate::sample) fn take(&self) -> Measured {
        self.0.is_over.store(true, Ordering::SeqCst);
        self.0.stop_timer();
        let was_sampled = self.0.target.is_sampled.swap(false, Ordering::SeqCst);
        self.measured(was_sampled)
    }

    /// What was measured since the start, or since this was last asked. Where samples were taken until now, with what no sample
    /// stands for yet.
    fn measured(&self, was_sampled: bool) -> Measured {
        let shared = &self.0;
        // Locked in this order, as by the start.
        let mut session = shared.session();
        let (spent, tail) = shared.tail();
        let mut collected = shared.drain();
        let lost = [0, 1, 2].map(|idx| shared.target.lost[idx].swap(0, Ordering::Relaxed));
        collected.add_lost(lost[1], lost[2]);
        if was_sampled {
            collected.add_tail(tail[0], tail[1]);
        }
        let spent_before = std::mem::replace(&mut session.spent_before, spent);
        let first_entry = shared.first_entry.get().copied();
        let (samples, n_bad_stacks) = collected.take_resolved();
        Measured {
            samples,
            guest_cpu: spent.saturating_sub(spent_before),
            first_entry: first_entry.map(|entry| session.began.map_or(entry, |began| began.max(entry))),
            sampler: Kind::Signal,
            n_overruns: shared.target.n_overruns.swap(0, Ordering::Relaxed),
            n_bad_stacks,
        }
    }
}

impl Shared {
    pub(super) fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The CPU clock of the guest's thread. From another thread it may be that of the scheduler's last tick.
    fn thread_cpu(&self) -> Nanos {
        if self.target.thread.load(Ordering::Relaxed) == this_thread() {
            return CpuClock::now();
        }
        let thread_id = u32::try_from(self.thread_id.load(Ordering::Relaxed)).unwrap_or_default();
        thread_cpu_elsewhere(thread_id).unwrap_or_else(|| self.entered_at.load(Ordering::Relaxed))
    }
}

fn start_drainer(shared: &Arc<Shared>) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::downgrade(shared);
    std::thread::Builder::new().name("wprof-sampler".to_owned()).spawn(move || {
        let [longest, shortest] = NAPS;
        let mut nap = longest / 2;
        let is_wanted = |shared: &Arc<Shared>| shared.is_sampled() && !shared.is_over.load(Ordering::Relaxed);
        // The sampler owns the shared part and ends this thread before it gives it up.
        while let Some(shared) = shared.upgrade().filter(is_wanted) {
            drop(shared.drain());
            let n_words = shared.n_drained.load(Ordering::Relaxed);
            shared.mind_the_timer(n_words);
            // So that the ring is seldom more than an eighth full.
            nap = match n_words {
                n if n > target::RING_WORDS / 8 => (nap / 2).max(shortest),
                n if n < target::RING_WORDS / 64 => (nap * 2).min(longest),
                _ => nap,
            };
            drop(shared);
            std::thread::park_timeout(nap);
        }
    })
}
