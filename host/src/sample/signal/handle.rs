//! What the guest's thread and others do with a sampler while it runs.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use wasmtime::{CallHook, Store, StoreContextMut};

use super::shared::{REQUEST_INTERVAL, Shared};
use super::target::{END, SHOW};
use crate::sample::clock::{CpuClock, wall_now};
use crate::sample::{CurrentLabels, Leaf, OwnCallHook, Watch, chain};
use crate::stack::this_thread;

/// Reaches a sampler from any thread.
#[derive(Debug, Clone)]
pub(in crate::sample) struct Handle(pub(super) Arc<Shared>);

impl Handle {
    /// The guest is entered, on this thread. Call it from the store's hook, or before each call into a guest that has none.
    pub(in crate::sample) fn enter(&self) {
        let shared = &self.0;
        let target = shared.target;
        if target.live.depth() == 0 {
            shared.first_entry.get_or_init(Instant::now);
            // Where it fails, on a thread that is not the first, the guest goes unseen there.
            let _ = shared.aim();
            let (cpu, wall) = (CpuClock::now(), wall_now());
            shared.entered_at.store(cpu, Ordering::Relaxed);
            let [carried_cpu, carried_wall] = [0, 1].map(|idx| shared.carried[idx].load(Ordering::Relaxed));
            shared.settle_cpu(cpu, carried_cpu);
            target.settled_wall.store(wall.saturating_sub(carried_wall), Ordering::Relaxed);
        }
        target.live.enter(shared.context);
        // Only now, so that who stops the timer of a guest that is not entered sees that it is.
        shared.keep_ticking();
    }

    /// The guest is left.
    pub(in crate::sample) fn leave(&self) {
        let shared = &self.0;
        if shared.target.live.depth() > 0 && shared.target.live.leave() {
            let (cpu, wall) = (CpuClock::now(), wall_now());
            shared.spent.fetch_add(cpu.saturating_sub(shared.entered_at.load(Ordering::Relaxed)), Ordering::Relaxed);
            let settled = [&shared.target.settled_cpu, &shared.target.settled_wall];
            for ((carried, settled), now) in shared.carried.iter().zip(settled).zip([cpu, wall]) {
                carried.store(now.saturating_sub(settled.load(Ordering::Relaxed)), Ordering::Relaxed);
            }
        }
    }

    /// The guest, which has waited in the host, runs on; it may have come to another thread.
    pub(in crate::sample) fn resume(&self) {
        let shared = &self.0;
        let target = shared.target;
        target.pick_up_pace();
        let has_moved = target.thread.load(Ordering::Relaxed) != this_thread();
        let was_paused = target.is_paused.load(Ordering::Relaxed);
        if target.live.depth() == 0 || !(has_moved || was_paused) {
            return;
        }
        let cpu = CpuClock::now();
        if !was_paused {
            // Clocks of threads do not compare; what the guest used on the other one is known up to its last sample.
            let settled = target.settled_cpu.load(Ordering::Relaxed);
            let entered = shared.entered_at.load(Ordering::Relaxed);
            shared.spent.fetch_add(settled.saturating_sub(entered), Ordering::Relaxed);
            shared.carried[0].store(0, Ordering::Relaxed);
        }
        shared.entered_at.store(cpu, Ordering::Relaxed);
        let carried = shared.carried[0].load(Ordering::Relaxed);
        shared.settle_cpu(cpu, carried);
        target.is_paused.store(false, Ordering::SeqCst);
        if shared.aim().is_ok() {
            shared.keep_ticking();
        }
    }

    /// The guest waits in the host, and its thread does something else. Its waiting is still wall time of its own.
    pub(in crate::sample) fn pause(&self) {
        let shared = &self.0;
        let target = shared.target;
        if target.is_running() {
            target.is_paused.store(true, Ordering::SeqCst);
            let cpu = CpuClock::now();
            shared.spent.fetch_add(cpu.saturating_sub(shared.entered_at.load(Ordering::Relaxed)), Ordering::Relaxed);
            let settled = target.settled_cpu.load(Ordering::Relaxed);
            shared.carried[0].store(cpu.saturating_sub(settled), Ordering::Relaxed);
        }
    }

    /// Tells of the store's border, and watches it for others, the embedder's own hook among them.
    pub(in crate::sample) fn hook<T: 'static>(
        &self,
        store: &mut Store<T>,
        watch: Watch,
        own: Option<OwnCallHook<T>>,
        until_end: Option<Box<dyn Any + Send + Sync>>,
    ) {
        let kept = (Forgetting(self.clone()), until_end);
        match own {
            None => store.call_hook(move |store, event| {
                // All of it is named, so that the store has all of it.
                let (Forgetting(handle), _) = &kept;
                handle.on_crossing(&watch, store, event);
                Ok(())
            }),
            Some(mut own) => store.call_hook(move |store, event| {
                let (Forgetting(handle), _) = &kept;
                chain::tell(&mut own, store, event, |store| handle.on_crossing(&watch, store, event))
            }),
        }
    }

    fn on_crossing<T: 'static>(&self, watch: &Watch, mut store: StoreContextMut<'_, T>, event: CallHook) {
        match event {
            CallHook::CallingHost => watch.on_call(&mut store),
            CallHook::ReturningFromHost => {
                watch.on_return(&mut store);
                self.resume();
            }
            CallHook::CallingWasm => {
                self.enter();
                watch.set_depth(self.depth());
            }
            CallHook::ReturningFromWasm => {
                self.leave();
                watch.set_depth(self.depth());
            }
        }
    }

    fn depth(&self) -> u32 {
        u32::try_from(self.0.target.live.depth()).unwrap_or(u32::MAX)
    }

    /// The store is about to go, though the guest may not have been left.
    pub(in crate::sample) fn forget(&self) {
        self.0.target.live.forget();
    }

    /// Makes the guest trap at the next instruction of its own that it reaches.
    pub(in crate::sample) fn end_guest(&self) {
        self.0.request(END);
    }

    /// Whether that has happened.
    pub(in crate::sample) fn has_ended_guest(&self) -> bool {
        self.0.target.has_ended.load(Ordering::SeqCst)
    }

    /// The guest's stack as it is now, as file offsets, innermost first; `None` if it is not in the guest or does not get
    /// to run for so long.
    pub(in crate::sample) fn stack(&self, patience: Duration) -> Option<(Vec<u32>, Leaf)> {
        drop(self.0.lock().take_shown());
        if !self.0.target.is_running() {
            return None;
        }
        self.0.request(SHOW);
        let due = Instant::now() + patience;
        loop {
            std::thread::sleep(REQUEST_INTERVAL);
            let shown = self.0.drain().take_shown();
            if shown.is_some() || Instant::now() > due {
                self.0.calm_down(SHOW);
                return shown;
            }
        }
    }

    /// The labels of the guest's thread.
    pub(in crate::sample) fn labels(&self) -> &Arc<CurrentLabels> {
        &self.0.target.labels
    }
}

/// Belongs to a store, and sees to it that no handler looks at the store once it is gone.
#[derive(Debug)]
pub(super) struct Forgetting(pub(super) Handle);

impl Drop for Forgetting {
    fn drop(&mut self) {
        self.0.forget();
    }
}
