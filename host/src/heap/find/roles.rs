//! The ways in which allocator functions are called: which signature goes with which meaning of the parameters.

use wasmparser::ValType;

use crate::heap::hook::{Kind, Size};

/// What a function is to its callers, by the name of the best-known function of that kind. The names are what
/// `--alloc NAME=KIND` takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) name: &'static str,
    /// The signatures it may have. Compilers drop parameters that nobody reads, so some have several; those that would
    /// leave open which parameter went are not here.
    shapes: &'static [Shape],
}

/// A signature, one letter a value: `p` is as wide as a pointer (i32 or i64, the same throughout), `i` an i32. Then
/// `>` and the result.
#[derive(Debug, PartialEq, Eq)]
struct Shape(&'static str, Kind);

impl Role {
    /// How to read calls of a function of this role; `None` when its signature is another.
    pub(super) fn kind(&self, params: &[ValType], results: &[ValType]) -> Option<Kind> {
        self.shapes.iter().find(|shape| shape.fits(params, results)).map(|shape| shape.1)
    }

    /// The signatures it may have, for people. `like` shows how wide a pointer is.
    pub(super) fn expected(&self, like: &[ValType]) -> String {
        let pointer = if like.contains(&ValType::I64) { ValType::I64 } else { ValType::I32 };
        let each: Vec<String> = self.shapes.iter().map(|shape| shape.display(pointer)).collect();
        each.join(" or ")
    }
}

impl Shape {
    fn fits(&self, params: &[ValType], results: &[ValType]) -> bool {
        let (wanted_params, wanted_results) = self.sides();
        let mut pointer = None;
        let mut fit = |letter: u8, value: ValType| match letter {
            b'p' => matches!(value, ValType::I32 | ValType::I64) && *pointer.get_or_insert(value) == value,
            _ => value == ValType::I32,
        };
        let mut fit_all = |letters: &str, values: &[ValType]| {
            letters.len() == values.len() && letters.bytes().zip(values).all(|(letter, &value)| fit(letter, value))
        };
        fit_all(wanted_params, params) && fit_all(wanted_results, results)
    }

    fn sides(&self) -> (&'static str, &'static str) {
        self.0.split_once('>').unwrap_or((self.0, ""))
    }

    fn display(&self, pointer: ValType) -> String {
        let types = |letters: &str| -> Vec<ValType> {
            letters.bytes().map(|letter| if letter == b'p' { pointer } else { ValType::I32 }).collect()
        };
        let (params, results) = self.sides();
        signature(&types(params), &types(results))
    }
}

/// A signature as people write it: `(i32, i32) -> i32`.
pub(super) fn signature(params: &[ValType], results: &[ValType]) -> String {
    let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match results {
        [result] => format!("({}) -> {result}", list(params)),
        results => format!("({}) -> ({})", list(params), list(results)),
    }
}

/// The role that a user names.
pub(super) fn by_name(name: &str) -> Option<&'static Role> {
    ALL.iter().copied().find(|role| role.name == name)
}

/// The role of a function of which only the signature is known, where that says enough.
pub(super) fn by_signature(params: &[ValType], results: &[ValType]) -> Option<&'static Role> {
    [&MALLOC, &FREE].into_iter().find(|role| role.kind(params, results).is_some())
}

/// Every role's name, for messages.
pub(super) fn names() -> String {
    ALL.iter().map(|role| role.name).collect::<Vec<_>>().join(", ")
}

const fn alloc(size: u32) -> Kind {
    Kind::Alloc { size: Size::Param(size), bias: 0 }
}

const fn alloc_array(count: u32, size: u32) -> Kind {
    Kind::Alloc { size: Size::Product(count, size), bias: 0 }
}

const fn realloc(block: u32, size: u32) -> Kind {
    Kind::Realloc { block, size: Size::Param(size), bias: 0 }
}

const fn free(block: u32) -> Kind {
    Kind::Free { block, bias: 0 }
}

macro_rules! roles {
    ($($id:ident $name:literal: $($signature:literal $kind:expr),+;)+) => {
        $(pub(super) static $id: Role = Role { name: $name, shapes: &[$(Shape($signature, $kind)),+] };)+
        static ALL: &[&Role] = &[$(&$id),+];
    };
}

