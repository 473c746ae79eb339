//! Function names, however they are written, as the path before the last component and that component.
//!
//! Names are C's, mangled or not, C++'s and Rust's as a linker shows them (with argument lists, type arguments and
//! hashes), zig's and Go's with dots, AssemblyScript's with slashes. A module may have tens of thousands with thousands
//! of characters each, so all that can be told from the end of a name is told from there.

use std::borrow::Cow;

use symbols::demangle;

/// No allocator's own name is longer.
const MAX_LAST: usize = 48;

/// How many bytes at the end of a mangled name may hold the last component: Rust writes a hash or the instantiating
/// crate after it, C++ the argument types.
const MANGLED_TAIL: usize = 128;

/// Whether a name is mangled.
pub(super) fn is_mangled(raw: &str) -> bool {
    ["_R", "_Z", "__R", "__Z"].iter().any(|prefix| raw.starts_with(prefix))
}

/// The name in readable form, if it may be an allocator's. Most mangled names are not demangled for that.
pub(super) fn readable_if_near(raw: &str) -> Option<Cow<'_, str>> {
    if !is_mangled(raw) {
        return Some(Cow::Borrowed(raw));
    }
    may_allocate(raw).then(|| demangle(raw))
}

fn may_allocate(mangled: &str) -> bool {
    let bytes = mangled.as_bytes();
    // `operator new` and `delete` are `_Znwm`, `_ZdlPv` and the like.
    if bytes.len() <= MAX_LAST && (mangled.contains("_Zn") || mangled.contains("_Zd")) {
        return true;
    }
    let tail = &bytes[bytes.len().saturating_sub(MANGLED_TAIL)..];
    // Rust's crate `alloc` is in half of all names, as `5alloc`.
    let is_allocation = |at: usize| matches!(at.checked_sub(1).map(|at| tail[at]), Some(b'm' | b'c' | b'e' | b'_'));
    (0..tail.len()).any(|at| match tail[at] {
        b'a' => tail[at..].starts_with(b"alloc") && is_allocation(at),
        b'f' => tail[at..].starts_with(b"free"),
        b'm' => tail[at..].starts_with(b"memalign"),
        _ => false,
    })
}

/// A readable name as what comes before its last component, unchanged, and that component. `None` for names that no
/// allocator has.
pub(super) fn split(readable: &str) -> Option<(&str, &str)> {
    let name = without_arguments(without_suffix(readable))?;
    for operator in ["operator new[]", "operator delete[]", "operator new", "operator delete"] {
        if let Some(owner) = name.strip_suffix(operator) {
            return Some((owner, operator));
        }
    }
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
    let start = name.bytes().rposition(|byte| !is_part(byte)).map_or(0, |before| before + 1);
    let (owner, last) = name.split_at(start);
    let is_path = owner.is_empty() || owner.ends_with("::") || owner.ends_with(['.', '/', '#']);
    (is_path && (1..=MAX_LAST).contains(&last.len())).then_some((owner, last))
}

/// The name without `[1]`, by which wasm-bindgen tells equal names apart, `.123` and `.llvm.123`, by which LLVM does,
/// and `::h0123456789abcdef`, by which Rust does.
fn without_suffix(name: &str) -> &str {
    // From the end, as names are long: the number or hash first.
    let bracketed = name.strip_suffix(']');
    let is_digit = |next: char| next.is_ascii_digit();
    let before = bracketed.unwrap_or(name).trim_end_matches(is_digit);
    let has_number = before.len() < bracketed.unwrap_or(name).len();
    let numbered = match bracketed {
        Some(_) => before.strip_suffix('['),
        None => before.strip_suffix(".llvm.").or_else(|| before.strip_suffix('.')),
    };
    let hashed = || {
        let (before, hash) = name.split_at_checked(name.len().checked_sub(16)?)?;
        hash.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| before.strip_suffix("::h")).flatten()
    };
    numbered.filter(|_| has_number).or_else(hashed).unwrap_or(name)
}

/// The name before its argument list. No allocator takes functions, so a parenthesis in the list ends the search.
fn without_arguments(name: &str) -> Option<&str> {
    let Some(inside) = name.strip_suffix(')') else { return Some(name) };
    let at = inside.rfind(['(', ')'])?;
    inside[at..].starts_with('(').then_some(&inside[..at])
}

/// A name or a part of one without argument lists, type arguments, hashes and what separates it from the next part.
/// `<dlmalloc[11c7]::dlmalloc::Dlmalloc<dlmalloc::sys::System>>::` is `dlmalloc::dlmalloc::Dlmalloc`.
pub(super) fn plain(name: &str) -> String {
    let name = without_suffix(name);
    let name = name.strip_prefix('<').and_then(without_self).unwrap_or(Cow::Borrowed(name));
    let mut path = String::new();
    let mut depth = 0usize;
    let mut rest = name.as_ref();
    while let Some(next) = rest.chars().next() {
        if depth == 0 && rest.starts_with("[]") {
            path.push_str("[]"); // of `operator new[]`
            rest = &rest[2..];
            continue;
        }
        match next {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            next if depth == 0 => path.push(next),
            _ => {}
        }
        rest = &rest[next.len_utf8()..];
    }
    path.truncate(path.trim_end_matches([':', '.', '/', '#', ' ']).len());
    // Type arguments of a part in the middle leave two separators, C++'s templates their result before the name.
    let path = path.replace("::::", "::");
    match path.rsplit_once(' ') {
        Some((_, name)) if !path.contains("operator") => name.to_owned(),
        _ => path,
    }
}

