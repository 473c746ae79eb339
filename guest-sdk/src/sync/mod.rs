//! std's locks, whose waits wprof sees: those of a thread for a lock in the block profile, and what a holder of a lock made
//! others wait in the mutex profile.
//!
//! Everything is as in [`std::sync`], and costs the same while nobody has to wait: a try to lock. Only a thread that has to
//! wait tells wprof, when it begins and when it has the lock, and whoever releases a lock that others wait for, just before.
//! Without wprof nothing is told.
//!
//! A wait inside the lock itself is an instruction that wprof does not see, so without these the block profile has waits
//! in the host only, and the mutex profile is empty.

mod condvar;
mod mutex;
mod rwlock;
mod waiters;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

#[cfg(test)]
mod tests;
