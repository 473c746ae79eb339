//! Real modules and hostile files of `../shared/corpus`: profiling changes nothing, names what leads, and nothing breaks.
#![expect(clippy::expect_used, reason = "without its files a test may stop")]

use std::fs;
use std::path::Path;

use support::books::column_idx;
use support::machine::{pprof, shared};
use support::on_both_samplers;
use support::running::Signal;
use support::sampler::Sampler;
use support::stacks::{self, lines, total};
use support::wprof::{Run, Wprof};

const SAMPLES: usize = 0;
const CPU: usize = 1;

on_both_samplers!(
    cpu_sqlite,
    cpu_lua,
    cpu_lua_stripped,
    cpu_gofmt,
    cpu_as_bench,
    icepack_starts,
    tail_calls_simd_and_gc_run,
    hostile_files_break_nothing,
    a_traps_profile_has_the_functions_that_led_to_it,
    a_start_sections_work_is_profiled,
);

/// A line of the corpus's table.
struct Module {
    name: &'static str,
    args: &'static [&'static str],
    /// What leads the profile: one of the first ten by cum holds it. None where the module has no names.
    leaders: &'static [&'static str],
    /// What must have been seen at all, by how its name begins.
    others: &'static [&'static str],
    /// What is among the first of the heap profile, by bytes allocated. None where no allocator can be known.
    sites: &'static [&'static str],
}

fn run(corpus: &Path, sampler: Sampler, options: &[&str], module: &Module) -> Run {
    // A copy for each run, so that one does not see what the other wrote.
    let wprof = Wprof::new("run")
        .args(["--sampler", sampler.name()])
        .args(options)
        .folder("data", &corpus.join("data"))
        .args(["--dir", "data::/w"]);
    wprof.arg(corpus.join("modules").join(module.name).with_extension("wasm")).args(module.args).finish()
}

/// Nanoseconds a sample at the rate of these runs, 1000 Hz.
const PERIOD: f64 = 1e6;

/// The leaders that are not among a profile's first ten. Two functions as close as sampling can tell may change places: as far apart as
/// the error of their difference.
fn absent_leaders(module: &Module, by_cum: &[(&str, i64)]) -> Vec<&'static str> {
    let tenth = by_cum.get(9).map_or(0, |place| place.1) as f64;
    let is_enough = |cum: i64| tenth - cum as f64 <= 3.0 * ((tenth + cum as f64) * PERIOD).sqrt();
    let is_absent = |leader: &&str| !by_cum.iter().any(|(name, cum)| name.contains(*leader) && is_enough(*cum));
    module.leaders.iter().copied().filter(is_absent).collect()
}

fn check(sampler: Sampler, module: &Module) {
    let Some(corpus) = shared("corpus") else { return };
    let with = run(&corpus, sampler, &["--quiet", "--hz", "1000"], module).expect_sampler(sampler);
    let without = run(&corpus, sampler, &["--quiet", "--no-cpu", "--no-heap"], module);
    assert_eq!(with.code(), without.code(), "{}\n{}", with.stderr(), without.stderr());
    assert!(with.ended.stdout == without.ended.stdout, "other output:\n{}\n{}", with.stdout(), without.stdout());
    assert_eq!(with.stderr(), without.stderr());
    assert!(with.files() == without.files(), "other files: {:?}", with.files().keys());

    let profile = with.profile();
    let (n_samples, guest_cpu) = (total(&profile, SAMPLES), with.stats().get("guest_cpu_ns"));
    let by_cum = stacks::by_cum(&profile, CPU);
    if n_samples >= 500 {
        let off = 100.0 * (total(&profile, CPU) as f64 / guest_cpu - 1.0);
        assert!(off.abs() <= 2.0, "the total is {off:+.2} % off the guest's CPU time");
    }
    // The guest's own times move as well, where others use the caches: by both samplers, SQLite's sorter has had from 0.8 to 1.5
    // times the time of its B-trees. So one that is behind in a run may lead in the next.
    let mut absent = absent_leaders(module, &by_cum);
    for _ in 0..2 {
        if absent.is_empty() {
            break;
        }
        let again = run(&corpus, sampler, &["--quiet", "--hz", "1000"], module).profile();
        let behind = absent_leaders(module, &stacks::by_cum(&again, CPU));
        absent.retain(|leader| behind.contains(leader));
    }
    assert!(absent.is_empty(), "{absent:?} are not among the first ten: {:#?}", &by_cum[..12.min(by_cum.len())]);
    for other in module.others {
        assert!(by_cum.iter().any(|(name, _)| name.starts_with(other)), "{other} was never seen: {by_cum:#?}");
    }
    check_by_pprof(&with, "cpu.prof");
    check_heap(&with, module.sites);
}

