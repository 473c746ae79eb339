//! CPU samples: who is on the guest's stack when a tick has passed.
//!
//! Two samplers fill the same [`RawSamples`], which hold module offsets and times; nothing here knows names. [`Kind::Signal`]
//! is true to the instruction and costs the guest nothing between samples, but needs Linux and wasmtime's structures as
//! they are; [`Kind::Epoch`] works wherever wasmtime does, and sees the guest at function entries and loop heads only.

mod border;
mod carry;
mod chain;
mod clock;
mod current;
mod epoch;
mod raw;
mod signal;
mod subject;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{AsContextMut, Engine, Func, Module, Store};

pub use border::{Border, Polled, Stay};
pub use carry::{Carried, Carry};
pub use chain::{Chained, OwnCallHook, OwnEpoch, OwnEpochCallback, OwnTicks};
pub(crate) use clock::wall_now;
pub use clock::{CpuClock, Nanos, thread_cpu_elsewhere};
pub use current::CurrentLabels;
pub use epoch::{Ended, backtrace_bound};
pub use raw::{Doing, Leaf, RawSamples, StackSample, Value};
pub use subject::Subject;
pub use watch::Watch;

/// How samples are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By wasmtime's epoch interruption; the engine must have it on.
    Epoch,
    /// By a timer that interrupts the guest's thread.
    Signal,
}

/// What to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// The sampler.
    pub kind: Kind,
    /// Samples a second. With 0 nothing is sampled, but the guest's CPU time is still measured and
    /// [`Handle::end_guest`] still works.
    pub hz: u32,
    /// Whether the time that passes while the guest waits is wanted too. The epoch sampler then captures more stacks.
    pub has_wall: bool,
    /// Who else is told when the guest's border is crossed.
    pub watch: Watch,
    /// Where time goes that no sample stands for when the store is gone, if there are others of the same guest. If not, it
    /// goes with the last sample.
    pub carry: Option<Arc<Carry>>,
    /// Whether the store gets a call hook, which costs the guest some nanoseconds a host call. The epoch sampler always sets
    /// one. The other one can do without if nobody watches, no host function calls the guest, and each call into the
    /// guest is made inside a [`Border::cross`].
    pub has_hook: bool,
}

/// How often, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuOptions {
    /// Samples a second.
    pub hz: u32,
    /// Whether there is a column of wall time.
    pub has_wall: bool,
}

/// A sampler attached to one store. Dropping it stops it.
#[derive(Debug)]
pub struct Sampler(Either<epoch::EpochSampler, signal::SignalSampler>, Border);

/// Reaches a sampler from another thread than the guest's.
#[derive(Debug, Clone)]
pub struct Handle(Either<epoch::Handle, signal::Handle>);

#[derive(Debug, Clone)]
enum Either<E, S> {
    Epoch(E),
    Signal(S),
}

/// What a [`Sampler`] measured since it started, or since that was last taken out.
#[derive(Debug)]
pub struct Measured {
    /// The samples, aggregated by stack.
    pub samples: RawSamples,
    /// CPU time the guest's thread spent in the guest and its host calls.
    pub guest_cpu: Nanos,
    /// When the guest was first entered; `None` if it never was.
    pub first_entry: Option<Instant>,
    /// Who took the samples.
    pub sampler: Kind,
    /// Ticks that came so late that the next one was due already.
    pub n_overruns: u64,
    /// Stacks that were not to be believed; their time is among what was lost.
    pub n_bad_stacks: u64,
}

impl Measured {
    /// What several samplers measured, together.
    #[must_use]
    pub fn of_all(all: Vec<Self>) -> Self {
        let mut sum: Option<Self> = None;
        for one in all {
            match &mut sum {
                Some(sum) => sum.add(&one),
                None => sum = Some(one),
            }
        }
        sum.unwrap_or_else(|| Self {
            samples: RawSamples::default(),
            guest_cpu: 0,
            first_entry: None,
            sampler: Kind::Epoch,
            n_overruns: 0,
            n_bad_stacks: 0,
        })
    }

    /// Adds time for which no sample will come any more.
    pub(crate) fn add_tail(&mut self, Carried { cpu, wall, owed }: Carried, period: Nanos) {
        let ticks = cpu.saturating_add(owed) / period.max(1);
        self.samples.record_tail(Value { ticks, cpu, wall }, period);
    }

    fn add(&mut self, other: &Self) {
        self.samples.add_all(&other.samples);
        self.guest_cpu = self.guest_cpu.saturating_add(other.guest_cpu);
        self.first_entry = [self.first_entry, other.first_entry].into_iter().flatten().min();
        self.n_overruns += other.n_overruns;
        self.n_bad_stacks += other.n_bad_stacks;
    }
}

impl Kind {
    /// The best that works here, and if that is not [`Kind::Signal`], why. `engine` must be as the guest's, and the calling
    /// thread the guest's.
    #[must_use]
    pub fn best(engine: &Engine) -> (Self, Option<anyhow::Error>) {
        match signal::self_test::run(engine) {
            Ok(()) => (Self::Signal, None),
            Err(reason) => (Self::Epoch, Some(reason)),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Signal => "signal",
        }
    }
}

