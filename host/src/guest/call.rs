//! Linking a guest to its world and calling it: commands, reactors, components.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use wasmtime::component::{self, Component};
use wasmtime::{Func, Instance, Linker, Module, Store, Val, ValType};
use wasmtime_wasi::{I32Exit, p0, p1, p2};

use super::{Code, GuestOptions, GuestState, Threads};
use crate::abi;
use crate::contexts::Context;
use crate::heap::{HeapHooks, attach, imports};
use crate::registry::Registry;
use crate::sample::Border;

/// What one context of a guest is run with beside its options.
#[derive(Debug)]
pub struct Watched<'a> {
    /// The hooks in its allocator.
    pub heap: Option<&'a HeapHooks>,
    /// Where it is entered.
    pub border: &'a Border,
    /// Whether instantiating it runs code of its own.
    pub has_start: bool,
    /// Its profiles, which it may ask for by itself.
    pub registry: &'a Registry,
    /// The context.
    pub context: &'a Arc<Context>,
    /// What begins threads of it, where it has such.
    pub threads: Option<&'a Threads>,
}

/// Instantiates the guest and runs it to its end.
///
/// # Errors
///
/// Everything but a plain return, `proc_exit` included; [`super::Ending`] sorts it.
pub fn start(
    store: &mut Store<GuestState>,
    code: &Code,
    options: &GuestOptions,
    watched: &Watched<'_>,
) -> anyhow::Result<()> {
    let flags = &options.common.wasi;
    set_limits(store, options)?;
    if let Some(fuel) = flags.hostcall_fuel {
        store.set_hostcall_fuel(fuel);
    }
    if let Some(max) = flags.max_component_handles {
        store.set_max_component_handles(max);
    }
    match code {
        Code::Module(module) => start_module(store, module, options, watched),
        Code::Component(component) => start_component(store, component, options),
    }
    .with_context(|| format!("failed to run main module `{}`", options.module().display()))
}

/// The limits of the guest that hold for each of its threads.
pub(super) fn set_limits(store: &mut Store<GuestState>, options: &GuestOptions) -> anyhow::Result<()> {
    store.limiter(|state| &mut state.limits);
    if let Some(fuel) = options.common.wasm.fuel {
        store.set_fuel(fuel)?;
    }
    Ok(())
}

fn start_module(
    store: &mut Store<GuestState>,
    module: &Module,
    options: &GuestOptions,
    watched: &Watched<'_>,
) -> anyhow::Result<()> {
    let mut linker = Linker::new(store.engine());
    if wants_wasi(options)? {
        if options.common.wasi.preview0 != Some(false) {
            p0::add_to_linker_sync(&mut linker, GuestState::p1)?;
        }
        p1::add_to_linker_sync(&mut linker, GuestState::p1)?;
    }
    if let Some(threads) = watched.threads {
        threads.share(&mut linker, store)?;
    }
    let instance = instantiate(store, linker, module, options, watched)?;
    if let Some(initialize) = instance.get_func(&mut *store, "_initialize") {
        let initialize = initialize.typed::<(), ()>(&*store)?;
        let _stay = watched.border.cross();
        initialize.call(&mut *store, ())?;
    }
    let main = match &options.invoke {
        Some(name) => {
            Some(instance.get_func(&mut *store, name).ok_or_else(|| anyhow!("no func export named `{name}` found"))?)
        }
        // The empty name is how the WebAssembly spec's text format exports a default function.
        None => instance.get_func(&mut *store, "").or_else(|| instance.get_func(&mut *store, "_start")),
    };
    main.map_or(Ok(()), |main| call(store, main, options, watched.border))
}

/// Instantiates a module with what the linker has and what is each context's own. A rewritten module's start function runs after its
/// hooks are filled, so that it is seen too.
pub(super) fn instantiate(
    store: &mut Store<GuestState>,
    mut linker: Linker<GuestState>,
    module: &Module,
    options: &GuestOptions,
    watched: &Watched<'_>,
) -> anyhow::Result<Instance> {
    let wasm = &options.common.wasm;
    if abi::is_imported_by(module) {
        abi::add_to_linker(&mut linker, watched.registry, watched.context, 0)?;
    }
    if let Some(threads) = watched.threads {
        threads.add_to_linker(&mut linker, watched.context)?;
    }
    if wasm.unknown_imports_trap == Some(true) {
        linker.define_unknown_imports_as_traps(module)?;
    }
    if wasm.unknown_imports_default == Some(true) {
        linker.define_unknown_imports_as_default_values(&mut *store, module)?;
    }
    if let Some(heap) = watched.heap {
        imports::wrap(&mut linker, store, &heap.imports, &heap.probe)?;
    }
    link(store, &linker, module, watched)
        .with_context(|| format!("failed to instantiate {}", options.module().display()))
}

