//! The host's half of what a guest may call: the imports of the module `wprof`, as [`wprof_guest::abi`] lists them.
//!
//! Whatever a guest passes, the worst that comes of it is a negative code for the guest.

mod memory;
mod streams;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use wasmtime::{AsContextMut, Caller, Extern, Linker};
use wprof_guest::abi::{Code, MAX_LABELS, MAX_NAME, MODULE, NEVER, VERSION};

use crate::contexts::Context;
use crate::heap::probe::ARM;
use crate::labels::{LabelsId, pack};
use crate::registry::{BuiltIn, CpuOptions, NamedProfile, Owner, Registry};
use crate::sample::{CurrentLabels, Leaf, wall_now};
use crate::stack::{file_offsets, this_thread};
use memory::{MEMORY, read, write};
use streams::Streams;

/// Samples a second of a guest that does not say how many.
const DEFAULT_HZ: u32 = 100;

/// Bytes of the place in a guest's memory where its labels stand.
const CELL: i32 = 4;

/// Most that it may ask for.
const MAX_HZ: u32 = 10_000;

/// What a guest talks to.
#[derive(Debug, Clone)]
struct Host(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    /// The context that the store's guest is.
    context: Arc<Context>,
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

/// Defines the imports for the store of one of the guest's contexts. Its data may be anything.
///
/// # Errors
///
/// When the linker has functions of these names already.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    registry: &Registry,
    context: &Arc<Context>,
) -> wasmtime::Result<()> {
    let (streams, last_error) = (Mutex::default(), Mutex::default());
    let (registry, context) = (registry.clone(), Arc::clone(context));
    let host = Host(Arc::new(Inner { registry, context, streams, last_error }));
    linker.func_wrap(MODULE, "version", || VERSION)?;
    let own = host.clone();
    linker.func_wrap(MODULE, "last_error", move |mut caller: Caller<'_, T>, buf: i32, cap: i32| {
        let text = own.last_error().clone();
        // It may be cut, and no character with it.
        let len = text.floor_char_boundary(usize::try_from(cap).unwrap_or(0));
        write(&mut caller, buf, cap, &text.as_bytes()[..len]).map_or_else(|code| code as i32, |()| size(text.len()))
    })?;
    add_cpu(linker, &host)?;
    add_profiles(linker, &host)?;
    add_streams(linker, &host)?;
    add_labels(linker, &host)?;
    add_locks(linker, &host)?;
    add_rates(linker, &host)?;
    add_allocator(linker, &host)?;
    Ok(())
}

fn add_cpu<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "cpu_start", move |hz: i32| {
        // As Go's rate call: clamped above.
        let hz = u32::try_from(hz).ok().filter(|&hz| hz > 0).unwrap_or(DEFAULT_HZ).min(MAX_HZ);
        let started = own.registry().start_cpu(CpuOptions { hz, has_wall: false }, Owner::Guest);
        own.answer(started.map(|()| 0).map_err(|_busy| Code::Busy), "")
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "cpu_stop", move || match own.registry().stop_cpu(Owner::Guest) {
        Some(profile) => own.answer(own.streams().open(proto::encode_gzip(&profile)), ""),
        None => 0,
    })?;
    Ok(())
}