/// The heap profile leads with what it should; where nothing can be hooked, there is the memory profile instead.
fn check_heap(run: &Run, sites: &[&str]) {
    let [heap, memory] = ["heap.prof", "memory.prof"].map(|file| run.path(file).is_file());
    assert_eq!([heap, memory], [!sites.is_empty(), sites.is_empty()], "the heap and the memory profile");
    if memory {
        return check_by_pprof(run, "memory.prof");
    }
    check_by_pprof(run, "heap.prof");
    let profile = run.heap();
    let by_cum = stacks::by_cum(&profile, column_idx(&profile, "alloc_space").expect("a heap profile"));
    // Half of these are what all else is called from.
    let first = &by_cum[..25.min(by_cum.len())];
    for site in sites {
        assert!(first.iter().any(|(name, _)| name.contains(site)), "{site} is not among {first:#?}");
    }
}

fn check_by_pprof(run: &Run, file: &str) {
    let Some(mut pprof) = pprof("reading the profile") else { return };
    let output = pprof.args(["-top", file]).current_dir(run.dir.path()).output().expect("pprof starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let ours = Wprof::new("top").arg(run.path(file)).finish().expect_code(0);
    assert_eq!(ours.stdout(), String::from_utf8_lossy(&output.stdout), "wprof top and pprof -top");
}

fn cpu_sqlite(sampler: Sampler) {
    check(
        sampler,
        &Module {
            name: "sqlite",
            args: &["/w/bench.sql"],
            leaders: &["sqlite3VdbeExec", "Btree", "Sorter"],
            others: &["pcache1", "c.malloc.malloc"],
            sites: &["sqlite3VdbeExec", "sqlite3BtreeInsert", "sqlite3MemMalloc"],
        },
    );
}

fn cpu_lua(sampler: Sampler) {
    check(
        sampler,
        &Module {
            name: "lua",
            args: &["/w/bench.lua"],
            leaders: &["luaV_execute"],
            others: &["luaH_", "propagatemark", "sweeplist"],
            sites: &["luaV_execute", "luaM_malloc_", "luaC_newobj"],
        },
    );
}

fn cpu_lua_stripped(sampler: Sampler) {
    check(
        sampler,
        &Module {
            name: "lua_stripped",
            args: &["/w/bench.lua"],
            leaders: &["wasm-function["],
            others: &[],
            sites: &[],
        },
    );
}

fn cpu_gofmt(sampler: Sampler) {
    check(
        sampler,
        &Module {
            name: "gofmt",
            args: &["-l", "-s", "/w/ssa"],
            leaders: &["go_printer.", "main.processFile"],
            others: &["go_parser.", "runtime.gc", "runtime.mallocgc"],
            sites: &["main.processFile", "go_parser."],
        },
    );
}

fn cpu_as_bench(sampler: Sampler) {
    check(
        sampler,
        &Module {
            name: "as_bench",
            args: &[],
            leaders: &["bench/queens", "~lib/rt/tlsf/"],
            others: &["~lib/map/Map", "~lib/rt/itcms/__new"],
            sites: &["start:bench", "~lib/string/String.__concat", "~lib/number/I32#toString"],
        },
    );
}

fn icepack_starts(sampler: Sampler) {
    check(sampler, &Module { name: "icepack", args: &[], leaders: &[], others: &[], sites: &[] });
}

/// Without names no allocator can be known: that is said, with what would help.
#[test]
fn a_stripped_modules_heap_is_not_given_up_silently() {
    let Some(modules) = shared("corpus/modules") else { return };
    let options = ["--no-cpu", "--dir", "."];
    let run =
        Wprof::run(&options, modules.join("lua_stripped.wasm"), &["a.lua"]).file("a.lua", "print(#('x'):rep(1000))");
    let run = run.finish().expect_code(0);
    assert_eq!(run.stdout(), "1000\n");
    for text in ["no heap profile", "have no name", "--alloc", "memory.prof"] {
        assert!(run.stderr().contains(text), "no {text:?} in {}", run.stderr());
    }
    check_heap(&run, &[]);
}

/// There is nothing to write yet, and nobody wants to wait for the compiler.
#[test]
fn ctrl_c_during_a_long_compile_quits() {
    let Some(modules) = shared("corpus/modules") else { return };
    let running = Wprof::run(&["-C", "cache=n"], modules.join("gofmt.wasm"), &["-h"]).start();
    std::thread::sleep(std::time::Duration::from_millis(300));
    running.process.signal(Signal::INT);
    let run = running.finish().expect_code(130);
    assert!(!run.path("cpu.prof").exists(), "{}", run.stderr());
}

fn tail_calls_simd_and_gc_run(sampler: Sampler) {
    let Some(features) = shared("corpus/features") else { return };
    for entry in fs::read_dir(features).expect("a folder").flatten() {
        let options = ["--quiet", "--hz", "1000", "--timeout", "60s"];
        let run = Wprof::run_on(sampler, &options, entry.path(), &[]).finish().expect_code(0).expect_sampler(sampler);
        assert_eq!(run.stderr(), "", "{}", entry.path().display());
        check_by_pprof(&run, "cpu.prof");
    }
}

/// The exit code of a guest that was ended after its timeout, as timeout(1) has it.
const TIMED_OUT: i32 = 124;

/// What the corpus says of each file: exit code, and what stderr must hold.
const HOSTILE: [(&str, i32, &str); 12] = [
    ("deep_recursion_ok", 0, ""),
    ("dwarf_invalid", 0, ""),
    ("exit_code_42", 42, ""),
    ("infinite_loop", TIMED_OUT, "timeout"),
    ("name_malformed_len", 0, ""),
    ("name_not_utf8", 0, ""),
    ("not_wasm", 1, "not_wasm.wasm is not WebAssembly: it begins with the bytes 7f 45 4c 46"),
    ("start_section", 0, ""),
    ("trap_unreachable", 134, "wasm trap: wasm `unreachable` instruction executed"),
    ("truncated_sqlite", 1, "truncated_sqlite.wasm: "),
    ("unknown_imports", 1, "unknown import: "),
    ("zero_byte", 1, "zero_byte.wasm is empty"),
];

fn hostile_files_break_nothing(sampler: Sampler) {
    let Some(hostile) = shared("corpus/hostile") else { return };
    let mut n_known = 0;
    for entry in fs::read_dir(hostile).expect("a folder").flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let known = HOSTILE.iter().find(|(known, ..)| *known == name);
        // What ends by itself may have to wait for a busy machine.
        let timeout = if known.is_some_and(|&(_, code, _)| code != TIMED_OUT) { "60s" } else { "3s" };
        let run = Wprof::run_on(sampler, &["--hz", "1000", "--timeout", timeout], &path, &[]).finish();
        assert!(!run.stderr().contains("panicked"), "{name}: {}", run.stderr());
        if let Some(&(_, code, text)) = known {
            n_known += 1;
            assert_eq!(run.code(), code, "{name}: {}", run.stderr());
            assert!(run.stderr().contains(text), "{name}: no {text:?} in {}", run.stderr());
        }
        if run.path("cpu.prof").exists() {
            let run = run.expect_sampler(sampler);
            check_by_pprof(&run, "cpu.prof");
        } else {
            assert_eq!(run.code(), 1, "{name} leaves no profile: {}", run.stderr());
            assert!(run.stderr().contains(&format!("{name}.wasm")), "the file is not named: {}", run.stderr());
        }
    }
    assert_eq!(n_known, HOSTILE.len(), "files are missing");
}

fn a_traps_profile_has_the_functions_that_led_to_it(sampler: Sampler) {
    let Some(hostile) = shared("corpus/hostile") else { return };
    let run = Wprof::run_on(sampler, &["--hz", "10000"], hostile.join("trap_unreachable.wasm"), &[]);
    let run = run.finish().expect_code(134).expect_sampler(sampler);
    let at = |name: &str| run.stderr().find(name).unwrap_or(usize::MAX);
    assert!(at("deep3") < at("deep2") && at("deep2") < at("deep1") && at("deep1") < usize::MAX, "{}", run.stderr());
}

fn a_start_sections_work_is_profiled(sampler: Sampler) {
    let Some(hostile) = shared("corpus/hostile") else { return };
    let run = Wprof::run_on(sampler, &["--hz", "10000"], hostile.join("start_section.wasm"), &[]);
    let run = run.finish().expect_code(0).expect_sampler(sampler);
    let profile = run.profile();
    // What little it does may end before a tick.
    if run.stats().get("guest_cpu_ns") > 1e6 {
        assert!(total(&profile, SAMPLES) > 0, "{:?} {:#?}", run.stats(), lines(&profile, SAMPLES));
    }
}
