//! The signal sampler: a timer interrupts the guest's thread, wherever it is, and its stack is walked on the spot.
//!
//! Nothing is compiled into the guest. A POSIX timer aimed at the guest's thread raises SIGPROF; the handler reads the
//! thread's CPU clock, walks the frames and writes a record into a ring, which a thread of ours empties. A sample stands for
//! the CPU time since the one before, so totals are exact whenever ticks come.
//!
//! # Accuracy
//!
//! A sample is taken at the instruction that the thread was about to execute, as by `perf record -e cpu-clock`. In a host
//! call, and in work that wasmtime does for an instruction of the guest's such as `memory.copy`, it stands under the guest's
//! function that made the call. While the guest waits, ticks stand for no CPU time.

mod collect;
mod edge;
mod handle;
mod ring;
pub(super) mod self_test;
mod shared;
mod target;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::AsContextMut;

use super::Measured;
use crate::guest::Code;
use crate::stack::{Context, Layout};
use collect::Collected;
pub(super) use handle::Handle;
use self_test::Probe;
use shared::Shared;
use target::Target;

/// How long the thread that empties the ring sleeps: at most, when there is little, and at least.
const NAPS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(1)];

/// A sampler attached to one store.
#[derive(Debug)]
pub(super) struct SignalSampler {
    shared: Arc<Shared>,
    drainer: Option<JoinHandle<()>>,
}

impl SignalSampler {
    /// Attaches to a store in which guests of `code` will run. With `hz` 0 nothing is sampled, but the guest's CPU time is
    /// measured and it can be ended.
    ///
    /// # Errors
    ///
    /// When the machine does not allow it; the text says what.
    pub(super) fn attach<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        code: &Code,
        hz: u32,
    ) -> anyhow::Result<Self> {
        let probe = Probe::new(store.as_context().engine())?;
        self_test::check_our_layout(store.as_context().engine(), &probe)?;
        let func = probe.instantiate(&mut store)?;
        let Some(context) = Context::find(&mut store, func, Layout::ours()) else {
            anyhow::bail!("wasmtime's structures are not where they are expected");
        };
        Self::attach_at(context, probe, code, hz)
    }

    fn attach_at(context: Context, probe: Probe, code: &Code, hz: u32) -> anyhow::Result<Self> {
        let Some(target) = Target::take() else { anyhow::bail!("too many guests are being sampled at once") };
        let functions = code.functions();
        let text = code.text().as_ptr_range();
        let text = text.start.addr()..text.end.addr();
        let own = functions.contiguous();
        target.set_code(&text, &(text.start + own.start..text.start + own.end));
        target.trap.store(probe.trap(), Ordering::Relaxed);
        target.is_sampled.store(hz > 0, Ordering::Relaxed);
        let period = super::period(hz);
        target.period.store(period, Ordering::Relaxed);
        let shared = Arc::new(Shared {
            target,
            context,
            _probe: probe.into_module(),
            period,
            is_sampled: hz > 0,
            timer: Mutex::default(),
            collected: Mutex::new(Collected::new(code.clone(), functions, period)),
            spent: AtomicU64::new(0),
            entered_at: AtomicU64::new(0),
            carried: Default::default(),
            thread_id: AtomicUsize::new(0),
            first_entry: OnceLock::new(),
            is_over: AtomicBool::new(false),
            n_drained: AtomicUsize::new(0),
        });
        // If this thread may have no timer, better to know it now.
        shared.aim().map_err(|error| anyhow::anyhow!("the system refuses the timer: {error}"))?;
        let drainer = if hz > 0 { Some(start_drainer(&shared)?) } else { None };
        Ok(Self { shared, drainer })
    }

    pub(super) fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    /// Stops and hands out what was measured. The guest must have returned.
    pub(super) fn finish(mut self) -> Measured {
        self.stop();
        self.handle().take()
    }

    fn stop(&mut self) {
        self.shared.stop_timer();
        self.shared.is_over.store(true, Ordering::Relaxed);
        if let Some(drainer) = self.drainer.take() {
            drainer.thread().unpark();
            // If it has panicked, what is left in the ring is read by whoever takes the samples.
            drop(drainer.join());
        }
    }
}

impl Drop for SignalSampler {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start_drainer(shared: &Arc<Shared>) -> std::io::Result<JoinHandle<()>> {
    let shared = Arc::downgrade(shared);
    std::thread::Builder::new().name("wprof-sampler".to_owned()).spawn(move || {
        let [longest, shortest] = NAPS;
        let mut nap = longest / 2;
        // The sampler owns the shared part and ends this thread before it gives it up.
        while let Some(shared) = shared.upgrade().filter(|shared| !shared.is_over.load(Ordering::Relaxed)) {
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

#[cfg(test)]
mod tests;