roles! {
    // C.
    MALLOC "malloc": "p>p" alloc(0);
    CALLOC "calloc": "pp>p" alloc_array(0, 1);
    REALLOC "realloc": "pp>p" realloc(0, 1);
    REALLOCARRAY "reallocarray": "ppp>p" Kind::Realloc { block: 0, size: Size::Product(1, 2), bias: 0 };
    FREE "free": "p>" free(0);
    // With the size, the alignment or both, which free functions may leave out of account.
    FREE_SIZED "free_sized": "p>" free(0), "pp>" free(0), "ppp>" free(0);
    ALIGNED_ALLOC "aligned_alloc": "pp>p" alloc(1);
    MEMALIGN "memalign": "pp>p" alloc(1);
    POSIX_MEMALIGN "posix_memalign": "ppp>i" Kind::AllocInto { out: 0, size: Size::Param(2) };
    // The size first, as in mimalloc.
    MALLOC_ALIGNED "malloc_aligned": "pp>p" alloc(0);
    REALLOC_ALIGNED "realloc_aligned": "ppp>p" realloc(0, 1);

    // C with the heap as the first parameter, which a compiler may drop; what is meant always comes last.
    HEAP_MALLOC "heap_malloc": "pp>p" alloc(1), "p>p" alloc(0);
    HEAP_CALLOC "heap_calloc": "ppp>p" alloc_array(1, 2), "pp>p" alloc_array(0, 1);
    HEAP_REALLOC "heap_realloc": "ppp>p" realloc(1, 2), "pp>p" realloc(0, 1);
    HEAP_MEMALIGN "heap_memalign": "ppp>p" alloc(2), "pp>p" alloc(1);
    HEAP_FREE "heap_free": "pp>" free(1), "p>" free(0);

    // Rust: the size before the alignment. The first and the last parameter of a reallocation cannot be dropped.
    RUST_ALLOC "rust_alloc": "pp>p" alloc(0), "p>p" alloc(0);
    RUST_REALLOC "rust_realloc": "pppp>p" realloc(0, 3), "ppp>p" realloc(0, 2), "pp>p" realloc(0, 1);
    RUST_DEALLOC "rust_dealloc": "ppp>" free(0), "pp>" free(0), "p>" free(0);
    // dlmalloc::Dlmalloc<A>, with self.
    RUST_HEAP_ALLOC "rust_heap_alloc": "ppp>p" alloc(1);
    RUST_HEAP_REALLOC "rust_heap_realloc": "ppppp>p" realloc(1, 4);
    RUST_HEAP_DEALLOC "rust_heap_dealloc": "pppp>" free(1);

    // C++: alignment and std::nothrow after the size, size and alignment after the block.
    OPERATOR_NEW "operator_new": "p>p" alloc(0), "pp>p" alloc(0), "ppp>p" alloc(0);
    OPERATOR_DELETE "operator_delete": "p>" free(0), "pp>" free(0), "ppp>" free(0);

    // zig's std.mem.Allocator.VTable: (context, length, alignment, return address), the block as pointer and length.
    // Debug builds put one more in front.
    ZIG_ALLOC "zig_alloc": "ppip>p" alloc(1), "pppip>p" alloc(2);
    ZIG_REMAP "zig_remap": "pppipp>p" realloc(1, 4), "ppppipp>p" realloc(2, 5);
    ZIG_FREE "zig_free": "pppip>" free(1), "ppppip>" free(2);

    // AssemblyScript. A block is what `__alloc` returns: the memory manager's block lies 4 bytes before it, the
    // collector's object 16 behind it. Its optimiser drops parameters that are the same in all calls, which may be the
    // size as well as another, so there is one shape only.
    AS_NEW "as_new": "pp>p" Kind::Alloc { size: Size::Param(0), bias: -16 };
    AS_RENEW "as_renew": "pp>p" Kind::Realloc { block: 0, size: Size::Param(1), bias: -16 };
    AS_BLOCK_ALLOC "as_block_alloc": "pp>p" Kind::Alloc { size: Size::Param(1), bias: 4 };
    AS_BLOCK_REALLOC "as_block_realloc": "ppp>p" Kind::Realloc { block: 1, size: Size::Param(2), bias: 4 };
    AS_BLOCK_FREE "as_block_free": "pp>" Kind::Free { block: 1, bias: 4 };

    // TinyGo: what follows the size says where its pointers are.
    TINYGO_ALLOC "tinygo_alloc": "p>p" alloc(0), "pp>p" alloc(0), "ppp>p" alloc(0);

    // The component model's canonical ABI: (old block, old size, alignment, new size).
    CABI_REALLOC "cabi_realloc": "pppp>p" realloc(0, 3);
}

