//! Delta profiles: what has been added since the one before, as Pyroscope's godeltaprof takes them (SEMANTICS §7).
//!
//! Each profiler has a baseline of its own: two numbers at most for each record that the guest's profile has, so it grows
//! with that and no further. Rows without news are dropped before anything of them is looked up. A profiler is for one guest.

use std::sync::{Mutex, MutexGuard, PoisonError};

use proto::Profile;

use crate::record::{ContentionKind, HeapKind, HeapRow};
use crate::registry::Registry;

/// What was allocated since the profile before, and what is in use.
///
/// In-use values are as they are, and not differences: what is not freed is in every profile.
#[derive(Debug, Default)]
pub struct DeltaHeap {
    /// How many blocks each record had allocated.
    before: Mutex<Vec<u64>>,
}

/// Waits since the profile before.
#[derive(Debug, Default)]
pub struct DeltaBlock(Contended);

/// Waits for locks since the profile before, by who held them.
#[derive(Debug, Default)]
pub struct DeltaMutex(Contended);

/// How often and how long each stack had waited.
#[derive(Debug, Default)]
struct Contended {
    before: Mutex<Vec<(u64, u64)>>,
}

impl DeltaHeap {
    /// The next profile; the first has all since the guest began.
    #[must_use]
    pub fn profile(&self, registry: &Registry) -> Profile {
        let mut before = lock(&self.before);
        let sampled = registry.handle().heap.as_ref().map(|heap| {
            let is_news = |number: usize, now: u64| before.get(number).is_none_or(|&before| before != now);
            heap.sampled_where(|it| it.n_live() > 0 || is_news(it.number, it.n_allocs))
        });
        let rows = sampled.into_iter().flat_map(|it| it.records).map(|it| {
            let record = it.record;
            let added = record.n_allocs.saturating_sub(replace(&mut before, record.number, record.n_allocs));
            // The difference is estimated, and is not a difference of estimates.
            HeapRow {
                offsets: it.offsets,
                is_cut: it.is_cut,
                size: record.size,
                n_allocs: added,
                n_inuse: record.n_live(),
            }
        });
        let (raw, rate) = registry.raw_heap_rows(HeapKind::Heap, rows.collect());
        proto::heap::unsample(&raw, rate)
    }
}

impl DeltaBlock {
    /// The next profile; the first has all since the guest began.
    #[must_use]
    pub fn profile(&self, registry: &Registry) -> Profile {
        self.0.profile(registry, ContentionKind::Block)
    }
}

impl DeltaMutex {
    /// The next profile; the first has all since the guest began.
    #[must_use]
    pub fn profile(&self, registry: &Registry) -> Profile {
        self.0.profile(registry, ContentionKind::Mutex)
    }
}

impl Contended {
    fn profile(&self, registry: &Registry, kind: ContentionKind) -> Profile {
        let mut before = lock(&self.before);
        let waited = registry.handle().contention.all_with(kind, |number, (count, delay)| {
            let (earlier_count, earlier_delay) = replace(&mut before, number, (count, delay));
            let added = (count.checked_sub(earlier_count)?, delay.checked_sub(earlier_delay)?);
            (added != (0, 0)).then_some(added)
        });
        registry.contention_of(kind, &waited)
    }
}

/// Sets what stands at a place, and returns what stood there.
fn replace<T: Copy + Default>(before: &mut Vec<T>, at: usize, now: T) -> T {
    if before.len() <= at {
        before.resize(at + 1, T::default());
    }
    std::mem::replace(&mut before[at], now)
}

fn lock<T>(baseline: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held leaves at worst some news to be told twice.
    baseline.lock().unwrap_or_else(PoisonError::into_inner)
}
