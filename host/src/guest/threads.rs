//! Threads of a guest, as the wasi-threads proposal has them: each is another instance of the module, in a store of its own, with
//! the same memory and the same world.
//!
//! A guest is over when its main thread has returned, or when one of its threads traps or exits.

use std::sync::{Arc, OnceLock, mpsc};

use anyhow::Context as _;
use wasmtime::{Caller, ExternType, Linker, MemoryType, Module, SharedMemory, Store};

use super::call::{self, Watched};
use super::{Baton, GuestOptions, GuestState, sleep};
use crate::contention::waiting::Waiting;
use crate::contexts::{Context, Creation, Own};
use crate::heap::HeapHooks;
use crate::heap::probe::Probe;
use crate::heap::rewrite::{FILTER, FILTER_PAGES, THREAD_SPAWN};
use crate::labels::LabelsId;
use crate::registry::Registry;
use crate::sample::{self, Chained, Sampler, Subject, Watch};
use crate::stack::{MAX_FRAMES, file_offsets, this_thread};

/// What a thread begins in.
const START: &str = "wasi_thread_start";

/// What a guest is told when a thread cannot be had: WASI's `eagain`, negative.
const CANNOT: i32 = -6;

/// Called with how a thread has ended that has ended the guest.
pub type OnEnd = Arc<dyn Fn(anyhow::Result<()>) + Send + Sync>;

/// What begins threads. Clones are the same.
#[derive(Clone)]
pub struct Threads(Arc<Inner>);

struct Inner {
    guest: Guest,
    /// What the linkers of all threads have in common, once the guest has begun.
    linker: OnceLock<Linker<GuestState>>,
}

/// What threads need to know of the guest.
pub struct Guest {
    /// Its code.
    pub module: Module,
    /// The same as it is sampled.
    pub subject: Arc<Subject>,
    /// Its options.
    pub options: Arc<GuestOptions>,
    /// Its world.
    pub baton: Baton,
    /// The hooks in its allocator.
    pub heap: Option<HeapHooks>,
    /// Its profiles.
    pub registry: Registry,
    /// How CPU samples are taken.
    pub kind: sample::Kind,
    /// In how many of its modules there are hooks.
    pub n_rewritten: usize,
    /// Whether instantiating it runs code of its own.
    pub has_start: bool,
    /// What is to be done when a thread has ended it.
    pub on_end: OnEnd,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("options", &self.options).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Threads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads").field("guest", &self.0.guest).finish_non_exhaustive()
    }
}

/// A thread that is to be.
struct New {
    id: u32,
    argument: i32,
    creation: Creation,
    labels: LabelsId,
}

impl Threads {
    /// Whether a module starts threads, or was at least built as those are that do.
    #[must_use]
    pub fn are_in(module: &Module) -> bool {
        let is_shared = |ty: ExternType| matches!(ty, ExternType::Memory(ty) if ty.is_shared());
        module.imports().any(|import| (import.module(), import.name()) == THREAD_SPAWN || is_shared(import.ty()))
    }

    /// What begins threads of this guest.
    #[must_use]
    pub fn new(guest: Guest) -> Self {
        Self(Arc::new(Inner { guest, linker: OnceLock::new() }))
    }

    /// Makes what threads share, for a linker that has what all of them are to have.
    pub(super) fn share(&self, linker: &mut Linker<GuestState>, store: &mut Store<GuestState>) -> anyhow::Result<()> {
        let inner = &self.0;
        let engine = store.engine().clone();
        for import in inner.guest.module.imports() {
            let ExternType::Memory(ty) = import.ty() else { continue };
            if !ty.is_shared() {
                continue;
            }
            let (module, name) = (import.module(), import.name());
            let is_filter = (module, name) == FILTER;
            let ty = if is_filter { filter() } else { ty };
            let memory = SharedMemory::new(&engine, ty)
                .map_err(anyhow::Error::from)
                .with_context(|| format!("failed to make the memory {module}.{name} that threads share"))?;
            linker.define(&*store, module, name, memory.clone())?;
            if !is_filter {
                inner.guest.registry.handle().growth.share(memory);
            }
        }
        sleep::add_to_linker(linker, store)?;
        let _is_first = inner.linker.set(linker.clone());
        Ok(())
    }

