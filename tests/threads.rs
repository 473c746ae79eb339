//! Guests with threads: `wasi.thread-spawn`, a memory that is shared, and atomics.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proto::{Profile, SampleRef};
use support::gos::labels;
use support::on_both_samplers;
use support::sampler::Sampler;
use support::stacks::{cum, frames, lines, total};
use support::wprof::{Run, Wprof, read_profile};

on_both_samplers!(
    who_wakes_threads_has_made_them_wait,
    every_thread_is_sampled,
    threads_that_end_before_a_tick_comes_are_seen_together,
    a_block_may_be_freed_by_another_thread,
    a_thread_that_exits_or_traps_ends_the_guest,
    a_guest_ends_with_its_main_thread_and_can_be_ended,
    memory_that_grows_in_a_thread_is_seen,
    every_thread_has_labels_of_its_own
);

/// Runs one of the scenarios.
fn run(sampler: Sampler, options: &[&str], scenario: &str) -> Run {
    let guest = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("threads/guest.wat")).unwrap();
    let run = Wprof::new("run").file("guest.wat", &guest).args(["--sampler", sampler.name()]).args(options);
    run.args(["--invoke", scenario, "guest.wat"]).finish()
}

/// Values of the stacks whose innermost functions are these, the outermost of them first.
fn of<const N: usize>(profile: &Profile, innermost: &[&str]) -> [i64; N] {
    let is_it = |stack: &[&str]| stack.ends_with(innermost);
    let found = profile.samples().filter(|sample| is_it(&frames(profile, sample)));
    let sums = found.fold([0; N], |sums, sample| std::array::from_fn(|at| sums[at] + sample.values[at]));
    assert_ne!(sums, [0; N], "{innermost:?} is not among {:?}", lines(profile, 0));
    sums
}

fn who_wakes_threads_has_made_them_wait(sampler: Sampler) {
    let files = ["--wall", "--blockprofile", "block.prof", "--mutexprofile", "mutex.prof"];
    // Without a heap profile too, the guest tells of its threads.
    for options in [&files[..], &[&files[..], &["--no-heap"]].concat()] {
        let run = run(sampler, options, "waiters").expect_code(0);
        let mutex = read_profile(&run.path("mutex.prof"));
        let [count, delay] = of(&mutex, &["holder", "unlock"]);
        assert_eq!(count, 1);
        // Five times 200 ms, and on a machine with other work somewhat more.
        assert!((1_000_000_000..1_500_000_000).contains(&delay), "{delay}");
        let block = read_profile(&run.path("block.prof"));
        let [count, delay] = of(&block, &["waiter", "lock", "[builtin] memory.atomic.wait32"]);
        assert!(count >= 5 && (1_000_000_000..1_500_000_000).contains(&delay), "{count} {delay}");
        let [count, slept] = of(&block, &["sleep", "wasi_snapshot_preview1.poll_oneoff"]);
        // Threads wait where they waited.
        let [_, _, wall] = of(&run.profile(), &["waiter", "lock", "[builtin] memory.atomic.wait32"]);
        assert!((950_000_000..1_500_000_000).contains(&wall), "{wall}");
        assert!(count == 1 && (199_000_000..300_000_000).contains(&slept), "{slept}");
    }
}

fn every_thread_is_sampled(sampler: Sampler) {
    let run = run(sampler, &[], "burners").expect_code(0);
    let cpu = run.profile();
    let all = total(&cpu, 1);
    for thread in ["burn_one", "burn_two", "burn_three"] {
        let share = cum(&cpu, 1, thread) as f64 / all as f64;
        // The same work, but not the same time where threads share a core with others.
        assert!((0.2..0.6).contains(&share), "{thread}: {share} of {all}");
    }
    assert!(cum(&cpu, 1, "wasi_thread_start") * 20 > all * 19);
}

fn threads_that_end_before_a_tick_comes_are_seen_together(sampler: Sampler) {
    let run = run(sampler, &[], "shorts").expect_code(0);
    let cpu = run.profile();
    let (all, of_threads) = (total(&cpu, 1), cum(&cpu, 1, "short"));
    // 300 times some hundred microseconds of work, and as long again for wprof to begin a thread.
    assert!(of_threads * 3 > all && of_threads > 50_000_000, "{of_threads} of {all}: {:?}", lines(&cpu, 1));
}

fn a_block_may_be_freed_by_another_thread(sampler: Sampler) {
    let run = run(sampler, &["--memprofilerate", "1"], "blocks").expect_code(0);
    let heap = run.heap();
    assert_eq!(of(&heap, &["keeper"]), [10, 10_000, 6, 6_000]);
    assert_eq!(of(&heap, &["blocks"]), [2, 1_400, 1, 700]);
    assert!(run.stderr().contains("hooked: malloc, free"), "{}", run.stderr());
}