impl Sampler {
    /// Attaches to a store in which guests of this code will run, on the thread on which they will. `chained` are hooks that the
    /// store's owner has of its own.
    ///
    /// # Errors
    ///
    /// When the machine does not allow it.
    pub fn attach<T: 'static>(
        store: &mut Store<T>,
        subject: &Arc<Subject>,
        options: Options,
        chained: Chained<T>,
    ) -> anyhow::Result<Self> {
        Ok(match options.kind {
            Kind::Epoch => {
                Self(Either::Epoch(epoch::EpochSampler::attach(store, subject, options, chained)?), Border::default())
            }
            Kind::Signal => {
                let Options { hz, watch, has_hook, carry, .. } = options;
                let sampler = signal::SignalSampler::attach(&mut *store, subject, carry, hz)?;
                let handle = sampler.handle();
                let Chained { call_hook, epoch, until_end } = chained;
                let has_hook = has_hook || call_hook.is_some() || until_end.is_some();
                let border = Border((!has_hook).then(|| handle.clone()));
                if has_hook {
                    handle.hook(store, watch, call_hook, until_end);
                }
                if let Some(epoch) = epoch {
                    epoch.set_alone(store);
                }
                Self(Either::Signal(sampler), border)
            }
        })
    }

    /// A handle for other threads: to end the guest, or to take the samples without its help.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(match &self.0 {
            Either::Epoch(sampler) => Either::Epoch(sampler.handle()),
            Either::Signal(sampler) => Either::Signal(sampler.handle()),
        })
    }

    /// Where the guest is to be entered.
    #[must_use]
    pub fn border(&self) -> Border {
        self.1.clone()
    }

    /// See [`Handle::polled`].
    pub fn polled<F: Future>(&self, call: F) -> Polled<F> {
        self.handle().polled(call)
    }

    /// Stops and hands out what was measured. The guest must have returned.
    #[must_use]
    pub fn finish(self) -> Measured {
        match self.0 {
            Either::Epoch(sampler) => sampler.finish(),
            Either::Signal(sampler) => sampler.finish(),
        }
    }
}

impl Handle {
    /// Takes samples from now on, `hz` a second. What was sampled before and has not been taken is dropped.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub fn start(&self, hz: u32, has_wall: bool) -> std::io::Result<()> {
        match &self.0 {
            Either::Epoch(handle) => handle.start(hz, has_wall),
            Either::Signal(handle) => handle.start(hz),
        }
    }

    /// Takes no more samples, and hands out those since the start, up to now. The guest may go on.
    #[must_use]
    pub fn stop(&self) -> Measured {
        match &self.0 {
            Either::Epoch(handle) => handle.stop(),
            Either::Signal(handle) => handle.stop(),
        }
    }

    /// The same call, which tells the sampler at each poll on which thread the guest goes on. Without it, an async guest that
    /// has moved is not seen until its next return from a host call, and what its thread does meanwhile is taken for the
    /// guest's.
    pub fn polled<F: Future>(&self, call: F) -> Polled<F> {
        Polled { call: Box::pin(call), sampler: self.clone() }
    }

    fn resume(&self) {
        match &self.0 {
            Either::Epoch(handle) => handle.resume(),
            Either::Signal(handle) => handle.resume(),
        }
    }

    fn pause(&self) {
        match &self.0 {
            Either::Epoch(handle) => handle.pause(),
            Either::Signal(handle) => handle.pause(),
        }
    }

    /// The labels of the guest's thread.
    #[must_use]
    pub fn labels(&self) -> &Arc<CurrentLabels> {
        match &self.0 {
            Either::Epoch(handle) => handle.labels(),
            Either::Signal(handle) => handle.labels(),
        }
    }

    /// Makes the guest trap at its next epoch check, or at its next instruction. A guest that sits in a host call gets there
    /// only when that returns. [`Handle::has_ended_guest`] tells that trap from the guest's own.
    pub fn end_guest(&self) {
        match &self.0 {
            Either::Epoch(handle) => handle.end_guest(),
            Either::Signal(handle) => handle.end_guest(),
        }
    }

    /// Whether the guest has been made to trap. With the epoch sampler, its error is [`Ended`] then.
    #[must_use]
    pub fn has_ended_guest(&self) -> bool {
        match &self.0 {
            Either::Epoch(_) => false,
            Either::Signal(handle) => handle.has_ended_guest(),
        }
    }

    /// Has the stack of a guest seen that stays in a host call, by any function of its instance. The signal sampler sees it anyway.
    pub fn see_asleep(&self, store: impl AsContextMut, module: &Module, func: Func) {
        if let Either::Epoch(handle) = &self.0 {
            handle.see_asleep(store, module, func);
        }
    }

    /// The guest's stack now, as offsets in the file that was compiled, innermost first; `None` if it is not in the guest, or
    /// could not be seen for so long. The epoch sampler sees a guest that stays in a host call only after [`Handle::see_asleep`], and
    /// where frames can be walked.
    #[must_use]
    pub fn stack(&self, patience: Duration) -> Option<(Vec<u32>, Leaf)> {
        match &self.0 {
            Either::Epoch(handle) => handle.stack(patience),
            Either::Signal(handle) => handle.stack(patience),
        }
    }

    /// Takes the samples out, also while the guest still runs or sits in a host call.
    #[must_use]
    pub fn take(&self) -> Measured {
        match &self.0 {
            Either::Epoch(handle) => handle.take(),
            Either::Signal(handle) => handle.take(),
        }
    }
}

/// The sampling period at `hz`, as the profile states it (SEMANTICS §1: integer division).
#[must_use]
pub fn period(hz: u32) -> Nanos {
    1_000_000_000 / Nanos::from(hz.max(1))
}
