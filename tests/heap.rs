//! At rate 1 a heap profile is the truth: it equals the books that guests keep of their own allocations, to the byte.

use std::collections::BTreeMap;

use proto::Profile;
use support::books::{Sites, block_bytes, column_idx, expect_equal, printed, profiled, rows, site};
use support::machine::{guest_if_built, skip};
use support::stacks::{flat, frames, total};
use support::wprof::{Run, Wprof, read_profile};

/// Runs with every block recorded, and nothing else.
fn record(options: &[&str], name: &str, args: &[&str]) -> Option<Run> {
    let Some(guest) = guest_if_built(name) else {
        skip(format_args!("there is no compiler for the guest {name}"));
        return None;
    };
    let options = [&["--no-cpu", "--memprofilerate", "1"], options].concat();
    Some(Wprof::run(&options, guest, args).finish().expect_code(0))
}

/// The books of a guest that prints them are its profile.
fn check(options: &[&str], name: &str, args: &[&str]) {
    let Some(run) = record(options, name, args) else { return };
    let profile = run.heap();
    expect_equal(&printed(&run.stdout()), &profiled(&profile), 4);
    check_shape(&profile, 4);
}

/// What holds for every profile at rate 1.
fn check_shape(profile: &Profile, n_columns: usize) {
    let types: Vec<_> =
        profile.sample_types().iter().map(|it| (profile.string(it.kind), profile.string(it.unit))).collect();
    let all =
        [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    assert_eq!(types, all[..n_columns]);
    assert_eq!(profile.period(), 1);
    for sample in profile.samples() {
        let stack = frames(profile, &sample);
        let size = block_bytes(profile, &sample);
        for pair in sample.values.chunks(2) {
            assert_eq!(
                Some(pair[1]),
                size.map(|size| pair[0] * size),
                "{:?}, {size:?} bytes: {stack:?}",
                sample.values
            );
        }
        assert!(!stack.is_empty());
        let leaf = stack.last().copied().unwrap_or_default();
        // Where all of a stack is the allocator's or the runtime's, it stays.
        let is_whole = stack.iter().all(|frame| is_allocators(frame) || GO_ROOTS.contains(frame));
        assert!(!is_allocators(leaf) || is_whole, "the leaf is the allocator's {leaf}: {stack:?}");
    }
}

/// What calls Go's runtime.
const GO_ROOTS: [&str; 2] = ["_rt0_wasm_wasip1", "wasm_pc_f_loop"];

/// Whether a function is a part of the allocator, which no stack is to end in.
fn is_allocators(function: &str) -> bool {
    let own = ["c.malloc.", "heap.BrkAllocator.", "operator new", "runtime.", "alloc::raw_vec::", "alloc::alloc::"];
    let own_lib = ["~lib/rt/", "~lib/memory/heap.", "dlmalloc::", "internal_runtime_"];
    let names = ["malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "dlmalloc", "memalign"];
    let is_rust = function.contains("__rust_alloc") || function.contains("__rust_realloc");
    own.iter().chain(&own_lib).any(|begin| function.starts_with(begin)) || names.contains(&function) || is_rust
}

#[test]
fn c() {
    check(&[], "books_c", &[]);
}

/// Nothing is left above a function that calls the allocator itself.
#[test]
fn c_sites_are_leaves() {
    let Some(run) = record(&[], "books_c", &["1"]) else { return };
    let profile = run.heap();
    for sample in profile.samples() {
        let stack = frames(&profile, &sample);
        let Some(site) = stack.iter().rev().find_map(|frame| site(frame)) else { continue };
        // These two leave it to the C library to allocate.
        let is_leaf = stack.last().is_some_and(|leaf| *leaf == site);
        assert!(is_leaf || ["site_strdup", "site_asprintf"].contains(&site), "{stack:?}");
    }
    let depths = |n| {
        profile
            .samples()
            .filter(|it| frames(&profile, it).iter().filter(|it| **it == "site_recursive").count() == n)
            .count()
    };
    assert_eq!([1, 14, 27, 40].map(|n| depths(n) > 0), [true; 4], "each depth is a stack of its own");
    assert_eq!(depths(2), 0);
}

#[test]
fn cpp() {
    check(&[], "books_cpp", &[]);
}

/// With a limit that makes its largest requests fail, and without.
#[test]
fn rust() {
    check(&["-W", "max-memory-size=67108864"], "books_rust", &[]);
    check(&[], "books_rust", &[]);
}

/// A real program of many crates: its own functions and theirs are the leaves, none of std's that only pass a request on.
#[test]
fn a_program_of_many_crates() {
    let Some(run) = record(&[], "wordbook", &["1"]) else { return };
    let profile = run.heap();
    check_shape(&profile, 4);
    let leaves = [
        "wordbook::render",
        "wordbook::plain_words",
        "<pulldown_cmark::tree::Tree<pulldown_cmark::parse::Item>>::create_node",
    ];
    for leaf in leaves {
        let space = flat(&profile, 1, leaf);
        assert!(space * 200 > total(&profile, 1), "{leaf} has only {space} bytes");
    }
}

/// The same module inside a component, where the host reaches no memory of the guest's.
#[test]
fn a_component() {
    check(&[], "books_rust_component", &[]);
}

/// Without a C library: Rust's own allocator, in part inlined, in a module without DWARF.
#[test]
fn rust_without_libc() {
    check(&["-W", "max-memory-size=67108864", "--invoke", "main"], "books_bare", &["0", "0"]);
}

/// The collector frees within allocations, and a global's initializer allocates in the start section.
#[test]
fn assemblyscript() {
    check(&[], "books_as", &[]);
}

/// What Go's own profile says, at the same rate: with the collector as it comes, which parks goroutines in the middle of
/// allocations, and with one that runs all the time.
#[test]
fn go() {
    for options in [&[][..], &["--env", "GOGC=1"]] {
        let Some(run) = record(options, "memprofile", &[]) else { return };
        let profile = run.heap();
        expect_equal(&printed(&run.stdout()), &profiled(&profile), 2);
        check_shape(&profile, 2);
        assert!(run.stderr().contains("no in-use columns: "), "why is not said: {}", run.stderr());
    }
}

/// The live heap as it was at its highest moment.
#[test]
fn peak() {
    let Some(run) = record(&["--peakprofile", "peak.prof"], "peak", &[]) else { return };
    let profile = read_profile(&run.path("peak.prof"));
    check_shape(&profile, 4);
    expect_live(&rows::<4>(&run.stdout(), "site"), &profile, 2);
    expect_live(&rows::<2>(&run.stdout(), "end"), &run.heap(), 0);
}

/// What is live of each site, objects and bytes, which stand in the books from column `from` on.
fn expect_live<const N: usize>(books: &BTreeMap<String, [i64; N]>, profile: &Profile, from: usize) {
    let live = profiled(profile);
    for (site, columns) in books {
        let expected = &columns[from..];
        let actual = live.get(site).map_or(&[0, 0][..], |columns| &columns[2..]);
        assert_eq!(actual, expected, "{site}");
    }
    assert!(books.len() >= 3);
}

/// What memory grew by is what the guest has more of at its end.
#[test]
fn memory() {
    let Some(run) = record(&["--memoryprofile", "memory.prof"], "peak", &[]) else { return };
    let profile = read_profile(&run.path("memory.prof"));
    let pages = rows::<1>(&run.stdout(), "pages");
    let space = column_idx(&profile, "space").expect("the column space");
    let (mut grown, mut initial) = (0, 0);
    for sample in profile.samples() {
        let is_initial = frames(&profile, &sample) == ["[initial memory]"];
        *(if is_initial { &mut initial } else { &mut grown }) += sample.values[space];
    }
    assert_eq!(initial, pages["initial"][0] << 16);
    assert_eq!(initial + grown, pages["final"][0] << 16);
}

/// A module in text, and its sites as they should be.
fn check_text(name: &str, text: &str, options: &[&str], expected: &[(&str, [i64; 4])]) {
    let options = [&["--no-cpu", "--memprofilerate", "1"], options].concat();
    let run = Wprof::run(&options, name, &[]).file(name, text).finish().expect_code(0);
    let expected: Sites = expected.iter().map(|&(site, columns)| (site.to_owned(), columns)).collect();
    assert_eq!(profiled(&run.heap()), expected, "{name}: {}", run.stderr());
}

#[test]
fn memory64() {
    let text = include_str!("heap/memory64.wat");
    let expected = [("site_start", [2, 32, 2, 32]), ("site_calloc", [1, 100, 1, 100]), ("site_freed", [2, 14, 0, 0])];
    check_text("memory64.wat", text, &[], &expected);
}

#[test]
fn a_start_section_that_allocates() {
    let text = include_str!("heap/start.wat");
    let expected = [
        ("site_kept", [2, 128, 1, 64]), // one of them is grown
        ("site_grown", [1, 96, 1, 96]),
        ("site_aligned", [2, 98, 1, 48]),
    ];
    check_text("start.wat", text, &[], &expected);
}

#[test]
fn an_allocator_that_is_left_in_every_way() {
    let text = include_str!("heap/leaves.wat");
    let expected = [
        ("site_return", [1, 10, 1, 10]),
        ("site_branch", [1, 20, 1, 20]),
        ("site_tail_call", [1, 30, 1, 30]),
        ("site_end", [2, 100, 2, 100]),
    ];
    check_text("leaves.wat", text, &["-W", "exceptions"], &expected);
}

#[test]
fn an_allocator_that_the_user_names() {
    let text = include_str!("heap/named.wat");
    let options = ["--alloc", "grab=malloc", "--alloc", "regrab=realloc", "--alloc", "wasm-function[7]=free"];
    let expected =
        [("site_grab", [2, 200, 1, 100]), ("site_regrab", [1, 150, 1, 150]), ("site_dropped", [1, 30, 0, 0])];
    check_text("named.wat", text, &options, &expected);
}
