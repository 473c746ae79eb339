//! std's condition variable, whose waits wprof sees.

use std::sync::{self, LockResult};
use std::time::{Duration, Instant};

use super::mutex::MutexGuard;
use super::waiters::wrap;
use crate::imports;
use crate::key::address;

/// [`std::sync::Condvar`], whose waits wprof sees. Go's `sync.Cond`, as its profiles have it.
///
/// A wait is the waiter's in the block profile, until it has the mutex again. It is nobody's in the mutex profile, but the
/// mutex that it releases counts there if others wait for it. Each wake-up that finds nothing to do begins a new wait.
#[derive(Debug, Default)]
pub struct Condvar {
    inner: sync::Condvar,
    /// std's may have no size, and then its address is not its own.
    _place: u8,
}

impl Condvar {
    /// As [`std::sync::Condvar::new`].
    #[must_use]
    pub const fn new() -> Self {
        Self { inner: sync::Condvar::new(), _place: 0 }
    }

    /// As [`std::sync::Condvar::wait`].
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let MutexGuard { release, inner } = guard;
        let waiters = release.0;
        drop(release);
        self.waits();
        let result = self.inner.wait(inner);
        self.woken();
        wrap(result, |inner| MutexGuard::new(waiters, inner))
    }

    /// As [`std::sync::Condvar::wait_while`].
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned.
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// As [`std::sync::Condvar::wait_timeout`].
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let MutexGuard { release, inner } = guard;
        let waiters = release.0;
        drop(release);
        self.waits();
        let result = self.inner.wait_timeout(inner, timeout);
        self.woken();
        wrap(result, |(inner, result)| (MutexGuard::new(waiters, inner), WaitTimeoutResult(result.timed_out())))
    }

    /// As [`std::sync::Condvar::wait_timeout_while`].
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned.
    pub fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let start = Instant::now();
        loop {
            if !condition(&mut guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let Some(left) = timeout.checked_sub(start.elapsed()) else {
                return Ok((guard, WaitTimeoutResult(true)));
            };
            guard = self.wait_timeout(guard, left)?.0;
        }
    }

    /// As [`std::sync::Condvar::notify_one`].
    pub fn notify_one(&self) {
        self.inner.notify_one();
    }

    /// As [`std::sync::Condvar::notify_all`].
    pub fn notify_all(&self) {
        self.inner.notify_all();
    }

    fn waits(&self) {
        if imports::is_on() {
            imports::lock_waits(address(self));
        }
    }

    fn woken(&self) {
        if imports::is_on() {
            imports::lock_taken(address(self));
        }
    }
}

/// As [`std::sync::WaitTimeoutResult`], which only std can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}
