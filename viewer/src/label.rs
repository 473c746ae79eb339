//! Names of functions on small boxes: the part that tells most, and the package that gives the colour.

/// `name` in at most `room` characters, shortened from the left so that the telling last part stays;
/// `None` where not even a beginning of that would say anything.
pub(crate) fn fit(name: &str, room: usize) -> Option<String> {
    if name.chars().count() <= room {
        return Some(name.to_owned());
    }
    let plain = without_trait(name);
    let candidates = splits(&plain);
    let fitting = candidates.iter().map(|&at| &plain[at..]).find(|part| part.chars().count() <= room);
    if let Some(part) = fitting {
        return Some(part.to_owned());
    }
    let last = candidates.last().map_or(plain.as_str(), |&at| &plain[at..]);
    // Two letters and an ellipsis tell nothing; three may.
    (room >= 4).then(|| last.chars().take(room - 1).chain(['…']).collect())
}

/// Where the telling last two parts of `name` begin, for a place that can show the rest less loudly.
pub(crate) fn tail(name: &str) -> usize {
    splits(name).iter().rev().nth(1).copied().unwrap_or(0)
}

/// What a function belongs to: crate, Go package, wasm import module; else its source file; else what a C name starts with.
pub(crate) fn package<'a>(name: &'a str, filename: &'a str) -> &'a str {
    let bare = name.trim_start_matches(['<', '&', '*', '[', '(', ' ']);
    let bare = ["mut ", "dyn ", "impl "].iter().fold(bare, |bare, word| bare.strip_prefix(word).unwrap_or(bare));
    let path = &bare[..bare.find(['<', '[', '(', ' ']).unwrap_or(bare.len())];
    if let Some((root, _)) = path.split_once("::") {
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
    fn packages() {
        let check = |name: &str, filename: &str, expected: &str| assert_eq!(package(name, filename), expected);
        check("cmd/compile/internal/ssa.(*regAllocState).regalloc", "", "cmd/compile/internal/ssa");
        check("<alloc::vec::Vec<T,A> as core::iter::Iterator>::next", "vec.rs", "alloc");
        check("<&mut dyn std::io::Write as std::io::Write>::write", "", "std");
        check("core::ptr::read", "", "core");
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