/// `<T>` and `<T as Trait>` in front of a method are its type; here without the `<`.
fn without_self(name: &str) -> Option<Cow<'_, str>> {
    let mut depth = 1usize;
    let mut as_trait = None;
    for (at, next) in name.char_indices() {
        match next {
            '<' => depth += 1,
            '>' if !name[..at].ends_with('-') => depth -= 1,
            ' ' if depth == 1 && as_trait.is_none() && name[at..].starts_with(" as ") => as_trait = Some(at),
            _ => {}
        }
        if depth == 0 {
            return Some(Cow::Owned([&name[..as_trait.unwrap_or(at)], &name[at + 1..]].concat()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_toolchains_split() {
        for (raw, owner, last) in [
            ("malloc", "", "malloc"),
            ("malloc.llvm.1234567", "", "malloc"),
            ("malloc.12", "", "malloc"),
            ("c.malloc.malloc", "c.malloc", "malloc"),
            ("heap.BrkAllocator.alloc", "heap.BrkAllocator", "alloc"),
            (
                "heap.debug_allocator.DebugAllocator(.{ .safety = true, .canary = 22 }).free",
                "heap.debug_allocator.DebugAllocator",
                "free",
            ),
            ("runtime.mallocgcSmallScanNoHeaderSC3", "runtime", "mallocgcSmallScanNoHeaderSC3"),
            ("~lib/rt/itcms/__new", "~lib/rt/itcms", "__new"),
            ("operator new(unsigned long)", "", "operator new"),
            ("operator new[](unsigned long, std::nothrow_t const&)", "", "operator new[]"),
            ("operator delete", "", "operator delete"),
            ("_Znwm", "", "operator new"),
            ("_ZdaPvmSt11align_val_t", "", "operator delete[]"),
            ("Arena::operator new(unsigned long)", "Arena", "operator new"),
            ("_ZN5Arena6mallocEm", "Arena", "malloc"),
            ("_RNvCsfgHYwM92fyn_7___rustc12___rust_alloc", "__rustc", "__rust_alloc"),
            ("_ZN7__rustc12__rust_alloc17h0123456789abcdefE", "__rustc", "__rust_alloc"),
            ("_RNvCsfgHYwM92fyn_7___rustc12___rust_alloc.2115", "__rustc", "__rust_alloc"),
            ("__rustc::__rust_alloc::h0123456789abcdef", "__rustc", "__rust_alloc"),
            ("__rustc[b1da763420d39311]::__rust_realloc", "__rustc", "__rust_realloc"),
            ("__rust_dealloc", "", "__rust_dealloc"),
            (
                "_RNvMs0_NtCs1wDOeGaGyr5_8dlmalloc8dlmallocINtB5_8DlmallocNtNtB7_3sys6SystemE6mallocCs7Y2fh6jWHP6_3std",
                "dlmalloc::dlmalloc::Dlmalloc",
                "malloc",
            ),
            (
                "<dlmalloc[11c7a8e37e07caa9]::dlmalloc::Dlmalloc<dlmalloc[11c7a8e37e07caa9]::sys::System>>::free[1]",
                "dlmalloc::dlmalloc::Dlmalloc",
                "free",
            ),
            ("dlmalloc::dlmalloc::Dlmalloc<A>::malloc", "dlmalloc::dlmalloc::Dlmalloc", "malloc"),
            ("<talc::Talc<O> as core::alloc::global::GlobalAlloc>::alloc", "talc::Talc", "alloc"),
        ] {
            let readable = readable_if_near(raw).unwrap_or_else(|| panic!("{raw} is passed over"));
            let (found_owner, found_last) = split(&readable).unwrap_or_else(|| panic!("{raw} does not split"));
            assert_eq!((plain(found_owner).as_str(), found_last), (owner, last), "{raw}");
        }
    }

    #[test]
    fn what_no_allocator_is_called_is_passed_over() {
        for name in [
            "",
            "std::function<void (int)>::operator()(int) const",
            "void* pool::take<int>(std::function<void(int)>)",
            "<alloc::vec::Vec<u8>>::push::<u8>",
            "foo()::{lambda(int)#1}",
            "undefined_weak:free",
            "größe",
            ")",
            "]",
            "a_name_that_is_far_too_long_for_any_allocator_that_there_is_malloc",
        ] {
            assert_eq!(split(name), None, "{name}");
        }
        let names =
            ["_RNvMs6_NtCshIjpUt93pWJ_5alloc2rcINtB5_2RcuE9drop_slowCsdRNCSIU0oYt_3yew", "_ZN4core3fmt5write17h0E"];
        for raw in names {
            assert_eq!(readable_if_near(raw), None, "{raw}");
        }
    }

    #[test]
    fn brackets_go_whatever_is_in_them() {
        for (name, path) in [
            ("Pool<std::vector<int> >::take(unsigned long)", "Pool::take"),
            ("<a::B<C> as d::E<fn(u8) -> u8>>::f", "a::B::f"),
            ("a::b::<c>::d", "a::b::d"),
            ("operator new[](unsigned long)", "operator new[]"),
            ("unsigned int Pool::take<int>(int)", "Pool::take"),
            ("<impl a::B for c::D<E>>::f", "c::D::f"),
            ("(anonymous namespace)::take()", "::take"),
            ("<never closed", ""),
            (")><", ""),
            ("ü<ö>::ä", "ü::ä"),
        ] {
            assert_eq!(plain(name), path, "{name}");
        }
    }
}
