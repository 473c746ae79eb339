//! From a file to the file that is compiled: finds the allocator, puts wrappers in front of it.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use symbols::FunctionNames;

use super::find::{self, Asked, Found, FunctionInfo, ImportHook, ModuleInfo};
use super::hook::{Hook, Kind, Size};
use super::rewrite::{AddressMap, Armed, Layout, rewrite_component, rewrite_module};

/// A file that is ready to be compiled.
#[derive(Debug, Default)]
pub struct Prepared {
    /// What to compile in place of the file; `None` if no function of it is wrapped.
    pub rewritten: Option<Vec<u8>>,
    /// How many core modules of it are.
    pub n_rewritten: usize,
    /// From what is compiled to the file.
    pub map: AddressMap,
    /// What is hooked, in the order of the hook numbers.
    pub hooks: Vec<Hook>,
    /// Imported allocators, for the linker.
    pub imports: Vec<ImportHook>,
    /// What the host has to fill once a core module is instantiated; `None` for components and where nothing is hooked.
    pub armed: Option<Armed>,
    /// Why frees are not seen, if they are not.
    pub no_frees: Option<String>,
    /// Why nothing is hooked, if nothing is.
    pub nothing: Option<String>,
    /// What the user should know beside that.
    pub notes: Vec<String>,
    /// What it took.
    pub took: Duration,
}

impl Prepared {
    /// Names of what is hooked, each once.
    #[must_use]
    pub fn hooked_names(&self) -> Vec<&str> {
        let imports = self.imports.iter().map(|it| it.import.1.as_str());
        let allocator = self.hooks.iter().filter(|it| it.kind != Kind::GoSwitch);
        let mut names: Vec<&str> = allocator.map(|it| it.name.as_str()).chain(imports).collect();
        let mut seen = rustc_hash::FxHashSet::default();
        names.retain(|name| seen.insert(*name));
        names
    }

    /// Whether allocations are seen.
    #[must_use]
    pub fn is_hooked(&self) -> bool {
        !self.hooks.is_empty() || !self.imports.is_empty()
    }
}

/// Finds a file's allocators and rewrites it. A file that cannot be rewritten is left as it is; `nothing` says why.
///
/// # Errors
///
/// When a function that the user asked for is not there or not usable.
pub fn prepare(bytes: &[u8], asked: &[Asked]) -> anyhow::Result<Prepared> {
    let began = Instant::now();
    let mut prepared = Prepared::default();
    match hook(bytes, asked, &mut prepared)? {
        Ok(()) => {}
        Err(reason) => {
            prepared = Prepared { nothing: Some(reason), notes: prepared.notes, ..Prepared::default() };
        }
    }
    prepared.took = began.elapsed();
    Ok(prepared)
}

/// Rewrites a file that starts threads, so that it tells where they wait for each other; its allocator is left as it is. All other
/// files are left as they are.
#[must_use]
pub fn prepare_threads(bytes: &[u8]) -> Prepared {
    let began = Instant::now();
    let mut prepared = Prepared::default();
    if wasmparser::Parser::is_core_wasm(bytes)
        && Layout::parse(bytes).is_ok_and(|layout| layout.has_threads())
        && let Err(reason) = rewrite(bytes, Vec::new(), &mut prepared)
    {
        prepared.notes.push(format!("waits for atomics are not seen: {reason}"));
    }
    prepared.took = began.elapsed();
    prepared
}

fn hook(bytes: &[u8], asked: &[Asked], prepared: &mut Prepared) -> anyhow::Result<Result<(), String>> {
    let modules = match core_modules(bytes) {
        Ok(modules) => modules,
        Err(reason) => return Ok(Err(reason)),
    };
    let Found { mut hooks, imports, no_frees, nothing, notes } = find_in(&modules, asked)?;
    drop_forwarders(&modules, &mut hooks);
    drop_what_is_only_inside(&modules, &mut hooks);
    prepared.notes = notes;
    prepared.no_frees = no_frees;
    prepared.nothing = nothing;
    prepared.imports = imports;
    let has_threads = matches!(modules.as_slice(), [module] if module.has_threads());
    if hooks.is_empty() && !has_threads {
        return Ok(Ok(()));
    }
    if wasmparser::Parser::is_component(bytes) {
        return Ok(rewrite_component(bytes, &hooks).map(|rewrite| {
            prepared.rewritten = Some(rewrite.bytes);
            prepared.map = AddressMap::new(rewrite.segments);
            let is_skipped = |module: usize| rewrite.skipped.iter().any(|(skipped, _)| *skipped == module);
            let mut modules: Vec<usize> = hooks.iter().map(|hook| hook.module).collect();
            modules.dedup();
            prepared.n_rewritten = modules.iter().filter(|module| !is_skipped(**module)).count();
            for (module, reason) in &rewrite.skipped {
                prepared.notes.push(format!("its core module {module} is left as it is: {reason}"));
            }
            prepared.hooks = hooks;
        }));
    }
    Ok(rewrite(bytes, hooks, prepared))
}

