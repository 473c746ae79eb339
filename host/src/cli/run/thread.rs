//! The guest's thread: choosing the sampler, compiling, running.

use std::sync::Arc;

use anyhow::{Context, bail};
use wasmtime::{Config, Engine, Store};

use crate::cli::messages::Messages;
use crate::guest::{self, Code, Ending, GuestOptions, GuestState, Watched};
use crate::heap::HeapHooks;
use crate::heap::grow::Growth;
use crate::heap::rewrite::AddressMap;
use crate::measure::Handle;
use crate::sample::{self, Kind, Watch};
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
    pub(super) options: GuestOptions,
    pub(super) hz: u32,
    pub(super) messages: Messages,
}

impl GuestThread {
    pub(super) fn run(mut self, reporter: &Reporter) {
        let growth = Arc::new(Growth::default());
        let prepared = self.engine().and_then(|(engine, kind)| {
            let code = self.compile(&engine)?;
            let heap = self.hooks.as_ref().map(|hooks| hooks.probe.clone());
            let watch = Watch { growth: Arc::clone(&growth), heap };
            let mut store = Store::new(&engine, GuestState::new(&self.options, &watch, self.n_rewritten)?);
            // In a component the host calls the guest too, to have room for what it returns.
            let has_hook = self.watches_memory || matches!(code, Code::Component(_));
            let options = sample::Options { kind, hz: self.hz, has_wall: self.has_wall, watch, has_hook };
            let sampler = sample::Sampler::attach(&mut store, &code, options).context("failed to start the sampler")?;
            Ok((code, store, sampler))
        });
        let (code, mut store, sampler) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return reporter.send(Report::Failed(error)),
        };
        let heap = self.hooks.as_ref().map(|hooks| hooks.probe.clone());
        let handle = Handle { cpu: sampler.handle(), heap, growth };
        reporter.send(Report::Attached(handle.clone()));
        let watched = Watched {
            heap: self.hooks.as_ref(),
            border: &sampler.border(),
            has_start: matches!(code, Code::Module(_)) && guest::has_start(&self.original),
        };
        let outcome = guest::start(&mut store, &code, &self.options, &watched);
        let ending = match Ending::of(outcome, &self.map) {
            Ending::Trapped(_) if handle.cpu.has_ended_guest() => Ending::Stopped,
            ending => ending,
        };
        if let Some(heap) = &handle.heap {
            heap.free_queued(&mut store);
        }
        let measured = Box::new(handle.with_cpu(sampler.finish()));
        reporter.send(Report::Ended(ending, measured));
        // The process exits from the other thread; unmapping the guest's memory first would only take time.
        std::mem::forget((store, code));
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
                    (self.hooks, self.n_rewritten, self.map) = (None, 0, AddressMap::default());
                    return Ok(code);
                }
            }
        }
        guest::compile(engine, &self.original, module)
    }
}
