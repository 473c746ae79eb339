//! What a sampler's handles, its threads and its timer share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::Module;

use super::collect::Collected;
use super::session::Session;
use super::target::{self, Target};
use crate::sample::clock::{Nanos, thread_cpu_elsewhere, wall_now};
use crate::sample::{Carried, Carry};
use crate::stack::{Context, Timer, own_stack, set_timer, this_thread};

/// How often a request is brought to the guest's thread until it is met.
pub(super) const REQUEST_INTERVAL: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) target: &'static Target,
    pub(super) context: Context,
    /// Keeps the instruction that traps alive.
    pub(super) _probe: Module,
    pub(super) timer: Mutex<Aim>,
    pub(super) collected: Mutex<Collected>,
    /// CPU time of all finished stays in the guest, and when the present one began, on the clock of its thread.
    pub(super) spent: AtomicU64,
    pub(super) entered_at: AtomicU64,
    /// What of CPU and wall time was not sampled yet when the guest was last left.
    pub(super) carried: [AtomicU64; 2],
    /// For what a thread has no clock that long.
    pub(super) carry: Option<Arc<Carry>>,
    /// The system's number of the guest's thread.
    pub(super) thread_id: AtomicUsize,
    pub(super) first_entry: OnceLock<Instant>,
    pub(super) is_over: AtomicBool,
    pub(super) n_drained: AtomicUsize,
    pub(super) session: Mutex<Session>,
}

/// The timer, and the thread that it is aimed at.
#[derive(Debug, Default)]
pub(super) struct Aim {
    pub(super) timer: Option<Timer>,
    pub(super) thread: u64,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop_timer();
        self.target.give_back();
    }
}

impl Shared {
    pub(super) fn is_sampled(&self) -> bool {
        self.target.is_sampled.load(Ordering::SeqCst)
    }

    fn period(&self) -> Duration {
        Duration::from_nanos(self.target.period.load(Ordering::Relaxed))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Collected> {
        // A panic while the lock was held leaves at worst one sample unrecorded.
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn aimed(&self) -> MutexGuard<'_, Aim> {
        self.timer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Aims the timer at the calling thread.
    pub(super) fn aim(&self) -> std::io::Result<()> {
        let thread = this_thread();
        if self.target.thread.load(Ordering::Relaxed) == thread {
            return Ok(());
        }
        self.target.thread.store(0, Ordering::SeqCst);
        let mut aim = self.aimed();
        aim.timer = None;
        self.target.is_ticking.store(false, Ordering::SeqCst);
        let timer = Timer::for_this_thread(self.target.number(), target::on_tick)?;
        self.target.timer.store(timer.id(), Ordering::SeqCst);
        aim.timer = Some(timer);
        aim.thread = thread;
        self.target.live.set_own_stack(&own_stack().unwrap_or(0..0));
        let thread_id = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        self.thread_id.store(thread_id as usize, Ordering::Relaxed);
        self.target.thread.store(thread, Ordering::SeqCst);
        Ok(())
    }

    /// Sees to it that the timer runs if anybody wants it to.
    pub(super) fn keep_ticking(&self) {
        let wants = self.is_sampled() || self.target.requests.load(Ordering::SeqCst) != 0;
        if wants && !self.target.is_ticking.load(Ordering::SeqCst) && !self.is_over.load(Ordering::SeqCst) {
            let interval = if self.is_sampled() { self.period() } else { REQUEST_INTERVAL };
            // At any moment of the first period, or guests that stay for less would never be seen.
            let first = interval.mul_f64(fastrand::f64()).max(Duration::from_nanos(1));
            self.set_timer(first, interval);
        }
    }

    pub(super) fn set_timer(&self, first: Duration, interval: Duration) {
        if let Some(timer) = &self.aimed().timer {
            // The timer is ours and the times are sound, so the system has nothing to refuse.
            if first.is_zero() {
                self.target.is_ticking.store(false, Ordering::SeqCst);
            }
            self.target.reset_pace();
            let is_set = set_timer(timer.id(), first, interval).is_ok();
            self.target.is_ticking.store(is_set && !first.is_zero(), Ordering::SeqCst);
        }
    }

    /// Samples of this thread stand for time from now on, and for CPU time that was carried here. A thread's clock may not be
    /// that long; the rest goes with the sample that comes next.
    pub(super) fn settle_cpu(&self, now: Nanos, carried: Nanos) {
        self.target.settled_cpu.store(now.saturating_sub(carried), Ordering::Relaxed);
        if let Some(carry) = self.carry.as_ref().filter(|_| carried > now) {
            carry.put(Carried { cpu: carried - now, ..Carried::default() });
        }
    }

    pub(super) fn stop_timer(&self) {
        self.set_timer(Duration::ZERO, Duration::ZERO);
    }

    /// A guest that is not entered for long wakes nobody: its timer rests until it is. And whoever entered it at the very
    /// moment in which that was decided gets it back.
    pub(super) fn mind_the_timer(&self, n_words: usize) {
        if !self.target.is_running() && n_words == 0 && self.target.is_ticking.load(Ordering::SeqCst) {
            self.stop_timer();
        }
        if self.target.is_running() {
            self.keep_ticking();
        }
    }

    /// Has the handler do something as soon as it can.
    pub(super) fn request(&self, what: u32) {
        if self.is_over.load(Ordering::SeqCst) {
            return;
        }
        self.target.requests.fetch_or(what, Ordering::SeqCst);
        let interval = if self.is_sampled() { self.period() } else { REQUEST_INTERVAL };
        self.set_timer(Duration::from_nanos(1), interval.min(REQUEST_INTERVAL));
    }

    /// A request is met or given up.
    pub(super) fn calm_down(&self, what: u32) {
        self.target.requests.fetch_and(!what, Ordering::SeqCst);
        let interval = if self.is_sampled() { self.period() } else { Duration::ZERO };
        self.set_timer(interval, interval);
    }

    /// CPU time of the guest, and CPU and wall time that no sample stands for yet; both up to now if it still runs.
    pub(super) fn tail(&self) -> (Nanos, [Nanos; 2]) {
        let spent = self.spent.load(Ordering::Relaxed);
        if self.target.live.depth() == 0 {
            return (spent, [0, 1].map(|idx| self.carried[idx].load(Ordering::Relaxed)));
        }
        let wall = wall_now().saturating_sub(self.target.settled_wall.load(Ordering::Relaxed));
        if self.target.is_paused.load(Ordering::Relaxed) {
            return (spent, [self.carried[0].load(Ordering::Relaxed), wall]);
        }
        let settled = self.target.settled_cpu.load(Ordering::Relaxed);
        let thread_id = u32::try_from(self.thread_id.load(Ordering::Relaxed)).unwrap_or_default();
        let cpu = thread_cpu_elsewhere(thread_id).unwrap_or(settled);
        let spent = spent + cpu.saturating_sub(self.entered_at.load(Ordering::Relaxed));
        (spent, [cpu.saturating_sub(settled), wall])
    }

    /// Reads what is in the ring.
    pub(super) fn drain(&self) -> MutexGuard<'_, Collected> {
        let mut collected = self.lock();
        let mut record = Vec::new();
        let mut n_words = 0_usize;
        self.target.ring.drain(&mut record, |record| {
            n_words += record.len();
            collected.add(record);
        });
        self.n_drained.store(n_words, Ordering::Relaxed);
        collected
    }
}
