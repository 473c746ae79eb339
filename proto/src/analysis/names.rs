//! pprof's simplifier of C++ names, which every reader of pprof files is used to seeing applied.
//!
//! It is meant for demangled C++, is tried on every function whose two names are equal, and takes Rust's and others'
//! names apart as well. The profiles that wprof records avoid it by having no equal names.

use crate::profile::Profile;

/// Replaces the name of every function that has no name of its own, or only its system name, by the simplified one.
pub(super) fn simplify_names(profile: &mut Profile) {
    for function in &mut profile.functions {
        if function.name.index() != 0 && function.name != function.system_name {
            continue;
        }
        let simple = simplify(profile.strings.get(function.system_name));
        function.name = match simple {
            Some(simple) => profile.strings.intern(&simple),
            None => function.system_name,
        };
    }
}

/// Calls every function that has both names by the system's.
pub(super) fn use_system_names(profile: &mut Profile) {
    for function in &mut profile.functions {
        if function.name.index() != 0 && function.system_name.index() != 0 {
            function.name = function.system_name;
        }
    }
}

/// `name` without parameters and template arguments, if it looks like demangled C++.
fn simplify(name: &str) -> Option<String> {
    looks_like_cpp(name).then(|| without_nested(&without_nested(name, b'(', b')'), b'<', b'>'))
}

fn looks_like_cpp(name: &str) -> bool {
    // `Class.<init>` is Java's, `foo.(*Bar[...]).Method` is Go's.
    if name.contains(".<") || name.contains("]).") {
        return false;
    }
    name.contains(['<', '>', '[', ']']) || name.contains("::")
}

/// `name` without what is between `open` and `close`, and without those. A stray `close` ends it: all that follows
/// is kept.
fn without_nested(name: &str, open: u8, close: u8) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut depth = 0_usize;
    // Where text begins that is not in `kept` yet: after the last group closed, or at the one that is open.
    let mut start = 0;
    for (idx, byte) in name.bytes().enumerate() {
        if byte == open {
            if depth == 0 {
                kept.push_str(&name[start..idx]);
                start = idx;
            }
            depth += 1;
        } else if byte == close {
            if depth == 0 {
                break;
            }
            depth -= 1;
            if depth == 0 {
                start = idx + 1;
            }
        }
    }
    kept.push_str(&name[start..]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_pprof_simplifies() {
        let cases = [
            ("main.main", None),
            ("<alloc::vec::Vec<T,A> as core::iter::Iterator>::next", Some("::next")),
            ("app::Worker<T>::hot", Some("app::Worker::hot")),
            ("std::vector<int>::push_back(int const&)", Some("std::vector::push_back")),
            ("foo::bar(int (*)(int)) const", Some("foo::bar const")),
            ("java.lang.String.<init>", None),
            ("foo.(*Bar[go.shape.int]).Method", None),
            ("a::operator->(x)", Some("a::operator->")),
            ("a::b<c", Some("a::b<c")),
            ("runtime.mallocgc", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(simplify(name).as_deref(), expected, "{name}");
        }
    }
}
