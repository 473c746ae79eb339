//! Who waits for a lock, and what wprof is told of it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use crate::imports;
use crate::key::address;

/// The threads that wait for a lock. Its address is the lock's name to wprof.
#[derive(Debug, Default)]
pub(super) struct Waiters(AtomicUsize);

impl Waiters {
    pub(super) const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Locks by `try_lock`, or else by `lock`, and says that it had to wait.
    #[inline]
    pub(super) fn lock<G>(
        &self,
        try_lock: impl FnOnce() -> TryLockResult<G>,
        lock: impl FnOnce() -> LockResult<G>,
    ) -> LockResult<G> {
        match try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(error)) => Err(error),
            Err(TryLockError::WouldBlock) => self.wait(lock),
        }
    }

    #[cold]
    fn wait<G>(&self, lock: impl FnOnce() -> LockResult<G>) -> LockResult<G> {
        if !imports::is_on() {
            return lock();
        }
        // Called right here, as wprof takes the stack and leaves out the frames of this crate alone.
        let lock_address = address(self);
        self.0.fetch_add(1, SeqCst);
        imports::lock_waits(lock_address);
        let guard = lock();
        // The lock is this thread's, so those who still wait are others.
        self.0.fetch_sub(1, SeqCst);
        imports::lock_taken(lock_address);
        guard
    }

    #[cfg(test)]
    pub(super) fn n(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// The calling thread is about to release the lock.
    #[inline]
    pub(super) fn released(&self) {
        // 0 forever without wprof.
        if imports::LINKED && self.0.load(SeqCst) > 0 {
            imports::lock_released(address(self));
        }
    }
}

/// A guard of ours around std's, poisoned or not.
#[inline]
pub(super) fn wrap<G, W>(result: LockResult<G>, wrap: impl FnOnce(G) -> W) -> LockResult<W> {
    match result {
        Ok(guard) => Ok(wrap(guard)),
        Err(error) => Err(PoisonError::new(wrap(error.into_inner()))),
    }
}

/// The same of a try.
#[inline]
pub(super) fn wrap_try<G, W>(result: TryLockResult<G>, wrap: impl FnOnce(G) -> W) -> TryLockResult<W> {
    match result {
        Ok(guard) => Ok(wrap(guard)),
        Err(TryLockError::Poisoned(error)) => Err(PoisonError::new(wrap(error.into_inner())).into()),
        Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
    }
}
