//! Which names belong to an allocator: families of functions that see the same blocks at the same addresses.

use rustc_hash::FxHashMap;

use super::roles::{self, Role};

/// An allocator, by where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Go's runtime; its functions are in [`super::go`].
    Go,
    /// TinyGo's runtime. It has a `malloc` for C, which is above it.
    TinyGo,
    /// AssemblyScript's runtime.
    AssemblyScript,
    /// C's `malloc` and its like.
    C,
    /// Rust's allocator functions and the allocator that std brings where there is no C library.
    Rust,
    /// The allocators of zig's std, which zig's C library is built on too.
    Zig,
    /// C++'s `operator new` and `delete`.
    Cpp,
    /// The component model's way to get memory for values that come from outside.
    Component,
    /// C's names in a namespace that is not known, such as `Arena::malloc`.
    Foreign,
}

/// Names of one family and in which namespaces they count.
struct Row {
    family: Family,
    owner: Owner,
    names: &'static [(&'static str, &'static Role)],
}

enum Owner {
    /// The name is enough.
    Any,
    /// One of these; the empty one is no namespace.
    OneOf(&'static [&'static str]),
}

impl Owner {
    fn matches(&self, owner: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(owners) => owners.contains(&owner),
        }
    }
}

/// Where zig keeps the C library that is written in zig.
const C_OWNERS: &[&str] = &["", "c.malloc"];

/// Put before C's names by C libraries and by allocators that replace theirs.
const C_PREFIXES: &[&str] = &["__libc_", "dl", "emscripten_builtin_", "emmalloc_", "mi_", "je_", "rp", "tc_", "_"];