fn add_profiles<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "profile_new", move |mut caller: Caller<'_, T>, name: i32, len: i32| {
        let name = name_at(&mut caller, name, len);
        let made = name.as_deref().map_err(|&code| code).and_then(|name| own.registry().make(name)).map(handle);
        own.answer(made, name.as_deref().unwrap_or_default())
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "profile_lookup", move |mut caller: Caller<'_, T>, name: i32, len: i32| {
        match name_at(&mut caller, name, len) {
            Ok(name) => own.registry().lookup(&name).map_or(0, handle),
            // What cannot be a name is none.
            Err(Code::Fault) => own.answer(Err(Code::Fault), ""),
            Err(_) => 0,
        }
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "profiles_list", move |mut caller: Caller<'_, T>, buf: i32, cap: i32| {
        let list: String = own.registry().profiles().iter().flat_map(|name| [name.as_str(), "\0"]).collect();
        own.give(&mut caller, buf, cap, list.as_bytes())
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "profile_count", move |profile: i32| match own.profile(profile) {
        Ok(profile) => i64::try_from(own.registry().count(profile)).unwrap_or(i64::MAX),
        Err(code) => i64::from(own.answer(Err(code), "")),
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "profile_add", move |mut caller: Caller<'_, T>, profile: i32, key: i64, skip: i32| {
        let found = own.profile(profile);
        let added = found.and_then(|profile| match profile {
            NamedProfile::BuiltIn(_) => Err(Code::BuiltIn),
            NamedProfile::Custom(number) => {
                let handle = own.registry().handle();
                // Go's skip has a sign, and what is below 0 leaves out nothing.
                let skip = u32::try_from(skip).unwrap_or(0);
                handle.custom.add(number, key, skip, own.labels().get(), caller.as_context_mut())
            }
        });
        let name = if added.is_err() { found.map(|it| own.registry().name(it)) } else { Ok(String::new()) };
        own.answer(added.map(|()| 0), &name.unwrap_or_default())
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "profile_remove", move |profile: i32, key: i64| {
        let removed = own.profile(profile).and_then(|profile| match profile {
            NamedProfile::BuiltIn(_) => Ok(()),
            NamedProfile::Custom(number) => own.registry().handle().custom.remove(number, key),
        });
        own.answer(removed.map(|()| 0), "")
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "profile_write", move |caller: Caller<'_, T>, profile: i32, debug: i32| {
        let written = own.profile(profile).and_then(|profile| {
            let mut bytes = Vec::new();
            let stack = (own.0.context.id, file_offsets(&caller));
            let written = own.registry().write_for(profile, debug, Some(&stack), &mut bytes);
            written.map_err(|_no_such_form| Code::Unavailable).map(|()| bytes)
        });
        own.answer(written.and_then(|bytes| own.streams().open(bytes)), "")
    })?;
    Ok(())
}

fn add_streams<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "stream_read", move |mut caller: Caller<'_, T>, stream: i32, buf: i32, cap: i32| {
        let mut streams = own.streams();
        let read = streams.next(stream, usize::try_from(cap).unwrap_or(0)).and_then(|bytes| {
            let len = bytes.len();
            write(&mut caller, buf, cap, bytes).map(|()| len)
        });
        let read = read.inspect(|&len| streams.advance(stream, len));
        drop(streams);
        own.answer(read.map(size), "")
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "stream_close", move |stream: i32| own.streams().close(stream))?;
    Ok(())
}

fn add_labels<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "labels_with", move |mut caller: Caller<'_, T>, labels: i32, list: i32, len: i32| {
        let with = labels_of(labels).and_then(|labels| {
            let list = read(&mut caller, list, len, MAX_LABELS)?;
            own.registry().handle().labels.with(labels, &list)
        });
        own.answer(with.map(token), "")
    })?;
    // A guest may do this a million times a second, so nothing here locks.
    let own = host.clone();
    let cell = Arc::new(OnceLock::<i32>::new());
    let (current, sets) = (Arc::clone(host.labels()), Arc::clone(&host.registry().handle().labels));
    let told = Arc::clone(&cell);
    linker.func_wrap(MODULE, "labels_use", move |mut caller: Caller<'_, T>, labels: i32| {
        let Some(labels) = labels_of(labels).ok().filter(|&it| sets.has(it)) else {
            return own.answer(Err(Code::UnknownHandle), "");
        };
        let Some(&cell) = told.get() else { return token(current.replace(labels)) };
        let before = current.get();
        own.answer(write(&mut caller, cell, CELL, &labels.raw().to_le_bytes()).map(|()| token(before)), "")
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "labels_cell", move |mut caller: Caller<'_, T>, at: i32| {
        let labels = own.labels().get();
        let set = write(&mut caller, at, CELL, &labels.raw().to_le_bytes());
        let set = set.and_then(|()| own.follow_labels(&mut caller, at)).map(|()| token(labels));
        // There is one cell for a thread.
        let set = set.and_then(|labels| cell.set(at).map(|()| labels).map_err(|_set| Code::Unavailable));
        own.answer(set, "")
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "labels_current", move || token(own.labels().get()))?;
    let own = host.clone();
    linker.func_wrap(MODULE, "labels_read", move |mut caller: Caller<'_, T>, labels: i32, buf: i32, cap: i32| {
        let sets = &own.registry().handle().labels;
        match labels_of(labels).and_then(|labels| sets.pairs(labels).ok_or(Code::UnknownHandle)) {
            Ok(pairs) => own.give(&mut caller, buf, cap, &pack(&pairs)),
            Err(code) => own.answer(Err(code), ""),
        }
    })?;
    Ok(())
}

