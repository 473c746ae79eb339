//! Tests of the whole search.

use wasmparser::ValType;

use super::{Asked, Found, FunctionInfo, ImportHook, ModuleInfo, find};
use crate::heap::hook::{GoSize, Kind, Size};

/// A module in text, one function a line: signature, then name; `from:` before the name of an import. Letters are
/// i32 `i`, i64 `l`, f32 `f`, f64 `d`. `-` is no name.
struct Text(Vec<(Vec<ValType>, Vec<ValType>, String)>);

impl Text {
    fn new(text: &str) -> Self {
        let types = |letters: &str| letters.chars().map(value_type).collect();
        let function = |line: &str| {
            let (signature, name) = line.trim().split_once(char::is_whitespace).expect("a signature and a name");
            let (params, results) = signature.split_once('>').expect("parameters > results");
            (types(params), types(results), name.trim().to_owned())
        };
        Self(text.lines().filter(|line| !line.trim().is_empty()).map(function).collect())
    }

    fn module(&self) -> ModuleInfo<'_> {
        let functions = self.0.iter().map(|(params, results, name)| {
            let import = name.strip_prefix("from:").map(|name| ("env", name));
            let name = Some(name.as_str()).filter(|name| import.is_none() && *name != "-");
            FunctionInfo { name, params, results, import }
        });
        ModuleInfo { functions: functions.collect(), global_0_is_mut_i32: true, forwarders: Vec::new() }
    }
}

fn value_type(letter: char) -> ValType {
    match letter {
        'i' => ValType::I32,
        'l' => ValType::I64,
        'f' => ValType::F32,
        'd' => ValType::F64,
        letter => panic!("{letter} is no type"),
    }
}

/// What is hooked, as `module:name kind`, by order of modules and functions.
fn hooked(found: &Found) -> Vec<String> {
    found.hooks.iter().map(|hook| format!("{}:{} {}", hook.module, hook.name, short(hook.kind))).collect()
}

/// A kind in a few letters: where the block and the size are, and the bias.
fn short(kind: Kind) -> String {
    let size = |size| match size {
        Size::Param(size) => size.to_string(),
        Size::Product(count, size) => format!("{count}*{size}"),
        Size::Less(size, own) => format!("{size}-{own}"),
    };
    let bias = |bias| if bias == 0 { String::new() } else { format!(" {bias:+}") };
    match kind {
        Kind::Alloc { size: bytes, bias: by } => format!("alloc {}{}", size(bytes), bias(by)),
        Kind::AllocInto { out, size: bytes } => format!("into {out} {}", size(bytes)),
        Kind::Realloc { block, size: bytes, bias: by } => format!("realloc {block} {}{}", size(bytes), bias(by)),
        Kind::Free { block, bias: by } => format!("free {block}{}", bias(by)),
        Kind::GoSwitch => "switch".to_owned(),
        Kind::Go(go) => {
            let size = match go.size {
                GoSize::Const(size) => size.to_string(),
                GoSize::At(offset) => format!("@{offset}"),
            };
            let tiny = go.tiny_result.map_or(String::new(), |offset| format!(" tiny @{offset}"));
            format!("go {size}{tiny}")
        }
    }
}

fn search(text: &str) -> Found {
    find(&[Text::new(text).module()], &[]).expect("nothing was asked for")
}

fn check(text: &str, expected: &[&str]) -> Found {
    let found = search(text);
    let expected: Vec<String> = expected.iter().map(|line| format!("0:{line}")).collect();
    assert_eq!(hooked(&found), expected, "{text}");
    assert_eq!(found.nothing.is_some(), expected.is_empty() && found.imports.is_empty(), "{text}");
    found
}

/// Functions of real modules: all that are hooked there, and others with names like theirs.
#[test]
fn real_modules_are_hooked_as_they_should_be() {
    let mut n_modules = 0;
    for section in include_str!("real_names.txt").split("\n\n") {
        let (title, lines) = section.split_once('\n').unwrap();
        let mut functions = String::new();
        let mut expected = Vec::new();
        let mut no_frees = None;
        for line in lines.lines() {
            if let Some(why) = line.strip_prefix("no frees: ") {
                no_frees = Some(why);
                continue;
            }
            let (kind, function) = line.split_once('\t').unwrap();
            expected.push((kind != "-").then(|| kind.to_owned()));
            functions.push_str(function);
            functions.push('\n');
        }
        let found = search(&functions);
        let kind = |function: u32| found.hooks.iter().find(|hook| hook.function == function);
        for ((function, expected), line) in (0..).zip(expected).zip(functions.lines()) {
            assert_eq!(kind(function).map(|hook| short(hook.kind)), expected, "{title}: {line}");
        }
        let why = found.no_frees.unwrap_or_default();
        assert!(why.starts_with(no_frees.unwrap_or_default()), "{title}: {why}");
        assert_eq!(why.is_empty(), no_frees.is_none(), "{title}: {why}");
        n_modules += 1;
    }
    assert!(n_modules > 10);
}

