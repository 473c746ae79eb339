//! However a guest ends, its profile is whole, and the exit code and the message are right.

use std::time::Duration;

use proto::{Profile, SampleRef};
use support::books::block_bytes;
use support::machine::{guest, pprof};
use support::on_both_samplers;
use support::running::Signal;
use support::sampler::Sampler;
use support::stacks::{cum, lines, total};
use support::wprof::{Run, RunningWprof, Wprof};

const SAMPLES: usize = 0;
const ALLOC_OBJECTS: usize = 0;
const INUSE_OBJECTS: usize = 2;
const NEVER_ENDS: &str = include_str!("endings/signals.wat");

on_both_samplers!(
    by_itself,
    by_a_trap,
    a_trap_shows_its_backtrace,
    by_its_timeout,
    a_guest_that_ends_in_time_has_no_timeout,
    by_a_signal,
    a_waiting_guest_costs_no_cpu_until_it_is_ended,
    a_second_ctrl_c_quits_at_once,
);

/// The profiles that every run must leave: the CPU's, with the work on it that was done before the end, and the heap's.
fn check_profile(run: &Run) -> Profile {
    let profile = run.profile();
    let busy = cum(&profile, SAMPLES, "busy");
    assert!(busy > 0, "`busy` is on no stack: {:#?}; stderr: {}", lines(&profile, SAMPLES), run.stderr());
    assert!(profile.duration_nanos() > 0);
    let heap = run.heap();
    assert!(total(&heap, ALLOC_OBJECTS) > 0, "no block was recorded; stderr: {}", run.stderr());
    for file in ["cpu.prof", "heap.prof"] {
        if let Some(mut pprof) = pprof("reading the profiles") {
            let output = pprof.args(["-top", file]).current_dir(run.dir.path()).output();
            let is_good = output.as_ref().is_ok_and(|output| output.status.success() && output.stderr.is_empty());
            assert!(is_good, "{output:?}");
        }
    }
    let n_files = run.dir.path().read_dir().map_or(0, Iterator::count);
    // Two profiles, the figures, and at most the guest.
    assert!(n_files <= 4, "a temporary file is left: {:?}", run.files().keys());
    profile
}

/// Often enough that samples fall into the last moments too.
const OFTEN: [&str; 4] = ["--hz", "5000", "--memprofilerate", "1"];

fn ends(sampler: Sampler, options: &[&str], args: &[&str], code: i32) -> Run {
    let run = Wprof::run_on(sampler, &[&OFTEN, options].concat(), guest("ends"), args);
    run.finish().expect_code(code).expect_sampler(sampler)
}

fn by_itself(sampler: Sampler) {
    for (args, code) in [
        (&["return", "300"][..], 0),
        (&["code", "3", "300"], 3),
        (&["exit", "0", "300"], 0),
        (&["exit", "7", "300"], 7),
        (&["exit", "125", "300"], 125),
    ] {
        let run = ends(sampler, &[], args, code);
        check_profile(&run);
        assert!(!run.stderr().contains("Error"), "{args:?}: {}", run.stderr());
    }
}

fn by_a_trap(sampler: Sampler) {
    for (options, how, code, message) in [
        (&[][..], "trap", 134, "wasm trap: wasm `unreachable` instruction executed"),
        (&[], "panic", 134, "asked to panic"),
        (&[], "bounds", 134, "out of bounds memory access"),
        (&[], "overflow", 134, "wasm trap: call stack exhausted"),
        (&["-W", "max-wasm-stack=4194304"], "overflow", 134, "wasm trap: call stack exhausted"),
        (&["-W", "max-memory-size=33554432"], "memory", 134, "memory allocation of 1048576 bytes failed"),
        // Not a trap of the guest's, but an error of the host's: wasmtime exits with 1 here.
        (&["-W", "max-memory-size=33554432,trap-on-grow-failure"], "memory", 1, "forcing trap when growing memory"),
    ] {
        let run = ends(sampler, options, &[how, "300"], code);
        check_profile(&run);
        assert!(run.stderr().contains(message), "{how}: no {message:?} in {}", run.stderr());
        assert!(run.stderr().contains("Error: failed to run main module"), "{how}: {}", run.stderr());
    }
}

/// Where a trap happened is said as wasmtime says it: a backtrace of the innermost frames.
fn a_trap_shows_its_backtrace(sampler: Sampler) {
    let run = ends(sampler, &["--quiet"], &["trap", "50"], 134);
    let backtrace = run.stderr();
    assert!(backtrace.contains("error while executing at wasm backtrace:"), "{backtrace}");
    assert!(backtrace.contains("::trap\n"), "{backtrace}");
    let overflow = ends(sampler, &["--quiet"], &["overflow", "50"], 134);
    let n_frames = overflow.stderr().lines().filter(|line| line.contains("::overflow")).count();
    assert!((10..=40).contains(&n_frames), "a backtrace of {n_frames} frames is too much, or too little");
}

