//! Linear memory: which stacks made it grow.
//!
//! wasmtime asks the store's limiter before a memory grows, but does not say who asked. The call hook that follows, on
//! the way back into the guest, sees the stack. What a limiter allows when no guest runs is a new memory's first size.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::FxHashMap;
use wasmtime::{AsContext, Memory, SharedMemory};

use crate::sample::CurrentLabels;
use crate::stack::{Lookup, StackId, Stacks};

/// Growth of the guest's memories, as one store tells of it.
#[derive(Debug, Default)]
pub struct Growth {
    /// The books, which several stores may share.
    book: Arc<Mutex<Book>>,
    /// Where the guest's labels are looked up, if that is in its memory.
    labels: Mutex<Option<LabelsCell>>,
    /// Allowed, but not yet seen to have happened: bytes; 0 for nothing. The call hook asks this at every crossing.
    pending: AtomicU64,
    /// Whether the guest is on the stack.
    in_guest: AtomicBool,
    /// A memory that threads share. No limiter is asked about it.
    shared: OnceLock<Arc<Shared>>,
}

/// Such a memory, and its size as far as that has been noted, in bytes.
#[derive(Debug)]
struct Shared {
    memory: SharedMemory,
    known: AtomicU64,
}

impl Shared {
    fn size(&self) -> u64 {
        self.memory.data_size() as u64
    }
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
struct Book {
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
    /// The same books for another store.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { book: Arc::clone(&self.book), shared: self.shared.clone(), ..Self::default() }
    }

    /// Watches a memory that threads share, in this store and those that come to be beside it. Whoever comes back from the host
    /// first after it has grown is taken to have asked for that: the next to come back is nearly always the one that did.
    pub fn share(&self, memory: SharedMemory) {
        let shared = Shared { memory, known: AtomicU64::new(0) };
        let size = shared.size();
        shared.known.store(size, Ordering::Relaxed);
        self.book().initial.add(size);
        let _is_first = self.shared.set(Arc::new(shared));
    }

    /// What such a memory has grown by since anybody asked.
    fn grown_shared(&self) -> u64 {
        self.shared.get().map_or(0, |shared| {
            let size = shared.size();
            size.saturating_sub(shared.known.fetch_max(size, Ordering::Relaxed))
        })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A panic while the lock was held loses at most one event.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limiter allows a memory to grow.
    pub fn allow(&self, bytes: u64) {
        if self.in_guest.load(Ordering::Relaxed) {
            self.pending.store(bytes, Ordering::Relaxed);
        } else {
            self.book().initial.add(bytes);
        }
    }

    /// It could not be had from the system.
    pub fn fail(&self) {
        self.pending.store(0, Ordering::Relaxed);
    }

    /// The guest is entered or left by the host.
    pub fn set_in_guest(&self, in_guest: bool) {
        self.in_guest.store(in_guest, Ordering::Relaxed);
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
        let shared = self.grown_shared();
        if shared == 0 && self.pending.load(Ordering::Relaxed) == 0 {
            return;
        }
        let bytes = self.pending.swap(0, Ordering::Relaxed).saturating_add(shared);
        if let Some(cell) = &*self.labels.lock().unwrap_or_else(PoisonError::into_inner) {
            // It could be read before.
            let _ = cell.follow(&store);
        }
        let book = &mut *self.book();
        let stack = book.stacks.capture(store, None);
        book.by_stack.entry(stack).or_default().add(bytes);
    }

    /// How many stacks have made memory grow.
    #[must_use]
    pub fn n_records(&self) -> usize {
        let book = self.book();
        book.by_stack.len() + usize::from(book.initial.bytes > 0)
    }

    /// What has grown so far.
    #[must_use]
    pub fn measured(&self) -> GrownStacks {
        let book = self.book();
        let lookup = Lookup::default();
        let mut by_stack: Vec<_> = book.by_stack.iter().collect();
        by_stack.sort_by_key(|(stack, _)| stack.order());
        let stacks = by_stack.into_iter().map(|(&stack, &grown)| {
            let (frames, is_cut) = lookup.frames(book.stacks.taken(stack));
            (frames, is_cut, grown)
        });
        GrownStacks { stacks: stacks.collect(), initial: book.initial }
    }
}
