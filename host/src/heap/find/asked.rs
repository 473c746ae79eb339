//! Functions that the user names with `--alloc NAME[=KIND]`.

use std::fmt::Write as _;

use anyhow::{Context as _, bail, ensure};
use symbols::demangle;

use super::families::Table;
use super::roles::{self, Role, signature};
use super::search::InModule;
use super::{Asked, FunctionInfo, ImportHook, ModuleInfo, names, nothing};
use crate::heap::hook::{Hook, Kind};

/// How many names are offered for one that is not there.
const MAX_SIMILAR: usize = 5;

/// Which module and which of its functions.
type Place = (usize, u32);

/// Adds what one `--alloc` names to what was found in each module.
pub(super) fn add(
    modules: &[ModuleInfo<'_>],
    asked: &Asked,
    table: &Table,
    each: &mut [InModule],
) -> anyhow::Result<()> {
    let role = match &asked.like {
        Some(like) => Some(roles::by_name(like).with_context(|| {
            format!("--alloc {}={like}: there is no kind `{like}`; the kinds are {}", asked.name, roles::names())
        })?),
        None => None,
    };
    let places = places(modules, &asked.name)?;
    let mut first_fault = None;
    let mut is_any_hooked = false;
    for (module, function) in places {
        let info = &modules[module].functions[function as usize];
        let is_found = each[module].hooks.iter().any(|hook| hook.function == function);
        if role.is_none() && is_found {
            is_any_hooked = true; // as what it is
            continue;
        }
        match kind(asked, role, info, function, table) {
            Ok(kind) => {
                put(&mut each[module], module, function, info, kind);
                is_any_hooked = true;
            }
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    match first_fault {
        // Of several functions with one name, those that fit are meant.
        Some(fault) if !is_any_hooked => Err(fault),
        _ => Ok(()),
    }
}

fn put(found: &mut InModule, module: usize, function: u32, info: &FunctionInfo<'_>, kind: Kind) {
    if let Some((from, name)) = info.import {
        let import = (from.to_owned(), name.to_owned());
        found.imports.retain(|hook| hook.import != import);
        found.imports.push(ImportHook { import, kind });
    } else if let Some(hook) = found.hooks.iter_mut().find(|hook| hook.function == function) {
        hook.kind = kind;
    } else {
        let name = readable(info, function);
        found.hooks.push(Hook { module, function, name, kind });
    }
}

/// How to read the calls of a function: as the user says, else as its name does, else as its signature does.
fn kind(
    asked: &Asked,
    role: Option<&Role>,
    info: &FunctionInfo<'_>,
    function: u32,
    table: &Table,
) -> anyhow::Result<Kind> {
    let name = readable(info, function);
    let found = signature(info.params, info.results);
    if let Some(role) = role {
        return role.kind(info.params, info.results).with_context(|| {
            let expected = role.expected(info.params);
            format!("--alloc {}={}: `{name}` has the signature {found}, not {expected}", asked.name, role.name)
        });
    }
    let last = names::split(&name).map_or("", |(_, last)| last);
    let by_name = table.roles(last).find_map(|role| role.kind(info.params, info.results));
    let by_signature = || roles::by_signature(info.params, info.results)?.kind(info.params, info.results);
    by_name.or_else(by_signature).with_context(|| {
        format!(
            "--alloc {0}: neither the name of `{name}` nor its signature {found} says what it does; \
             write --alloc {0}=KIND, where KIND is one of {1}",
            asked.name,
            roles::names()
        )
    })
}

fn readable(info: &FunctionInfo<'_>, function: u32) -> String {
    let name = info.name.or(info.import.map(|(_, name)| name));
    name.map_or_else(|| format!("wasm-function[{function}]"), |raw| demangle(raw).into_owned())
}

/// The functions that a user means by a name.
fn places(modules: &[ModuleInfo<'_>], asked: &str) -> anyhow::Result<Vec<Place>> {
    let (only, name) = match bracketed(asked, "module[") {
        Some((module, rest)) if rest.starts_with(':') => (Some(module), &rest[1..]),
        _ => (None, asked),
    };
    if let Some(only) = only {
        ensure!(only < modules.len(), "--alloc {asked}: there are {} core modules, counted from 0", modules.len());
    }
    let searched = || modules.iter().enumerate().filter(move |(idx, _)| only.is_none_or(|only| only == *idx));
    if let Some((number, "")) = bracketed(name, "wasm-function[") {
        let has = |module: &ModuleInfo<'_>| number < module.functions.len();
        let places: Vec<Place> = searched()
            .filter(|(_, module)| has(module))
            .filter_map(|(idx, _)| Some((idx, u32::try_from(number).ok()?)))
            .collect();
        match places.as_slice() {
            [] => bail!("--alloc {asked}: there is no function {number}"),
            [_] => return Ok(places),
            [..] => bail!(
                "--alloc {asked}: {} core modules have a function {number}; say which: --alloc 'module[{}]:{name}'",
                places.len(),
                places[0].0
            ),
        }
    }
    let wanted = Wanted::new(name);
    let named: Vec<(Place, u8)> = searched()
        .flat_map(|(idx, module)| (0..).zip(&module.functions).map(move |(function, info)| ((idx, function), info)))
        .filter_map(|(place, info)| Some((place, wanted.nearness(info)?)))
        .collect();
    // The nearest ones only: `free` is not also `Arena::free` where there is a `free`.
    let Some(best) = named.iter().map(|(_, nearness)| *nearness).min() else {
        let mut message = format!("--alloc {asked}: no function is called that");
        let similar = nothing::similar(modules, name, MAX_SIMILAR);
        if !similar.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(message, "; similar: {}", similar.join(", "));
        }
        bail!(message);
    };
    let places: Vec<Place> =
        named.into_iter().filter(|(_, nearness)| *nearness == best).map(|(place, _)| place).collect();
    if best == Wanted::END_OF_PATH {
        ensure_one_path(modules, asked, &places)?;
    }
    Ok(places)
}

/// `PREFIX[N]REST` as N and the rest.
fn bracketed<'a>(text: &'a str, prefix: &str) -> Option<(usize, &'a str)> {
    let (number, rest) = text.strip_prefix(prefix)?.split_once(']')?;
    Some((number.parse().ok()?, rest))
}

/// The end of a path may fit functions that have nothing to do with each other.
fn ensure_one_path(modules: &[ModuleInfo<'_>], asked: &str, places: &[Place]) -> anyhow::Result<()> {
    let path =
        |&(module, function): &Place| names::plain(&readable(&modules[module].functions[function as usize], function));
    let mut paths: Vec<String> = places.iter().map(path).collect();
    paths.sort();
    paths.dedup();
    ensure!(
        paths.len() == 1,
        "--alloc {asked}: {} functions are called that; say which: {}",
        paths.len(),
        paths.iter().take(MAX_SIMILAR).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
    );
    Ok(())
}

/// A name as the user wrote it.
struct Wanted<'a> {
    name: &'a str,
    plain: String,
    /// A part that is in every form of the name, mangled ones too.
    word: &'a str,
}

impl<'a> Wanted<'a> {
    /// The name's end was given, not its whole path.
    const END_OF_PATH: u8 = 3;

    fn new(name: &'a str) -> Self {
        let is_word = |next: char| next.is_ascii_alphanumeric() || next == '_';
        let plain = names::plain(name);
        let length = plain.chars().rev().take_while(|&next| is_word(next)).count();
        let last = &plain[plain.len() - length..];
        // `operator new` is `nw` when mangled.
        let word =
            if plain.contains("operator") { "" } else { name.rfind(last).map_or("", |at| &name[at..at + length]) };
        Self { name, word, plain }
    }

    /// How near a function's name is to this one; 0 is the same, `None` another.
    fn nearness(&self, info: &FunctionInfo<'_>) -> Option<u8> {
        if info.import.is_some_and(|(_, name)| name == self.name) {
            return Some(0);
        }
        let raw = info.name?;
        if raw == self.name {
            return Some(0);
        }
        if self.name.is_empty() || !raw.contains(self.word) {
            return None;
        }
        let readable = demangle(raw);
        if readable == self.name {
            return Some(1);
        }
        let plain = names::plain(&readable);
        if plain == self.plain {
            return Some(2);
        }
        let before = plain.strip_suffix(&self.plain)?;
        (before.ends_with("::") || before.ends_with(['.', '/', '#'])).then_some(Self::END_OF_PATH)
    }
}
