//! What to tell users when no allocator was found, and lists of names for other messages.

use std::cmp::Reverse;

use symbols::demangle;

use super::{ModuleInfo, names};

/// How many names that come near are shown.
const MAX_NEAR: usize = 6;

/// Longer names than this help nobody choose.
const MAX_SHOWN: usize = 100;

/// A module of which fewer functions than one in this many have a name is taken to be stripped.
const STRIPPED: usize = 20;

/// Why nothing was found, and what would help.
pub(super) fn explain(modules: &[ModuleInfo<'_>]) -> String {
    let defined = || modules.iter().flat_map(|module| &module.functions).filter(|info| info.import.is_none());
    let n_functions = defined().count();
    let n_named = defined().filter(|info| info.name.is_some()).count();
    if n_functions == 0 {
        return "the file has no functions of its own".to_owned();
    }
    let help = "name the functions that allocate and free with --alloc NAME=malloc and --alloc NAME=free";
    if n_named * STRIPPED < n_functions {
        let n_unnamed = n_functions - n_named;
        return format!(
            "{n_unnamed} of {n_functions} functions have no name, so the allocator could not be told from the rest; the file was \
             probably stripped. Build it without -s or strip, so that its name section stays, or, if you know the function's \
             number N, {}",
            help.replace("NAME", "'wasm-function[N]'").replace("name the functions", "name those")
        );
    }
    let near = near(modules);
    let near = match near.as_slice() {
        [] => "none has a name like an allocator's".to_owned(),
        near => format!("these have names like an allocator's: {}", near.join(", ")),
    };
    format!(
        "none of the {n_named} functions that have a name is an allocator that wprof knows; {near}. If there is one, {help}"
    )
}

/// Names in which an allocator's may be, the likeliest first.
fn near(modules: &[ModuleInfo<'_>]) -> Vec<String> {
    let words = ["malloc", "alloc", "free", "new"];
    let mut near: Vec<(usize, String)> = Vec::new();
    let infos = modules.iter().flat_map(|module| &module.functions).filter(|info| info.import.is_none());
    for raw in infos.filter_map(|info| info.name).filter(|raw| raw.len() <= 2 * MAX_SHOWN) {
        let lower = raw.to_ascii_lowercase();
        if !words.iter().any(|word| lower.contains(word)) {
            continue;
        }
        let readable = demangle(raw);
        let last = names::split(&readable).map_or("", |(_, last)| last).to_ascii_lowercase();
        if let Some(rank) = words.iter().position(|word| last.contains(word))
            && readable.len() <= MAX_SHOWN
        {
            near.push((rank, readable.into_owned()));
        }
    }
    near.sort_by_key(|(rank, _)| *rank);
    near.dedup();
    near.truncate(MAX_NEAR);
    near.into_iter().map(|(_, name)| format!("`{name}`")).collect()
}

/// Up to `most` names that a user may have meant by `wanted`.
pub(super) fn similar(modules: &[ModuleInfo<'_>], wanted: &str, most: usize) -> Vec<String> {
    let last = |readable: &str| names::split(readable).map_or("", |(_, last)| last).to_ascii_lowercase();
    let plain = names::plain(wanted);
    let wanted = match last(&plain) {
        last if last.is_empty() => plain.to_ascii_lowercase(),
        last => last,
    };
    let mut similar: Vec<(Reverse<usize>, String)> = Vec::new();
    for raw in modules.iter().flat_map(|module| &module.functions).filter_map(|info| info.name) {
        if raw.len() > 2 * MAX_SHOWN {
            continue;
        }
        let readable = demangle(raw);
        let score = likeness(&wanted, &last(&readable));
        if score > 0 && readable.len() <= MAX_SHOWN {
            similar.push((Reverse(score), readable.into_owned()));
        }
    }
    similar.sort();
    similar.dedup();
    similar.into_iter().map(|(_, name)| format!("`{name}`")).take(most).collect()
}

/// How much two names are alike: the letters that both begin or end with, or one whole name in the other. 0 when that
/// is less than half of the shorter.
fn likeness(one: &str, other: &str) -> usize {
    let shorter = one.len().min(other.len());
    if shorter == 0 {
        return 0;
    }
    if one.contains(other) || other.contains(one) {
        return 2 * shorter;
    }
    let same = |one: &mut dyn Iterator<Item = u8>, other: &mut dyn Iterator<Item = u8>| {
        one.zip(other).take_while(|(one, other)| one == other).count()
    };
    let begin = same(&mut one.bytes(), &mut other.bytes());
    let end = same(&mut one.bytes().rev(), &mut other.bytes().rev());
    let score = begin + end.min(shorter - begin);
    if score * 2 > shorter { score } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_finds_what_was_mistyped() {
        assert!(likeness("maloc", "malloc") > 0);
        assert!(likeness("my_alloc", "my_allocate") > 0);
        assert!(likeness("malloc", "malloc_small") > likeness("malloc", "mallinfo"));
        assert_eq!(likeness("malloc", "main"), 0);
        assert_eq!(likeness("", "main"), 0);
        assert_eq!(likeness("ü", "ö"), 0);
    }
}
