//! The library's front: profiles of guests that an embedder runs in stores of its own.
//!
//! ```text
//! Profiler::new → configure → Engine → prepare → Guest
//!                                                  ↓ for each store
//! embedder's Store, Hooks ────────────────────── attach → Attached → instantiate, polled
//!                                                  ↓ when the store is dropped
//!                                     one Registry → write, debug::router
//! ```
//!
//! [`Guest`] is a file and all that is measured of its instances, [`Hooks`] are the embedder's own, [`Attached`] is one store.

mod attached;
mod guest;
mod hooks;
mod options;

use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context as _, anyhow, bail};
use proto::Profile;
use wasmtime::{Config, Engine};

use crate::debug::{Guests, Settings};
use crate::registry::{Owner, Registry};
use crate::sample::{self, Kind, OwnTicks};
use crate::sink;

pub use crate::heap::find::Asked;
pub use crate::heap::limits::Limits;
pub use crate::heap::probe::Sampling;
pub use crate::registry::{Busy, CpuOptions};
pub use attached::Attached;
pub use guest::Guest;
pub use hooks::Hooks;
pub use options::{CpuSampler, Options};

/// Profiles guests for an embedder that owns engine, linker and stores.
///
/// Any number of stores may be attached, at once or one after another, from any threads: their samples add up. When a store
/// is dropped, its samples stay and its blocks of memory count as freed.
///
/// # Accuracy
///
/// Of an async store that is not called inside of [`Attached::polled`], CPU samples are taken only while it stays on the thread on
/// which it was called. While CPU time is profiled by signals, each store has a thread of wprof's, which a store of some
/// microseconds feels. Growth of memory, and blocks in components, are seen only with a [`Hooks::limiter`]. Guests that start
/// threads have no heap profile. Each store is expected to have one instance of a guest.
///
/// # Security
///
/// Profiles name the guest's functions and files, and what its labels say; [`debug::router`](crate::debug::router) shows them to
/// whoever asks.
///
/// ```
/// use wasmtime::{Config, Engine, Linker, Store};
/// use wprof::profiler::{Hooks, Options};
/// use wprof::Profiler;
///
/// # fn main() -> anyhow::Result<()> {
/// let profiler = Profiler::new(Options::default());
/// let mut config = Config::new();
/// profiler.configure(&mut config)?;
/// let engine = Engine::new(&config)?;
/// let wat = r#"(module (memory 1)
///     (func $malloc (param i32) (result i32) i32.const 64)
///     (func $free (param i32))
///     (func (export "run") (drop (call $malloc (i32.const 1000000)))))"#;
/// let guest = profiler.prepare(&engine, "guest.wat", wat.as_bytes())?;
///
/// let mut store = Store::new(&engine, ());
/// let attached = guest.attach(&mut store, Hooks::new())?;
/// let instance = attached.instantiate(&mut store, &Linker::new(&engine))?;
/// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
/// drop(store);
///
/// let mut file = Vec::new();
/// profiler.write("heap", &mut file)?;
/// assert!(file.starts_with(&[0x1f, 0x8b]), "profiles are packed, as pprof's are");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Profiler {
    options: Options,
    /// Who takes CPU samples, and why it is not the one that is better.
    kind: OnceLock<(Kind, Option<String>)>,
    ticks: OwnTicks,
    guests: Guests,
    list: Mutex<Vec<(String, Guest)>>,
}

