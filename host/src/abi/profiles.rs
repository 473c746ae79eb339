//! Profiles: that of CPU time, which a guest starts and stops, and those with names.

use wasmtime::{AsContextMut, Caller, Linker};
use wprof_guest::abi::{Code, MAX_NAME, MODULE};

use super::memory::{read, write};
use super::{Host, size};
use crate::registry::{BuiltIn, CpuOptions, NamedProfile, Owner};
use crate::stack::file_offsets;

/// Samples a second of a guest that does not say how many.
const DEFAULT_HZ: u32 = 100;

/// Most that it may ask for.
const MAX_HZ: u32 = 10_000;

pub(super) fn add_cpu<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
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

pub(super) fn add_profiles<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
    let own = host.clone();
    linker.func_wrap(MODULE, "profile_new", move |mut caller: Caller<'_, T>, name: i32, len: i32| {
        let name = name_at(&mut caller, name, len);
        let made = name
            .as_deref()
            .map_err(|&code| code)
            .and_then(|name| own.registry().make(own.0.instance, name))
            .map(handle);
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
                handle.custom.add(number, (own.0.instance, key), skip, own.labels().get(), caller.as_context_mut())
            }
        });
        let name = if added.is_err() { found.map(|it| own.registry().name(it)) } else { Ok(String::new()) };
        own.answer(added.map(|()| 0), &name.unwrap_or_default())
    })?;
    let own = host.clone();
    linker.func_wrap(MODULE, "profile_remove", move |profile: i32, key: i64| {
        let removed = own.profile(profile).and_then(|profile| match profile {
            NamedProfile::BuiltIn(_) => Ok(()),
            NamedProfile::Custom(number) => own.registry().handle().custom.remove(number, (own.0.instance, key)),
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

pub(super) fn add_streams<T: 'static>(linker: &mut Linker<T>, host: &Host) -> wasmtime::Result<()> {
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

impl Host {
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
}

/// Handles begin with 1, with the profiles that are always there.
fn handle(profile: NamedProfile) -> i32 {
    let number = match profile {
        NamedProfile::BuiltIn(built_in) => BuiltIn::ALL.iter().position(|it| *it == built_in).unwrap_or(0),
        NamedProfile::Custom(number) => number + BuiltIn::ALL.len(),
    };
    size(number + 1)
}

fn name_at<T: 'static>(caller: &mut Caller<'_, T>, name: i32, len: i32) -> Result<String, Code> {
    // What is longer than a name may be is read no further.
    let name = read(caller, name, len, MAX_NAME + 1)?;
    String::from_utf8(name).map_err(|_not_text| Code::BadName)
}
