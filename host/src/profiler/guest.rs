//! A module or component that is ready to be instantiated, any number of times, and what is measured of all its instances.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use wasmtime::component::Component;
use wasmtime::{Engine, Module, Store};

use super::attached::{Attached, Instance};
use super::hooks::Hooks;
use super::options::Options;
use crate::abi;
use crate::contention::Contention;
use crate::contention::waiting::Waiting;
use crate::contexts::{Creation, Own};
use crate::guest::{Code, compile};
use crate::heap::find::ImportHook;
use crate::heap::limits::Watched;
use crate::heap::prepare::{Prepared, prepare};
use crate::heap::probe::Probe;
use crate::heap::rewrite::{AddressMap, Armed};
use crate::measure::Handle;
use crate::registry::{self, HeapFacts, Registry};
use crate::sample::{self, Kind, OwnTicks, Sampler, Subject, Watch};

/// A module or component, prepared by [`Profiler::prepare`](super::Profiler::prepare). Clones are the same.
#[derive(Debug, Clone)]
pub struct Guest(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) subject: Arc<Subject>,
    pub(super) registry: Registry,
    /// What is to be filled in each instance of a rewritten core module.
    pub(super) armed: Option<Armed>,
    /// Allocators that it imports.
    pub(super) imports: Vec<ImportHook>,
    n_rewritten: usize,
    kind: Kind,
    ticks: OwnTicks,
    notes: Vec<String>,
}

impl Guest {
    pub(super) fn prepare(
        engine: &Engine,
        path: &Path,
        bytes: Vec<u8>,
        options: &Options,
        kind: Kind,
        ticks: &OwnTicks,
    ) -> anyhow::Result<Self> {
        let looks_at_blocks = options.heap.rate > 0;
        let mut prepared = match looks_at_blocks {
            true => prepare(&bytes, &options.allocators)
                .with_context(|| format!("failed to find the allocator of {}", path.display()))?,
            false => Prepared::default(),
        };
        if prepared.armed.as_ref().is_some_and(|armed| armed.memory.is_none()) {
            let nothing =
                "it starts threads, whose stores share a memory, and whoever makes those must fill their hooks";
            prepared = Prepared { nothing: Some(nothing.to_owned()), ..Prepared::default() };
        }
        let code = compile_prepared(engine, path, &bytes, &mut prepared)?;
        let hooked = prepared.is_hooked().then(|| Probe::new(options.heap, prepared.no_frees.is_none()));
        let tells = matches!(&code, Code::Module(module) if abi::has_allocator(module));
        let is_told = hooked.is_none() && looks_at_blocks && tells;
        let heap = hooked.or_else(|| is_told.then(|| Probe::new(options.heap, true)));
        let mut facts = HeapFacts::of(&prepared, options.heap.rate);
        if is_told {
            (facts.hooked, facts.nothing) = (vec!["wprof_guest::Alloc".to_owned()], None);
        }
        let contention = Arc::new(Contention::default());
        contention.set_block_rate(options.block_rate.into());
        contention.set_mutex_fraction(i32::try_from(options.mutex_fraction).unwrap_or(i32::MAX));
        let mut module = registry::Module::new(path.to_owned(), Arc::new(bytes), prepared.map, facts);
        module.strips_symbols = options.strips_symbols;
        let registry = Registry::new(module, Handle { heap, is_told, contention, ..Handle::default() });
        Ok(Self(Arc::new(Inner {
            subject: Arc::new(Subject::new(code)),
            registry,
            armed: prepared.armed,
            imports: prepared.imports,
            n_rewritten: prepared.n_rewritten,
            kind,
            ticks: ticks.clone(),
            notes: prepared.notes,
        })))
    }

    /// Its profiles: those of all stores that it was attached to, together.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// What was compiled: of a core module not the one that was given, but one with hooks in its allocator.
    /// [`Attached::instantiate`] fills them; an instance made without them must not run.
    #[must_use]
    pub fn code(&self) -> &Code {
        self.0.subject.code()
    }

