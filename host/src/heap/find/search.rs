//! Which of a module's functions to hook without being told.

use rustc_hash::FxHashSet;
use symbols::demangle;
use wasmparser::ValType;

use super::families::{Family, Table};
use super::go::{self, GoFunction};
use super::roles::{Role, signature};
use super::{FunctionInfo, ImportHook, ModuleInfo, names};
use crate::heap::hook::{Hook, Kind, Size};

/// At most so many functions with a signature that does not fit are told of.
const MAX_NOTES: usize = 8;

/// What was found in one core module.
#[derive(Debug, Default)]
pub(super) struct InModule {
    pub(super) hooks: Vec<Hook>,
    pub(super) imports: Vec<ImportHook>,
    pub(super) notes: Vec<String>,
    /// The families of `hooks`.
    families: Vec<Family>,
    /// Whether frees of zig's allocator are sure to pass through a function.
    zig_frees: bool,
}

/// A function whose name is an allocator's.
#[derive(Clone)]
struct Candidate {
    function: u32,
    family: Family,
    meaning: Meaning,
    /// Its namespace, for [`Family::Foreign`].
    owner: String,
    /// How to read its calls; `None` when its signature is another.
    kind: Option<Kind>,
}

#[derive(Clone, Copy)]
enum Meaning {
    Role(&'static Role),
    Go(GoFunction),
}

/// Searches module number `idx` of the file.
pub(super) fn search(idx: usize, module: &ModuleInfo<'_>, table: &Table) -> InModule {
    let candidates = candidates(module, table);
    let imports = imports(module, table);
    let families = choose(&candidates, imports.iter().any(|import| allocates(import.kind)));
    let foreign = whole_owners(&candidates);
    let has_leaves = candidates.iter().any(is_leaf);

    let is_chosen = |candidate: &&Candidate| {
        families.contains(&candidate.family)
            && (candidate.family != Family::Foreign || foreign.contains(candidate.owner.as_str()))
            && !(has_leaves && is_above_leaves(candidate))
    };
    let hook = |candidate: &Candidate| {
        let name = module.functions.get(candidate.function as usize)?.name?;
        Some(Hook {
            module: idx,
            function: candidate.function,
            name: demangle(name).into_owned(),
            kind: candidate.kind?,
        })
    };
    let mut hooks: Vec<Hook> = candidates.iter().filter(is_chosen).filter_map(hook).collect();
    if families.contains(&Family::C) && !hooks.iter().any(|it| it.name.starts_with(ZIG_BELOW_C)) {
        let below = candidates.iter().map(|it| Candidate { kind: below_zig_malloc(module, it), ..it.clone() });
        hooks.extend(below.filter_map(|candidate| hook(&candidate)));
    }
    let mut found =
        InModule { hooks, imports, notes: Vec::new(), zig_frees: candidates.iter().any(is_zig_debug), families };
    found.notes = notes(module, &candidates, &found);
    found
}

impl InModule {
    /// Why in-use figures of this module's own allocator would be wrong, if they would.
    pub(super) fn no_frees(&self) -> Option<String> {
        let has = |family| self.families.contains(&family);
        let first = self.hooks.iter().find(|hook| allocates(hook.kind))?;
        let collects = |language: &str| {
            Some(format!("{language}'s garbage collector frees blocks itself, and no function call tells of it"))
        };
        if has(Family::Go) {
            return collects("Go");
        }
        if has(Family::TinyGo) {
            return collects("TinyGo");
        }
        if has(Family::Zig) && !self.zig_frees {
            let why = "zig, when it optimises, builds its allocator's `free` into functions that call it, where it is not \
                       seen; a debug build shows all frees";
            return Some(why.to_owned());
        }
        if self.frees() {
            return None;
        }
        if self.is_only_component() {
            return Some(
                "only `cabi_realloc` was found, and what it gives out is freed in ways that are not seen".to_owned(),
            );
        }
        Some(no_frees_beside(&first.name))
    }

    /// Whether a function that frees was found, here or imported.
    pub(super) fn frees(&self) -> bool {
        let mut kinds = self.hooks.iter().map(|hook| hook.kind).chain(self.imports.iter().map(|import| import.kind));
        kinds.any(is_free)
    }

