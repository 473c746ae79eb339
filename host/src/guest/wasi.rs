//! The world a guest sees: WASI through wasmtime-wasi, limits, arguments.

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use anyhow::Context;
use wasmtime::StoreLimits;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, WasiCtxView, WasiView};

use super::limits::limits;
use super::options::{GuestOptions, inherited};
use super::sleep::Monotonic;
use crate::heap::limits::Limits;
use crate::sample::Watch;

/// What a store holds for its guest.
pub struct GuestState {
    pub(super) limits: Limits<StoreLimits>,
    wasi: Wasi,
}

/// The guest's world: its own, or that of all its threads.
enum Wasi {
    Own(Box<WasiP1Ctx>),
    Shared { baton: Baton, held: Option<Box<WasiP1Ctx>> },
}

/// A world that threads hand to each other: who makes a WASI call has it from the first use until the call is over.
#[derive(Clone, Default)]
pub struct Baton(Arc<(Mutex<Option<Box<WasiP1Ctx>>>, Condvar)>);

impl std::fmt::Debug for Baton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Baton").finish_non_exhaustive()
    }
}

impl Baton {
    /// A world for threads, as the options describe it.
    ///
    /// # Errors
    ///
    /// As [`GuestState::new`].
    pub fn new(options: &GuestOptions) -> anyhow::Result<Self> {
        let baton = Self::default();
        baton.give(Box::new(wasi(options)?));
        Ok(baton)
    }

    fn take(&self) -> Box<WasiP1Ctx> {
        let (place, is_back) = &*self.0;
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(wasi) = place.take() {
                return wasi;
            }
            place = is_back.wait(place).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give(&self, wasi: Box<WasiP1Ctx>) {
        let (place, is_back) = &*self.0;
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(wasi);
        is_back.notify_one();
    }
}

/// A store may go in the middle of a call, as its guest panics the host.
impl Drop for Wasi {
    fn drop(&mut self) {
        if let Self::Shared { baton, held } = self
            && let Some(wasi) = held.take()
        {
            baton.give(wasi);
        }
    }
}

impl std::fmt::Debug for GuestState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestState").finish_non_exhaustive()
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.p1().ctx()
    }
}

impl GuestState {
    /// Builds the world that the options describe, for a file in which wprof has rewritten so many modules. Threads have the world
    /// that they share.
    ///
    /// # Errors
    ///
    /// When a directory cannot be opened, or an argument is not UTF-8.
    pub fn new(
        options: &GuestOptions,
        watch: &Watch,
        n_rewritten: usize,
        shared: Option<&Baton>,
    ) -> anyhow::Result<Self> {
        let wasi = match shared {
            Some(baton) => Wasi::Shared { baton: baton.clone(), held: None },
            None => Wasi::Own(Box::new(wasi(options)?)),
        };
        Ok(Self { limits: limits(options, watch, n_rewritten), wasi })
    }

    /// The world, for the host call under way.
    pub(super) fn p1(&mut self) -> &mut WasiP1Ctx {
        match &mut self.wasi {
            Wasi::Own(wasi) => wasi,
            Wasi::Shared { baton, held } => held.get_or_insert_with(|| baton.take()),
        }
    }

    /// A host call is over: other threads may have the world. To be [`Watch::after_call`] of stores that share one.
    pub fn give_back(state: &mut dyn Any) {
        if let Some(Self { wasi: Wasi::Shared { baton, held }, .. }) = state.downcast_mut()
            && let Some(wasi) = held.take()
        {
            baton.give(wasi);
        }
    }
}

fn wasi(options: &GuestOptions) -> anyhow::Result<WasiP1Ctx> {
    let flags = &options.common.wasi;
    let mut wasi = WasiCtxBuilder::new();
    wasi.args(&argv(options)?);
    // The guest has a thread of its own, so its file operations need no other.
    wasi.allow_blocking_current_thread(true);
    wasi.monotonic_clock(Monotonic);
    if flags.inherit_stdin != Some(false) {
        wasi.inherit_stdin();
    }
    if flags.inherit_stdout != Some(false) {
        wasi.inherit_stdout();
    }
    if flags.inherit_stderr != Some(false) {
        wasi.inherit_stderr();
    }
    environment(options, &mut wasi)?;
    for (host, guest) in &options.dirs {
        wasi.preopened_dir(host, guest, FsPerms::ReadWrite)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("failed to open the directory {host} for --dir"))?;
    }
    if let Some(cwd) = &flags.cwd {
        wasi.initial_cwd(cwd);
    }
    if flags.inherit_network == Some(true) {
        wasi.inherit_network().allow_tcp(true).allow_udp(true);
    }
    if let Some(allow) = flags.allow_ip_name_lookup {
        wasi.allow_ip_name_lookup(allow);
    }
    if let Some(allow) = flags.tcp {
        wasi.allow_tcp(allow);
    }
    if let Some(allow) = flags.udp {
        wasi.allow_udp(allow);
    }
    if let Some(max) = flags.max_random_size {
        wasi.max_random_size(max);
    }
    let mut wasi = wasi.build_p1();
    if let Some(max) = flags.max_resources {
        wasi.ctx().table.set_max_capacity(max);
    }
    Ok(wasi)
}

fn environment(options: &GuestOptions, wasi: &mut WasiCtxBuilder) -> anyhow::Result<()> {
    if options.common.wasi.inherit_env == Some(true) {
        for (name, value) in std::env::vars_os() {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
                anyhow::bail!("environment variable {} is not UTF-8", name.display());
            };
            wasi.env(name, value);
        }
    }
    for (name, value) in &options.env {
        match value {
            Some(value) => drop(wasi.env(name, value)),
            None => {
                if let Some(value) = inherited(name)? {
                    wasi.env(name, value);
                }
            }
        }
    }
    Ok(())
}

/// The guest's arguments: its name without the folder, as `wasmtime run` has it, then what the user gave.
fn argv(options: &GuestOptions) -> anyhow::Result<Vec<String>> {
    let name = match &options.argv0 {
        Some(name) => name.clone(),
        None => options.module().file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    let mut argv = vec![name];
    for arg in options.args() {
        argv.push(arg.to_str().with_context(|| format!("argument {} is not UTF-8", arg.display()))?.to_owned());
    }
    Ok(argv)
}
