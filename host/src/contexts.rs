//! The guest's execution contexts: what goroutines are to Go. The main one, and every thread that the guest has started.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::contention::waiting::Waiting;
use crate::labels::LabelsId;
use crate::sample::{self, Leaf};

/// How long a context that is at work may take to show its stack.
const PATIENCE: Duration = Duration::from_millis(100);

/// All of a guest's.
#[derive(Debug, Default)]
pub struct Contexts {
    state: Mutex<State>,
    n_begun: AtomicU32,
}

#[derive(Debug, Default)]
struct State {
    live: Vec<Arc<Context>>,
    /// Where each that there ever was began.
    created: Vec<Creation>,
    /// What those measured that have ended, while a profile was taken.
    ended: Vec<sample::Measured>,
}

/// One of them.
#[derive(Debug)]
pub struct Context {
    /// Its number; 1 is the main one.
    pub id: u32,
    /// Its CPU sampler.
    pub cpu: sample::Handle,
    /// Its host calls.
    pub waiting: Arc<Waiting>,
    /// What has started it.
    pub creation: Creation,
    began: Instant,
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

    /// A context begins, with a number of [`Contexts::next_id`].
    pub fn begin(&self, id: u32, cpu: sample::Handle, waiting: Arc<Waiting>, creation: Creation) -> Arc<Context> {
        let context = Arc::new(Context { id, cpu, waiting, creation: creation.clone(), began: Instant::now() });
        let mut state = self.lock();
        state.live.push(Arc::clone(&context));
        state.created.push(creation);
        context
    }

    /// A context has ended; what it measured, if that is wanted.
    pub fn end(&self, context: &Context, measured: Option<sample::Measured>) {
        let mut state = self.lock();
        state.live.retain(|it| it.id != context.id);
        state.ended.extend(measured);
    }

    /// Those that there are now.
    #[must_use]
    pub fn live(&self) -> Vec<Arc<Context>> {
        self.lock().live.clone()
    }

    /// How many there are now, and how many there ever were.
    #[must_use]
    pub fn n_live_and_created(&self) -> (usize, usize) {
        let state = self.lock();
        (state.live.len(), state.created.len())
    }

    /// Where each began that there ever was.
    #[must_use]
    pub fn created(&self) -> Vec<Creation> {
        self.lock().created.clone()
    }

    /// What each does now. `own` is the stack of the one that asks, if that is one of them: it stands in a host call of ours.
    #[must_use]
    pub fn snapshots(&self, own: Option<&(u32, Vec<u32>)>) -> Vec<Snapshot> {
        let snapshot = |context: &Arc<Context>| {
            let stack = match own {
                Some((id, offsets)) if *id == context.id => Some((offsets.clone(), Leaf::Guest)),
                _ => context.cpu.stack(PATIENCE),
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

    /// What those measured that have ended, and then those that there are, as `take` has them say.
    #[must_use]
    pub fn take_all(&self, take: impl Fn(&sample::Handle) -> sample::Measured) -> Vec<sample::Measured> {
        let mut all: Vec<_> = self.live().iter().map(|context| take(&context.cpu)).collect();
        all.extend(self.take_ended());
        all
    }

    /// Takes out what those measured that have ended.
    #[must_use]
    pub fn take_ended(&self) -> Vec<sample::Measured> {
        std::mem::take(&mut self.lock().ended)
    }
}
