//! The guest's execution contexts: what goroutines are to Go. The main one, and every thread that the guest has started.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::contention::waiting::Waiting;
use crate::heap::grow::Growth;
use crate::heap::probe::Probe;
use crate::labels::LabelsId;
use crate::sample::{self, Carry, CpuOptions, Leaf};

/// How long all contexts together may take to show their stacks.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long each may take, whatever the others took.
const LEAST_PATIENCE: Duration = Duration::from_millis(10);

/// All of a guest's.
#[derive(Debug, Default)]
pub struct Contexts {
    state: Mutex<State>,
    n_begun: AtomicU32,
    /// For those that come and go; see [`Carry`].
    pub carry: Arc<Carry>,
}

#[derive(Debug, Default)]
struct State {
    live: Vec<Arc<Context>>,
    /// Where those began that there ever were, and how many in each place.
    created: FxHashMap<CreatedAt, u64>,
    /// How CPU samples are taken now, if they are.
    sampling: Option<CpuOptions>,
    /// What those measured that have ended since that began.
    ended: Option<sample::Measured>,
    /// When one of those that have ended was first entered, also if somebody has taken what it measured.
    first_entry: Option<Instant>,
    /// Whether one that has ended was made to.
    was_ended: bool,
}

/// A stack: offsets in the file that was compiled, innermost first, and whether frames were cut at the root side.
pub type CreatedAt = (Vec<u32>, bool);

/// One of them.
#[derive(Debug)]
pub struct Context {
    /// Its number; 1 is the main one.
    pub id: u32,
    /// Its CPU sampler.
    pub cpu: sample::Handle,
    /// What else is measured of it.
    pub own: Own,
    /// What has started it.
    pub creation: Creation,
    began: Instant,
    /// Held while what its sampler has measured is on the way from there to where it is added up.
    taking: Mutex<()>,
}

/// What is measured of one context's store, in books that it may share with others.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Its host calls.
    pub waiting: Arc<Waiting>,
    /// Its memories.
    pub growth: Arc<Growth>,
    /// Its blocks, where they are looked at.
    pub heap: Option<Probe>,
}

/// Where a context began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Creation {
    /// The one that has started it; 0 for none, as the host has.
    pub by: u32,
    /// Its stack then: offsets in the file that was compiled, innermost first.
    pub offsets: Vec<u32>,
    /// Whether frames were cut at the root side.
    pub is_cut: bool,
}

/// What a context does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its number.
    pub id: u32,
    /// Its stack: offsets in the file that was compiled, innermost first; `None` if it could not be seen.
    pub stack: Option<(Vec<u32>, Leaf)>,
    /// The labels that it has set.
    pub labels: LabelsId,
    /// What has started it.
    pub creation: Creation,
    /// How long it has been there.
    pub age: Duration,
}

impl Contexts {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for the next one.
    #[must_use]
    pub fn next_id(&self) -> u32 {
        self.n_begun.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A context begins, with a number of [`Contexts::next_id`]. If CPU samples are being taken, its sampler starts.
    ///
    /// # Errors
    ///
    /// When the system refuses the sampler a thread.
    pub fn begin(&self, id: u32, cpu: sample::Handle, own: Own, creation: Creation) -> std::io::Result<Arc<Context>> {
        let context = Arc::new(Context { id, cpu, own, creation, began: Instant::now(), taking: Mutex::default() });
        let mut state = self.lock();
        if let Some(CpuOptions { hz, has_wall }) = state.sampling {
            context.cpu.start(hz, has_wall)?;
        }
        state.live.push(Arc::clone(&context));
        let Creation { offsets, is_cut, .. } = &context.creation;
        *state.created.entry((offsets.clone(), *is_cut)).or_default() += 1;
        Ok(context)
    }

    /// A context has ended. What it measured, and nobody has taken yet, is kept for whoever takes the profile.
    pub fn end(&self, context: &Context, measured: impl FnOnce() -> sample::Measured) {
        let _taking = context.taking();
        let measured = measured();
        let mut state = self.lock();
        state.live.retain(|it| it.id != context.id);
        state.was_ended |= context.cpu.has_ended_guest();
        state.first_entry = [state.first_entry, measured.first_entry].into_iter().flatten().min();
        let ended = state.ended.take().into_iter().chain([measured]).collect();
        state.ended = Some(sample::Measured::of_all(ended));
    }

    /// Whether one of them has been made to end.
    #[must_use]
    pub fn has_ended_guest(&self) -> bool {
        let state = self.lock();
        state.was_ended || state.live.iter().any(|context| context.cpu.has_ended_guest())
    }

    /// CPU samples are taken from now on, of all contexts that there are and of those that begin.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub fn start_cpu(&self, options: CpuOptions) -> std::io::Result<()> {
        let mut state = self.lock();
        (state.sampling, state.ended) = (Some(options), None);
        let _of_no_profile = self.carry.take();
        let started = state.live.iter().try_for_each(|context| context.cpu.start(options.hz, options.has_wall));
        if started.is_err() {
            // Nobody will stop what has not begun.
            state.sampling = None;
            state.live.iter().for_each(|context| drop(context.cpu.stop()));
        }
        started
    }

