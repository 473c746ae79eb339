//! A guest that never checks anything, or sits in a host call: it is ended when that is asked for, and says where it is.

use std::time::{Duration, Instant};

use proto::Profile;
use support::on_both_samplers;
use support::running::Signal;
use support::sampler::Sampler;
use support::stacks::{self, flat, lines, total};
use support::wprof::{Run, RunningWprof, Wprof};

const SAMPLES: usize = 0;
const WALL: usize = 2;
const FD_READ: &str = "wasi_snapshot_preview1.fd_read";
const GUEST: &str = include_str!("endings/endless.wat");

on_both_samplers!(
    a_loop_is_ended_by_its_timeout,
    a_loop_is_ended_by_a_signal,
    a_host_call_is_ended,
    without_profiles_too,
    a_loop_tells_where_it_is,
    a_host_call_tells_where_it_is,
    a_deep_stack_tells_where_it_is,
    who_asks_often_changes_nothing,
);

fn guest(sampler: Sampler, options: &[&str], export: &str) -> Wprof {
    let options = [options, &["--invoke", export]].concat();
    Wprof::run_on(sampler, &options, "guest.wat", &[]).file("guest.wat", GUEST)
}

/// A guest that has got to where it stays.
fn start(sampler: Sampler, options: &[&str], export: &str) -> RunningWprof {
    let mut running = guest(sampler, options, export).start();
    running.process.wait_for_line("ready");
    running
}

/// A guest that is in one function until its end has that as the leaf of its samples.
fn expect_leaf(run: &Run, leaf: &str) -> Profile {
    let profile = run.profile();
    let (of_leaf, all) = (flat(&profile, SAMPLES, leaf), total(&profile, SAMPLES));
    // What comes before the loop is a host call, which takes long where the machine is busy.
    let is_leaf = of_leaf >= 20 && of_leaf * 10 >= all * 8;
    assert!(is_leaf, "{leaf} has {of_leaf} of {all} samples: {:#?}", lines(&profile, SAMPLES));
    profile
}

fn a_loop_is_ended_by_its_timeout(sampler: Sampler) {
    for (export, leaf) in [("empty", "empty_loop"), ("storing", "storing_loop")] {
        let run = guest(sampler, &["--hz", "1000", "--timeout", "500ms"], export).finish();
        let run = run.expect_code(124).expect_sampler(sampler);
        let took = Duration::from_nanos(expect_leaf(&run, leaf).duration_nanos().unsigned_abs());
        assert!(took >= Duration::from_millis(450), "{export}: {took:?}");
        assert!(run.stderr().contains("timeout of 500ms"), "{export}: {}", run.stderr());
    }
}

/// A guest that does not answer is waited for 300 ms, and left then. One that is in its own code need not be.
const PROMPT: Duration = Duration::from_millis(250);
/// One in a host call that waits.
const IN_THE_END: Duration = Duration::from_secs(1);

/// Ends a guest by a signal, within this time. On a busy machine it may take longer, so it gets more than one chance.
fn end(sampler: Sampler, options: &[&str], export: &str, (signal, code): (Signal, i32), within: Duration) -> Run {
    let mut times = Vec::new();
    loop {
        let running = start(sampler, options, export);
        std::thread::sleep(Duration::from_millis(200));
        let asked = Instant::now();
        running.process.signal(signal);
        let run = running.finish().expect_code(code).expect_sampler(sampler);
        times.push(asked.elapsed());
        if times.last().is_some_and(|took| *took < within) {
            return run;
        }
        assert!(times.len() < 5, "{export}: the end took {times:?}");
    }
}

fn a_loop_is_ended_by_a_signal(sampler: Sampler) {
    for (export, leaf) in [("empty", "empty_loop"), ("storing", "storing_loop")] {
        for (signal, message) in [((Signal::INT, 130), "Ctrl-C"), ((Signal::TERM, 143), "signal 15")] {
            let run = end(sampler, &["--hz", "1000"], export, signal, PROMPT);
            expect_leaf(&run, leaf);
            assert!(run.stderr().contains(message), "{export}: {}", run.stderr());
        }
    }
}

/// With `--wall` the profile shows where it waited, and how long.
fn a_host_call_is_ended(sampler: Sampler) {
    let check = |run: &Run, at_least: i64| {
        let profile = run.profile();
        let waited = flat(&profile, WALL, FD_READ);
        assert!(waited >= at_least, "{waited} ns: {:#?}", lines(&profile, WALL));
    };
    let options = ["--hz", "1000", "--wall"];
    for signal in [(Signal::INT, 130), (Signal::TERM, 143)] {
        check(&end(sampler, &options, "reading", signal, IN_THE_END), 190_000_000);
    }
    let options = [&options[..], &["--timeout", "500ms"]].concat();
    // Its stdin stays open.
    let run = guest(sampler, &options, "reading").start().finish().expect_code(124).expect_sampler(sampler);
    check(&run, 400_000_000);
}

