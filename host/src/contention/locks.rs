//! Who waits for which of the guest's locks, and for how long.
//!
//! The guest tells when it begins to wait, when it has the lock, and when it gives up a lock that others wait for. What
//! those have waited by then is blamed on the one that gives it up; what they wait after that, on the next.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use crate::sample::Nanos;

/// Threads that may wait at once, and no more are known of.
const MAX_WAITING: usize = 1 << 16;

/// All locks that somebody waits for. They are told apart by their addresses, as the guest sees them.
#[derive(Debug, Default)]
pub struct Locks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    by_lock: FxHashMap<i64, Vec<Waiter>>,
    n_waiting: usize,
}

#[derive(Debug, Clone, Copy)]
struct Waiter {
    thread: u64,
    /// When it began to wait.
    since: Nanos,
    /// Up to when somebody was blamed for it.
    blamed: Nanos,
}

impl Locks {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread begins to wait.
    pub fn wait(&self, lock: i64, thread: u64, now: Nanos) {
        let mut state = self.lock();
        if state.n_waiting < MAX_WAITING {
            state.n_waiting += 1;
            state.by_lock.entry(lock).or_default().push(Waiter { thread, since: now, blamed: now });
        }
    }

    /// A thread has the lock; how long it has waited for it, if it has said so.
    pub fn take(&self, lock: i64, thread: u64, now: Nanos) -> Option<Nanos> {
        let mut state = self.lock();
        let waiters = state.by_lock.get_mut(&lock)?;
        let waiter = waiters.swap_remove(waiters.iter().position(|it| it.thread == thread)?);
        if waiters.is_empty() {
            state.by_lock.remove(&lock);
        }
        state.n_waiting -= 1;
        Some(now.saturating_sub(waiter.since))
    }

    /// The lock is given up; how long others have waited for it together that nobody was blamed for, if there are any.
    pub fn release(&self, lock: i64, now: Nanos) -> Option<Nanos> {
        let mut state = self.lock();
        let waiters = state.by_lock.get_mut(&lock)?;
        let mut waited: Nanos = 0;
        for waiter in waiters {
            waited = waited.saturating_add(now.saturating_sub(std::mem::replace(&mut waiter.blamed, now)));
        }
        Some(waited)
    }

    /// A thread is gone, and waits for nothing.
    pub fn forget(&self, thread: u64) {
        let mut state = self.lock();
        state.by_lock.retain(|_, waiters| {
            waiters.retain(|it| it.thread != thread);
            !waiters.is_empty()
        });
        state.n_waiting = state.by_lock.values().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_is_blamed_for_all_who_wait() {
        let locks = Locks::default();
        assert_eq!(locks.release(7, 0), None);
        for thread in 1..=5 {
            locks.wait(7, thread, thread);
        }
        locks.wait(8, 6, 0);
        assert_eq!(locks.release(7, 205), Some(204 + 203 + 202 + 201 + 200));
        assert_eq!(locks.take(7, 3, 206), Some(203), "what it has waited itself");
        assert_eq!(locks.release(7, 215), Some(4 * 10), "the others, since then");
        assert_eq!(locks.take(7, 3, 300), None);
        for thread in [1, 2, 4, 5] {
            assert!(locks.take(7, thread, 300).is_some());
        }
        assert_eq!(locks.release(7, 400), None);
        locks.forget(6);
        assert_eq!(locks.release(8, 400), None);
    }

    #[test]
    fn there_is_an_end_to_how_many_wait() {
        let locks = Locks::default();
        for n in 0..200_000 {
            locks.wait(n, 1, 0);
        }
        let n_kept = (0..200_000).filter(|&n| locks.take(n, 1, 1).is_some()).count();
        assert_eq!(n_kept, MAX_WAITING);
        locks.wait(1, 1, 0);
        assert_eq!(locks.take(1, 1, 1), Some(1));
    }
}