#[test]
fn the_c_library_is_found_with_all_it_has() {
    let found = check(
        "i>i malloc\n ii>i calloc\n ii>i realloc\n iii>i reallocarray\n i> free\n i> cfree\n ii> free_sized\n
         iii> free_aligned_sized\n ii>i aligned_alloc\n ii>i memalign\n iii>i posix_memalign\n i>i valloc\n i>i main",
        &[
            "malloc alloc 0",
            "calloc alloc 0*1",
            "realloc realloc 0 1",
            "reallocarray realloc 0 0*0",
            "free free 0",
            "cfree free 0",
            "free_sized free 0",
            "free_aligned_sized free 0",
            "aligned_alloc alloc 1",
            "memalign alloc 1",
            "posix_memalign into 0 2",
            "valloc alloc 0",
        ]
        .map(|line| if line.starts_with("reallocarray") { "reallocarray realloc 0 1*2" } else { line }),
    );
    assert_eq!((found.no_frees, found.notes), (None, vec![]));
    check("l>l malloc\n l> free\n lll>i posix_memalign", &["malloc alloc 0", "free free 0", "posix_memalign into 0 2"]);
}

#[test]
fn the_lowest_layer_is_taken_and_what_sees_the_same_blocks() {
    // C++ over C.
    check(
        "i>i operator new(unsigned long)\n i> operator delete(void*)\n i>i malloc\n i> free",
        &["malloc alloc 0", "free free 0"],
    );
    // Rust may have an allocator of its own beside C's.
    check(
        "ii>i __rust_alloc\n iii> __rust_dealloc\n i>i malloc\n i> free",
        &["__rust_alloc alloc 0", "__rust_dealloc free 0", "malloc alloc 0", "free free 0"],
    );
    // Its `dealloc` was built into the callers: they call `free`.
    check("ii>i __rust_alloc\n i>i malloc\n i> free", &["malloc alloc 0", "free free 0"]);
    // TinyGo's `malloc` for C is above its own.
    let found = check("ii>i runtime.alloc\n i>i malloc\n i> free", &["runtime.alloc alloc 0"]);
    assert!(found.no_frees.unwrap().contains("TinyGo"));
    // zig's allocator is below its C library, and only in a debug build surely seen whole.
    check(
        "i>i c.malloc.malloc\n i> c.malloc.free\n iiiii>i heap.BrkAllocator.alloc\n iiiiii> heap.BrkAllocator.free",
        &[
            "c.malloc.malloc alloc 0",
            "c.malloc.free free 0",
            "heap.BrkAllocator.alloc alloc 2",
            "heap.BrkAllocator.free free 2",
        ],
    );
    let found = check(
        "i>i c.malloc.malloc\n i> c.malloc.free\n iiii>i heap.BrkAllocator.alloc\n iiiii> heap.BrkAllocator.free
         i>i start.main",
        &["c.malloc.malloc alloc 0", "c.malloc.free free 0"],
    );
    assert!(found.notes[0].contains("--alloc heap.BrkAllocator.alloc"), "{:?}", found.notes);
    // `cabi_realloc` stands on what else there is.
    check("iiii>i cabi_realloc\n i>i malloc\n i> free", &["malloc alloc 0", "free free 0"]);
}