fn add_locks<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "lock_waits", move |lock: i64| {
        own.0.context.waiting.set_locking(true);
        own.registry().handle().contention.locks.wait(lock, this_thread(), wall_now());
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "lock_taken", move |mut caller: Caller<'_, T>, lock: i64| {
        let contention = &own.registry().handle().contention;
        if let Some(waited) = contention.locks.take(lock, this_thread(), wall_now()) {
            contention.waited(waited, Leaf::Guest, caller.as_context_mut());
        }
        own.0.context.waiting.set_locking(false);
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "lock_released", move |mut caller: Caller<'_, T>, lock: i64| {
        let contention = &own.registry().handle().contention;
        if let Some(waited) = contention.locks.release(lock, wall_now()) {
            contention.released(waited, caller.as_context_mut());
        }
    })?;
    Ok(())
}

fn add_rates<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "set_block_profile_rate", move |nanos: i64| {
        own.registry().handle().contention.set_block_rate(nanos);
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "set_mutex_profile_fraction", move |n: i32| {
        own.registry().handle().contention.set_mutex_fraction(n)
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "set_mem_profile_rate", move |bytes: i64| {
        if let Some(heap) = &own.registry().handle().heap {
            heap.set_rate(u64::try_from(bytes).unwrap_or(0));
        }
    })?;
    Ok(())
}

/// For allocators of the guest's that tell of themselves. Where wprof has hooks of its own, it does not listen to them.
fn add_allocator<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let handle = host.registry().handle();
    let heap = handle.heap.clone().filter(|_| handle.is_told);
    let own = heap.clone();
    linker.func_wrap(MODULE, "alloc_gap", move |caller: Caller<'_, T>| {
        own.as_ref().map_or(NEVER, |heap| heap.on_alloc(caller, 0, 0, ARM).max(1))
    })?;
    let own = heap.clone();
    linker.func_wrap(MODULE, "alloc_sampled", move |caller: Caller<'_, T>, block: i32, size: i64| {
        own.as_ref().map_or(NEVER, |heap| heap.on_alloc(caller, pointer(block), size.max(0), 0))
    })?;
    linker.func_wrap(MODULE, "free_sampled", move |block: i32| {
        if let Some(heap) = &heap {
            let _was_sampled = heap.on_free(pointer(block));
        }
    })?;
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

    /// The labels of the guest's thread.
    fn labels(&self) -> &Arc<CurrentLabels> {
        self.0.context.cpu.labels()
    }

    /// Has samples look up the labels in the guest's memory, wherever that moves.
    fn follow_labels<T: 'static>(&self, caller: &mut Caller<'_, T>, at: i32) -> Result<(), Code> {
        let Some(Extern::Memory(memory)) = caller.get_export(MEMORY) else { return Err(Code::Fault) };
        let growth = &self.registry().handle().growth;
        let can = growth.follow(&*caller, memory, at.cast_unsigned() as usize, self.labels());
        can.then_some(()).ok_or(Code::Unavailable)
    }

    /// The profile that a handle stands for.
    fn profile(&self, handle: i32) -> Result<NamedProfile, Code> {
        let number = usize::try_from(handle).ok().and_then(|it| it.checked_sub(1)).ok_or(Code::UnknownHandle)?;
        match BuiltIn::ALL.get(number) {
            Some(&built_in) => Ok(NamedProfile::BuiltIn(built_in)),
            None => {
                let number = number - BuiltIn::ALL.len();
                let known = self.registry().handle().custom.name(number);
                known.map(|_| NamedProfile::Custom(number)).ok_or(Code::UnknownHandle)
            }
        }
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

/// Handles begin with 1, with the profiles that are always there.
fn handle(profile: NamedProfile) -> i32 {
    let number = match profile {
        NamedProfile::BuiltIn(built_in) => BuiltIn::ALL.iter().position(|it| *it == built_in).unwrap_or(0),
        NamedProfile::Custom(number) => number + BuiltIn::ALL.len(),
    };
    size(number + 1)
}

/// Pointers of a 32-bit guest have no sign.
fn pointer(block: i32) -> i64 {
    i64::from(block.cast_unsigned())
}

fn labels_of(token: i32) -> Result<LabelsId, Code> {
    u32::try_from(token).map(LabelsId::from_raw).map_err(|_negative| Code::UnknownHandle)
}

fn token(labels: LabelsId) -> i32 {
    // Sets are numbered so that it fits.
    i32::try_from(labels.raw()).unwrap_or(0)
}

fn size(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

fn name_at<T: 'static>(caller: &mut Caller<'_, T>, name: i32, len: i32) -> Result<String, Code> {
    // What is longer than a name may be is read no further.
    let name = read(caller, name, len, MAX_NAME + 1)?;
    String::from_utf8(name).map_err(|_not_text| Code::BadName)
}
