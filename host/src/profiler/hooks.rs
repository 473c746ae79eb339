//! The hooks that an embedder has in a store of its own, to be kept beside wprof's.

use wasmtime::{CallHook, ResourceLimiter, Store, StoreContextMut, UpdateDeadline};

use crate::heap::limits::{Limits, Watched};
use crate::sample::{Chained, OwnCallHook, OwnEpoch, OwnEpochCallback, OwnTicks};

/// An embedder's own hooks for one store. A store has one of each, so what the embedder would give to the store it gives to
/// [`Guest::attach`](super::Guest::attach), which sets wprof's, and these are called by them.
pub struct Hooks<T: 'static> {
    call_hook: Option<OwnCallHook<T>>,
    epoch: Option<(u64, OwnEpochCallback<T>)>,
    limiter: Option<SetLimiter<T>>,
}

/// Has the store's limiter tell of growth, and sets it.
type SetLimiter<T> = Box<dyn FnOnce(&mut Store<T>, Watched) + Send + Sync>;

impl<T: 'static> Default for Hooks<T> {
    fn default() -> Self {
        Self { call_hook: None, epoch: None, limiter: None }
    }
}

impl<T: 'static> std::fmt::Debug for Hooks<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks")
            .field("call_hook", &self.call_hook.is_some())
            .field("epoch", &self.epoch.as_ref().map(|(deadline, _)| deadline))
            .field("limiter", &self.limiter.is_some())
            .finish()
    }
}

impl<T: 'static> Hooks<T> {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What would be [`Store::call_hook`]. Its errors count as there.
    #[must_use]
    pub fn call_hook(
        mut self,
        hook: impl FnMut(StoreContextMut<'_, T>, CallHook) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.call_hook = Some(Box::new(hook));
        self
    }

    /// What would be [`Store::set_epoch_deadline`] and [`Store::epoch_deadline_callback`]. The ticks of the deadline, and of the
    /// callback's answers, are those of [`Profiler::increment_epoch`](super::Profiler::increment_epoch) alone, which is to be
    /// called in place of the engine's.
    #[must_use]
    pub fn epoch_deadline(
        mut self,
        ticks: u64,
        callback: impl FnMut(StoreContextMut<'_, T>) -> wasmtime::Result<UpdateDeadline> + Send + Sync + 'static,
    ) -> Self {
        self.epoch = Some((ticks, Box::new(callback)));
        self
    }

    /// What would be [`Store::limiter`], in a [`Limits`] of the store's data. Only with it are growth of memory, and blocks in
    /// components, seen.
    #[must_use]
    pub fn limiter<L: ResourceLimiter + 'static>(
        mut self,
        limits: impl Fn(&mut T) -> &mut Limits<L> + Send + Sync + 'static,
    ) -> Self {
        self.limiter = Some(Box::new(move |store, watched| {
            limits(store.data_mut()).watch(watched);
            store.limiter(move |data| limits(data));
        }));
        self
    }

    /// Those that the sampler calls, and that which it has nothing to do with.
    pub(super) fn split(self, ticks: &OwnTicks) -> (Chained<T>, Option<SetLimiter<T>>) {
        let epoch = self.epoch.map(|(deadline, callback)| OwnEpoch::new(ticks.clone(), deadline, callback));
        (Chained { call_hook: self.call_hook, epoch, until_end: None }, self.limiter)
    }
}
