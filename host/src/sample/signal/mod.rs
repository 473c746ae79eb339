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
mod session;
mod shared;
mod target;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use wasmtime::AsContextMut;

use super::{Carry, Measured, Subject};
use crate::stack::{Context, Layout};
use collect::Collected;
pub(super) use handle::Handle;
use self_test::Probe;
use shared::Shared;
use target::Target;

/// A sampler attached to one store.
#[derive(Debug)]
pub(super) struct SignalSampler {
    shared: Arc<Shared>,
}

impl SignalSampler {
    /// Attaches to a store in which guests of this code will run. With `hz` 0 nothing is sampled, but the guest's CPU time is
    /// measured and it can be ended.
    ///
    /// # Errors
    ///
    /// When the machine does not allow it; the text says what.
    pub(super) fn attach<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        subject: &Arc<Subject>,
        carry: Option<Arc<Carry>>,
        hz: u32,
    ) -> anyhow::Result<Self> {
        let probe = Probe::new(store.as_context().engine())?;
        self_test::check_our_layout(store.as_context().engine(), &probe)?;
        let func = probe.instantiate(&mut store)?;
        let Some(context) = Context::find(&mut store, func, Layout::ours()) else {
            anyhow::bail!("wasmtime's structures are not where they are expected");
        };
        Self::attach_at(context, probe, subject, carry, hz)
    }

    fn attach_at(
        context: Context,
        probe: Probe,
        subject: &Arc<Subject>,
        carry: Option<Arc<Carry>>,
        hz: u32,
    ) -> anyhow::Result<Self> {
        let Some(target) = Target::take() else { anyhow::bail!("too many guests are being sampled at once") };
        let functions = subject.functions();
        let text = subject.code().text().as_ptr_range();
        let text = text.start.addr()..text.end.addr();
        let own = functions.contiguous();
        target.set_code(&text, &(text.start + own.start..text.start + own.end));
        target.trap.store(probe.trap(), Ordering::Relaxed);
        let period = super::period(hz);
        let shared = Arc::new(Shared {
            target,
            context,
            _probe: probe.into_module(),
            timer: Mutex::default(),
            collected: Mutex::new(Collected::new(Arc::clone(subject), carry.clone(), period)),
            spent: AtomicU64::new(0),
            entered_at: AtomicU64::new(0),
            carried: Default::default(),
            carry,
            thread_id: AtomicUsize::new(0),
            first_entry: OnceLock::new(),
            is_over: AtomicBool::new(false),
            n_drained: AtomicUsize::new(0),
            session: Mutex::default(),
        });
        // If this thread may have no timer, better to know it now.
        shared.aim().map_err(|error| anyhow::anyhow!("the system refuses the timer: {error}"))?;
        let sampler = Self { shared };
        if hz > 0 {
            sampler.handle().start(hz)?;
        }
        Ok(sampler)
    }

    pub(super) fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    /// Stops and hands out what was measured. The guest must have returned.
    pub(super) fn finish(self) -> Measured {
        self.stop();
        self.handle().take()
    }

    fn stop(&self) {
        self.shared.stop_timer();
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.shared.session().stop_draining();
    }
}

impl Drop for SignalSampler {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