    /// Whether nothing but `cabi_realloc` is hooked.
    pub(super) fn is_only_component(&self) -> bool {
        self.families == [Family::Component] && self.imports.is_empty()
    }
}

pub(super) fn no_frees_beside(name: &str) -> String {
    format!("no function that frees was found beside `{name}`; `--alloc NAME=free` would name it")
}

fn candidates(module: &ModuleInfo<'_>, table: &Table) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let mut before_1_25 = false;
    for (function, info) in (0..).zip(&module.functions) {
        let (None, Some(raw)) = (info.import, info.name) else { continue };
        let Some(readable) = names::readable_if_near(raw) else { continue };
        let Some((owner, last)) = names::split(&readable) else { continue };
        if owner == "runtime." {
            before_1_25 |= go::is_before_1_25(last);
            if let Some(go_function) = GoFunction::named(last) {
                let meaning = Meaning::Go(go_function);
                candidates.push(Candidate { function, family: Family::Go, meaning, owner: String::new(), kind: None });
                continue;
            }
        }
        if table.knows(last) {
            let owner = names::plain(owner);
            if let Some((family, role)) = table.look_up(&owner, last) {
                let kind = role.kind(info.params, info.results);
                candidates.push(Candidate { function, family, meaning: Meaning::Role(role), owner, kind });
            }
        }
    }
    // Only now is it known which Go it is.
    for candidate in &mut candidates {
        if let (Meaning::Go(go), true) = (candidate.meaning, module.global_0_is_mut_i32)
            && let Some(info) = module.functions.get(candidate.function as usize)
        {
            candidate.kind = go.kind(info.params, info.results, before_1_25);
        }
    }
    candidates
}

fn imports(module: &ModuleInfo<'_>, table: &Table) -> Vec<ImportHook> {
    let hook = |info: &FunctionInfo<'_>| {
        let (from, name) = info.import?;
        let (Family::C, role) = table.look_up("", name)? else { return None };
        let kind = role.kind(info.params, info.results)?;
        Some(ImportHook { import: (from.to_owned(), name.to_owned()), kind })
    };
    let imports: Vec<_> = module.functions.iter().filter_map(hook).collect();
    // A `free` alone is no allocator.
    if imports.iter().any(|import| allocates(import.kind)) { imports } else { Vec::new() }
}

/// The families to hook: one that all memory passes through, and those beside or on top of it that add to it and see
/// each block from its beginning to its end. Wrappers report the outermost call only.
fn choose(candidates: &[Candidate], imports_c: bool) -> Vec<Family> {
    let fit =
        |family| candidates.iter().filter(move |candidate| candidate.family == family && candidate.kind.is_some());
    let gives = |family| fit(family).any(|candidate| candidate.kind.is_some_and(allocates));
    let is_whole = |family| {
        let is_new = |kind| matches!(kind, Kind::Alloc { .. } | Kind::AllocInto { .. });
        let has = |is_meant: fn(Kind) -> bool| fit(family).any(|candidate| candidate.kind.is_some_and(is_meant));
        has(is_new) && has(is_free)
    };
    // Runtimes whose own allocator is below everything else in the module.
    for family in [Family::Go, Family::TinyGo, Family::AssemblyScript] {
        if gives(family) {
            return vec![family];
        }
    }
    // Memory that comes from another module is counted there or at the import; a layer above, here, would be counted
    // again, as wrappers see what is outermost in their own module only.
    if imports_c {
        return if gives(Family::C) { vec![Family::C] } else { vec![] };
    }
    let has_c = is_whole(Family::C);
    // Zig may build its allocator into its callers; beside a C library only a debug build is sure to show all.
    let has_zig = if has_c { fit(Family::Zig).any(is_zig_debug) } else { is_whole(Family::Zig) };
    let mut families = Vec::new();
    for (family, is_there) in [
        (Family::C, has_c),
        (Family::Rust, is_whole(Family::Rust)), // its allocator need not be C's, even where there is C's
        (Family::Zig, has_zig),
    ] {
        if is_there {
            families.push(family);
        }
    }
    if !families.is_empty() {
        return families;
    }
    // C's `free` may have been built into `operator delete`, or `malloc` into `operator new`.
    let pair = [Family::C, Family::Cpp];
    if pair.into_iter().any(gives)
        && pair.into_iter().flat_map(fit).any(|candidate| candidate.kind.is_some_and(is_free))
    {
        return pair.to_vec();
    }
    if !whole_owners(candidates).is_empty() {
        return vec![Family::Foreign];
    }
    let parts = [Family::C, Family::Rust, Family::Zig, Family::Cpp, Family::Component];
    parts.into_iter().find(|&family| gives(family)).into_iter().collect()
}

/// The allocator that zig's C library is made on.
const ZIG_BELOW_C: &str = "heap.BrkAllocator";

