//! The named profiles of a guest, as Go's runtime/pprof keeps those of a program: which there are, and what each says now.
//!
//! ```text
//! Handle (what is measured) ┐
//! Module (file, names)      ├→ Registry → Profile → bytes, text
//! ```
//!
//! A registry may be asked from any thread while the guest runs. The profile of CPU time is no named one: it is started
//! and stopped, by one at a time.

mod contexts;
mod cpu;
mod heap;
mod module;
mod text;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use proto::Profile;
use proto::formats::WriteError;
use wprof_guest::abi::Code;

pub use cpu::{Busy, CpuOptions, Owner};
pub use heap::HeapFacts;
pub(crate) use heap::total;
pub use module::Module;

use crate::custom::InstanceId;
use crate::measure::{Handle, Measured};
use crate::record::{self, ContentionKind, HeapKind, Run, Waited};

/// A guest's profiles. Clones are the same.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    module: Module,
    handle: Handle,
    cpu: Mutex<Option<cpu::Running>>,
}

/// A profile that is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BuiltIn {
    /// Blocks allocated, and in use, to be shown by what was allocated.
    Allocs,
    /// Where the guest waited.
    Block,
    /// The guest's execution contexts, and where they are.
    Goroutine,
    /// The same as `Allocs`, to be shown by what is in use.
    Heap,
    /// Which calls made linear memory grow.
    Memory,
    /// Who held locks that others waited for.
    Mutex,
    /// What was in use when most bytes were.
    Peak,
    /// Where the guest's execution contexts began.
    Threadcreate,
}

/// A named profile of one registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NamedProfile {
    /// One that is always there.
    BuiltIn(BuiltIn),
    /// One of the guest's own, by its number in [`Handle::custom`].
    Custom(usize),
}

impl BuiltIn {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 8] = [
        Self::Allocs,
        Self::Block,
        Self::Goroutine,
        Self::Heap,
        Self::Memory,
        Self::Mutex,
        Self::Peak,
        Self::Threadcreate,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Allocs => "allocs",
            Self::Block => "block",
            Self::Goroutine => "goroutine",
            Self::Heap => "heap",
            Self::Memory => "memory",
            Self::Mutex => "mutex",
            Self::Peak => "peak",
            Self::Threadcreate => "threadcreate",
        }
    }
}

/// The number of one of the guest's contexts, and its stack: offsets in the file that was compiled, innermost first.
pub type Own = (u32, Vec<u32>);

/// Names that a guest's own profile may not have, beside those of [`BuiltIn`]: as Go has them all.
const RESERVED: [&str; 1] = ["cpu"];

impl Registry {
    /// The profiles of a guest of this module.
    #[must_use]
    pub fn new(module: Module, handle: Handle) -> Self {
        Self(Arc::new(Inner { module, handle, cpu: Mutex::default() }))
    }

