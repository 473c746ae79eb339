//! An embedder's own hooks. A store has one call hook and one epoch deadline, so where the sampler has these, it calls the
//! embedder's from its own.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{AsContextMut, CallHook, Engine, StoreContextMut, UpdateDeadline};

/// What an embedder would give to [`wasmtime::Store::call_hook`].
pub type OwnCallHook<T> =
    Box<dyn FnMut(StoreContextMut<'_, T>, CallHook) -> wasmtime::Result<()> + Send + Sync + 'static>;

/// What an embedder would give to [`wasmtime::Store::epoch_deadline_callback`].
pub type OwnEpochCallback<T> =
    Box<dyn FnMut(StoreContextMut<'_, T>) -> wasmtime::Result<UpdateDeadline> + Send + Sync + 'static>;

/// Hooks of the embedder's, for one store.
pub struct Chained<T: 'static> {
    /// Called at every crossing of the guest's border. Its errors count as without wprof. Where the guest is to be entered, it
    /// is asked before wprof is told, else after.
    pub call_hook: Option<OwnCallHook<T>>,
    /// Called at the embedder's own epoch deadlines.
    pub epoch: Option<OwnEpoch<T>>,
    /// Dropped with the store. With it the store has a call hook in any case.
    pub until_end: Option<Box<dyn Any + Send + Sync>>,
}

impl<T: 'static> Default for Chained<T> {
    fn default() -> Self {
        Self { call_hook: None, epoch: None, until_end: None }
    }
}

impl<T: 'static> std::fmt::Debug for Chained<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chained")
            .field("call_hook", &self.call_hook.is_some())
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// Counts an embedder's own ticks of an engine's epoch. The epoch sampler raises the same epoch, and nobody can tell from the
/// epoch who did. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct OwnTicks(Arc<AtomicU64>);

impl OwnTicks {
    /// Raises the engine's epoch, as [`Engine::increment_epoch`] does, for the embedder.
    pub fn increment_epoch(&self, engine: &Engine) {
        self.0.fetch_add(1, Ordering::Relaxed);
        engine.increment_epoch();
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// An embedder's epoch deadline for one store.
pub struct OwnEpoch<T: 'static> {
    ticks: OwnTicks,
    /// Ticks from the attaching to the first deadline, and then the tick at which the next one is.
    deadline: u64,
    callback: OwnEpochCallback<T>,
}

impl<T: 'static> std::fmt::Debug for OwnEpoch<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnEpoch").field("ticks", &self.ticks).field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl<T: 'static> OwnEpoch<T> {
    /// `callback` is called when so many of these ticks have passed since the sampler was attached, and then when it has said.
    pub fn new(
        ticks: OwnTicks,
        deadline: u64,
        callback: impl FnMut(StoreContextMut<'_, T>) -> wasmtime::Result<UpdateDeadline> + Send + Sync + 'static,
    ) -> Self {
        Self { ticks, deadline, callback: Box::new(callback) }
    }

    /// The store has no other epoch deadline: wasmtime keeps it.
    pub(super) fn set_alone(self, store: &mut wasmtime::Store<T>) {
        store.set_epoch_deadline(self.deadline);
        store.epoch_deadline_callback(self.callback);
    }

    /// The sampler looks at every tick, from now on.
    pub(super) fn start(&mut self) {
        self.deadline = self.deadline.saturating_add(self.ticks.now());
    }

    /// Somebody has raised the epoch; the next deadline of the store's is that of the next tick.
    pub(super) fn on_tick(&mut self, store: StoreContextMut<'_, T>) -> wasmtime::Result<UpdateDeadline> {
        let now = self.ticks.now();
        if now < self.deadline {
            return Ok(UpdateDeadline::Continue(1));
        }
        let (ticks, update) = match (self.callback)(store)? {
            UpdateDeadline::Continue(ticks) => (ticks, UpdateDeadline::Continue(1)),
            UpdateDeadline::Yield(ticks) => (ticks, UpdateDeadline::Yield(1)),
            UpdateDeadline::YieldCustom(ticks, future) => (ticks, UpdateDeadline::YieldCustom(1, future)),
            other => (0, other),
        };
        self.deadline = now.saturating_add(ticks);
        Ok(update)
    }
}

/// Tells both of a crossing. A guest that the embedder's hook does not let in was never entered: wasmtime does not say that
/// it is left.
pub(super) fn tell<T: 'static>(
    own: &mut OwnCallHook<T>,
    mut store: StoreContextMut<'_, T>,
    event: CallHook,
    ours: impl FnOnce(StoreContextMut<'_, T>),
) -> wasmtime::Result<()> {
    if matches!(event, CallHook::CallingWasm) {
        own(store.as_context_mut(), event)?;
        ours(store);
        return Ok(());
    }
    ours(store.as_context_mut());
    own(store, event)
}