#[test]
fn cpp_counts_where_c_cannot_be_seen_whole() {
    let cpp =
        "i>i _Znwm\n ii>i _ZnwmSt11align_val_t\n i>i _Znam\n i> _ZdlPv\n ii> _ZdlPvm\n iii> _ZdaPvmSt11align_val_t\n";
    let whole = [
        "operator new(unsigned long) alloc 0",
        "operator new(unsigned long, std::align_val_t) alloc 0",
        "operator new[](unsigned long) alloc 0",
        "operator delete(void*) free 0",
        "operator delete(void*, unsigned long) free 0",
        "operator delete[](void*, unsigned long, std::align_val_t) free 0",
    ];
    check(cpp, &whole);
    let with_malloc = [&whole[..], &["malloc alloc 0"]].concat();
    assert_eq!(check(&format!("{cpp} i>i malloc"), &with_malloc).no_frees, None);
    check("i>i operator new(unsigned long)\n i> free", &["operator new(unsigned long) alloc 0", "free free 0"]);
    // A class's own takes its memory from somewhere else.
    check("i>i Arena::operator new(unsigned long)\n i> Arena::operator delete(void*)", &[]);
}

#[test]
fn what_cannot_be_freed_visibly_has_no_live_bytes() {
    for (text, hooks, why) in [
        ("i>i malloc", &["malloc alloc 0"][..], "no function that frees was found beside `malloc`"),
        ("i>i operator new(unsigned long)", &["operator new(unsigned long) alloc 0"], "beside `operator new"),
        ("iiii>i cabi_realloc", &["cabi_realloc realloc 0 3"], "only `cabi_realloc`"),
        ("i>i runtime.mallocgc", &["runtime.mallocgc go @0"], "Go's garbage collector"),
    ] {
        let found = check(text, hooks);
        assert!(found.no_frees.as_ref().is_some_and(|no_frees| no_frees.contains(why)), "{text}: {found:?}");
    }
}

#[test]
fn names_in_other_namespaces_need_a_pair() {
    check(
        "i>i Arena::malloc(unsigned long)\n i> Arena::free(void*)",
        &["Arena::malloc(unsigned long) alloc 0", "Arena::free(void*) free 0"],
    );
    check("i>i mypool.malloc\n i> mypool.free\n i>i other.malloc", &["mypool.malloc alloc 0", "mypool.free free 0"]);
    check("i>i Arena::malloc(unsigned long)\n i> Other::free(void*)", &[]);
    check(
        "i>i Arena::malloc(unsigned long)\n i> Arena::free(void*)\n i>i malloc\n i> free",
        &["malloc alloc 0", "free free 0"],
    );
}

#[test]
fn other_signatures_are_told_of_and_not_hooked() {
    let found = check("i>i malloc\n ii> free\n i> dlfree", &["malloc alloc 0", "dlfree free 0"]);
    assert_eq!(
        found.notes,
        [
            "`free` (function 1) is not hooked: its signature is (i32, i32) -> (), that of an allocator's would be (i32) -> ()"
        ]
    );
    assert_eq!(check("l>i malloc\n d> free", &[]).notes.len(), 2);
    assert_eq!(check("ii>i runtime.mallocgcLarge", &[]).notes.len(), 1);
    // Names that everyone gives to other things are not.
    assert_eq!(check("i>i malloc\n i> free\n ii>i Pool::free", &["malloc alloc 0", "free free 0"]).notes, [""; 0]);
}

#[test]
fn go_needs_its_stack_pointer() {
    let text = Text::new("i>i runtime.mallocgc\n i>i runtime.mallocgcLarge\n i>i runtime.mallocgcSmallNoscanReuse");
    let mut module = text.module();
    assert_eq!(hooked(&find(&[module.clone()], &[]).unwrap()), ["0:runtime.mallocgcLarge go @32"]);
    module.global_0_is_mut_i32 = false;
    let found = find(&[module], &[]).unwrap();
    assert!(found.hooks.is_empty() && found.nothing.is_some());
    assert!(found.notes[0].contains("global 0"), "{:?}", found.notes);
}

#[test]
fn imported_allocators_are_reported() {
    let import = |name: &str, kind| ImportHook { import: ("env".to_owned(), name.to_owned()), kind };
    // Rust here is over the imports; one event an allocation is enough.
    let found = check("i>i from:malloc\n i> from:free\n i>i from:exit\n ii>i __rust_alloc\n iii> __rust_dealloc", &[]);
    let malloc = import("malloc", Kind::Alloc { size: Size::Param(0), bias: 0 });
    let free = import("free", Kind::Free { block: 0, bias: 0 });
    assert_eq!(found.imports, [malloc, free]);
    assert_eq!((found.no_frees, found.nothing), (None, None));
    assert_eq!(search("i>i from:malloc\n i>i main").no_frees.map(|why| why.contains("`malloc`")), Some(true));
    // Not an allocator's signature, and a `free` alone.
    assert_eq!(search("ii>i from:malloc\n i> from:free").imports, []);
}