fn link(
    store: &mut Store<GuestState>,
    linker: &Linker<GuestState>,
    module: &Module,
    watched: &Watched<'_>,
) -> anyhow::Result<Instance> {
    let stay = watched.has_start.then(|| watched.border.cross());
    let instance = linker.instantiate(&mut *store, module)?;
    drop(stay);
    if let Some(func) = attach::guest_function(store, &instance) {
        watched.context.cpu.see_asleep(&mut *store, module, func);
    }
    if let Some(HeapHooks { armed: Some(armed), probe, .. }) = watched.heap {
        attach::arm(store, module, &instance, armed, probe, &watched.context.own.waiting)?;
        if let Some(start) = &armed.start {
            instance.get_typed_func::<(), ()>(&mut *store, start)?.call(&mut *store, ())?;
        }
    }
    Ok(instance)
}

/// Calls an export with the command line's arguments and prints what it returns, as `wasmtime run` does.
fn call(store: &mut Store<GuestState>, func: Func, options: &GuestOptions, border: &Border) -> anyhow::Result<()> {
    let ty = func.ty(&*store);
    let what = options.invoke.as_ref().map_or("command default".to_owned(), |name| format!("`{name}`"));
    let mut given = options.args().iter();
    let mut args = Vec::new();
    for ty in ty.params() {
        let arg = given.next().with_context(|| format!("not enough arguments for {what}"))?;
        let arg = arg.to_str().with_context(|| format!("argument is not UTF-8: {}", arg.display()))?;
        args.push(value(arg, &ty).with_context(|| format!("argument `{arg}` of {what}"))?);
    }
    let mut results = vec![Val::null_func_ref(); ty.results().len()];
    let stay = border.cross();
    let outcome = func.call(&mut *store, &args, &mut results);
    drop(stay);
    outcome.map_err(anyhow::Error::from).with_context(|| format!("failed to invoke {what}"))?;
    let mut out = std::io::stdout().lock();
    for result in results {
        match result {
            Val::I32(value) => writeln!(out, "{value}"),
            Val::I64(value) => writeln!(out, "{value}"),
            Val::F32(bits) => writeln!(out, "{}", f32::from_bits(bits)),
            Val::F64(bits) => writeln!(out, "{}", f64::from_bits(bits)),
            Val::V128(bits) => writeln!(out, "{}", bits.as_u128()),
            reference => writeln!(out, "<{}>", if is_null(&reference) { "null reference" } else { "reference" }),
        }
        .context("failed to print the result")?;
    }
    Ok(())
}

fn is_null(reference: &Val) -> bool {
    matches!(
        reference,
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None) | Val::ContRef(None)
    )
}

fn value(text: &str, ty: &ValType) -> anyhow::Result<Val> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    Ok(match ty {
        ValType::I32 => Val::I32(hex.map_or_else(|| text.parse(), |digits| i32::from_str_radix(digits, 16))?),
        ValType::I64 => Val::I64(hex.map_or_else(|| text.parse(), |digits| i64::from_str_radix(digits, 16))?),
        ValType::F32 => Val::F32(text.parse::<f32>()?.to_bits()),
        ValType::F64 => Val::F64(text.parse::<f64>()?.to_bits()),
        ty => bail!("a parameter of type {ty} cannot be given on the command line"),
    })
}

fn start_component(store: &mut Store<GuestState>, component: &Component, options: &GuestOptions) -> anyhow::Result<()> {
    if options.invoke.is_some() {
        bail!("--invoke is for core modules; a component is run through its wasi:cli/run export");
    }
    if options.common.wasm.unknown_imports_default == Some(true) {
        bail!("-W unknown-imports-default is for core modules");
    }
    let mut linker: component::Linker<GuestState> = component::Linker::new(store.engine());
    if wants_wasi(options)? {
        let mut links = p2::bindings::sync::LinkOptions::default();
        links.network_error_code(options.common.wasi.network_error_code.unwrap_or(false));
        p2::add_to_linker_with_options_sync(&mut linker, &links)?;
    }
    if options.common.wasm.unknown_imports_trap == Some(true) {
        linker.define_unknown_imports_as_traps(component)?;
    }
    let command = p2::bindings::sync::Command::instantiate(&mut *store, component, &linker)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("failed to instantiate {}", options.module().display()))?;
    let result = command.wasi_cli_run().call_run(&mut *store);
    match result.map_err(anyhow::Error::from).context("failed to invoke `run` function")? {
        Ok(()) => Ok(()),
        // wasi:cli/run's plain error means exit code 1.
        Err(()) => Err(I32Exit(1).into()),
    }
}

fn wants_wasi(options: &GuestOptions) -> anyhow::Result<bool> {
    let flags = &options.common.wasi;
    if flags.cli.is_some() && flags.common.is_some() {
        bail!("-S common is an old name of -S cli; give one of them");
    }
    Ok(flags.cli.or(flags.common) != Some(false))
}