fn a_thread_that_exits_or_traps_ends_the_guest(sampler: Sampler) {
    let exits = run(sampler, &[], "exits").expect_code(33);
    assert!(
        cum(&exits.profile(), 1, "exiter") > 0 && cum(&exits.profile(), 1, "exits") > 0,
        "{:?}",
        lines(&exits.profile(), 1)
    );
    let traps = run(sampler, &[], "traps").expect_code(134);
    assert!(cum(&traps.profile(), 1, "trapper") > 0);
    let said = traps.stderr();
    assert!(
        said.contains("failed to run thread 2") && said.contains("unreachable") && said.contains("trapper"),
        "{said}"
    );
}

fn a_guest_ends_with_its_main_thread_and_can_be_ended(sampler: Sampler) {
    let returns = run(sampler, &[], "returns").expect_code(0);
    assert!(cum(&returns.profile(), 1, "endless") > 0 && cum(&returns.profile(), 1, "burn") > 0);
    let never = run(sampler, &["--timeout", "500ms"], "never").expect_code(124);
    assert!(cum(&never.profile(), 1, "endless") > 0, "{:?}", lines(&never.profile(), 1));
}

fn memory_that_grows_in_a_thread_is_seen(sampler: Sampler) {
    let run = run(sampler, &["--memoryprofile", "memory.prof"], "grows").expect_code(0);
    let memory = read_profile(&run.path("memory.prof"));
    let grown: Vec<String> = lines(&memory, 1).into_iter().filter(|line| line.contains("grower")).collect();
    assert_eq!(grown.len(), 1, "{:?}", lines(&memory, 1));
    assert!(grown[0].contains("wasi_thread_start;grower") && grown[0].ends_with(&format!(" {}", 5 << 16)), "{grown:?}");
    assert_eq!(total(&memory, 1), 8 << 16, "with its first size");
}

fn every_thread_has_labels_of_its_own(sampler: Sampler) {
    let run = run(sampler, &[], "labels").expect_code(0);
    let cpu = run.profile();
    for (function, value) in [("has_makers", "a"), ("has_own", "b"), ("keeps_its_own", "a")] {
        let is_its = |sample: &SampleRef<'_>| frames(&cpu, sample).contains(&function);
        let found: Vec<_> = cpu.samples().filter(is_its).map(|sample| labels(&cpu, &sample)).collect();
        assert_eq!(found, [BTreeMap::from([("k".to_owned(), value.to_owned())])], "{function}");
    }
}

#[test]
fn threads_have_one_world_and_sleep_apart() {
    let writes = run(Sampler::Signal, &["--dir", "."], "writes").expect_code(0);
    assert_eq!(writes.stdout(), "from a thread\n");
    assert_eq!(fs::read_to_string(writes.path("shared.txt")).unwrap(), "from a thread\n");
    let sleeps = run(Sampler::Signal, &["--timeout", "60s"], "sleeps").expect_code(0);
    assert_eq!(sleeps.stdout(), "from a thread\n");
}

/// Built as guests with threads are, but what begins some is not called, so the linker has left it out.
#[test]
fn a_guest_that_could_have_threads_needs_none() {
    let guest = r#"(module (import "env" "memory" (memory 1 4 shared)) (export "memory" (memory 0))
        (func (export "malloc") (param i32) (result i32) (i32.atomic.rmw.add (i32.const 16) (local.get 0)))
        (func (export "free") (param i32))
        (func $taker (drop (call 0 (i32.const 100))) (call 1 (call 0 (i32.const 30))))
        (func (export "_start") (i32.store (i32.const 16) (i32.const 1024)) (call $taker)))"#;
    let run = Wprof::new("run").file("guest.wat", guest).args(["--memprofilerate", "1", "guest.wat"]).finish();
    assert_eq!(of(&run.expect_code(0).heap(), &["taker"]), [2, 130, 1, 100]);
}

#[test]
fn what_cannot_be_is_said() {
    let begins = r#"(module (import "env" "memory" (memory 1 1 shared))
        (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
        (func (export "_start") (drop (call $spawn (i32.const 0))) (loop $forever (br $forever))))"#;
    let run = Wprof::new("run").file("guest.wat", begins).arg("guest.wat").finish().expect_code(1);
    assert!(run.stderr().contains("threads begin in an export wasi_thread_start"), "{}", run.stderr());
    let off = Wprof::new("run").file("guest.wat", begins).args(["-S", "threads=n", "guest.wat"]).finish();
    let off = off.expect_code(1);
    assert!(off.stderr().contains("unknown import"), "{}", off.stderr());
}
