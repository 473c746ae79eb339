//! Locks around a value, for what is done in a moment.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// A lock that nobody waits for.
///
/// std's costs more, as it asks whether its thread panics.
pub(crate) struct TryLock<T> {
    is_taken: AtomicBool,
    value: UnsafeCell<T>,
}

#[expect(unsafe_code, reason = "there is no lock in core")]
// SAFETY: one thread at a time reaches the value, which may be sent there.
unsafe impl<T: Send> Sync for TryLock<T> {}

impl<T> TryLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { is_taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// None if somebody else has it, or this thread further up.
    #[inline]
    pub(crate) fn try_with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        if self.is_taken.swap(true, Ordering::Acquire) {
            return None;
        }
        let _taken = Taken(&self.is_taken);
        #[expect(unsafe_code, reason = "there is no lock in core")]
        // SAFETY: whoever finds the flag down has the value alone, until the flag is down again.
        let value = unsafe { &mut *self.value.get() };
        Some(f(value))
    }
}

/// Gives the lock back, also if a panic passes.
struct Taken<'a>(&'a AtomicBool);

impl Drop for Taken<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

cfg_select! {
    feature = "std" => {
        use std::sync::{Mutex, PoisonError};

        /// A lock that is waited for.
        pub(crate) struct Lock<T>(Mutex<T>);

        impl<T> Lock<T> {
            pub(crate) const fn new(value: T) -> Self {
                Self(Mutex::new(value))
            }

            /// Whoever panicked with the value has left it whole.
            pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
                f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }
    _ => {
        use core::hint::spin_loop;

        /// A lock that is waited for; in vain by whoever has it already.
        pub(crate) struct Lock<T>(TryLock<T>);

        impl<T> Lock<T> {
            pub(crate) const fn new(value: T) -> Self {
                Self(TryLock::new(value))
            }

            pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
                let mut f = Some(f);
                loop {
                    if let Some(Some(result)) = self.0.try_with(|value| f.take().map(|f| f(value))) {
                        return result;
                    }
                    spin_loop();
                }
            }
        }
    }
}
