//! pprof's simplifier of C++ names, which every reader of pprof files is used to seeing applied.
//!
//! It is meant for demangled C++, is tried on every function whose two names are equal, and takes Rust's and others'
//! names apart as well. The profiles that wprof records avoid it by having no equal names.

use std::sync::LazyLock;

use regex::Regex;

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

/// A function's name without its package, namespace or argument types, for where there is little room: in drawings.
///
/// As pprof shortens it: `java.lang.String.valueOf(int)` is `String.valueOf`, `example.com/mod/v2/pkg.(*T).Do` is
/// `pkg.(*T).Do`, `ns::inner::Class::method` is `Class::method`.
#[must_use]
pub fn short_name(name: &str) -> String {
    let Some(patterns) = &*SHORTENERS else { return name.to_owned() };
    let name = name.strip_prefix("(anonymous namespace)::").unwrap_or(name);
    let name = patterns.go_version.replace(name, "${1}${2}");
    let kept = [&patterns.go, &patterns.java, &patterns.cpp].into_iter().find_map(|it| it.captures(&name));
    kept.and_then(|it| it.get(1)).map_or(name.as_ref(), |it| it.as_str()).to_owned()
}

/// What [`short_name`] finds.
struct Shorteners {
    go_version: Regex,
    go: Regex,
    java: Regex,
    cpp: Regex,
}

static SHORTENERS: LazyLock<Option<Shorteners>> = LazyLock::new(|| {
    // pprof's `ShortenFunctionName`; `\w` is ASCII there.
    let compile = |pattern: &str| Regex::new(pattern).ok();
    Some(Shorteners {
        go_version: compile(r"^(.*?)/v(?:[2-9]|[1-9][0-9]+)([./].*)$")?,
        go: compile(r"^(?:[0-9A-Za-z_\-.]+/)+([^.]+\..+)")?,
        java: compile(
            r"^(?:[a-z][0-9A-Za-z_]*\.)*([A-Z][0-9A-Za-z_$]*\.(?:<init>|[a-z][0-9A-Za-z_$]*(?:\$[0-9]+)?))(?:(?:\()|$)",
        )?,
        cpp: compile(r"^(?:[_a-zA-Z][0-9A-Za-z_]*::)+(_*[A-Z][0-9A-Za-z_]*::~?[_a-zA-Z][0-9A-Za-z_]*(?:<.*>)?)")?,
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_as_in_pprofs_drawings() {
        let cases = [
            ("root", "root"),
            ("syscall.Syscall", "syscall.Syscall"),
            ("net/http.(*conn).serve", "http.(*conn).serve"),
            ("github.com/blahBlah/foo.Foo", "foo.Foo"),
            ("github.com/foo/bar/v4/baz.(*Foo).Bar", "baz.(*Foo).Bar"),
            ("java.lang.Float.parseFloat", "Float.parseFloat"),
            ("java.util.concurrent.ThreadPoolExecutor$Worker.run", "ThreadPoolExecutor$Worker.run"),
            ("java.bar.foo.FooBar.<init>(java.util.Map)", "FooBar.<init>"),
            ("(anonymous namespace)::MyClass::Func", "MyClass::Func"),
            ("foo_namespace::(anonymous namespace)::a", "foo_namespace::(anonymous namespace)::a"),
            ("ns::Inner::Bar::Call", "Bar::Call"),
            ("cpp::namespace::Class<T>::method", "cpp::namespace::Class<T>::method"),
            ("foo::bar", "foo::bar"),
        ];
        for (name, expected) in cases {
            assert_eq!(short_name(name), expected, "{name}");
        }
        assert!(SHORTENERS.is_some());
    }

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
