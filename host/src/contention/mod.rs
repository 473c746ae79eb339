//! Waiting: which stacks of the guest's waited, and which made others wait (SEMANTICS §3).
//!
//! [`waiting`] sees waits in host calls; [`locks`] knows who waits for the guest's locks, which tells of them itself or has
//! threads that wait for each other (`atomics`). All come here to be sampled and kept.

mod atomics;
pub mod locks;
pub mod waiting;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use wasmtime::AsContext;

use crate::record::{ContentionKind, Waited};
use crate::sample::{Leaf, Nanos};
use crate::stack::{Lookup, StackId, Stacks};
use locks::Locks;

/// Waiting in a guest, and for its locks.
#[derive(Debug, Default)]
pub struct Contention {
    /// Nanoseconds from which every wait is kept; 0 or less for none at all.
    block_rate: AtomicI64,
    /// One wait in so many is kept; 0 for none at all.
    mutex_fraction: AtomicI64,
    block: Mutex<Book>,
    mutex: Mutex<Book>,
    /// Who waits for which lock.
    pub locks: Locks,
}

#[derive(Debug, Default)]
struct Book {
    stacks: Stacks,
    /// Where each stack stands in `kept`.
    by_stack: FxHashMap<(StackId, Leaf), usize>,
    kept: Vec<((StackId, Leaf), Kept)>,
}

/// What was kept of one stack.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Kept {
    count: f64,
    delay: Nanos,
}

impl Kept {
    /// Cut to whole waits, but never to none, as Go writes it.
    fn whole(self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are positive")]
        let count = self.count.max(1.0) as u64;
        count
    }
}

impl Contention {
    /// From how many nanoseconds on every wait is kept; of shorter ones some are, and stand for the others. 1 keeps all, 0 or less
    /// none. Go's `SetBlockProfileRate`.
    pub fn set_block_rate(&self, nanos: i64) {
        self.block_rate.store(nanos, Ordering::Relaxed);
    }

    /// What was set.
    #[must_use]
    pub fn block_rate(&self) -> i64 {
        self.block_rate.load(Ordering::Relaxed)
    }

    /// Keeps one wait for a lock in so many; 0 keeps none, a negative number changes nothing. The one before. Go's
    /// `SetMutexProfileFraction`.
    pub fn set_mutex_fraction(&self, n: i32) -> i32 {
        let before = match n {
            ..0 => self.mutex_fraction.load(Ordering::Relaxed),
            _ => self.mutex_fraction.swap(i64::from(n), Ordering::Relaxed),
        };
        i32::try_from(before).unwrap_or(i32::MAX)
    }

    /// The guest has waited for so long, where its stack is now.
    pub fn waited<T: 'static>(&self, delay: Nanos, leaf: Leaf, store: impl AsContext<Data = T>) {
        if let Some(kept) = sample_block(delay, self.block_rate(), fastrand::f64()) {
            lock(&self.block).keep(kept, leaf, store);
        }
    }

    /// The guest gives up a lock for which others have waited, for so long together.
    pub fn released<T: 'static>(&self, delay: Nanos, store: impl AsContext<Data = T>) {
        if let Some(kept) = sample_mutex(delay, self.mutex_fraction.load(Ordering::Relaxed), fastrand::f64()) {
            lock(&self.mutex).keep(kept, Leaf::Guest, store);
        }
    }

    /// How many stacks have waited, and how many have made others wait.
    #[must_use]
    pub fn n_records(&self) -> [usize; 2] {
        [&self.block, &self.mutex].map(|book| lock(book).kept.len())
    }

    /// Stacks that have waited, or have made others wait.
    #[must_use]
    pub fn all(&self, kind: ContentionKind) -> Vec<Waited> {
        self.all_with(kind, |_, waited| Some(waited))
    }

    /// The same with what `change` makes of each's count, in whole waits, and delay; stacks for which there is nothing are left
    /// out. It is asked by the number of the stack: 0 for the first that was kept, and so on.
    #[must_use]
    pub fn all_with(
        &self,
        kind: ContentionKind,
        change: impl FnMut(usize, (u64, Nanos)) -> Option<(u64, Nanos)>,
    ) -> Vec<Waited> {
        let book = match kind {
            ContentionKind::Block => &self.block,
            ContentionKind::Mutex => &self.mutex,
        };
        lock(book).all(change)
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    // A panic while the lock was held leaves at worst one wait out.
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    fn keep<T: 'static>(&mut self, more: Kept, leaf: Leaf, store: impl AsContext<Data = T>) {
        let stack = self.stacks.capture(store, None);
        let key = (stack, leaf);
        let number = *self.by_stack.entry(key).or_insert_with(|| {
            self.kept.push((key, Kept::default()));
            self.kept.len() - 1
        });
        if let Some((_, kept)) = self.kept.get_mut(number) {
            kept.count += more.count;
            kept.delay = kept.delay.saturating_add(more.delay);
        }
    }

    fn all(&self, mut change: impl FnMut(usize, (u64, Nanos)) -> Option<(u64, Nanos)>) -> Vec<Waited> {
        let lookup = Lookup::default();
        let waited = self.kept.iter().enumerate().filter_map(|(number, &((stack, leaf), kept))| {
            let (count, delay) = change(number, (kept.whole(), kept.delay))?;
            let (offsets, is_cut) = lookup.frames(self.stacks.taken(stack));
            Some(Waited { offsets, is_cut, leaf, count, delay })
        });
        waited.collect()
    }
}

