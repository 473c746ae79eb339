//! The host's half of the wrappers: takes the stack of each sampled block and keeps the books.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use rustc_hash::FxHashMap;
use wasmtime::{AsContext, AsContextMut, Global, Memory, Module, Val};

use super::bell::Bell;
use super::gaps::Gaps;
use super::live::{Live, Record, Space};
use super::queue;
use super::rewrite::SUSPENDED;
use crate::stack::{Lookup, StackId, Stacks, Walker};

/// The hook number of a wrapper that asks for its first gap.
pub const ARM: i32 = -1;

/// How to sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Mean bytes between samples; 1 for every block.
    pub rate: u64,
    /// Makes runs repeat themselves.
    pub seed: Option<u64>,
}

/// The heap profile of a run under way, as one store tells of it. Clones are the same.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The books, which several stores may share.
    shared: Arc<Shared>,
    own: Arc<Own>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Mean bytes between samples.
    rate: AtomicU64,
    /// Where the stacks lead, as far as anybody has asked.
    lookup: Mutex<Lookup>,
}

/// What belongs to one store.
#[derive(Debug)]
struct Own {
    /// Where its blocks lie.
    space: Space,
    /// Where freed blocks wait.
    queue: OnceLock<Memory>,
    /// Bytes until the next sample, where the guest counts them down itself.
    countdown: OnceLock<Global>,
    walker: OnceLock<Walker>,
    /// How often the guest has been entered by the host without having returned.
    depth: AtomicU32,
    /// What the core modules of a component ring.
    bell: Mutex<Bell>,
    /// Whether an allocation was rung whose stack is yet to be seen. The call hook asks this at every crossing.
    has_rung: AtomicBool,
}

impl Own {
    fn new(space: Space, rate: u64, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            space,
            queue: OnceLock::new(),
            countdown: OnceLock::new(),
            walker: OnceLock::new(),
            depth: AtomicU32::new(0),
            bell: Mutex::new(Bell::new(rate, seed)),
            has_rung: AtomicBool::new(false),
        })
    }
}

#[derive(Debug)]
struct State {
    gaps: Gaps,
    live: Live,
    stacks: Stacks,
    /// The code whose frames are walked.
    module: Option<Module>,
    /// Whether blocks are known by their addresses, which they are if their frees are seen.
    has_frees: bool,
    /// The stack that each goroutine had when it lost its wasm frames for the last time.
    suspended: FxHashMap<(Space, i64), StackId>,
    n_captures: u64,
    capture_nanos: u64,
}

/// What was sampled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sampled {
    /// By stack and size.
    pub records: Vec<SampledStack>,
    /// Blocks that were allocated where live ones were thought to be.
    pub n_overwritten: u64,
    /// Whether walking frames had to be given up.
    pub walker_failed: bool,
    /// Stacks captured, and the nanoseconds that the first thousands of them took.
    pub captures: (u64, u64),
}

/// A record with its stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampledStack {
    /// Offsets in the file that was compiled, innermost first.
    pub offsets: Vec<u32>,
    /// Whether frames were cut at the root side.
    pub is_cut: bool,
    /// What was counted.
    pub record: Record,
}

impl Probe {
    /// A probe that has seen nothing, `has_frees`: the hooks tell of all frees too.
    #[must_use]
    pub fn new(sampling: Sampling, has_frees: bool) -> Self {
        let seed = sampling.seed.unwrap_or_else(|| fastrand::u64(..));
        let mut state = State {
            gaps: Gaps::new(sampling.rate, seed),
            live: Live::new(sampling.rate),
            stacks: Stacks::default(),
            module: None,
            has_frees,
            suspended: FxHashMap::default(),
            n_captures: 0,
            capture_nanos: 0,
        };
        let own = Own::new(state.live.open(), sampling.rate, seed);
        let shared = Shared { state: Mutex::new(state), rate: AtomicU64::new(sampling.rate), lookup: Mutex::default() };
        Self { shared: Arc::new(shared), own }
    }