/// zig's C library builds its `malloc` into functions of its own that allocate, such as `strdup`. Those can be seen where
/// they call the allocator below, at which they ask for 16 bytes more and give out what comes behind these. What
/// `malloc` itself takes from there passes as part of that call.
fn below_zig_malloc(module: &ModuleInfo<'_>, candidate: &Candidate) -> Option<Kind> {
    const HEADER: u32 = 16;
    let is_it =
        candidate.owner == ZIG_BELOW_C && matches!(candidate.meaning, Meaning::Role(role) if role.name == "zig_alloc");
    let info = module.functions.get(candidate.function as usize).filter(|_| is_it)?;
    // Optimised: bytes and the logarithm of the alignment.
    let is_optimised = info.params == [ValType::I32, ValType::I32] && info.results == [ValType::I32];
    is_optimised.then_some(Kind::Alloc { size: Size::Less(0, HEADER), bias: HEADER.cast_signed() })
}

/// The unknown namespaces that have both an allocation and a free.
fn whole_owners(candidates: &[Candidate]) -> FxHashSet<&str> {
    let owners = |is_meant: fn(Kind) -> bool| -> FxHashSet<&str> {
        let foreign = candidates.iter().filter(|candidate| candidate.family == Family::Foreign);
        foreign.filter(|candidate| candidate.kind.is_some_and(is_meant)).map(|it| it.owner.as_str()).collect()
    };
    let frees = owners(is_free);
    owners(allocates).into_iter().filter(|owner| frees.contains(owner)).collect()
}

/// One of the functions that Go's `mallocgc` calls.
fn is_leaf(candidate: &Candidate) -> bool {
    matches!(candidate.meaning, Meaning::Go(go) if go.is_leaf()) && candidate.kind.is_some()
}

fn is_above_leaves(candidate: &Candidate) -> bool {
    matches!(candidate.meaning, Meaning::Go(go) if go.allocates() && !go.is_leaf())
}

/// Debug builds of zig give every function one parameter more, and build none into another.
fn is_zig_debug(candidate: &Candidate) -> bool {
    candidate.family == Family::Zig && matches!(candidate.kind, Some(Kind::Free { block: 2, .. }))
}

pub(super) fn allocates(kind: Kind) -> bool {
    !matches!(kind, Kind::Free { .. } | Kind::GoSwitch)
}

fn is_free(kind: Kind) -> bool {
    matches!(kind, Kind::Free { .. })
}

/// What users should know of functions that were passed over.
fn notes(module: &ModuleInfo<'_>, candidates: &[Candidate], found: &InModule) -> Vec<String> {
    let nothing = found.hooks.is_empty() && found.imports.is_empty();
    // A name in an unknown namespace says little.
    let is_told = |family| family != Family::Foreign && (nothing || found.families.contains(&family));
    let has_leaves = candidates.iter().any(is_leaf);
    let mut notes: Vec<String> = candidates
        .iter()
        .filter(|candidate| candidate.kind.is_none() && is_told(candidate.family))
        .filter(|candidate| !(has_leaves && is_above_leaves(candidate)))
        .filter_map(|candidate| unfit(module, candidate))
        .take(MAX_NOTES)
        .collect();
    let fits = |family| move |candidate: &&Candidate| candidate.family == family && candidate.kind.is_some();
    if found.families.contains(&Family::Zig) {
        let resized = "zig's blocks keep the size they were allocated with: a resize in place is not counted";
        notes.push(resized.to_owned());
    } else if found.families.contains(&Family::C)
        && has_zig_main(module)
        && let Some(zig) = candidates.iter().find(fits(Family::Zig)).and_then(|candidate| name(module, candidate))
    {
        notes.push(format!(
            "what zig code takes from `{zig}`, past the C library, is not counted; `--alloc {zig}` adds it, but its frees \
             may not be seen"
        ));
    }
    notes
}

/// zig's runtime is in C programs too, for its panics only.
fn has_zig_main(module: &ModuleInfo<'_>) -> bool {
    module.functions.iter().any(|info| info.name.is_some_and(|name| name.starts_with("start.")))
}

fn unfit(module: &ModuleInfo<'_>, candidate: &Candidate) -> Option<String> {
    let info = module.functions.get(candidate.function as usize)?;
    let name = name(module, candidate)?;
    let expected = match candidate.meaning {
        Meaning::Role(role) => role.expected(info.params),
        Meaning::Go(_) => "(i32) -> i32, with the stack pointer in global 0".to_owned(),
    };
    let found = signature(info.params, info.results);
    Some(format!(
        "`{name}` (function {}) is not hooked: its signature is {found}, that of an allocator's would be {expected}",
        candidate.function
    ))
}

fn name(module: &ModuleInfo<'_>, candidate: &Candidate) -> Option<String> {
    module.functions.get(candidate.function as usize)?.name.map(|raw| demangle(raw).into_owned())
}
