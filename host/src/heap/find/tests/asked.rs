//! Tests of functions that the user names.

use super::{Asked, Found, Text, find, hooked};

/// What is found in modules of these functions when `NAME[=KIND]` is asked for, several with `;` between.
fn ask(texts: &[&str], asked: &str) -> anyhow::Result<Found> {
    let texts: Vec<Text> = texts.iter().map(|text| Text::new(text)).collect();
    let modules: Vec<_> = texts.iter().map(Text::module).collect();
    let asked: Vec<Asked> = asked
        .split(';')
        .map(|asked| match asked.split_once('=') {
            Some((name, like)) => Asked { name: name.to_owned(), like: Some(like.to_owned()) },
            None => Asked { name: asked.to_owned(), like: None },
        })
        .collect();
    find(&modules, &asked)
}

const MODULE: &str = "
    i>i from:take
    i>i -
    i> -
    ii>i pool::take(unsigned long, int)
    i>i _ZN4pool4grabEm
    i>i _RNvNtCs1234_7mycrate4pool5fetch
    i> pool::drop(void*)
    i>i pool::malloc(unsigned long)
    iii>i get.zone
    i>i get.other.zone
    i>i Pool<int>::one(unsigned long)
    i>i Pool<char>::one(unsigned long)
    i>i give";

#[test]
fn functions_are_named_in_many_ways() {
    for (asked, expected) in [
        // By number.
        ("wasm-function[1]=malloc", &["0:wasm-function[1] alloc 0"][..]),
        ("wasm-function[1]", &["0:wasm-function[1] alloc 0"]),
        ("wasm-function[2]", &["0:wasm-function[2] free 0"]),
        ("module[0]:wasm-function[2]", &["0:wasm-function[2] free 0"]),
        // As in the file, demangled, without arguments, by the end of the path.
        ("_ZN4pool4grabEm", &["0:pool::grab(unsigned long) alloc 0"]),
        ("pool::grab(unsigned long)", &["0:pool::grab(unsigned long) alloc 0"]),
        ("pool::grab", &["0:pool::grab(unsigned long) alloc 0"]),
        ("grab", &["0:pool::grab(unsigned long) alloc 0"]),
        ("mycrate::pool::fetch", &["0:mycrate::pool::fetch alloc 0"]),
        ("pool::fetch", &["0:mycrate::pool::fetch alloc 0"]),
        ("zone=malloc", &["0:get.other.zone alloc 0"]),
        // Instances of one function are all meant.
        ("Pool::one", &["0:Pool<int>::one(unsigned long) alloc 0", "0:Pool<char>::one(unsigned long) alloc 0"]),
        ("Pool<char>::one(unsigned long)", &["0:Pool<char>::one(unsigned long) alloc 0"]),
        // A kind decides what the parameters are.
        ("pool::take=calloc", &["0:pool::take(unsigned long, int) alloc 0*1"]),
        ("pool::take=realloc", &["0:pool::take(unsigned long, int) realloc 0 1"]),
        ("pool::take=aligned_alloc", &["0:pool::take(unsigned long, int) alloc 1"]),
        ("pool::take=rust_alloc", &["0:pool::take(unsigned long, int) alloc 0"]),
        ("get.zone=posix_memalign", &["0:get.zone into 0 2"]),
        ("get.zone=reallocarray", &["0:get.zone realloc 0 1*2"]),
        // Without one, the name and then the signature do.
        ("pool::malloc", &["0:pool::malloc(unsigned long) alloc 0"]),
        ("pool::drop;give", &["0:pool::drop(void*) free 0", "0:give alloc 0"]),
    ] {
        let found = ask(&[MODULE], asked).map(|found| hooked(&found));
        match (asked, found) {
            // Two paths end so.
            ("zone=malloc", Err(error)) => {
                assert!(format!("{error}").contains("`get.other.zone`, `get.zone`"), "{error}")
            }
            (_, found) => assert_eq!(found.unwrap(), expected, "{asked}"),
        }
    }
}

#[test]
fn imports_can_be_named() {
    let found = ask(&[MODULE], "take=malloc").unwrap();
    assert_eq!(found.imports.len(), 1);
    assert_eq!((hooked(&found).len(), found.nothing), (0, None));
    assert_eq!(ask(&[MODULE], "wasm-function[0]=malloc").unwrap().imports, found.imports);
}

#[test]
fn what_was_found_stays_and_a_kind_overrides() {
    let c = "i>i malloc\n i> free\n ii>i aligned_alloc\n ii>i arena_alloc";
    let all = ["0:malloc alloc 0", "0:free free 0", "0:aligned_alloc alloc 1"];
    assert_eq!(hooked(&ask(&[c], "malloc").unwrap()), all);
    let found = hooked(&ask(&[c], "aligned_alloc=malloc_aligned").unwrap());
    assert_eq!(found, ["0:malloc alloc 0", "0:free free 0", "0:aligned_alloc alloc 0"]);
    let found = hooked(&ask(&[c], "arena_alloc=heap_malloc").unwrap());
    assert_eq!(found[3], "0:arena_alloc alloc 1");
    // It also gives what is missing.
    let found = ask(&["i>i malloc\n i> give_back"], "give_back=free").unwrap();
    assert_eq!((hooked(&found).len(), found.no_frees), (2, None));
}

#[test]
fn a_name_counts_in_every_module() {
    let modules = ["i>i take", "i>i main\n i>i take", "d>d take"];
    assert_eq!(hooked(&ask(&modules, "take").unwrap()), ["0:take alloc 0", "1:take alloc 0"]);
    assert_eq!(hooked(&ask(&modules, "module[1]:take").unwrap()), ["1:take alloc 0"]);
    assert_eq!(hooked(&ask(&modules, "wasm-function[1]").unwrap()), ["1:take alloc 0"]);
    assert_eq!(hooked(&ask(&modules, "module[1]:wasm-function[0]").unwrap()), ["1:main alloc 0"]);
}

#[test]
fn errors_say_what_to_do() {
    for (asked, parts) in [
        ("grap", &["--alloc grap: no function is called that; similar: `pool::grab(unsigned long)`"][..]),
        ("xyzzy", &["no function is called that"]),
        ("", &["no function is called that"]),
        ("give=mallok", &["there is no kind `mallok`", "malloc, calloc, realloc", "rust_dealloc"]),
        ("give=free", &["--alloc give=free: `give` has the signature (i32) -> i32, not (i32) -> ()"]),
        ("get.zone", &["nor its signature (i32, i32, i32) -> i32", "--alloc get.zone=KIND", "posix_memalign"]),
        ("wasm-function[99]", &["there is no function 99"]),
        ("wasm-function[99999999999999999999]", &["no function is called that"]),
        ("module[7]:give", &["there are 2 core modules"]),
        ("wasm-function[1]", &["2 core modules have a function 1", "'module[0]:wasm-function[1]'"]),
        ("zone", &["2 functions are called that; say which: `get.other.zone`, `get.zone`"]),
    ] {
        let error = format!("{:#}", ask(&[MODULE, "i>i a\n i>i b"], asked).unwrap_err());
        assert!(parts.iter().all(|part| error.contains(part)), "{asked}: {error}");
    }
}