fn rewrite(bytes: &[u8], hooks: Vec<Hook>, prepared: &mut Prepared) -> Result<(), String> {
    let numbered: Vec<(i32, &Hook)> = (0..).zip(&hooks).collect();
    let rewrite = rewrite_module(bytes, &numbered, false)?;
    prepared.rewritten = Some(rewrite.bytes);
    prepared.n_rewritten = 1;
    prepared.map = AddressMap::new(rewrite.segments);
    prepared.armed = rewrite.armed;
    prepared.hooks = hooks;
    Ok(())
}

/// Leaves out functions that only call another hooked one, as `malloc` does with `dlmalloc`: the other sees it all.
fn drop_forwarders(modules: &[Layout<'_>], hooks: &mut Vec<Hook>) {
    let all = hooks.clone();
    hooks.retain(|hook| {
        let target = modules.get(hook.module).and_then(|module| module.forwards_to(hook.function));
        let sees_it =
            |other: &Hook| Some(other.function) == target && (other.module, other.kind) == (hook.module, hook.kind);
        !all.iter().any(sees_it)
    });
}

/// Leaves out what is below other hooked functions and called by none but these.
fn drop_what_is_only_inside(modules: &[Layout<'_>], hooks: &mut Vec<Hook>) {
    let is_below = |hook: &Hook| matches!(hook.kind, Kind::Alloc { size: Size::Less(..), .. });
    let mut known: Vec<(usize, u32)> =
        hooks.iter().filter(|it| !is_below(it)).map(|it| (it.module, it.function)).collect();
    known.sort_unstable();
    hooks.retain(|hook| {
        let beside: Vec<u32> = known.iter().filter(|it| it.0 == hook.module).map(|it| it.1).collect();
        let is_called = |module: &Layout<'_>| module.is_called_outside(hook.function, &beside);
        !is_below(hook) || modules.get(hook.module).is_some_and(is_called)
    });
}

/// The core modules of a file, in file order, nested ones too.
fn core_modules(bytes: &[u8]) -> Result<Vec<Layout<'_>>, String> {
    if wasmparser::Parser::is_core_wasm(bytes) {
        return Ok(vec![Layout::parse(bytes)?]);
    }
    let mut modules = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| format!("its layout cannot be read: {error}"))?;
        if let wasmparser::Payload::ModuleSection { unchecked_range, .. } = payload {
            let module = bytes.get(unchecked_range).ok_or("a module ends behind the file")?;
            modules.push(Layout::parse(module)?);
        }
    }
    Ok(modules)
}

fn find_in(modules: &[Layout<'_>], asked: &[Asked]) -> anyhow::Result<Found> {
    let names: Vec<FxHashMap<u32, &str>> = modules.iter().map(function_names).collect();
    let infos: Vec<ModuleInfo<'_>> = modules
        .iter()
        .zip(&names)
        .map(|(layout, names)| ModuleInfo {
            functions: (0..layout.n_functions())
                .map(|function| {
                    let (params, results) = layout.parameters(function);
                    let import = layout.imports.get(function as usize).copied();
                    FunctionInfo { name: names.get(&function).copied(), params, results, import }
                })
                .collect(),
            global_0_is_mut_i32: layout.has_go_registers(),
            forwarders: if modules.len() > 1 { layout.functions_like(find::is_forwarder) } else { Vec::new() },
        })
        .collect();
    find::find(&infos, asked)
}

/// From the name section and the exports; DWARF is asked only where there is no name section, as that takes long.
fn function_names<'a>(layout: &Layout<'a>) -> FxHashMap<u32, &'a str> {
    let name_section = layout.custom_section("name");
    // What is broken in it is said when a profile is written.
    let mut names = FunctionNames::read(name_section, layout.exported_functions(), &mut Vec::new()).by_index();
    if name_section.is_none() {
        let section = |name: &str| layout.custom_section(name).map_or(&[][..], |(data, _)| data);
        for (address, name) in find::dwarf_names::names(section) {
            if let Some(function) = layout.function_with_code_at(address) {
                names.entry(function).or_insert(name);
            }
        }
    }
    names.retain(|_, name| !name.is_empty());
    names
}