    /// Adds what begins threads to the linker of one context.
    pub(super) fn add_to_linker(&self, linker: &mut Linker<GuestState>, context: &Arc<Context>) -> anyhow::Result<()> {
        let (threads, context) = (self.clone(), Arc::clone(context));
        let (module, name) = THREAD_SPAWN;
        linker.func_wrap(module, name, move |caller: Caller<'_, GuestState>, argument: i32| {
            threads.spawn(&context, &caller, argument)
        })?;
        Ok(())
    }

    /// Begins a thread; its number, or a negative one if it cannot be had.
    fn spawn(&self, by: &Context, caller: &Caller<'_, GuestState>, argument: i32) -> i32 {
        let mut offsets = file_offsets(caller);
        let is_cut = offsets.len() > MAX_FRAMES;
        offsets.truncate(MAX_FRAMES);
        let creation = Creation { by: by.id, offsets, is_cut };
        let id = self.0.guest.registry.handle().contexts.next_id();
        let new = New { id, argument, creation, labels: by.cpu.labels().get() };
        let (sender, has_begun) = mpsc::channel();
        let threads = self.clone();
        let thread = std::thread::Builder::new().name(format!("guest-{id}"));
        let spawned = thread.stack_size(self.0.guest.options.thread_stack()).spawn(move || threads.run(new, &sender));
        // The sender is dropped if it comes to nothing.
        match (spawned, has_begun.recv()) {
            (Ok(_), Ok(())) => i32::try_from(id).unwrap_or(CANNOT),
            _ => CANNOT,
        }
    }
}

impl Threads {
    /// A thread from its beginning to its end.
    fn run(&self, new: New, has_begun: &mpsc::Sender<()>) {
        let handle = self.0.guest.registry.handle();
        let own = Own {
            waiting: Arc::new(Waiting::new(Arc::clone(&handle.contention))),
            growth: Arc::new(handle.growth.beside()),
            heap: handle.heap.as_ref().map(Probe::beside),
        };
        let Ok((mut store, sampler)) = self.prepare(&own) else { return };
        sampler.handle().labels().replace(new.labels);
        let Ok(context) = handle.contexts.begin(new.id, sampler.handle(), own, new.creation) else { return };
        // Nobody listening means that the process is about to exit.
        let _ = has_begun.send(());
        let outcome = self.call(&mut store, &sampler, &context, new.argument);
        if let Some(heap) = &context.own.heap {
            heap.free_queued(&mut store);
        }
        handle.contention.locks.forget(this_thread());
        handle.contexts.end(&context, || sampler.finish());
        if let Err(error) = outcome {
            (self.0.guest.on_end)(Err(error.context(format!("failed to run thread {}", new.id))));
        }
    }

    fn prepare(&self, own: &Own) -> anyhow::Result<(Store<GuestState>, Sampler)> {
        let heap = own.heap.clone().filter(|_| self.0.guest.heap.is_some());
        let (growth, waiting) = (Arc::clone(&own.growth), Arc::clone(&own.waiting));
        let watch = Watch { growth, heap, waiting, after_call: Some(GuestState::give_back) };
        let state =
            GuestState::new(&self.0.guest.options, &watch, self.0.guest.n_rewritten, Some(&self.0.guest.baton))?;
        let mut store = Store::new(self.0.guest.module.engine(), state);
        call::set_limits(&mut store, &self.0.guest.options)?;
        // Many threads end before a tick comes.
        let carry = Some(Arc::clone(&self.0.guest.registry.handle().contexts.carry));
        let kind = self.0.guest.kind;
        let options = sample::Options { kind, hz: 0, has_wall: false, watch, carry, has_hook: true };
        let sampler = Sampler::attach(&mut store, &self.0.guest.subject, options, Chained::default())?;
        Ok((store, sampler))
    }

    fn call(
        &self,
        store: &mut Store<GuestState>,
        sampler: &Sampler,
        context: &Arc<Context>,
        argument: i32,
    ) -> anyhow::Result<()> {
        let heap = self.0.guest.heap.clone().map(|hooks| match &context.own.heap {
            Some(probe) => HeapHooks { probe: probe.clone(), ..hooks },
            None => HeapHooks { probe: hooks.probe.beside(), ..hooks },
        });
        let watched = Watched {
            heap: heap.as_ref(),
            border: &sampler.border(),
            has_start: self.0.guest.has_start,
            registry: &self.0.guest.registry,
            context,
            threads: Some(self),
        };
        let linker = self.0.linker.get().cloned().context("no thread has begun before the guest")?;
        let instance = call::instantiate(store, linker, &self.0.guest.module, &self.0.guest.options, &watched)?;
        let start = instance
            .get_typed_func::<(i32, i32), ()>(&mut *store, START)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("threads begin in an export {START}, with the thread's number and an argument"))?;
        let _stay = watched.border.cross();
        let id = i32::try_from(context.id).unwrap_or(i32::MAX);
        Ok(start.call(&mut *store, (id, argument))?)
    }
}

/// The filter of a rewritten module.
fn filter() -> MemoryType {
    let pages = u32::try_from(FILTER_PAGES).unwrap_or(u32::MAX);
    MemoryType::shared(pages, pages)
}
