//! Names of functions on small boxes: the part that tells most, and the package that gives the colour.

/// `name` in at most `room` cells, shortened from the left so that the telling last part stays; `None` where not even a
/// beginning of that would say anything. A cell is a letter of a monospaced font, or half of a wide one.
pub(crate) fn fit(name: &str, room: usize) -> Option<String> {
    if cells(name) <= room {
        return Some(name.to_owned());
    }
    let plain = without_trait(name);
    // What stands in brackets tells less than the path to it, and that less than the name.
    let squeezed = squeezed(&plain);
    let bare = without_parameters(&squeezed);
    let candidates = [&plain, &squeezed, bare].map(|it| splits(it).into_iter().filter_map(|at| it.get(at..)));
    let fitting = candidates.into_iter().flatten().filter(|part| cells(part) <= room);
    // The longest, of equals the first.
    if let Some(part) = fitting.reduce(|best, part| if cells(part) > cells(best) { part } else { best }) {
        return Some(part.to_owned());
    }
    let last = splits(bare).last().map_or(bare, |&at| &bare[at..]);
    // Two letters and an ellipsis tell nothing; three may.
    (room >= 4).then(|| beginning(last, room - 1))
}

/// How many cells `text` takes.
pub(crate) fn cells(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(width).sum() }
}

/// East Asian letters and signs are twice as wide; what is joined to the letter before takes no room, but is counted.
fn width(letter: char) -> usize {
    let is_wide = matches!(letter, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}');
    if is_wide { 2 } else { 1 }
}

fn beginning(text: &str, room: usize) -> String {
    let mut used = 0;
    let fits = |letter: &char| {
        used += width(*letter);
        used <= room
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// Where the telling last two parts of `name` begin, for a place that can show the rest less loudly.
pub(crate) fn tail(name: &str) -> usize {
    splits(name).iter().rev().nth(1).copied().unwrap_or(0)
}

/// What a function belongs to: crate, Go package, wasm import module; else its source file; else what a C name starts with.
pub(crate) fn package<'a>(name: &'a str, filename: &'a str) -> &'a str {
    let bare = name.trim_start_matches(['<', '&', '*', '[', '(', ' ']);
    let bare = ["mut ", "dyn ", "impl "].iter().fold(bare, |bare, word| bare.strip_prefix(word).unwrap_or(bare));
    let path = path_of(bare);
    if let Some((root, _)) = path.split_once("::") {
        return root;
    }
    // `<fn() as core::ops::FnOnce<()>>::call_once`: a type of no crate has the trait's.
    let of_trait = name.strip_prefix('<').and_then(|_| bare.split_once(" as "));
    if let Some((root, _)) = of_trait.and_then(|(_, of_trait)| path_of(of_trait).split_once("::")) {
        return root;
    }
    // Go and AssemblyScript: everything up to the first dot, or last slash, of the last path element.
    let dir = path.rfind('/').map_or(0, |slash| slash + 1);
    if let Some(dot) = path[dir..].find('.').filter(|&dot| dot > 0) {
        return &path[..dir + dot];
    }
    if dir > 1 {
        return &path[..dir - 1];
    }
    if !filename.is_empty() {
        return filename;
    }
    let prefix = path.find(|c: char| c == '_' || c.is_ascii_uppercase()).filter(|&at| at > 1);
    &path[..prefix.unwrap_or(path.len())]
}

/// Up to the first bracket.
fn path_of(text: &str) -> &str {
    &text[..text.find(['<', '[', '(', ' ']).unwrap_or(text.len())]
}

/// One of 256 hues for a package: equal names, equal hue, in every profile.
pub(crate) fn hue(package: &str) -> u8 {
    // FNV-1a, because std's hashers may change between releases and colours should not.
    let hash = package.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_le_bytes().iter().fold(0, |folded, byte| folded ^ byte)
}

/// `<T as Trait>::method` reads `T::method`.
fn without_trait(name: &str) -> String {
    let Some(inner) = name.strip_prefix('<') else { return name.to_owned() };
    let mut depth = 1_usize;
    for (at, c) in inner.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let this = inner[..at].split(" as ").next().unwrap_or(inner);
            return format!("{this}{}", &inner[at + 1..]);
        }
    }
    name.to_owned()
}

/// `Vec<T,A>::push` reads `Vec<…>::push`: what stands between `<>` or `[]` is left out, if they are paired.
fn squeezed(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut depth = 0_usize;
    for letter in name.chars() {
        match letter {
            '<' | '[' => {
                if depth == 0 {
                    text.extend([letter, '…']);
                }
                depth += 1;
            }
            '>' | ']' => {
                let Some(outside) = depth.checked_sub(1) else { return name.to_owned() };
                depth = outside;
                if depth == 0 {
                    text.push(letter);
                }
            }
            _ if depth > 0 => {}
            _ => text.push(letter),
        }
    }
    if depth == 0 { text } else { name.to_owned() }
}

