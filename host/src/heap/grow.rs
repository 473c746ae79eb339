//! Linear memory: which stacks made it grow.
//!
//! wasmtime asks the store's limiter before a memory grows, but does not say who asked. The call hook that follows, on
//! the way back into the guest, sees the stack. What a limiter allows when no guest runs is a new memory's first size.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use wasmtime::{AsContext, Memory};

use crate::sample::CurrentLabels;
use crate::stack::{Lookup, StackId, Stacks};

/// Growth of the guest's memories.
#[derive(Debug, Default)]
pub struct Growth {
    /// Where the guest's labels are looked up, if that is in its memory.
    labels: Mutex<Option<LabelsCell>>,
    /// Whether [`State::pending`] is something. The call hook asks this at every crossing.
    has_pending: AtomicBool,
    state: Mutex<State>,
}

/// A place in a memory, which moves with it.
#[derive(Debug)]
struct LabelsCell {
    memory: Memory,
    at: usize,
    labels: Arc<CurrentLabels>,
}

impl LabelsCell {
    fn follow(&self, store: impl AsContext) -> bool {
        self.labels.follow(self.memory.data_ptr(store).addr().wrapping_add(self.at))
    }
}

#[derive(Debug, Default)]
struct State {
    /// Allowed, but not yet seen to have happened: bytes.
    pending: Option<u64>,
    /// Whether the guest is on the stack.
    in_guest: bool,
    stacks: Stacks,
    by_stack: FxHashMap<StackId, Grown>,
    initial: Grown,
}

/// How often memories grew, and by how much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grown {
    /// Times.
    pub count: u64,
    /// Bytes in all.
    pub bytes: u64,
}

impl Grown {
    fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

/// Growth by stack, in offsets of the file that was compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrownStacks {
    /// Each with its frames, innermost first, and whether they were cut at the root side.
    pub stacks: Vec<(Vec<u32>, bool, Grown)>,
    /// Memories at their first size.
    pub initial: Grown,
}

impl Growth {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held loses at most one event.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limiter allows a memory to grow.
    pub fn allow(&self, bytes: u64) {
        let mut state = self.lock();
        if state.in_guest {
            state.pending = Some(bytes);
            self.has_pending.store(true, Ordering::Relaxed);
        } else {
            state.initial.add(bytes);
        }
    }

    /// It could not be had from the system.
    pub fn fail(&self) {
        self.lock().pending = None;
    }

    /// The guest is entered or left by the host.
    pub fn set_in_guest(&self, in_guest: bool) {
        self.lock().in_guest = in_guest;
    }

    /// Labels are what stands at this place in a memory from now on. False where that cannot be read.
    #[must_use]
    pub fn follow(&self, store: impl AsContext, memory: Memory, at: usize, labels: &Arc<CurrentLabels>) -> bool {
        let cell = LabelsCell { memory, at, labels: Arc::clone(labels) };
        let can = cell.follow(store);
        *self.labels.lock().unwrap_or_else(PoisonError::into_inner) = can.then_some(cell);
        can
    }

    /// The host is about to return to the guest.
    pub fn on_return<T: 'static>(&self, store: impl AsContext<Data = T>) {
        if !self.has_pending.load(Ordering::Relaxed) {
            return;
        }
        self.has_pending.store(false, Ordering::Relaxed);
        if let Some(cell) = &*self.labels.lock().unwrap_or_else(PoisonError::into_inner) {
            // It could be read before.
            let _ = cell.follow(&store);
        }
        let mut state = self.lock();
        if let Some(bytes) = state.pending.take().filter(|&bytes| bytes > 0) {
            let stack = state.stacks.capture(store, true);
            state.by_stack.entry(stack).or_default().add(bytes);
        }
    }

    /// How many stacks have made memory grow.
    #[must_use]
    pub fn n_records(&self) -> usize {
        let state = self.lock();
        state.by_stack.len() + usize::from(state.initial.bytes > 0)
    }

    /// What has grown so far.
    #[must_use]
    pub fn measured(&self) -> GrownStacks {
        let state = self.lock();
        let lookup = Lookup::default();
        let mut by_stack: Vec<_> = state.by_stack.iter().collect();
        by_stack.sort_by_key(|(stack, _)| stack.order());
        let stacks = by_stack.into_iter().map(|(&stack, &grown)| {
            let (frames, is_cut) = lookup.frames(state.stacks.taken(stack));
            (frames, is_cut, grown)
        });
        GrownStacks { stacks: stacks.collect(), initial: state.initial }
    }
}
