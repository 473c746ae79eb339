//! The guest's thread: choosing the sampler, compiling, running.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use wasmtime::{Config, Engine, Store};

use crate::abi;
use crate::cli::messages::Messages;
use crate::contention::Contention;
use crate::contention::waiting::Waiting;
use crate::contexts::{Creation, Own};
use crate::debug::Guests;
use crate::guest::{self, Baton, Code, Ending, GuestOptions, GuestState, Threads, Watched};
use crate::heap::HeapHooks;
use crate::heap::grow::Growth;
use crate::heap::probe::{Probe, Sampling};
use crate::heap::rewrite::AddressMap;
use crate::measure::Handle;
use crate::registry::{CpuOptions, HeapFacts, Module, Owner, Registry};
use crate::sample::{self, Chained, Kind, Subject, Watch};
use crate::supervise::{Report, Reporter};

/// What the guest's thread needs.
pub(super) struct GuestThread {
    /// The engine's settings, without epoch interruption.
    pub(super) config: Config,
    pub(super) sampler: super::Sampler,
    pub(super) has_wall: bool,
    /// Whether growth of the guest's memory is to be seen.
    pub(super) watches_memory: bool,
    pub(super) original: Arc<Vec<u8>>,
    pub(super) rewritten: Option<Vec<u8>>,
    pub(super) n_rewritten: usize,
    pub(super) map: AddressMap,
    pub(super) hooks: Option<HeapHooks>,
    /// Whether these see allocations; else they see how threads wait.
    pub(super) is_hooked: bool,
    pub(super) facts: HeapFacts,
    pub(super) strips_symbols: bool,
    /// Whether blocks are to be looked at, and how.
    pub(super) wants_blocks: bool,
    pub(super) sampling: Sampling,
    /// See [`Contention`].
    pub(super) block_rate: i64,
    pub(super) mutex_fraction: i32,
    pub(super) options: Arc<GuestOptions>,
    /// Where its profiles are served, if they are.
    pub(super) guests: Option<Guests>,
    pub(super) hz: u32,
    pub(super) messages: Messages,
}

/// The guest under way.
struct Running {
    reporter: Reporter,
    registry: Registry,
    map: AddressMap,
    /// Whether one of its threads has ended it.
    has_ended: AtomicBool,
}

impl Running {
    /// The guest has ended, as one of its threads says; only the first is heard.
    fn end(&self, outcome: anyhow::Result<()>) {
        if self.has_ended.swap(true, Ordering::SeqCst) {
            return;
        }
        let handle = self.registry.handle();
        let ending = match Ending::of(outcome, &self.map) {
            Ending::Trapped(_) if handle.contexts.has_ended_guest() => Ending::Stopped,
            ending => ending,
        };
        self.registry.keep_cpu();
        let measured = Box::new(handle.take());
        self.reporter.send(Report::Ended(ending, measured));
        // The process may go on to serve profiles.
        handle.end_guest();
    }
}

