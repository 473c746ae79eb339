//! Making profiles beside the guest: on threads of their own, and few at a time, however many ask.

use std::num::NonZero;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::answer::Refusal;

/// How many profiles are made at once, where the machine has cores for it: half of them are the guest's.
const AT_ONCE: usize = 2;

/// A queue for what keeps a thread busy.
#[derive(Debug, Clone)]
pub(super) struct Work(Arc<Semaphore>);

impl Default for Work {
    fn default() -> Self {
        let n_cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Semaphore::new((n_cores / 2).clamp(1, AT_ONCE))))
    }
}

impl Work {
    #[cfg(test)]
    pub(super) fn one_at_a_time() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// Has it done when its turn comes. Who does not wait any longer leaves the queue; what has begun is done all the same.
    pub(super) async fn run<T: Send + 'static>(&self, act: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        // Nobody closes the semaphore; without a turn it would be done all the same.
        let turn = Arc::clone(&self.0).acquire_owned().await.ok();
        let done = tokio::task::spawn_blocking(move || {
            let result = act();
            drop(turn);
            result
        });
        done.await.map_err(|panicked| Refusal::failed(format!("wprof failed to make it: {panicked}")))
    }
}
