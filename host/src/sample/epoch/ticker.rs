//! The thread that raises the engine's epoch, once a period, for all stores of a guest.
//!
//! One for all of them, which stays while stores come and go: on a busy machine a new thread waits for its turn for longer than a
//! short store lives, so that one of each store's own would see the long ones only.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasmtime::Engine;

/// Raises the epoch while anybody wants it to. Dropping it ends its thread.
#[derive(Debug, Default)]
pub(in crate::sample) struct Ticker {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Somebody's wish that the epoch be raised, until it is dropped.
#[derive(Debug)]
pub(super) struct Wanted(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Periods of wall time that have passed while somebody wanted to know.
    ticks: AtomicU64,
    state: Mutex<State>,
    is_news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    n_wanted: usize,
    /// That of who came last; others want the same, as there is one profile at a time.
    period: Duration,
    /// Whether the thread sleeps until it is told of somebody.
    is_idle: bool,
    is_over: bool,
}

impl Ticker {
    /// Periods that have passed, of those in which anybody wanted to know.
    pub(super) fn ticks(&self) -> u64 {
        self.shared.ticks.load(Ordering::Relaxed)
    }

    /// Has the epoch raised once a period.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub(super) fn want(&self, engine: &Engine, period: Duration) -> std::io::Result<Wanted> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let (shared, engine) = (Arc::clone(&self.shared), engine.clone());
            *thread =
                Some(std::thread::Builder::new().name("wprof-ticker".to_owned()).spawn(move || shared.tick(&engine))?);
        }
        let mut state = self.shared.lock();
        state.n_wanted += 1;
        if std::mem::replace(&mut state.period, period) != period || state.is_idle {
            self.shared.is_news.notify_one();
        }
        drop(state);
        Ok(Wanted(Arc::clone(&self.shared)))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            self.shared.lock().is_over = true;
            self.shared.is_news.notify_one();
            // It only sleeps and adds, so it cannot have panicked; if it did, the samples are still good.
            drop(thread.join());
        }
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.lock().n_wanted -= 1;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the thread does.
    fn tick(&self, engine: &Engine) {
        // Sleeps end up to 50 µs late by default, half a period at 10 kHz. Where this is refused, the rate
        // suffers, but not the totals: weights come from the CPU clock.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1_000));
        let mut state = self.lock();
        let mut ticking: Option<(Duration, Instant)> = None;
        while !state.is_over {
            if state.n_wanted == 0 {
                (ticking, state.is_idle) = (None, true);
                state = self.is_news.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.is_idle = false;
                continue;
            }
            let (period, now) = (state.period, Instant::now());
            // At any moment of the first period, or guests that stay for less would never be seen.
            let first = || now + period.mul_f64(fastrand::f64());
            let due = ticking.filter(|it| it.0 == period).map_or_else(first, |(_, due)| due);
            let early = due.saturating_duration_since(now);
            if early.is_zero() {
                self.ticks.fetch_add(1, Ordering::Relaxed);
                engine.increment_epoch();
                // What came late by more than a period is not made up for.
                let next = due + period;
                ticking = Some((period, if next < now { now + period } else { next }));
            } else {
                ticking = Some((period, due));
                state = self.is_news.wait_timeout(state, early).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);

    /// Waits until it has ticked so often since.
    fn wait(ticker: &Ticker, since: u64, n_ticks: u64) {
        while ticker.ticks() < since + n_ticks {
            std::thread::yield_now();
        }
    }

    #[test]
    fn one_thread_ticks_for_all_and_for_nobody_not_at_all() {
        let (engine, ticker) = (Engine::default(), Ticker::default());
        let (one, other) = (ticker.want(&engine, SHORT).unwrap(), ticker.want(&engine, SHORT).unwrap());
        let thread = || ticker.thread.lock().unwrap().as_ref().map(|thread| thread.thread().id());
        let first = thread();
        wait(&ticker, 0, 3);
        drop(one);
        wait(&ticker, ticker.ticks(), 3);
        drop(other);
        while !ticker.shared.lock().is_idle {
            std::thread::yield_now();
        }
        let before = ticker.ticks();
        std::thread::sleep(20 * SHORT);
        assert_eq!(ticker.ticks(), before);
        let _again = ticker.want(&engine, SHORT).unwrap();
        wait(&ticker, before, 3);
        assert_eq!(thread(), first);
    }

    #[test]
    fn another_period_begins_at_once() {
        let (engine, ticker) = (Engine::default(), Ticker::default());
        let _long = ticker.want(&engine, Duration::from_secs(1_000_000)).unwrap();
        // Where it is not told, it sleeps for longer than anybody waits.
        let _short = ticker.want(&engine, SHORT).unwrap();
        wait(&ticker, 0, 2);
    }
}