/// C++ names end in parameters, `f(int) const`; Go's have receivers in parentheses, with more behind.
fn without_parameters(name: &str) -> &str {
    let bare = name.strip_suffix(" const").unwrap_or(name);
    let Some(inside) = bare.strip_suffix(')') else { return name };
    let mut depth = 1_usize;
    for (at, letter) in inside.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let begins_with_name = inside[..at].ends_with(|it: char| it.is_alphanumeric() || "_>]…".contains(it));
            return if begins_with_name { &name[..at] } else { name };
        }
    }
    name
}

/// Where `name` may begin when shortened, from the left: after a separator outside brackets, unless what follows
/// is no name of its own (`{{closure}}`, Go's `func1`, a number).
fn splits(name: &str) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut splits = vec![0];
    for (at, c) in name.char_indices() {
        match c {
            '<' | '[' | '{' | '(' => depth += 1,
            '>' | ']' | '}' | ')' => depth = depth.saturating_sub(1),
            '/' | '.' | ':' if depth == 0 => {
                let rest = &name[at + 1..];
                if names_something(rest) {
                    splits.push(at + 1);
                }
            }
            _ => {}
        }
    }
    splits
}

fn names_something(rest: &str) -> bool {
    let anonymous = rest.strip_prefix("func").unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit());
    !anonymous && !rest.is_empty() && !rest.starts_with([':', '{', '.', '/', '<'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_the_telling_part() {
        let check = |name: &str, room: usize, expected: &str| assert_eq!(fit(name, room).as_deref(), Some(expected));
        let go = "cmd/compile/internal/ssa.(*regAllocState).regalloc";
        check(go, 60, go);
        check(go, 40, "internal/ssa.(*regAllocState).regalloc");
        check(go, 30, "ssa.(*regAllocState).regalloc");
        check(go, 28, "(*regAllocState).regalloc");
        check(go, 10, "regalloc");
        check(go, 5, "rega…");
        let rust = "<alloc::vec::Vec<T,A> as core::iter::Iterator>::next";
        check(rust, 30, "alloc::vec::Vec<T,A>::next");
        check(rust, 15, "Vec<T,A>::next");
        check(rust, 13, "Vec<…>::next");
        check("alloc::vec::Vec<T>::push", 14, "Vec<T>::push");
        check("alloc::vec::Vec<T>::push", 4, "push");
        let cpp = "std::__1::vector<int, std::__1::allocator<int>>::push_back(int const&)";
        check(cpp, 34, "vector<…>::push_back(int const&)");
        check(cpp, 20, "vector<…>::push_back");
        check(cpp, 12, "push_back");
        check(cpp, 6, "push_…");
        check("ns::Map::find(Key const&) const", 12, "Map::find");
        check("slices.SortFunc[go.shape.[]int,go.shape.int]", 18, "slices.SortFunc[…]");
        check("ns::operator<(A const&, B const&)", 6, "opera…");
        check(rust, 5, "next");
        check("app::run::{{closure}}", 18, "run::{{closure}}");
        check("main.serve.func1.2", 13, "serve.func1.2");
        check("sqlite3VdbeExec", 8, "sqlite3…");
        check("føø::bår", 4, "bår");
    }

    #[test]
    fn no_label_is_better_than_a_letter() {
        assert_eq!(fit("sqlite3VdbeExec", 3), None);
        assert_eq!(fit("fib", 3).as_deref(), Some("fib"));
    }

    #[test]
    fn wide_letters_take_two_cells() {
        assert_eq!(cells("関数a"), 5);
        assert_eq!(fit("関数関数", 6).as_deref(), Some("関数…"));
        assert_eq!(fit("関数", 4).as_deref(), Some("関数"));
    }

    #[test]
    fn packages() {
        let check = |name: &str, filename: &str, expected: &str| assert_eq!(package(name, filename), expected);
        check("cmd/compile/internal/ssa.(*regAllocState).regalloc", "", "cmd/compile/internal/ssa");
        check("<alloc::vec::Vec<T,A> as core::iter::Iterator>::next", "vec.rs", "alloc");
        check("<&mut dyn std::io::Write as std::io::Write>::write", "", "std");
        check("core::ptr::read", "", "core");
        check("<fn() as core::ops::function::FnOnce<()>>::call_once", "/lib/function.rs", "core");
        check("<T as alloc::string::ToString>::to_string", "", "alloc");
        check("<app::Thing as core::fmt::Display>::fmt", "", "app");
        check("wasi_snapshot_preview1.fd_write", "", "wasi_snapshot_preview1");
        check("~lib/rt/tlsf/allocateBlock", "", "~lib/rt/tlsf");
        check("luaV_execute", "/src/lvm.c", "/src/lvm.c");
        check("sqlite3VdbeExec", "", "sqlite3");
        check("luaV_execute", "", "lua");
        check("_start", "", "_start");
        check("wasm-function[7]", "", "wasm-function");
        check("", "", "");
    }

    #[test]
    fn hues_depend_on_the_package_alone() {
        assert_eq!(hue("core"), hue("core"));
        assert_ne!(hue("core"), hue("alloc"));
    }
}