    /// The compiled core module; `None` of a component.
    #[must_use]
    pub fn module(&self) -> Option<&Module> {
        match self.code() {
            Code::Module(module) => Some(module),
            Code::Component(_) => None,
        }
    }

    /// The compiled component, to be instantiated as any other is, once the store is attached; `None` of a core module.
    #[must_use]
    pub fn component(&self) -> Option<&Component> {
        match self.code() {
            Code::Module(_) => None,
            Code::Component(component) => Some(component),
        }
    }

    /// What its owner should know of how its allocator was hooked.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// Measures what an instance of the guest does in this store, until the store is dropped. To be called once a store,
    /// before the guest is instantiated, and from the thread on which that will be; of an async store, any that polls it.
    ///
    /// It sets the store's call hook, and where CPU samples are taken by epochs the epoch deadline: an embedder that has its
    /// own gives them here. A hook that is set later takes the place of wprof's, and ends the measuring.
    ///
    /// # Errors
    ///
    /// When the system refuses a timer or a thread, or some thousand stores are being measured already.
    pub fn attach<T: 'static>(&self, store: &mut Store<T>, hooks: Hooks<T>) -> anyhow::Result<Attached> {
        let inner = &self.0;
        let handle = inner.registry.handle();
        let waiting = Arc::new(Waiting::new(Arc::clone(&handle.contention)));
        // Books of all, and in them what is this store's: an address in its memory is another one elsewhere.
        let (heap, growth) = (handle.heap.as_ref().map(Probe::apart), Arc::new(handle.growth.beside()));
        let (own_growth, own_waiting) = (Arc::clone(&growth), Arc::clone(&waiting));
        let watch = Watch { growth: own_growth, heap: heap.clone(), waiting: own_waiting, after_call: None };
        let (mut chained, set_limiter) = hooks.split(&inner.ticks);
        let instance = Arc::new(OnceLock::new());
        chained.until_end = Some(Box::new(Arc::clone(&instance)));
        // Whoever wants samples has the context start them.
        let carry = Some(Arc::clone(&handle.contexts.carry));
        let options = sample::Options { kind: inner.kind, hz: 0, has_wall: false, watch, carry, has_hook: true };
        let books = heap.clone();
        let give_up = |error: anyhow::Error| {
            books.iter().for_each(Probe::end);
            error.context("failed to start the sampler")
        };
        let sampler = Sampler::attach(store, &inner.subject, options, chained).map_err(&give_up)?;
        if let Some(set_limiter) = set_limiter {
            let watched = Watched { growth: Arc::clone(&growth), heap: heap.clone(), n_rewritten: inner.n_rewritten };
            set_limiter(store, watched);
        }
        let (contexts, own) = (&handle.contexts, Own { waiting, growth, heap });
        let context = contexts.begin(contexts.next_id(), sampler.handle(), own, Creation::default());
        let context = context.map_err(|error| give_up(error.into()))?;
        // Nobody else has it yet.
        let _is_first = instance.set(Instance::new(self.clone(), Arc::clone(&context), sampler));
        Ok(Attached::new(self.clone(), context))
    }
}

/// The rewritten file; where wasmtime refuses that (features that it needs may be turned off), the original.
fn compile_prepared(engine: &Engine, path: &Path, bytes: &[u8], prepared: &mut Prepared) -> anyhow::Result<Code> {
    if let Some(rewritten) = prepared.rewritten.take() {
        match compile(engine, &rewritten, path) {
            Ok(code) => return Ok(code),
            Err(error) => {
                // An original that is refused too says more of itself.
                let code = compile(engine, bytes, path)?;
                let nothing = Some(format!("it cannot be rewritten: {}", error.root_cause()));
                *prepared = Prepared { nothing, map: AddressMap::default(), ..Prepared::default() };
                return Ok(code);
            }
        }
    }
    compile(engine, bytes, path)
}