impl GuestThread {
    pub(super) fn run(mut self, reporter: &Reporter) {
        let growth = Arc::new(Growth::default());
        let contention = Arc::new(Contention::default());
        contention.set_block_rate(self.block_rate);
        contention.set_mutex_fraction(self.mutex_fraction);
        let waiting = Arc::new(Waiting::new(Arc::clone(&contention)));
        let prepared = self.engine().and_then(|(engine, kind)| {
            let code = self.compile(&engine)?;
            let heap = self.hooked();
            let baton = match &code {
                Code::Module(module) if self.has_threads(module) => Some(Baton::new(&self.options)?),
                _ => None,
            };
            let after_call = baton.as_ref().map(|_| GuestState::give_back as fn(&mut dyn Any));
            let watch = Watch { growth: Arc::clone(&growth), heap, waiting: Arc::clone(&waiting), after_call };
            let state = GuestState::new(&self.options, &watch, self.n_rewritten, baton.as_ref())?;
            let mut store = Store::new(&engine, state);
            // In a component the host calls the guest too, to have room for what it returns.
            let has_hook = self.watches_memory
                || self.block_rate > 0
                || baton.is_some()
                || match &code {
                    Code::Component(_) => true,
                    Code::Module(module) => abi::is_imported_by(module),
                };
            // It starts when the guest's main context begins.
            let has_wall = self.has_wall;
            let options = sample::Options { kind, hz: 0, has_wall, watch, carry: None, has_hook };
            let subject = Arc::new(Subject::new(code));
            let sampler = sample::Sampler::attach(&mut store, &subject, options, Chained::default());
            Ok((subject, store, sampler.context("failed to start the sampler")?, kind, baton))
        });
        let (subject, mut store, sampler, kind, baton) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return reporter.send(Report::Failed(error)),
        };
        let hooked = self.hooked();
        let told = self.allocator_of_its_own(subject.code());
        let (is_told, heap) = (hooked.is_none() && told.is_some(), hooked.or(told));
        let registry = self.registry(Handle { heap, is_told, growth, contention, ..Handle::default() });
        let handle = registry.handle();
        let own = Own { waiting, growth: Arc::clone(&handle.growth), heap: handle.heap.clone() };
        let main = handle.contexts.begin(handle.contexts.next_id(), sampler.handle(), own, Creation::default());
        let main = match main.context("failed to start the sampler") {
            Ok(main) => main,
            Err(error) => return reporter.send(Report::Failed(error)),
        };
        if let Some(guests) = &self.guests {
            guests.add(super::http::GUEST, registry.clone());
        }
        reporter.send(Report::Attached(registry.clone()));
        let running = Arc::new(Running {
            reporter: reporter.clone(),
            registry: registry.clone(),
            map: self.map.clone(),
            has_ended: AtomicBool::new(false),
        });
        let threads = self.threads(&subject, baton, kind, &running);
        let watched = Watched {
            heap: self.hooks.as_ref(),
            border: &sampler.border(),
            has_start: self.has_start(subject.code()),
            registry: &registry,
            context: &main,
            threads: threads.as_ref(),
        };
        let outcome = guest::start(&mut store, subject.code(), &self.options, &watched);
        if let Some(heap) = &handle.heap {
            heap.free_queued(&mut store);
        }
        handle.contexts.end(&main, || sampler.finish());
        running.end(outcome);
        // The process exits from the other thread; unmapping the guest's memory first would only take time.
        std::mem::forget((store, subject));
    }

    /// What hooks tell of allocations, where there are such.
    fn hooked(&self) -> Option<Probe> {
        self.hooks.as_ref().filter(|_| self.is_hooked).map(|hooks| hooks.probe.clone())
    }

    fn has_start(&self, code: &Code) -> bool {
        matches!(code, Code::Module(_)) && guest::has_start(&self.original)
    }

    fn has_threads(&self, module: &wasmtime::Module) -> bool {
        Threads::are_in(module) && self.options.common.wasi.threads != Some(false)
    }

    /// What begins threads of a guest that has such.
    fn threads(
        &self,
        subject: &Arc<Subject>,
        baton: Option<Baton>,
        kind: Kind,
        running: &Arc<Running>,
    ) -> Option<Threads> {
        let (Code::Module(module), Some(baton)) = (subject.code(), baton) else { return None };
        let running = Arc::clone(running);
        Some(Threads::new(guest::Guest {
            module: module.clone(),
            subject: Arc::clone(subject),
            options: Arc::clone(&self.options),
            baton,
            heap: self.hooks.clone(),
            registry: running.registry.clone(),
            kind,
            n_rewritten: self.n_rewritten,
            has_start: self.has_start(subject.code()),
            on_end: Arc::new(move |outcome| running.end(outcome)),
        }))
    }

    /// What listens to an allocator of the guest's that tells of itself, where blocks are wanted.
    fn allocator_of_its_own(&self, code: &Code) -> Option<Probe> {
        let Code::Module(module) = code else { return None };
        (self.wants_blocks && abi::has_allocator(module)).then(|| Probe::new(self.sampling, true))
    }

    /// The guest's profiles, of which that of CPU time begins now if it is to be one of the whole run.
    fn registry(&self, handle: Handle) -> Registry {
        let mut facts = self.facts.clone();
        if handle.is_told {
            (facts.hooked, facts.nothing) = (vec!["wprof_guest::Alloc".to_owned()], None);
        } else if handle.heap.is_none() {
            facts.hooked.clear();
        }
        let path = self.options.module().to_owned();
        let mut module = Module::new(path, Arc::clone(&self.original), self.map.clone(), facts);
        module.strips_symbols = self.strips_symbols;
        let registry = Registry::new(module, handle);
        if self.hz > 0 {
            // Nobody else can have begun.
            let _ = registry.start_cpu(CpuOptions { hz: self.hz, has_wall: self.has_wall }, Owner::Run);
        }
        registry
    }

    /// The engine, as the sampler that is to be used needs it.
    fn engine(&self) -> anyhow::Result<(Engine, Kind)> {
        let engine =
            |config: &Config| Engine::new(config).map_err(anyhow::Error::from).context("failed to set up wasmtime");
        if self.sampler != super::Sampler::Epoch {
            let plain = engine(&self.config)?;
            match (Kind::best(&plain), self.sampler) {
                ((Kind::Signal, _), _) => return Ok((plain, Kind::Signal)),
                // Without samples it makes no difference to anybody.
                ((Kind::Epoch, _), super::Sampler::Auto) if self.hz == 0 => {}
                ((Kind::Epoch, reason), super::Sampler::Auto) => self.messages.note(&format!(
                    "CPU samples are taken by epoch interruption, as the signal sampler cannot be used here: {:#}",
                    reason.unwrap_or_else(|| anyhow::anyhow!("unknown"))
                )),
                ((Kind::Epoch, reason), _) => match reason {
                    Some(reason) => return Err(reason.context("--sampler=signal cannot be used here")),
                    None => bail!("--sampler=signal cannot be used here"),
                },
            }
        }
        let mut config = self.config.clone();
        config.epoch_interruption(true);
        Ok((engine(&config)?, Kind::Epoch))
    }

    /// The rewritten file; where wasmtime refuses that (features that it needs may be turned off), the original.
    fn compile(&mut self, engine: &Engine) -> anyhow::Result<Code> {
        let module = self.options.module();
        if let Some(rewritten) = self.rewritten.take() {
            match guest::compile(engine, &rewritten, module) {
                Ok(code) => return Ok(code),
                Err(error) => {
                    let code = guest::compile(engine, &self.original, module)?;
                    let reason = error.root_cause();
                    self.messages
                        .warn(&format!("{}: no heap profile, as it cannot be rewritten: {reason}", module.display()));
                    (self.hooks, self.is_hooked) = (None, false);
                    (self.n_rewritten, self.map) = (0, AddressMap::default());
                    return Ok(code);
                }
            }
        }
        guest::compile(engine, &self.original, module)
    }
}
