//! Time that is not CPU time: `--wall` shows it, and no sampler cuts it short.
#![expect(clippy::expect_used, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::process::Command;
use std::time::Duration;

use support::books::rows;
use support::machine::{guest, pprof, skip};
use support::on_both_samplers;
use support::sampler::Sampler;
use support::stacks::{cum, flat, lines, total};
use support::wprof::{Run, Wprof};

const SAMPLES: usize = 0;
const CPU: usize = 1;
const WALL: usize = 2;
const POLL: &str = "wasi_snapshot_preview1.poll_oneoff";

on_both_samplers!(
    cpu_and_wall_of_a_sleeper_are_true,
    wall_is_a_third_value_and_not_the_first_shown,
    waiting_is_not_cut_short,
);

/// Runs the sleeper for a second or more.
fn sleep(sampler: Sampler, options: &[&str], args: &[&str]) -> Run {
    Wprof::run_on(sampler, options, guest("sleeper"), args).finish().expect_code(0).expect_sampler(sampler)
}

/// What is more than 2 % off what the guest measured, or was to do. Time in which it was awake and had no processor may stand with
/// the sleep before: whether it waits for one or for the sleep's end, nobody knows until it is seen at work.
fn faults(run: &Run, asleep: i64) -> Vec<String> {
    let profile = run.profile();
    let took: BTreeMap<String, [i64; 1]> = rows(&run.stdout(), "took");
    let [nap, stretch] = ["nap", "stretch"].map(|name| took[name][0]);
    let unserved = (stretch as f64 - run.stats().get("guest_cpu_ns")).max(0.0);
    let mut faults = Vec::new();
    for (what, seen, truth, may_be_off) in [
        ("the wall time of nap", cum(&profile, WALL, "nap"), nap, unserved),
        ("that of its host call", flat(&profile, WALL, POLL), nap, unserved),
        ("that of stretch", cum(&profile, WALL, "stretch"), stretch, unserved),
        ("all wall time", total(&profile, WALL), nap + stretch, 0.0),
        ("what nap did not use of the CPU", nap - cum(&profile, CPU, "nap"), nap, 0.0),
        ("the time slept", nap, asleep, 0.0),
    ] {
        let (off, truth) = ((seen - truth) as f64, truth as f64);
        if off.abs() > truth / 50.0 + may_be_off {
            let share = 100.0 * off / truth;
            faults.push(format!("{what} is {seen} ns, {share:+.2} % off {truth} ns, of which {may_be_off} ns may be"));
        }
    }
    faults
}

/// 200 ms of sleep in each 300 ms; and that is how long it sleeps, whoever wakes its thread. On a machine that is busy beyond
/// measure a try may fail, as the guest's clock runs on where it does not.
fn cpu_and_wall_of_a_sleeper_are_true(sampler: Sampler) {
    for hz in ["100", "1000", "5000"] {
        let mut tries = Vec::new();
        loop {
            let run = sleep(sampler, &["--wall", "--hz", hz], &["5", "200", "100"]);
            let faults = faults(&run, 1_000_000_000);
            if faults.is_empty() {
                break;
            }
            tries.push(faults);
            assert!(tries.len() < 3, "at {hz} Hz: {tries:#?}");
        }
    }
}

fn wall_is_a_third_value_and_not_the_first_shown(sampler: Sampler) {
    let run = sleep(sampler, &["--wall"], &["2", "200", "50"]);
    let profile = run.profile();
    let name = |id| profile.string(id);
    let types: Vec<_> = profile.sample_types().iter().map(|it| (name(it.kind), name(it.unit))).collect();
    assert_eq!(types, [("samples", "count"), ("cpu", "nanoseconds"), ("wall", "nanoseconds")]);
    assert_eq!(profile.default_sample_type(), Some("cpu"));
    assert_eq!(profile.period_type().map(|it| (name(it.kind), name(it.unit))), Some(("cpu", "nanoseconds")));
    // Waiting alone is no sample.
    for sample in profile.samples() {
        assert!(sample.values[WALL] > 0 || sample.values[CPU] > 0, "a stack for nothing: {:?}", sample.values);
    }
    let n_waiting: i64 = profile.samples().map(|it| if it.values[CPU] == 0 { it.values[SAMPLES] } else { 0 }).sum();
    assert_eq!(n_waiting, 0, "{:#?}", lines(&profile, SAMPLES));

    for (args, shown) in [(&["-top"][..], "cpu"), (&["-top", "-sample_index=wall"], "wall")] {
        let Some(mut pprof) = pprof("reading the profile") else { return skip("there is no `go tool pprof`") };
        let output = pprof.args(args).arg("cpu.prof").current_dir(run.dir.path()).output().expect("pprof starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let top = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(top.contains(&format!("Type: {shown}\n")), "{top}");
        assert!(shown == "cpu" || top.contains(POLL), "{top}");
        let ours = Wprof::new("top").args(&args[1..]).arg("cpu.prof").cd(run.dir.path()).finish().expect_code(0);
        assert_eq!(ours.stdout(), top);
    }
}

/// A system call that a signal interrupts fails unless someone begins it again; the guest must see nothing of that.
fn waiting_is_not_cut_short(sampler: Sampler) {
    let args = ["fifo"];
    let unprofiled = wait(Wprof::run(&["--no-cpu", "--no-heap", "--dir", "."], guest("waits"), &args));
    let options = ["--quiet", "--hz", "5000", "--wall", "--dir", "."];
    let profiled = wait(Wprof::run_on(sampler, &options, guest("waits"), &args)).expect_sampler(sampler);
    for line in ["input within a minute: true\n", "\nopening fifo: errno 0\n"] {
        assert!(unprofiled.stdout().contains(line), "{:.2000}", unprofiled.stdout());
    }
    assert!(profiled.ended.stdout == unprofiled.ended.stdout, "other output: {:.2000}", profiled.stdout());
    let sleeps = rows::<1>(profiled.stderr(), "sleep");
    assert_eq!(sleeps.len(), 5, "{}", profiled.stderr());
    for (asked, [took]) in sleeps {
        let asked: i64 = asked.parse().expect("microseconds");
        // How much longer it takes is for a busy machine to say; one that began anew at each signal would not end.
        assert!((asked..asked + 2_000_000).contains(&took), "a sleep of {asked} µs took {took} µs");
    }
    assert_eq!(profiled.stderr().lines().count(), 5, "{}", profiled.stderr());
}

/// Its input comes in pieces, late, nobody hurries to read what it writes, and who writes to the FIFO lets it wait.
fn wait(wprof: Wprof) -> Run {
    let fifo = wprof.dir().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("there is a mkfifo");
    assert!(made.success());
    let mut running = wprof.read_slowly().start();
    let early = running.process.wait_for_line("input within a millisecond");
    assert!(early.ends_with(": false\n"), "{early}");
    let pieces = (0..60).map(|n| format!("piece {n}{}", if n % 3 == 0 { "\n" } else { ", " }).into_bytes());
    running.process.feed(pieces.collect(), Duration::from_millis(10));
    // After the pieces and the sleeps; opening it waits as well.
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1500));
        OpenOptions::new().write(true).open(fifo)
    });
    running.finish().expect_code(7)
}
