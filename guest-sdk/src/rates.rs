//! How much is sampled.

use crate::{allocator, imports};

/// Sets how long a thread waits for each sample of the block profile, in nanoseconds, on average. Go's
/// `runtime.SetBlockProfileRate`.
///
/// 1 keeps every wait. 0 and less keep none.
pub fn set_block_profile_rate(nanos: i64) {
    imports::set_block_profile_rate(nanos);
}

/// Keeps one of `n` contentions in the mutex profile, on average, and returns the `n` before. Go's
/// `runtime.SetMutexProfileFraction`.
///
/// 1 keeps all, 0 none; a negative number only asks. Answers 0 outside wprof.
pub fn set_mutex_profile_fraction(n: i32) -> i32 {
    imports::set_mutex_profile_fraction(n)
}

/// Sets how many bytes are allocated for each sample of the heap profile, on average. Go's `runtime.MemProfileRate`.
///
/// 524,288 if it is never set. 1 keeps every block, 0 and less none. Set it once, early: all that was sampled before is
/// counted as if it had been sampled at the new rate.
pub fn set_mem_profile_rate(bytes: i64) {
    imports::set_mem_profile_rate(bytes);
    allocator::ask_again();
}
