//! The host's half of what a guest may call: the imports of the module `wprof`, as [`wprof_guest::abi`] lists them.
//!
//! Whatever a guest passes, the worst that comes of it is a negative code for the guest.

mod labels;
mod measures;
mod memory;
mod profiles;
mod streams;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::{Caller, Linker};
use wprof_guest::abi::{Code, MODULE, VERSION};

use crate::contexts::Context;
use crate::custom::InstanceId;
use crate::registry::Registry;
use crate::sample::CurrentLabels;
use memory::write;
use streams::Streams;

/// What a guest talks to.
#[derive(Debug, Clone)]
struct Host(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    /// The context that the store's guest is.
    context: Arc<Context>,
    /// What its keys and locks are told apart by from those of other instances.
    instance: InstanceId,
    streams: Mutex<Streams>,
    last_error: Mutex<String>,
}

/// Whether a module tells of its own allocator.
#[must_use]
pub fn has_allocator(module: &wasmtime::Module) -> bool {
    module.imports().any(|import| (import.module(), import.name()) == (MODULE, "alloc_gap"))
}

/// Whether a file has imports of ours.
#[must_use]
pub fn is_imported_by(module: &wasmtime::Module) -> bool {
    module.imports().any(|import| import.module() == MODULE)
}

/// Defines the imports for the store of one of the guest's contexts, which belongs to this instance. Its data may be anything.
///
/// # Errors
///
/// When the linker has functions of these names already.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    registry: &Registry,
    context: &Arc<Context>,
    instance: InstanceId,
) -> wasmtime::Result<()> {
    let (streams, last_error) = (Mutex::default(), Mutex::default());
    let (registry, context) = (registry.clone(), Arc::clone(context));
    let host = Host(Arc::new(Inner { registry, context, instance, streams, last_error }));
    linker.func_wrap(MODULE, "version", || VERSION)?;
    let own = host.clone();
    linker.func_wrap(MODULE, "last_error", move |mut caller: Caller<'_, T>, buf: i32, cap: i32| {
        let text = own.last_error().clone();
        // It may be cut, and no character with it.
        let len = text.floor_char_boundary(usize::try_from(cap).unwrap_or(0));
        write(&mut caller, buf, cap, &text.as_bytes()[..len]).map_or_else(|code| code as i32, |()| size(text.len()))
    })?;
    profiles::add_cpu(linker, &host)?;
    profiles::add_profiles(linker, &host)?;
    profiles::add_streams(linker, &host)?;
    labels::add_labels(linker, &host)?;
    measures::add_locks(linker, &host)?;
    measures::add_rates(linker, &host)?;
    measures::add_allocator(linker, &host)?;
    Ok(())
}

impl Host {
    fn registry(&self) -> &Registry {
        &self.0.registry
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.0.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last_error(&self) -> MutexGuard<'_, String> {
        self.0.last_error.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lock's address, or one that no lock has, for each instance another.
    fn lock(&self, address: i64) -> i64 {
        address ^ i64::from(self.0.instance) << 32
    }

    /// The labels of the guest's thread.
    fn labels(&self) -> &Arc<CurrentLabels> {
        self.0.context.cpu.labels()
    }

    /// Gives bytes to the guest if they fit, and says how many there are.
    fn give<T: 'static>(&self, caller: &mut Caller<'_, T>, buf: i32, cap: i32, bytes: &[u8]) -> i32 {
        let len = size(bytes.len());
        let given = if len <= cap { write(caller, buf, cap, bytes) } else { Ok(()) };
        self.answer(given.map(|()| len), "")
    }

    /// A result as the guest sees it. What has failed is kept in words, about this profile.
    fn answer(&self, result: Result<i32, Code>, name: &str) -> i32 {
        result.unwrap_or_else(|code| {
            *self.last_error() = explain(code, name);
            code as i32
        })
    }
}

/// What a code means; Go's words where it has some.
fn explain(code: Code, name: &str) -> String {
    match code {
        Code::Fault => "wprof: a pointer leads out of the guest's memory".to_owned(),
        Code::EmptyName => "pprof: NewProfile with empty name".to_owned(),
        Code::NameTaken => format!("pprof: NewProfile name already in use: {name}"),
        Code::BadName => format!("wprof: a profile's name has no spaces or control characters: {name:?}"),
        Code::UnknownHandle => "pprof: use of uninitialized Profile".to_owned(),
        Code::BuiltIn => format!("pprof: Add called on built-in Profile {name}"),
        Code::Duplicate => "pprof: Profile.Add of duplicate value".to_owned(),
        Code::Busy => "cpu profiling already in use".to_owned(),
        Code::Limit => "wprof: larger or more than wprof keeps for a guest".to_owned(),
        Code::BadLabels => "wprof: the list of labels breaks off, or is not UTF-8".to_owned(),
        Code::Unavailable => "wprof: the profile cannot be written".to_owned(),
        _ => "wprof: unknown error".to_owned(),
    }
}

fn size(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}