    /// No more are taken; those since the start.
    #[must_use]
    pub fn stop_cpu(&self) -> sample::Measured {
        let sampling = self.lock().sampling.take();
        self.take_with_tail(sampling, sample::Handle::stop)
    }

    /// What was sampled since the start, also while the guest sits in a host call.
    #[must_use]
    pub fn take_cpu(&self) -> sample::Measured {
        let sampling = self.lock().sampling;
        self.take_with_tail(sampling, sample::Handle::take)
    }

    fn take_with_tail(
        &self,
        sampling: Option<CpuOptions>,
        take: impl Fn(&sample::Handle) -> sample::Measured,
    ) -> sample::Measured {
        let mut measured = self.take_all(take);
        if let Some(CpuOptions { hz, .. }) = sampling {
            measured.add_tail(self.carry.take(), sample::period(hz));
        }
        measured
    }

    /// Those that there are now.
    #[must_use]
    pub fn live(&self) -> Vec<Arc<Context>> {
        self.lock().live.clone()
    }

    /// How many there are now, and in how many places those began that there ever were.
    #[must_use]
    pub fn n_live_and_created(&self) -> (usize, usize) {
        let state = self.lock();
        (state.live.len(), state.created.len())
    }

    /// Where those began that there ever were, and how many in each place.
    #[must_use]
    pub fn created(&self) -> Vec<(CreatedAt, u64)> {
        self.lock().created.iter().map(|(at, &count)| (at.clone(), count)).collect()
    }

    /// What each does now. `own` is the stack of the one that asks, if that is one of them: it stands in a host call of ours.
    #[must_use]
    pub fn snapshots(&self, own: Option<&(u32, Vec<u32>)>) -> Vec<Snapshot> {
        let due = Instant::now() + PATIENCE;
        let snapshot = |context: &Arc<Context>| {
            let patience = due.saturating_duration_since(Instant::now()).max(LEAST_PATIENCE);
            let stack = match own {
                Some((id, offsets)) if *id == context.id => Some((offsets.clone(), Leaf::Guest)),
                _ => context.cpu.stack(patience),
            };
            Snapshot {
                id: context.id,
                stack,
                labels: context.cpu.labels().get(),
                creation: context.creation.clone(),
                age: context.began.elapsed(),
            }
        };
        // Nobody who begins or ends has to wait for it.
        self.live().iter().map(snapshot).collect()
    }

    /// What all measured, as `take` has those say that have not ended.
    fn take_all(&self, take: impl Fn(&sample::Handle) -> sample::Measured) -> sample::Measured {
        // Each leaves what it has either here or, when it ends, with what those had that have ended: that is asked for last, as
        // some may end meanwhile.
        let take = |context: &Arc<Context>| {
            let _taking = context.taking();
            take(&context.cpu)
        };
        let live: Vec<_> = self.live().iter().map(take).collect();
        let (ended, first_entry) = {
            let mut state = self.lock();
            (state.ended.take(), state.first_entry)
        };
        let mut all = sample::Measured::of_all(live.into_iter().chain(ended).collect());
        all.first_entry = all.first_entry.or(first_entry);
        all
    }
}

impl Context {
    fn taking(&self) -> MutexGuard<'_, ()> {
        self.taking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