    /// What is measured.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.0.handle
    }

    /// The module.
    #[must_use]
    pub fn module(&self) -> &Module {
        &self.0.module
    }

    /// The names of all profiles, in order; Go's `Profiles`.
    #[must_use]
    pub fn profiles(&self) -> Vec<String> {
        let mut names = self.handle().custom.names();
        names.extend(BuiltIn::ALL.map(|it| it.name().to_owned()));
        names.sort_unstable();
        names
    }

    /// The profile of that name; Go's `Lookup`.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Option<NamedProfile> {
        let built_in = BuiltIn::ALL.into_iter().find(|it| it.name() == name).map(NamedProfile::BuiltIn);
        built_in.or_else(|| self.handle().custom.find(name).map(NamedProfile::Custom))
    }

    /// Makes a profile of the guest's own, for one of its instances; Go's `NewProfile`.
    ///
    /// # Errors
    ///
    /// [`Code::EmptyName`], [`Code::BadName`], [`Code::NameTaken`], [`Code::Limit`].
    pub fn make(&self, instance: InstanceId, name: &str) -> Result<NamedProfile, Code> {
        if RESERVED.contains(&name) || BuiltIn::ALL.iter().any(|it| it.name() == name) {
            return Err(Code::NameTaken);
        }
        self.handle().custom.make(instance, name).map(NamedProfile::Custom)
    }

    /// A profile's name.
    #[must_use]
    pub fn name(&self, profile: NamedProfile) -> String {
        match profile {
            NamedProfile::BuiltIn(built_in) => built_in.name().to_owned(),
            NamedProfile::Custom(number) => self.handle().custom.name(number).unwrap_or_default(),
        }
    }

    /// How many entries a profile has, or records; Go's `Count`.
    #[must_use]
    pub fn count(&self, profile: NamedProfile) -> usize {
        let handle = self.handle();
        match profile {
            NamedProfile::Custom(number) => handle.custom.count(number),
            NamedProfile::BuiltIn(BuiltIn::Allocs | BuiltIn::Heap | BuiltIn::Peak) => {
                handle.heap.as_ref().map_or(0, crate::heap::probe::Probe::n_records)
            }
            NamedProfile::BuiltIn(BuiltIn::Memory) => handle.growth.n_records(),
            NamedProfile::BuiltIn(BuiltIn::Goroutine) => handle.contexts.n_live_and_created().0,
            NamedProfile::BuiltIn(BuiltIn::Threadcreate) => handle.contexts.n_live_and_created().1,
            NamedProfile::BuiltIn(BuiltIn::Block) => handle.contention.n_records()[0],
            NamedProfile::BuiltIn(BuiltIn::Mutex) => handle.contention.n_records()[1],
        }
    }

    /// What a profile says now.
    #[must_use]
    pub fn profile(&self, profile: NamedProfile) -> Profile {
        self.profile_for(profile, None)
    }

    /// The same for one of the guest's contexts, whose stack is known: it stands in a host call of ours.
    fn profile_for(&self, profile: NamedProfile, own: Option<&Own>) -> Profile {
        match profile {
            NamedProfile::BuiltIn(BuiltIn::Goroutine) => {
                let rows = contexts::rows(&self.handle().contexts.snapshots(own));
                self.record_now(|names, run| record::count_profile("goroutine", rows, names, run))
            }
            NamedProfile::BuiltIn(BuiltIn::Threadcreate) => {
                let rows = contexts::creations(self.handle().contexts.created());
                self.record_now(|names, run| record::count_profile("threadcreate", rows, names, run))
            }
            NamedProfile::BuiltIn(BuiltIn::Allocs) => self.heap(HeapKind::Allocs),
            NamedProfile::BuiltIn(BuiltIn::Heap) => self.heap(HeapKind::Heap),
            NamedProfile::BuiltIn(BuiltIn::Peak) => self.heap(HeapKind::Peak),
            NamedProfile::BuiltIn(BuiltIn::Memory) => self.memory(),
            NamedProfile::BuiltIn(BuiltIn::Block) => self.contention(ContentionKind::Block),
            NamedProfile::BuiltIn(BuiltIn::Mutex) => self.contention(ContentionKind::Mutex),
            NamedProfile::Custom(number) => {
                let counted = self.handle().custom.counted(number);
                self.record_now(|names, run| record::count_profile(&self.name(profile), counted, names, run))
            }
        }
    }

    /// Writes a profile; Go's `WriteTo`. With `debug` 0 that is a gzipped pprof file, else text for people, which pprof
    /// reads too.
    ///
    /// # Errors
    ///
    /// When `out` takes no more, or there is no text form of the profile's values.
    pub fn write_to(&self, profile: NamedProfile, debug: i32, out: &mut impl io::Write) -> Result<(), WriteError> {
        self.write_for(profile, debug, None, out)
    }

    /// The same for one of the guest's contexts, whose stack is known: it stands in a host call of ours.
    ///
    /// # Errors
    ///
    /// As [`Registry::write_to`].
    pub fn write_for(
        &self,
        profile: NamedProfile,
        debug: i32,
        own: Option<&Own>,
        out: &mut impl io::Write,
    ) -> Result<(), WriteError> {
        match debug {
            0 => Ok(out.write_all(&proto::encode_gzip(&self.profile_for(profile, own)))?),
            2.. if profile == NamedProfile::BuiltIn(BuiltIn::Goroutine) => self.write_traceback(own, out),
            _ => self.write_text(profile, own, out),
        }
    }

    /// What linear memory has grown by.
    #[must_use]
    pub fn memory(&self) -> Profile {
        let grown = self.handle().growth.measured();
        self.record_now(|names, run| record::memory_profile(&grown, names, run))
    }

    fn contention(&self, kind: ContentionKind) -> Profile {
        self.contention_of(kind, &self.handle().contention.all(kind))
    }

    /// A profile of these waits.
    #[must_use]
    pub fn contention_of(&self, kind: ContentionKind, waited: &[Waited]) -> Profile {
        let contention = &self.handle().contention;
        let rate = match kind {
            ContentionKind::Block => contention.block_rate(),
            ContentionKind::Mutex => contention.set_mutex_fraction(-1).into(),
        };
        self.record_now(|names, run| record::contention_profile(kind, waited, rate, names, run))
    }

    /// Has something made of how things stand.
    fn record_now<R>(&self, make: impl FnOnce(&mut record::Names<'_>, &Run<'_>) -> R) -> R {
        self.record(SystemTime::now(), Duration::ZERO, make)
    }

    fn record<R>(
        &self,
        time: SystemTime,
        duration: Duration,
        make: impl FnOnce(&mut record::Names<'_>, &Run<'_>) -> R,
    ) -> R {
        let module = self.module();
        let run = Run {
            path: &module.path,
            base: module.base(),
            size: module.bytes.len() as u64,
            build_id: module.build_id(),
            map: &module.map,
            strips_symbols: module.strips_symbols,
            labels: &self.handle().labels,
            time,
            duration,
        };
        module.with_names(|names| make(names, &run))
    }

    /// What the file calls the function at an address of the module's profiles, mangled where it is; `None` where there is
    /// no code.
    #[must_use]
    pub fn name_at(&self, address: u64) -> Option<String> {
        let offset = u32::try_from(address.checked_sub(self.module().base())?).ok()?;
        self.module().with_names(|names| names.function_at(offset))
    }

    /// What was measured, when the guest is at its end.
    #[must_use]
    pub fn take(&self) -> Measured {
        self.keep_cpu();
        self.handle().take()
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<cpu::Running>> {
        self.0.cpu.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