static ROWS: &[Row] = &[
    Row {
        family: Family::C,
        owner: Owner::OneOf(C_OWNERS),
        names: &[
            ("malloc", &roles::MALLOC),
            ("calloc", &roles::CALLOC),
            ("realloc", &roles::REALLOC),
            ("reallocarray", &roles::REALLOCARRAY),
            ("free", &roles::FREE),
            ("cfree", &roles::FREE),
            ("free_sized", &roles::FREE_SIZED),
            ("free_aligned_sized", &roles::FREE_SIZED),
            ("aligned_alloc", &roles::ALIGNED_ALLOC),
            ("memalign", &roles::MEMALIGN),
            ("posix_memalign", &roles::POSIX_MEMALIGN),
            ("valloc", &roles::MALLOC),
            ("pvalloc", &roles::MALLOC),
        ],
    },
    // What C libraries and mimalloc have besides. Not `reallocf`: it frees the block when it fails, which it does
    // through the others.
    Row {
        family: Family::C,
        owner: Owner::OneOf(&[""]),
        names: &[
            ("__libc_malloc_impl", &roles::MALLOC),
            ("__simple_malloc", &roles::MALLOC),
            ("mi_malloc_small", &roles::MALLOC),
            ("mi_zalloc", &roles::MALLOC),
            ("mi_zalloc_small", &roles::MALLOC),
            ("mi_mallocn", &roles::CALLOC),
            ("mi_malloc_aligned", &roles::MALLOC_ALIGNED),
            ("mi_zalloc_aligned", &roles::MALLOC_ALIGNED),
            ("mi_rezalloc", &roles::REALLOC),
            ("mi_reallocn", &roles::REALLOCARRAY),
            ("mi_recalloc", &roles::REALLOCARRAY),
            ("mi_realloc_aligned", &roles::REALLOC_ALIGNED),
            ("mi_free_size", &roles::FREE_SIZED),
            ("mi_free_aligned", &roles::FREE_SIZED),
            ("mi_free_size_aligned", &roles::FREE_SIZED),
            ("mi_new", &roles::MALLOC),
            ("mi_new_nothrow", &roles::MALLOC),
            ("mi_new_aligned", &roles::MALLOC_ALIGNED),
            ("mi_heap_malloc", &roles::HEAP_MALLOC),
            ("mi_heap_zalloc", &roles::HEAP_MALLOC),
            ("mi_heap_calloc", &roles::HEAP_CALLOC),
            ("mi_heap_realloc", &roles::HEAP_REALLOC),
        ],
    },
    Row {
        family: Family::Rust,
        owner: Owner::Any,
        names: &[
            ("__rust_alloc", &roles::RUST_ALLOC),
            ("__rust_alloc_zeroed", &roles::RUST_ALLOC),
            ("__rust_realloc", &roles::RUST_REALLOC),
            ("__rust_dealloc", &roles::RUST_DEALLOC),
            ("__rdl_alloc", &roles::RUST_ALLOC),
            ("__rdl_alloc_zeroed", &roles::RUST_ALLOC),
            ("__rdl_realloc", &roles::RUST_REALLOC),
            ("__rdl_dealloc", &roles::RUST_DEALLOC),
            ("__rg_alloc", &roles::RUST_ALLOC),
            ("__rg_alloc_zeroed", &roles::RUST_ALLOC),
            ("__rg_realloc", &roles::RUST_REALLOC),
            ("__rg_dealloc", &roles::RUST_DEALLOC),
        ],
    },
    Row {
        family: Family::Rust,
        owner: Owner::OneOf(&["dlmalloc::dlmalloc::Dlmalloc"]),
        names: &[
            ("malloc", &roles::HEAP_MALLOC),
            ("realloc", &roles::HEAP_REALLOC),
            ("memalign", &roles::HEAP_MEMALIGN),
            ("free", &roles::HEAP_FREE),
        ],
    },
    Row {
        family: Family::Rust,
        owner: Owner::OneOf(&["dlmalloc::Dlmalloc"]),
        names: &[
            ("malloc", &roles::RUST_HEAP_ALLOC),
            ("calloc", &roles::RUST_HEAP_ALLOC),
            ("realloc", &roles::RUST_HEAP_REALLOC),
            ("free", &roles::RUST_HEAP_DEALLOC),
        ],
    },
    // Not arenas: they free nothing until they go, and then through the allocator below.
    Row {
        family: Family::Zig,
        owner: Owner::OneOf(&[
            "heap.BrkAllocator",
            "heap.WasmAllocator",
            "heap.PageAllocator",
            "heap.WasmPageAllocator",
            "heap.SmpAllocator",
            "heap.SafeAllocator",
            "heap.debug_allocator.DebugAllocator",
            "heap.general_purpose_allocator.GeneralPurposeAllocator",
        ]),
        names: &[("alloc", &roles::ZIG_ALLOC), ("remap", &roles::ZIG_REMAP), ("free", &roles::ZIG_FREE)],
    },
    Row {
        family: Family::Cpp,
        owner: Owner::OneOf(&[""]),
        names: &[
            ("operator new", &roles::OPERATOR_NEW),
            ("operator new[]", &roles::OPERATOR_NEW),
            ("operator delete", &roles::OPERATOR_DELETE),
            ("operator delete[]", &roles::OPERATOR_DELETE),
        ],
    },
    Row {
        family: Family::AssemblyScript,
        owner: Owner::OneOf(&["~lib/rt/itcms", "~lib/rt/tcms", "~lib/rt/stub"]),
        names: &[("__new", &roles::AS_NEW)],
    },
    // Not the incremental collector's `__renew`: it leaves the old object to the collector.
    Row {
        family: Family::AssemblyScript,
        owner: Owner::OneOf(&["~lib/rt/tcms", "~lib/rt/stub"]),
        names: &[("__renew", &roles::AS_RENEW)],
    },
    Row {
        family: Family::AssemblyScript,
        owner: Owner::OneOf(&["~lib/rt/tlsf", "~lib/rt/stub"]),
        names: &[("__alloc", &roles::MALLOC), ("__realloc", &roles::REALLOC), ("__free", &roles::FREE)],
    },
    Row {
        family: Family::AssemblyScript,
        owner: Owner::OneOf(&["~lib/memory/heap"]),
        names: &[("alloc", &roles::MALLOC), ("realloc", &roles::REALLOC), ("free", &roles::FREE)],
    },
    Row {
        family: Family::AssemblyScript,
        owner: Owner::OneOf(&["~lib/rt/tlsf"]),
        names: &[
            ("allocateBlock", &roles::AS_BLOCK_ALLOC),
            ("reallocateBlock", &roles::AS_BLOCK_REALLOC),
            ("moveBlock", &roles::AS_BLOCK_REALLOC), // alone when the rest is built into its callers
            ("freeBlock", &roles::AS_BLOCK_FREE),
        ],
    },
    Row { family: Family::TinyGo, owner: Owner::OneOf(&["runtime"]), names: &[("alloc", &roles::TINYGO_ALLOC)] },
    Row { family: Family::Component, owner: Owner::OneOf(&[""]), names: &[("cabi_realloc", &roles::CABI_REALLOC)] },
];

