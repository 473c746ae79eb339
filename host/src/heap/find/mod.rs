//! Finding a module's allocator by what its functions are called and how.
//!
//! A function counts when the last component of its name, the namespace it is in and its signature all say so
//! (`families`, `roles`). Of the allocators in a module the lowest is taken, since all memory passes through it
//! (`search`). What users name themselves comes on top (`asked`), and when there is nothing at all, `nothing` says what
//! would help.

mod asked;
pub mod dwarf_names;
mod families;
mod go;
mod names;
mod nothing;
mod roles;
mod search;

use rustc_hash::FxHashSet;
use wasmparser::{FunctionBody, Operator, ValType};

use super::hook::{Hook, Kind};
use families::Table;
use search::InModule;

/// What is known of one function before the module is compiled.
#[derive(Debug, Clone, Copy)]
pub struct FunctionInfo<'a> {
    /// Its name as it stands in the file (mangled or not); from the name section, else the export, else DWARF.
    pub name: Option<&'a str>,
    /// Its parameters' types.
    pub params: &'a [ValType],
    /// Its results' types.
    pub results: &'a [ValType],
    /// For an imported function, module and name of the import.
    pub import: Option<(&'a str, &'a str)>,
}

/// One core module of the file.
#[derive(Debug, Clone, Default)]
pub struct ModuleInfo<'a> {
    /// Its functions by index, imported ones first.
    pub functions: Vec<FunctionInfo<'a>>,
    /// Whether global 0 is a mutable i32, as Go's stack pointer is.
    pub global_0_is_mut_i32: bool,
    /// The functions of which [`is_forwarder`] is true, ascending, for a file with several modules; else it may be left
    /// empty.
    pub forwarders: Vec<u32>,
}

/// A function that the user names with `--alloc NAME[=KIND]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its name as in the file, its demangled name with or without arguments, the end of that, or
    /// `wasm-function[N]`. `module[M]:` before it restricts it to one core module of a component.
    pub name: String,
    /// What it is like, such as `malloc`; `None`: as its name says.
    pub like: Option<String>,
}

/// An imported allocator, to be wrapped in the linker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportHook {
    /// Module and name of the import.
    pub import: (String, String),
    /// How to read its calls.
    pub kind: Kind,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The functions to wrap, each once.
    pub hooks: Vec<Hook>,
    /// Imported allocators.
    pub imports: Vec<ImportHook>,
    /// Why the in-use columns cannot be given: frees are not seen.
    pub no_frees: Option<String>,
    /// Why nothing was found, and what would help. `None` if something was.
    pub nothing: Option<String>,
    /// Lines for the user about what was passed over: a function with an allocator's name but another signature.
    pub notes: Vec<String>,
}

/// Finds what allocates in the modules of a file.
///
/// # Errors
///
/// When a function that the user named is not there, or its signature does not fit its kind.
pub fn find(modules: &[ModuleInfo<'_>], asked: &[Asked]) -> anyhow::Result<Found> {
    let table = Table::new();
    let mut each: Vec<InModule> =
        modules.iter().enumerate().map(|(idx, module)| search::search(idx, module, &table)).collect();
    drop_forwarders(modules, &mut each);
    drop_components(&mut each);
    for asked in asked {
        asked::add(modules, asked, &table, &mut each)?;
    }

    let mut seen = FxHashSet::default();
    let mut found = Found { no_frees: no_frees(&each), ..Found::default() };
    for (idx, module) in each.into_iter().enumerate() {
        let place = |note| if modules.len() > 1 { format!("core module {idx}: {note}") } else { note };
        found.notes.extend(module.notes.into_iter().map(place));
        found.hooks.extend(module.hooks);
        found.imports.extend(module.imports.into_iter().filter(|hook| seen.insert(hook.import.clone())));
    }
    if found.hooks.is_empty() && found.imports.is_empty() {
        found.nothing = Some(nothing::explain(modules));
    }
    Ok(found)
}

/// Why the in-use columns cannot be given, if they cannot.
fn no_frees(each: &[InModule]) -> Option<String> {
    let own = each.iter().find_map(InModule::no_frees);
    // What one module imports another may free.
    let imported = || {
        let first = each.iter().flat_map(|module| &module.imports).find(|import| search::allocates(import.kind))?;
        let is_freed = each.iter().any(InModule::frees);
        (!is_freed).then(|| search::no_frees_beside(&first.import.1))
    };
    own.or_else(imported)
}

/// Whether a function does nothing but call another through a table. Components link modules of which each needs the
/// other by such functions in a module of their own, under the names of those they call.
#[must_use]
pub fn is_forwarder(body: &FunctionBody<'_>) -> bool {
    let Ok(operators) = body.get_operators_reader() else { return false };
    let mut n_calls = 0;
    for operator in operators {
        match operator {
            Ok(Operator::CallIndirect { .. } | Operator::ReturnCallIndirect { .. }) => n_calls += 1,
            Ok(Operator::LocalGet { .. } | Operator::I32Const { .. } | Operator::GlobalGet { .. } | Operator::End) => {}
            _ => return false,
        }
    }
    n_calls == 1
}

/// A function that forwards to another module would count every call a second time.
fn drop_forwarders(modules: &[ModuleInfo<'_>], each: &mut [InModule]) {
    let forwards = |hook: &Hook| {
        modules.get(hook.module).is_some_and(|module| module.forwarders.binary_search(&hook.function).is_ok())
    };
    let hooks = each.iter().flat_map(|module| &module.hooks);
    let ends: FxHashSet<usize> = hooks.filter(|hook| !forwards(hook)).map(|hook| hook.module).collect();
    for module in each {
        module.hooks.retain(|hook| !forwards(hook) || ends.iter().all(|end| *end == hook.module));
    }
}

/// `cabi_realloc` alone gives memory to a module that has no allocator of its own to speak of. Where another module
/// has a whole one, it is not worth giving up the in-use columns for.
fn drop_components(each: &mut [InModule]) {
    if each.iter().any(|module| !module.hooks.is_empty() && module.no_frees().is_none()) {
        for module in each.iter_mut().filter(|module| module.is_only_component()) {
            module.hooks.clear();
        }
    }
}

#[cfg(test)]
mod tests;
