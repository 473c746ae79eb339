//! std's lock for one writer or many readers, whose waits wprof sees.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{self, LockResult, TryLockResult};

use super::mutex::Release;
use super::waiters::{Waiters, wrap, wrap_try};
use crate::imports;

/// [`std::sync::RwLock`], whose waits wprof sees. Go's `sync.RWMutex`, as its profiles have it.
///
/// A writer that others wait for is blamed when it releases the lock. Of several readers the last to release it is, as in
/// Go: it is the one that lets a writer in.
#[derive(Default)]
pub struct RwLock<T: ?Sized> {
    waiters: Waiters,
    /// Readers that have it; counted only where there may be wprof.
    n_readers: AtomicUsize,
    inner: sync::RwLock<T>,
}

impl<T> RwLock<T> {
    /// As [`std::sync::RwLock::new`].
    pub const fn new(value: T) -> Self {
        Self { waiters: Waiters::new(), n_readers: AtomicUsize::new(0), inner: sync::RwLock::new(value) }
    }

    /// As [`std::sync::RwLock::into_inner`].
    ///
    /// # Errors
    ///
    /// If it is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// As [`std::sync::RwLock::read`].
    ///
    /// # Errors
    ///
    /// If it is poisoned.
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let locked = self.waiters.lock(|| self.inner.try_read(), || self.inner.read());
        wrap(locked, |inner| self.read_guard(inner))
    }

    /// As [`std::sync::RwLock::try_read`].
    ///
    /// # Errors
    ///
    /// If it is poisoned, or a writer has it.
    #[inline]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        wrap_try(self.inner.try_read(), |inner| self.read_guard(inner))
    }

    /// As [`std::sync::RwLock::write`].
    ///
    /// # Errors
    ///
    /// If it is poisoned.
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let locked = self.waiters.lock(|| self.inner.try_write(), || self.inner.write());
        wrap(locked, |inner| self.write_guard(inner))
    }

    /// As [`std::sync::RwLock::try_write`].
    ///
    /// # Errors
    ///
    /// If it is poisoned, or somebody has it.
    #[inline]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        wrap_try(self.inner.try_write(), |inner| self.write_guard(inner))
    }

    /// As [`std::sync::RwLock::is_poisoned`].
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// As [`std::sync::RwLock::clear_poison`].
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// As [`std::sync::RwLock::get_mut`].
    ///
    /// # Errors
    ///
    /// If it is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }

    #[cfg(test)]
    pub(super) fn n_waiting(&self) -> usize {
        self.waiters.n()
    }

    #[inline]
    fn read_guard<'a>(&'a self, inner: sync::RwLockReadGuard<'a, T>) -> RwLockReadGuard<'a, T> {
        if imports::LINKED {
            self.n_readers.fetch_add(1, SeqCst);
        }
        RwLockReadGuard { _release: ReleaseOne { waiters: &self.waiters, n_readers: &self.n_readers }, inner }
    }

    #[inline]
    fn write_guard<'a>(&'a self, inner: sync::RwLockWriteGuard<'a, T>) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard { _release: Release(&self.waiters), inner }
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// As [`std::sync::RwLockReadGuard`].
#[must_use = "the lock is released when the guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    // Dropped first: wprof is told before the lock is released.
    _release: ReleaseOne<'a>,
    inner: sync::RwLockReadGuard<'a, T>,
}

/// As [`std::sync::RwLockWriteGuard`].
#[must_use = "the lock is released when the guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    // Dropped first, as above.
    _release: Release<'a>,
    inner: sync::RwLockWriteGuard<'a, T>,
}

/// One reader's part of the lock.
struct ReleaseOne<'a> {
    waiters: &'a Waiters,
    n_readers: &'a AtomicUsize,
}

impl Drop for ReleaseOne<'_> {
    #[inline]
    fn drop(&mut self) {
        if imports::LINKED && self.n_readers.fetch_sub(1, SeqCst) == 1 {
            self.waiters.released();
        }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