    /// The same books for another store with the same memory: a thread's.
    #[must_use]
    pub fn beside(&self) -> Self {
        let seed = self.lock().gaps.seed();
        Self { shared: Arc::clone(&self.shared), own: Own::new(self.own.space, self.rate(), seed) }
    }

    /// The same books for another store with memories of its own, so that equal addresses are different blocks.
    #[must_use]
    pub fn apart(&self) -> Self {
        let mut state = self.lock();
        let own = Own::new(state.live.open(), self.rate(), state.gaps.seed());
        Self { shared: Arc::clone(&self.shared), own }
    }

    /// The guest's memory is gone, and all blocks in it. To be called once for all stores that share it, when none of them
    /// runs any more.
    pub fn end(&self) {
        let mut state = self.lock();
        state.live.close(self.own.space);
        state.suspended.retain(|(space, _), _| *space != self.own.space);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held loses at most one event.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One block in so many bytes is sampled from now on; 0 for none. What was sampled before is taken to have been sampled so,
    /// too, as by Go: set it once, and early. A gap that has begun at the old rate is given up, unless it is that of a guest whose
    /// allocator tells of itself, or of a component.
    pub fn set_rate(&self, store: impl AsContextMut, rate: u64) {
        let mut state = self.lock();
        state.gaps.set_rate(rate);
        state.live.set_rate(rate);
        self.shared.rate.store(rate, Ordering::Relaxed);
        if let Some(countdown) = self.own.countdown.get() {
            // The global is the one that `arm` has set before.
            let _ = countdown.set(store, Val::I64(state.gaps.draw()));
        }
    }

    /// What was set.
    #[must_use]
    pub fn rate(&self) -> u64 {
        self.shared.rate.load(Ordering::Relaxed)
    }

    /// Walks frames of this module from now on, instead of having wasmtime capture them.
    pub fn walk_with(&self, walker: Walker, module: &Module) {
        let mut state = self.lock();
        state.stacks.walk_in(module);
        state.module.get_or_insert_with(|| module.clone());
        let _is_first = self.own.walker.set(walker);
    }

    /// Freed blocks wait in this memory from now on.
    pub fn free_from(&self, queue: Memory) {
        // A second instance's would be another store's, which has a probe of its own.
        let _is_first = self.own.queue.set(queue);
    }

    /// Starts the countdown that the guest keeps in this global.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn count_in(&self, store: impl AsContextMut, countdown: Global) -> wasmtime::Result<()> {
        countdown.set(store, Val::I64(self.lock().gaps.draw()))?;
        let _is_first = self.own.countdown.set(countdown);
        Ok(())
    }

    /// Deals with the blocks that the guest has freed since the host was called last.
    pub fn free_queued(&self, store: impl AsContextMut) {
        if let Some(queue) = self.own.queue.get().filter(|queue| queue::is_left_alone(queue, &store)) {
            let mut state = self.lock();
            queue::drain(queue, store, |block| state.live.remove((self.own.space, block)));
        }
    }

    /// How often the guest has been entered without having returned, as the call hook counts it.
    pub fn set_depth(&self, depth: u32) {
        self.own.depth.store(depth, Ordering::Relaxed);
    }

