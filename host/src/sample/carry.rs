//! Time of stores that are gone, for which no sample stands yet.
//!
//! A store that lives for less than a sampling period is seen once in many times. What the others have used goes with the
//! sample that comes next, of whatever store, as all that one thread uses goes with its own next sample.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Nanos;

/// Shared by the samplers of one guest's stores, which come and go.
#[derive(Debug, Default)]
pub struct Carry {
    cpu: AtomicU64,
    wall: AtomicU64,
    owed: AtomicU64,
}

/// Time without a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried {
    /// CPU time.
    pub cpu: Nanos,
    /// Time as it passes.
    pub wall: Nanos,
    /// CPU time that samples do stand for, but that has not made a whole period.
    pub owed: Nanos,
}

impl Carry {
    /// Leaves time for the next sample.
    pub fn put(&self, Carried { cpu, wall, owed }: Carried) {
        for (sum, more) in [(&self.cpu, cpu), (&self.wall, wall), (&self.owed, owed)] {
            if more > 0 {
                sum.fetch_add(more, Ordering::Relaxed);
            }
        }
    }

    /// Takes it all out.
    #[must_use]
    pub fn take(&self) -> Carried {
        let [cpu, wall, owed] = [&self.cpu, &self.wall, &self.owed].map(|sum| match sum.load(Ordering::Relaxed) {
            0 => 0,
            _ => sum.swap(0, Ordering::Relaxed),
        });
        Carried { cpu, wall, owed }
    }
}