/// What a wait counts for, if it is kept: those as long as the rate for themselves, others with a chance of their share of
/// it, and then as long as it (runtime's `blockevent` and `saveblockevent`). `random` is from 0 to below 1.
fn sample_block(delay: Nanos, rate: i64, random: f64) -> Option<Kept> {
    let rate = u64::try_from(rate).ok().filter(|&rate| rate > 0)?;
    // A wait that is too short for the clock has taken a tick of it.
    let delay = delay.max(1);
    if delay >= rate {
        return Some(Kept { count: 1.0, delay });
    }
    let share = delay as f64 / rate as f64;
    (random < share).then(|| Kept { count: 1.0 / share, delay: rate })
}

/// The same of a lock that others have waited for (runtime's `mutexevent`).
fn sample_mutex(delay: Nanos, fraction: i64, random: f64) -> Option<Kept> {
    let fraction = u64::try_from(fraction).ok().filter(|&fraction| fraction > 0)?;
    let is_kept = random * (fraction as f64) < 1.0;
    is_kept.then(|| Kept { count: fraction as f64, delay: delay.saturating_mul(fraction) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_waits_are_kept_and_short_ones_stand_for_others() {
        let kept = |count, delay| Some(Kept { count, delay });
        assert_eq!(sample_block(500, 0, 0.0), None);
        assert_eq!(sample_block(500, -1, 0.0), None);
        assert_eq!(sample_block(500, 1, 0.99), kept(1.0, 500));
        assert_eq!(sample_block(0, 1, 0.99), kept(1.0, 1));
        assert_eq!(sample_block(1000, 1000, 0.99), kept(1.0, 1000));
        assert_eq!(sample_block(250, 1000, 0.249), kept(4.0, 1000));
        assert_eq!(sample_block(250, 1000, 0.251), None);
        assert_eq!(sample_mutex(500, 0, 0.0), None);
        assert_eq!(sample_mutex(500, 1, 0.99), kept(1.0, 500));
        assert_eq!(sample_mutex(500, 5, 0.19), kept(5.0, 2500));
        assert_eq!(sample_mutex(500, 5, 0.21), None);
    }

    #[test]
    fn samples_add_up_to_what_there_was() {
        let mut random = fastrand::Rng::with_seed(1);
        let (mut count, mut delay, n) = (0.0, 0, 200_000_u32);
        for _ in 0..n {
            if let Some(kept) = sample_block(300, 10_000, random.f64()) {
                count += kept.count;
                delay += kept.delay;
            }
        }
        let (count_off, delay_off) = (count / f64::from(n), delay as f64 / (300.0 * f64::from(n)));
        assert!((0.95..1.05).contains(&count_off) && (0.95..1.05).contains(&delay_off), "{count_off} {delay_off}");
    }

    #[test]
    fn a_negative_fraction_only_asks() {
        let contention = Contention::default();
        let set = [5, -1, 0, -7].map(|n| contention.set_mutex_fraction(n));
        assert_eq!(set, [0, 5, 5, 0]);
    }
}