/// Nobody samples then, and nothing need be in the guest's code that checks.
fn without_profiles_too(sampler: Sampler) {
    for export in ["empty", "storing", "reading"] {
        let options = ["--no-cpu", "--no-heap"];
        let with_timeout = [&options[..], &["--timeout", "300ms"]].concat();
        let run = guest(sampler, &with_timeout, export).start().finish().expect_code(124);
        assert!(run.stderr().contains("timeout of 300ms"), "{export}: {}", run.stderr());
        assert!(!run.path("cpu.prof").exists() && !run.path("heap.prof").exists());
        let running = start(sampler, &options, export);
        running.process.signal(Signal::INT);
        let run = running.finish().expect_code(130);
        assert!(run.stderr().contains("Ctrl-C"), "{export}: {}", run.stderr());
    }
}

/// Asks a guest where it is; the answer is this many of its innermost frames, by name. The first answers may still be out of
/// the host call that printed `ready`.
fn ask(running: &mut RunningWprof, n_frames: usize) -> Vec<String> {
    let mut frames = Vec::new();
    for _ in 0..50 {
        running.process.signal(Signal::QUIT);
        let answer = running.process.wait_for_message("the guest's stack");
        assert_eq!(answer, "wprof: the guest's stack:\n");
        let mut frame = |idx: usize| running.process.wait_for_message(&format!(" {idx}: "));
        frames = (0..n_frames).map(|idx| name(&frame(idx))).collect();
        if frames[0] != "wasi_snapshot_preview1.fd_write" {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    frames
}

/// The name in `    1: name at 0x123`.
fn name(line: &str) -> String {
    let (_, frame) = line.split_once(": ").unwrap_or_default();
    frame.split_once(" at ").map_or(frame, |(name, _)| name).trim_end().to_owned()
}

fn a_loop_tells_where_it_is(sampler: Sampler) {
    let mut running = start(sampler, &["--hz", "1000"], "ending");
    assert_eq!(ask(&mut running, 2), ["long_loop", "ending"]);
    let run = running.finish().expect_code(0).expect_sampler(sampler);
    assert_eq!(run.stdout(), "done\n");
    expect_leaf(&run, "long_loop");
    // One that goes on for ever can be asked again, and still be ended.
    for (export, leaf) in [("empty", "empty_loop"), ("storing", "storing_loop")] {
        let mut running = start(sampler, &["--hz", "1000"], export);
        for _ in 0..3 {
            assert_eq!(ask(&mut running, 2), [leaf, export]);
            std::thread::sleep(Duration::from_millis(50));
        }
        running.process.signal(Signal::TERM);
        expect_leaf(&running.finish().expect_code(143).expect_sampler(sampler), leaf);
    }
}

fn a_host_call_tells_where_it_is(sampler: Sampler) {
    let mut running = start(sampler, &["--hz", "1000"], "reading");
    for _ in 0..3 {
        assert_eq!(ask(&mut running, 3), [FD_READ, "waiting", "reading"]);
    }
    running.process.write_stdin(b"input\n".to_vec());
    let run = running.finish().expect_code(0).expect_sampler(sampler);
    assert_eq!(run.stdout(), "done\n");
}

/// Only the innermost frames are shown, and how many there are beside.
fn a_deep_stack_tells_where_it_is(sampler: Sampler) {
    let mut running = start(sampler, &["--hz", "1000"], "deep");
    let frames = ask(&mut running, 51);
    assert_eq!((frames[0].as_str(), frames[50].as_str()), ("long_loop", "… and 252 more"));
    assert!(frames[1..50].iter().all(|frame| frame == "deeper"), "{frames:#?}");
    let run = running.finish().expect_code(0).expect_sampler(sampler);
    assert_eq!(run.stdout(), "done\n");
    let profile = expect_leaf(&run, "long_loop");
    let deepest =
        profile.samples().max_by_key(|sample| sample.values[SAMPLES]).map(|it| stacks::frames(&profile, &it).len());
    assert_eq!(deepest, Some(302));
}

/// However often somebody asks, the guest ends as it would have.
fn who_asks_often_changes_nothing(sampler: Sampler) {
    let running = start(sampler, &["--hz", "5000"], "ending");
    for _ in 0..20 {
        running.process.signal(Signal::QUIT);
        std::thread::sleep(Duration::from_millis(5));
    }
    let run = running.finish().expect_code(0).expect_sampler(sampler);
    assert_eq!(run.stdout(), "done\n");
    assert!(run.stderr().contains("0: long_loop at "), "{}", run.stderr());
}