    /// The guest asks for its first gap ([`ARM`]), or has a block to be sampled. The answer is the next gap. Or a
    /// goroutine is about to lose its stack ([`SUSPENDED`]); the answer then has no meaning.
    pub fn on_alloc<T: 'static>(
        &self,
        mut store: impl AsContextMut<Data = T>,
        block: i64,
        size: i64,
        hook: i32,
    ) -> i64 {
        let mut state = self.lock();
        if let Some(queue) = self.own.queue.get() {
            queue::drain(queue, &mut store, |block| state.live.remove((self.own.space, block)));
        }
        if hook == ARM {
            return state.gaps.draw();
        }
        let walker = self.own.walker.get().filter(|_| self.own.depth.load(Ordering::Relaxed) <= 1);
        let captured = state.capture(store, walker);
        // Only Go's hooks tell of goroutines, and they do so in place of blocks.
        let stack = match state.suspended.get(&(self.own.space, block)).copied() {
            Some(earlier) => state.stacks.rejoin(captured, earlier),
            None => captured,
        };
        if hook & SUSPENDED != 0 {
            state.suspended.insert((self.own.space, block), stack);
            return 0;
        }
        state.add((self.own.space, block.cast_unsigned()), stack, size);
        state.gaps.draw()
    }

    /// A wrapper has freed a block that may have been sampled; whether it was.
    #[must_use]
    pub fn on_free(&self, block: i64) -> bool {
        self.lock().live.remove((self.own.space, block.cast_unsigned()))
    }

    /// The limiter is asked whether a table may grow: what to say if it is a component's bell that rings.
    #[must_use]
    pub fn on_ring(&self, current: usize, desired: usize, maximum: Option<usize>) -> Option<bool> {
        let mut bell = self.own.bell.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = bell.ring(current, desired, maximum, |block| self.on_free(block))?;
        self.own.has_rung.store(bell.has_event(), Ordering::Relaxed);
        Some(answer)
    }

    /// The host is about to return to the guest. If that has rung, its stack can be seen now.
    pub fn on_return<T: 'static>(&self, store: impl AsContextMut<Data = T>) {
        if !self.own.has_rung.load(Ordering::Relaxed) {
            return;
        }
        self.own.has_rung.store(false, Ordering::Relaxed);
        let mut bell = self.own.bell.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(event) = bell.take() {
            // Gaps are drawn in the guest, so the answer is not needed.
            let _gap = self.on_alloc(store, event.block, event.size, event.hook);
        }
    }

    /// How many stacks and sizes of blocks were sampled so far.
    #[must_use]
    pub fn n_records(&self) -> usize {
        self.lock().live.records().count()
    }

    /// What was sampled so far.
    #[must_use]
    pub fn sampled(&self) -> Sampled {
        self.sampled_where(|_| true)
    }

    /// The same of some records only: `wanted` is asked about each, in an order that stays as records are added, while the
    /// guest may have to wait.
    #[must_use]
    pub fn sampled_where(&self, mut wanted: impl FnMut(&Record) -> bool) -> Sampled {
        // The guest allocates on meanwhile: it waits only until its records are copied, and not until stacks are looked up.
        let mut lookup = self.shared.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.lock();
        let taken: Vec<_> =
            state.live.records().filter(|it| wanted(it)).map(|it| (it, state.stacks.taken(it.stack))).collect();
        let code = state.stacks.code_since(lookup.n_known());
        let module = state.module.clone();
        let mut sampled = Sampled {
            records: Vec::with_capacity(taken.len()),
            n_overwritten: state.live.n_overwritten(),
            walker_failed: state.stacks.walker_failed(),
            captures: (state.n_captures, state.capture_nanos),
        };
        drop(state);
        if let Some(module) = &module {
            lookup.add(module, code);
        }
        sampled.records.extend(taken.into_iter().map(|(record, stack)| {
            let (offsets, is_cut) = lookup.frames(stack);
            SampledStack { offsets, is_cut, record }
        }));
        sampled
    }
}

/// Captures that are timed: enough for the bench, and few enough not to be felt.
const TIMED_CAPTURES: u64 = 1 << 12;

impl State {
    fn capture<T: 'static>(&mut self, store: impl AsContext<Data = T>, walker: Option<&Walker>) -> StackId {
        self.n_captures += 1;
        if self.n_captures > TIMED_CAPTURES {
            return self.stacks.capture(store, walker);
        }
        let began = Instant::now();
        let stack = self.stacks.capture(store, walker);
        self.capture_nanos += u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        stack
    }

    fn add(&mut self, block: (Space, u64), stack: StackId, size: i64) {
        let size = size.cast_unsigned();
        if self.has_frees {
            self.live.add(block, stack, size);
        } else {
            self.live.add_unnamed(stack, size);
        }
    }
}