#[cfg(test)]
mod tests {
    use wasmparser::ValType::{self, F64, I32, I64};

    use super::*;

    type Case<'a> = (&'a Role, &'a [ValType], &'a [ValType], Option<Kind>);

    #[test]
    fn a_signature_says_what_the_parameters_are() {
        let fits: &[Case<'_>] = &[
            (&MALLOC, &[I32], &[I32], Some(alloc(0))),
            (&MALLOC, &[I64], &[I64], Some(alloc(0))),
            (&MALLOC, &[I64], &[I32], None), // sqlite3Malloc(u64)
            (&MALLOC, &[I32, I32], &[I32], None),
            (&MALLOC, &[F64], &[F64], None),
            (&CALLOC, &[I32, I64], &[I32], None),
            (&FREE, &[I32], &[], Some(free(0))),
            (&FREE, &[I32], &[I32], None),
            // The result is an int also where pointers are wide.
            (&POSIX_MEMALIGN, &[I64, I64, I64], &[I32], Some(Kind::AllocInto { out: 0, size: Size::Param(2) })),
            (&POSIX_MEMALIGN, &[I64, I64, I64], &[I64], None),
            (&RUST_DEALLOC, &[I32], &[], Some(free(0))),
            (&RUST_REALLOC, &[I32, I32, I32], &[I32], Some(realloc(0, 2))),
            (&HEAP_FREE, &[I32, I32], &[], Some(free(1))),
            (&HEAP_FREE, &[I32], &[], Some(free(0))),
            (&ZIG_ALLOC, &[I64, I64, I32, I64], &[I64], Some(alloc(1))),
            (&ZIG_ALLOC, &[I32, I32, I32, I32, I32], &[I32], Some(alloc(2))),
            (&ZIG_FREE, &[I32, I32, I32, I32, I32], &[], Some(free(1))),
        ];
        for (role, params, results, kind) in fits {
            assert_eq!(role.kind(params, results), *kind, "{} {}", role.name, signature(params, results));
        }
    }

    #[test]
    fn no_two_roles_share_a_name_and_no_shape_reads_past_its_parameters() {
        for (idx, role) in ALL.iter().enumerate() {
            assert!(ALL[..idx].iter().all(|other| other.name != role.name), "{}", role.name);
            for shape in role.shapes {
                let n_params = u32::try_from(shape.sides().0.len()).unwrap();
                let within = |size: Size| match size {
                    Size::Param(param) | Size::Less(param, _) => param < n_params,
                    Size::Product(count, size) => count < n_params && size < n_params,
                };
                let returns = shape.sides().1.len() == 1;
                assert!(
                    match shape.1 {
                        Kind::Alloc { size, .. } => within(size) && returns,
                        Kind::AllocInto { out, size } => out < n_params && within(size) && returns,
                        Kind::Realloc { block, size, .. } => block < n_params && within(size) && returns,
                        Kind::Free { block, .. } => block < n_params && !returns,
                        Kind::Go(_) | Kind::GoSwitch => false,
                    },
                    "{} {}",
                    role.name,
                    shape.0
                );
            }
        }
    }

    #[test]
    fn a_signature_alone_is_enough_for_two_roles() {
        let name = |params: &[ValType], results: &[ValType]| by_signature(params, results).map(|role| role.name);
        assert_eq!(name(&[I32], &[I32]), Some("malloc"));
        assert_eq!(name(&[I64], &[]), Some("free"));
        assert_eq!(name(&[I32, I32], &[I32]), None);
        assert_eq!(name(&[], &[]), None);
    }

    #[test]
    fn signatures_are_shown_as_people_write_them() {
        assert_eq!(CALLOC.expected(&[I32]), "(i32, i32) -> i32");
        assert_eq!(FREE.expected(&[I64]), "(i64) -> ()");
        assert_eq!(HEAP_MALLOC.expected(&[]), "(i32, i32) -> i32 or (i32) -> i32");
        assert_eq!(signature(&[F64], &[I32, I32]), "(f64) -> (i32, i32)");
    }
}