/// The rows, by name.
pub(super) struct Table(FxHashMap<&'static str, Vec<(&'static Row, &'static Role)>>);

impl Table {
    pub(super) fn new() -> Self {
        let mut by_name: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for row in ROWS {
            for &(name, role) in row.names {
                by_name.entry(name).or_default().push((row, role));
            }
        }
        Self(by_name)
    }

    /// Whether functions with this last component may be in a family.
    pub(super) fn knows(&self, last: &str) -> bool {
        self.0.contains_key(last) || self.behind_prefix(last).is_some()
    }

    /// What a function is, by the last component of its name and its plain namespace.
    pub(super) fn look_up(&self, owner: &str, last: &str) -> Option<(Family, &'static Role)> {
        let rows = self.0.get(last).map(Vec::as_slice).unwrap_or_default();
        if let Some((row, role)) = rows.iter().find(|(row, _)| row.owner.matches(owner)) {
            return Some((row.family, role));
        }
        if owner.is_empty() {
            return self.behind_prefix(last).map(|role| (Family::C, role));
        }
        let is_c = |row: &Row| row.family == Family::C && row.owner.matches("c.malloc");
        rows.iter().find(|(row, _)| is_c(row)).map(|(_, role)| (Family::Foreign, *role))
    }

    /// What functions with this last component mostly are, wherever they are.
    pub(super) fn roles(&self, last: &str) -> impl Iterator<Item = &'static Role> {
        let rows = self.0.get(last).map(Vec::as_slice).unwrap_or_default();
        rows.iter().map(|(_, role)| *role).chain(self.behind_prefix(last))
    }

    fn behind_prefix(&self, last: &str) -> Option<&'static Role> {
        C_PREFIXES.iter().find_map(|prefix| {
            let rows = self.0.get(last.strip_prefix(prefix)?)?;
            rows.iter().find(|(row, _)| row.family == Family::C && row.owner.matches("c.malloc")).map(|(_, role)| *role)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_what_its_namespace_says() {
        let table = Table::new();
        for (owner, last, expected) in [
            ("", "malloc", Some((Family::C, "malloc"))),
            ("", "dlmalloc", Some((Family::C, "malloc"))),
            ("", "dlfree", Some((Family::C, "free"))),
            ("", "__libc_calloc", Some((Family::C, "calloc"))),
            ("", "mi_zalloc", Some((Family::C, "malloc"))),
            ("", "mi_posix_memalign", Some((Family::C, "posix_memalign"))),
            ("", "rpfree", Some((Family::C, "free"))),
            ("", "_malloc", Some((Family::C, "malloc"))),
            ("c.malloc", "free", Some((Family::C, "free"))),
            ("Arena", "malloc", Some((Family::Foreign, "malloc"))),
            ("Arena", "dlmalloc", None),
            ("Arena", "mi_zalloc", None),
            ("", "emalloc", None),
            ("", "dlmi_zalloc", None),
            ("__rustc", "__rust_dealloc", Some((Family::Rust, "rust_dealloc"))),
            ("", "__rdl_realloc", Some((Family::Rust, "rust_realloc"))),
            ("dlmalloc::dlmalloc::Dlmalloc", "malloc", Some((Family::Rust, "heap_malloc"))),
            ("dlmalloc::Dlmalloc", "free", Some((Family::Rust, "rust_heap_dealloc"))),
            ("heap.BrkAllocator", "free", Some((Family::Zig, "zig_free"))),
            ("heap.ArenaAllocator", "alloc", None),
            ("heap.ArenaAllocator", "free", Some((Family::Foreign, "free"))),
            ("", "operator new[]", Some((Family::Cpp, "operator_new"))),
            ("Arena", "operator new", None),
            ("~lib/rt/itcms", "__new", Some((Family::AssemblyScript, "as_new"))),
            ("~lib/rt/itcms", "__renew", None),
            ("~lib/rt/tcms", "__renew", Some((Family::AssemblyScript, "as_renew"))),
            ("~lib/memory/heap", "realloc", Some((Family::AssemblyScript, "realloc"))),
            ("assembly/index", "__new", None),
            ("runtime", "alloc", Some((Family::TinyGo, "tinygo_alloc"))),
            ("", "cabi_realloc", Some((Family::Component, "cabi_realloc"))),
        ] {
            let found = table.look_up(owner, last).map(|(family, role)| (family, role.name));
            assert_eq!(found, expected, "{owner} {last}");
            assert!(expected.is_none() || table.knows(last), "{last}");
        }
        assert!(!table.knows("main"));
        assert!(!table.knows(""));
    }
}