fn by_its_timeout(sampler: Sampler) {
    for how in ["spin", "sleep"] {
        let run = ends(sampler, &["--timeout", "1s"], &[how, "300"], 124);
        let profile = check_profile(&run);
        assert!(run.stderr().contains("timeout of 1s"), "{how}: {}", run.stderr());
        let took = Duration::from_nanos(profile.duration_nanos().unsigned_abs());
        // The clock of the timeout starts a moment before the guest does.
        assert!(took >= Duration::from_millis(900), "{how}: {took:?}");
    }
}

fn a_guest_that_ends_in_time_has_no_timeout(sampler: Sampler) {
    check_profile(&ends(sampler, &["--timeout", "10m"], &["exit", "5", "300"], 5));
}

/// A guest that has worked and is now in its own code, or waits in a host call.
fn never_ends(sampler: Sampler, hz: &str, how: &str) -> RunningWprof {
    let options = ["--hz", hz, "--memprofilerate", "1", "--invoke", how];
    let mut running = Wprof::run_on(sampler, &options, "guest.wat", &[]).file("guest.wat", NEVER_ENDS).start();
    running.process.wait_for_line("ready");
    running
}

fn by_a_signal(sampler: Sampler) {
    for how in ["spin", "read", "sleep"] {
        for (signal, code, message) in [(Signal::INT, 130, "Ctrl-C"), (Signal::TERM, 143, "signal 15")] {
            let running = never_ends(sampler, "5000", how);
            running.process.signal(signal);
            let run = running.finish().expect_code(code).expect_sampler(sampler);
            check_profile(&run);
            assert!(run.stderr().contains(message), "{how}: {}", run.stderr());
        }
    }
}

fn a_waiting_guest_costs_no_cpu_until_it_is_ended(sampler: Sampler) {
    let running = never_ends(sampler, "1000", "sleep");
    std::thread::sleep(Duration::from_secs(1));
    running.process.signal(Signal::INT);
    let profile = check_profile(&running.finish().expect_code(130).expect_sampler(sampler));
    let (all, busy) = (total(&profile, SAMPLES), cum(&profile, SAMPLES, "busy"));
    assert!(all - busy < 100, "{} of {all} samples are elsewhere: {:#?}", all - busy, lines(&profile, SAMPLES));
    assert!(profile.duration_nanos() >= 1_000_000_000);
}

/// The first Ctrl-C gives a guest that waits in a host call a moment to come back; the second does not wait for that. On a
/// busy machine the second may come too late, so this asks only that it works once in a few times.
fn a_second_ctrl_c_quits_at_once(sampler: Sampler) {
    let quits = |_: &i32| {
        let running = never_ends(sampler, "1000", "read");
        running.process.signal(Signal::INT);
        std::thread::sleep(Duration::from_millis(30));
        running.process.signal(Signal::INT);
        let run = running.finish().expect_code(130);
        if run.path("cpu.prof").exists() {
            check_profile(&run);
            return false;
        }
        true
    };
    assert!((0..10).any(|n| quits(&n)), "it always waited and wrote the profile");
}

/// What a guest holds when its memory is full is on the profile, and the block that it did not get is not.
#[test]
fn out_of_memory_shows_what_was_held() {
    let options = ["--hz", "1000", "--memprofilerate", "1", "-W", "max-memory-size=33554432"];
    let run = Wprof::run(&options, guest("ends"), &["memory", "100"]).finish().expect_code(134);
    check_profile(&run);
    let heap = run.heap();
    let is_big = |sample: &SampleRef<'_>| block_bytes(&heap, sample) == Some(1 << 20);
    let held: i64 = heap.samples().filter(is_big).map(|sample| sample.values[INUSE_OBJECTS]).sum();
    // A module's own data and the rest of the heap are in the 32 MiB as well.
    assert!((20..32).contains(&held), "{held} blocks of 1 MiB: {:#?}", lines(&heap, INUSE_OBJECTS));
    assert!(cum(&heap, ALLOC_OBJECTS, "exhaust_memory") >= held);
}

/// A guest that was never entered has no profile; an older one stays as it was.
#[test]
fn a_guest_that_cannot_start_leaves_old_profiles_alone() {
    for (name, text) in [("broken.wasm", "\0asm rubbish"), ("unknown.wat", "(module (import \"a\" \"b\" (func)))")] {
        let files = ["cpu.prof", "heap.prof", "memory.prof"];
        let run = files.iter().fold(Wprof::run(&[], name, &[]).file(name, text), |run, file| run.file(file, "old"));
        let run = run.finish().expect_code(1);
        for file in files {
            let old = std::fs::read(run.path(file)).expect("it was there before");
            assert_eq!(old, b"old", "{name}: {file}");
        }
    }
}
