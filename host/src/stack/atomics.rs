//! A few words that a signal handler and the thread that it interrupts share.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes them, one after the other.
pub(super) fn store<const N: usize>(to: &[AtomicUsize; N], values: [usize; N]) {
    for (to, value) in to.iter().zip(values) {
        to.store(value, Ordering::Relaxed);
    }
}

/// Reads them.
pub(super) fn load<const N: usize>(from: &[AtomicUsize; N]) -> [usize; N] {
    std::array::from_fn(|idx| from.get(idx).map_or(0, |it| it.load(Ordering::Relaxed)))
}
