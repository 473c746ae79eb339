//! Telling threads apart.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that no other thread has or has had.
pub(crate) fn this_thread() -> u64 {
    static N_THREADS: AtomicU64 = AtomicU64::new(0);
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(N_THREADS.fetch_add(1, Ordering::Relaxed) + 1);
        }
        number.get()
    })
}