impl Profiler {
    /// A profiler that measures nothing yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let guests = Guests::new(Settings { cmdline: Vec::new(), cpu: options.client_cpu });
        Self { options, kind: OnceLock::new(), ticks: OwnTicks::default(), guests, list: Mutex::default() }
    }

    /// Sets what profiling needs in the settings of the engine: code that leads back to the file, stacks deep enough, and epoch
    /// interruption where CPU samples are taken so. To be called after the embedder's own settings; all engines of a profiler
    /// are to be configured.
    ///
    /// # Errors
    ///
    /// When these settings make no engine, or [`CpuSampler::Signal`] is asked for and does not work here.
    pub fn configure(&self, config: &mut Config) -> anyhow::Result<()> {
        config.generate_address_map(true);
        config.wasm_backtrace_max_frames(Some(sample::backtrace_bound()));
        let (kind, _) = match self.kind.get() {
            Some(known) => known,
            None => {
                let chosen = choose(self.options.sampler, config)?;
                self.kind.get_or_init(|| chosen)
            }
        };
        if *kind == Kind::Epoch {
            config.epoch_interruption(true);
        }
        Ok(())
    }

    /// Why CPU samples are taken by epoch interruption though nobody has asked for that; `None` where they are not.
    #[must_use]
    pub fn fallback(&self) -> Option<&str> {
        self.kind.get()?.1.as_deref()
    }

    /// Finds the allocator of a module or component, puts hooks in, and compiles it. `path` is its name in profiles; nothing is
    /// read there but debug info that the module says is in another file. `bytes` may be the text format.
    ///
    /// # Errors
    ///
    /// When no engine was configured, when the file is not valid, and when it does not have an allocator of
    /// [`Options::allocators`].
    pub fn prepare(&self, engine: &Engine, path: impl AsRef<Path>, bytes: &[u8]) -> anyhow::Result<Guest> {
        let path = path.as_ref();
        let Some((kind, _)) = self.kind.get() else { bail!("no engine was configured by this profiler") };
        let bytes = wat::parse_bytes(bytes).with_context(|| format!("failed to parse {}", path.display()))?;
        let guest = Guest::prepare(engine, path, bytes.into_owned(), &self.options, *kind, &self.ticks)?;
        if let Some(cpu) = self.options.cpu {
            // Nobody else knows the registry yet.
            let _ = guest.registry().start_cpu(cpu, Owner::Run);
        }
        let mut list = self.list();
        let name = path.display().to_string();
        let is_taken = |id: &String| list.iter().any(|(other, _)| other == id);
        let numbered = (2..).map(|n| format!("{name}#{n}"));
        let id = std::iter::once(name.clone()).chain(numbered).find(|id| !is_taken(id)).unwrap_or(name);
        self.guests.add(id.clone(), guest.registry().clone());
        list.push((id, guest.clone()));
        Ok(guest)
    }

    /// Profiles have nothing of this guest any more, and nobody is served it.
    pub fn remove(&self, guest: &Guest) {
        let is_it = |it: &Guest| std::sync::Arc::ptr_eq(&it.0, &guest.0);
        let mut list = self.list();
        list.iter().filter(|(_, it)| is_it(it)).for_each(|(id, _)| self.guests.remove(id));
        list.retain(|(_, it)| !is_it(it));
    }

    /// Raises an engine's epoch for the embedder, whose deadlines count these ticks alone; see [`Hooks::epoch_deadline`].
    pub fn increment_epoch(&self, engine: &Engine) {
        self.ticks.increment_epoch(engine);
    }

    /// Begins to take the profile of CPU time, of all guests that are prepared, until [`Profiler::profile`] takes it.
    ///
    /// # Errors
    ///
    /// When one is being taken of any of them: by the embedder, a client or the guest itself. Then none begins.
    pub fn start_cpu(&self, options: CpuOptions) -> Result<(), Busy> {
        let registries = self.registries();
        for (n_started, registry) in registries.iter().enumerate() {
            if let Err(busy) = registry.start_cpu(options, Owner::Run) {
                registries[..n_started].iter().for_each(|it| it.drop_cpu(Owner::Run));
                return Err(busy);
            }
        }
        Ok(())
    }

    /// What a profile says now, of all guests together: `heap`, `allocs`, `peak`, `memory`, `block`, `mutex`, `goroutine`,
    /// `threadcreate`, or one of the guests' own. `cpu` is the profile that was begun by [`Options::cpu`] or
    /// [`Profiler::start_cpu`], and ends it.
    ///
    /// # Errors
    ///
    /// When no guest has a profile of this name, or none of CPU time was begun.
    pub fn profile(&self, name: &str) -> anyhow::Result<Profile> {
        let registries = self.registries();
        let profiles: Vec<Profile> = match name {
            "cpu" => registries.iter().filter_map(|it| it.stop_cpu(Owner::Run)).collect(),
            _ => registries.iter().filter_map(|it| Some(it.profile(it.lookup(name)?))).collect(),
        };
        match profiles.len() {
            0 if name == "cpu" => bail!("no profile of CPU time was begun"),
            0 => bail!("there is no profile {name:?}"),
            _ => Ok(proto::merge(&profiles)?),
        }
    }

    /// Writes [`Profiler::profile`] as a gzipped pprof file.
    ///
    /// # Errors
    ///
    /// As there, and when `out` takes no more.
    pub fn write(&self, name: &str, out: &mut impl Write) -> anyhow::Result<()> {
        let bytes = proto::encode_gzip(&self.profile(name)?);
        out.write_all(&bytes).with_context(|| format!("failed to write the profile {name}"))
    }

    /// The same to a file, which is there whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`Profiler::profile`], and when the file cannot be written.
    pub fn write_file(&self, name: &str, path: impl AsRef<Path>) -> anyhow::Result<()> {
        sink::file::write_whole(path.as_ref(), &proto::encode_gzip(&self.profile(name)?))
    }

    /// The guests, for [`debug::router`](crate::debug::router), which serves their profiles under `/debug/pprof/`.
    #[must_use]
    pub fn guests(&self) -> Guests {
        self.guests.clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<(String, Guest)>> {
        // Nothing in between leaves it half changed.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn registries(&self) -> Vec<Registry> {
        self.list().iter().map(|(_, guest)| guest.registry().clone()).collect()
    }
}

/// The sampler that works here, and why it is not the better one.
fn choose(asked: CpuSampler, config: &Config) -> anyhow::Result<(Kind, Option<String>)> {
    if asked == CpuSampler::Epoch {
        return Ok((Kind::Epoch, None));
    }
    let engine = Engine::new(config).map_err(anyhow::Error::from).context("failed to set up wasmtime")?;
    let (kind, reason) = Kind::best(&engine);
    match (kind, asked) {
        (Kind::Epoch, CpuSampler::Signal) => Err(reason
            .unwrap_or_else(|| anyhow!("no reason is known"))
            .context("the signal sampler cannot be used here")),
        (kind, _) => Ok((kind, reason.map(|reason| format!("{reason:#}")))),
    }
}

#[cfg(test)]
mod tests;