#[test]
fn each_module_is_searched_by_itself() {
    let texts = ["i>i malloc\n i> free", "i>i from:malloc\n i>i main", "iiii>i cabi_realloc", "i>i runtime.alloc"]
        .map(Text::new);
    let modules: Vec<_> = texts.iter().map(Text::module).collect();
    let found = find(&modules[..3], &[]).unwrap();
    // Module 2 has no allocator to speak of, and would cost the in-use columns.
    assert_eq!(hooked(&found), ["0:malloc alloc 0", "0:free free 0"]);
    assert_eq!((found.imports.len(), found.no_frees), (1, None));
    let found = find(&modules[2..], &[]).unwrap();
    assert_eq!(hooked(&found), ["0:cabi_realloc realloc 0 3", "1:runtime.alloc alloc 0"]);
    assert!(found.no_frees.is_some());
}

#[test]
fn functions_that_only_forward_to_another_module_are_left_out() {
    let texts = ["i>i malloc\n i> free", "i>i malloc\n i> dlfree\n i> free"].map(Text::new);
    let mut modules: Vec<_> = texts.iter().map(Text::module).collect();
    modules[0].forwarders = vec![0, 1];
    let found = find(&modules, &[]).unwrap();
    assert_eq!(hooked(&found), ["1:malloc alloc 0", "1:dlfree free 0", "1:free free 0"]);
    // In a file of one module they are all there is.
    assert_eq!(hooked(&find(&modules[..1], &[]).unwrap()).len(), 2);
}

#[test]
fn forwarders_are_told_by_their_bodies() {
    let bodies = [
        ("local.get 0 i32.const 5 call_indirect (param i32)", true),
        ("local.get 0 local.get 0 call_indirect (param i32) local.get 0 drop", false),
        ("local.get 0 call 0", false),
        ("", false),
    ];
    for (body, expected) in bodies {
        let wat = format!("(module (table 1 funcref) (func (param i32) {body}))");
        let wasm = wat::parse_str(&wat).unwrap();
        let is_forwarder = wasmparser::Parser::new(0).parse_all(&wasm).find_map(|payload| match payload.unwrap() {
            wasmparser::Payload::CodeSectionEntry(body) => Some(super::is_forwarder(&body)),
            _ => None,
        });
        assert_eq!(is_forwarder, Some(expected), "{body}");
    }
}

#[test]
fn when_there_is_nothing_the_reason_helps() {
    let stripped = format!("{} i> _start", "ii>i -\n".repeat(40));
    for (text, parts) in [
        ("", &["no functions of its own"][..]),
        ("i>i from:exit", &["no functions of its own"]),
        (&stripped, &["40 of 41 functions have no name", "strip", "wasm-function[N]"]),
        ("i>i main\n i>i run", &["none of the 2 functions", "none has a name like", "--alloc NAME=malloc"]),
        (
            "i>i renew\n ii>i Pool::alloc(unsigned long)\n i>i my_malloc\n i>i freeze\n i>i main",
            &["like an allocator's: `my_malloc`, `Pool::alloc(unsigned long)`, `freeze`, `renew`. If"],
        ),
    ] {
        let nothing = search(text).nothing.unwrap();
        assert!(parts.iter().all(|part| nothing.contains(part)), "{text}: {nothing}");
    }
    assert!(find(&[], &[]).unwrap().nothing.is_some());
}

#[test]
fn hostile_names_are_only_names() {
    let long = "a".repeat(50_000);
    let names = [
        format!("_ZN{long}6mallocE"),
        format!("_R{}6malloc", "I".repeat(20_000)),
        format!("<{long}>::malloc"),
        format!("{}::malloc", "<".repeat(20_000)),
        format!("x{}", "(".repeat(20_000)),
        format!("x{}", ")".repeat(20_000)),
        "ä::ö.é/ü#malloc".to_owned(),
        "_ZnwmÿÿÿmallocE".to_owned(),
    ];
    for name in names {
        let text = Text(vec![(vec![ValType::I32], vec![ValType::I32], name)]);
        find(&[text.module()], &[]).unwrap();
        let asked = Asked { name: "malloc".to_owned(), like: None };
        let _ = find(&[text.module()], &[asked]);
    }
}

mod asked;
