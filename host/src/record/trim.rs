//! Which frames are the allocator's own. They say nothing about a program, so heap profiles leave them out at the leaf
//! side, as Go's leave out its runtime.
//!
//! Beside allocators these are the parts of standard libraries that stand between a program and its allocator: Rust's
//! `alloc`, C++'s allocators, Go's and AssemblyScript's runtimes.

use symbols::Frame;

/// Beginnings of names.
const PREFIXES: [&str; 28] = [
    "alloc::",
    "<alloc::",
    "std::alloc::",
    "<std::alloc::",
    "std::sys::alloc::",
    "<std::sys::alloc::",
    "core::alloc::",
    "dlmalloc::",
    "<dlmalloc::",
    "__rustc::",
    "__rust_",
    "__rdl_",
    "__rg_",
    "operator new",
    "std::allocator",
    "__gnu_cxx::new_allocator",
    "c.malloc.",
    "c.stdlib.malloc.",
    "heap.",
    "mem.Allocator.",
    "~lib/rt/",
    "~lib/memory/heap.",
    "runtime.",
    "internal/runtime/",
    "internal_runtime_", // as Go's linker writes it into name sections
    "emscripten_builtin_",
    "wprof_guest::",
    "<wprof_guest::",
];

/// Whole names, without what [`STEMS`] may stand before them.
const NAMES: [&str; 16] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "free",
    "cfree",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "zalloc",
    "internal_memalign",
    "cabi_realloc",
    // Go's scheduler, at the root of all its stacks: where nothing else but its runtime is on a stack, that stays whole.
    "wasm_pc_f_loop",
    "_rt0_wasm_wasip1",
];

/// Names of allocators begin with one of these, or none.
const STEMS: [&str; 6] = ["__libc_", "dl", "mi_", "je_", "rp", "__wrap_"];

/// C++ puts its allocators into namespaces of versions, `std::__2::`.
const CPP_ALLOCATORS: [&str; 5] =
    ["allocator<", "allocator_traits<", "__libcpp_allocate", "__libcpp_operator_new", "__allocate_at_least"];

/// What Go calls on this stack, not on the goroutine's, is its own business: its collector may begin in the middle of an
/// allocation. Go's own profile ends such stacks here.
const SYSTEM_STACK: &str = "runtime.systemstack";

/// Finds the allocator's frames.
#[derive(Debug)]
pub(super) struct Trim<'a> {
    hooked: &'a [&'a str],
}

impl<'a> Trim<'a> {
    /// Functions that are hooked are the allocator's, whatever they are called.
    pub(super) fn new(hooked: &'a [&'a str]) -> Self {
        Self { hooked }
    }

    /// How many of a stack's places to leave out at the leaf side, and how many of the innermost calls at the place
    /// after those. The places come innermost first, each with the calls inlined there. If nothing would be left,
    /// nothing is left out.
    pub(super) fn leaf_side<'f>(&self, places: impl Iterator<Item = &'f [Frame]>) -> (usize, usize) {
        for (n_left_out, calls) in places.enumerate() {
            // What is inlined into an allocator function is the allocator's too, whatever it is called.
            if calls.last().is_some_and(|function| self.is_allocators(&function.name)) {
                continue;
            }
            let n_inner = calls.iter().take_while(|frame| self.is_allocators(&frame.name)).count();
            return (n_left_out, n_inner);
        }
        (0, 0)
    }

    /// How many of a stack's places to keep at the leaf side.
    pub(super) fn root_side<'f>(&self, mut places: impl ExactSizeIterator<Item = &'f [Frame]>) -> usize {
        let n_places = places.len();
        places.position(|calls| calls.last().is_some_and(|it| it.name == SYSTEM_STACK)).unwrap_or(n_places)
    }

    fn is_allocators(&self, name: &str) -> bool {
        self.hooked.contains(&name)
            || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || is_trait_of_alloc(name)
            || is_plain_allocator(name)
            || (name.starts_with("std::") && CPP_ALLOCATORS.iter().any(|part| name.contains(part)))
    }
}

/// `<u8 as alloc::slice::hack::ConvertVec>::to_vec`.
fn is_trait_of_alloc(name: &str) -> bool {
    name.starts_with('<') && name.split_once(" as ").is_some_and(|(_, after)| after.starts_with("alloc::"))
}

fn is_plain_allocator(name: &str) -> bool {
    STEMS.iter().chain(&[""]).any(|stem| name.strip_prefix(stem).is_some_and(|rest| NAMES.contains(&rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(names: &[&str]) -> Vec<Frame> {
        let frame = |name: &&str| Frame {
            name: (*name).to_owned(),
            system_name: String::new(),
            file: String::new(),
            line: 0,
            column: 0,
            start_line: 0,
        };
        names.iter().map(frame).collect()
    }

    fn trimmed(hooked: &[&str], places: &[&[&str]]) -> (usize, usize) {
        let places: Vec<_> = places.iter().map(|names| frames(names)).collect();
        Trim::new(hooked).leaf_side(places.iter().map(Vec::as_slice))
    }

    #[test]
    fn the_leaf_side_is_cut_to_the_programs_own_frames() {
        assert_eq!(trimmed(&[], &[&["malloc"], &["site"], &["malloc"], &["main"]]), (1, 0));
        assert_eq!(trimmed(&[], &[&["dlmalloc"], &["operator new(unsigned long)"], &["site"]]), (2, 0));
        let inlined: &[&str] = &["alloc::alloc::alloc", "alloc::vec::Vec<T>::push", "app::site", "app::main"];
        assert_eq!(trimmed(&[], &[&["__rust_alloc"], inlined]), (1, 2));
        assert_eq!(trimmed(&[], &[&["math.mul", "c.malloc.calloc"], &["site"]]), (1, 0));
        assert_eq!(trimmed(&["my_pool_get"], &[&["my_pool_get"], &["site"]]), (1, 0));
        assert_eq!(trimmed(&[], &[&["runtime.mallocgc"], &["runtime.newobject"], &["main.site"]]), (2, 0));
    }

    #[test]
    fn gos_system_stack_has_no_callers() {
        let kept = |names: &[&str]| {
            let places: Vec<_> = names.iter().map(|name| frames(&[name])).collect();
            Trim::new(&[]).root_side(places.iter().map(Vec::as_slice))
        };
        assert_eq!(
            kept(&["runtime.malg", "runtime.newproc1", "runtime.systemstack", "runtime.gcStart", "main.site"]),
            2
        );
        assert_eq!(kept(&["runtime.newobject", "main.site"]), 2);
    }

    #[test]
    fn a_stack_of_nothing_else_is_kept_whole() {
        assert_eq!(trimmed(&[], &[&["runtime.mallocgc"], &["runtime.malg"], &["wasm_pc_f_loop"]]), (0, 0));
        assert_eq!(trimmed(&[], &[]), (0, 0));
    }

    #[test]
    fn functions_of_programs_are_not_taken_for_the_allocators() {
        for name in ["l_alloc", "sqlite3MemMalloc", "allocateBtreePage", "freemem", "mallocs", "app::alloc::pool", "dl"]
        {
            assert_eq!(trimmed(&[], &[&[name], &["main"]]), (0, 0), "{name}");
        }
        for name in [
            "__libc_malloc",
            "mi_zalloc",
            "std::__2::allocator<char>::allocate[abi:ne180100](unsigned long)",
            "<u8 as alloc::slice::hack::ConvertVec>::to_vec",
            "c.malloc.malloc",
            "~lib/rt/itcms/__new",
        ] {
            assert_eq!(trimmed(&[], &[&[name], &["main"]]), (1, 0), "{name}");
        }
    }
}
