//! The blocks that were sampled and not yet freed, in a table that never allocates, as allocators look into it.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Enough for a live heap of 2 GiB at the default rate of 512 KiB.
const N_BUCKETS: usize = 512;
const N_SLOTS: usize = 8;

/// A set of addresses. If a bucket overflows, any address that belongs there counts as being in the set from then on.
///
/// A filter that only counts could not be counted down: nobody knows whether what it lets through was in it.
pub(crate) struct Sampled {
    /// What is in its slots, and what once overflowed. While it is 0, which is without wprof, a free costs one load.
    n_blocks: AtomicUsize,
    buckets: [Bucket; N_BUCKETS],
}

struct Bucket {
    /// Addresses, in no order; 0 is none.
    slots: [AtomicUsize; N_SLOTS],
    has_overflowed: AtomicBool,
}

impl Bucket {
    const fn new() -> Self {
        Self { slots: [const { AtomicUsize::new(0) }; N_SLOTS], has_overflowed: AtomicBool::new(false) }
    }
}

impl Sampled {
    pub(crate) const fn new() -> Self {
        Self { n_blocks: AtomicUsize::new(0), buckets: [const { Bucket::new() }; N_BUCKETS] }
    }

    pub(crate) fn insert(&self, block: usize) {
        let Some(bucket) = self.bucket(block) else { return };
        self.n_blocks.fetch_add(1, Relaxed);
        let is_free = |slot: &AtomicUsize| slot.compare_exchange(0, block, Relaxed, Relaxed).is_ok();
        if !bucket.slots.iter().any(is_free) {
            bucket.has_overflowed.store(true, Relaxed);
        }
    }

    /// Takes it out. Whether it was in it, or may have been.
    #[inline]
    pub(crate) fn remove(&self, block: usize) -> bool {
        if self.n_blocks.load(Relaxed) == 0 {
            return false;
        }
        let Some(bucket) = self.bucket(block) else { return false };
        // Nobody else removes it, as it is freed once.
        for slot in &bucket.slots {
            if slot.load(Relaxed) == block {
                slot.store(0, Relaxed);
                self.n_blocks.fetch_sub(1, Relaxed);
                return true;
            }
        }
        bucket.has_overflowed.load(Relaxed)
    }

    #[inline]
    fn bucket(&self, block: usize) -> Option<&Bucket> {
        // Fibonacci hashing; the lowest bits of a block's address are zero.
        let hash = (block >> 3).wrapping_mul(0x9e37_79b1) >> 16;
        self.buckets.get(hash % N_BUCKETS)
    }
}

#[cfg(test)]
mod tests {
    use super::{N_BUCKETS, N_SLOTS, Sampled};

    #[test]
    fn what_was_put_in_comes_out_once() {
        let sampled = Sampled::new();
        let blocks = || (1..300).map(|n| n * 4096);
        blocks().for_each(|block| sampled.insert(block));
        assert!(!sampled.remove(8));
        assert!(blocks().all(|block| sampled.remove(block)));
        assert!(!blocks().any(|block| sampled.remove(block)));
    }

    #[test]
    fn when_it_is_full_all_may_be_in_it() {
        let sampled = Sampled::new();
        let blocks = || (1..=N_BUCKETS * N_SLOTS * 3).map(|n| n * 16);
        blocks().for_each(|block| sampled.insert(block));
        assert!(blocks().all(|block| sampled.remove(block)));
    }
}
