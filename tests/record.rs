//! What a CPU profile says is true: shares, totals, waiting, host calls, depth; and it is well-formed at every rate.
#![expect(clippy::expect_used, reason = "a test may stop")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::{Profile, SampleRef};
use support::machine::{guest, pprof, skip};
use support::on_both_samplers;
use support::sampler::Sampler;
use support::stacks::{cum, flat, frames, is_outside, lines, mapping_name, names, total};
use support::wprof::{Run, Wprof};

/// Columns of a CPU profile.
const SAMPLES: usize = 0;
const CPU: usize = 1;

on_both_samplers!(
    cpu_three_functions_have_their_shares,
    cpu_totals_are_the_guests_cpu_time,
    cpu_sleeping_is_not_counted,
    every_rate_gives_a_well_formed_profile,
    host_calls_are_leaves_under_their_callers,
    a_thousand_frames_are_whole,
    past_ten_thousand_frames_the_root_side_is_cut_and_marked,
    a_reactors_export_is_profiled,
    a_component_is_profiled_like_its_module,
    profiling_changes_nothing_that_the_guest_does,
    pprof_reads_every_kind_of_profile_without_a_word,
);

/// Runs a guest of ours at a rate.
fn record(sampler: Sampler, hz: u32, name: &str, args: &[&str]) -> Run {
    record_with(sampler, &["--hz", &hz.to_string()], name, args)
}

fn record_with(sampler: Sampler, options: &[&str], name: &str, args: &[&str]) -> Run {
    Wprof::run_on(sampler, options, guest(name), args).finish().expect_code(0).expect_sampler(sampler)
}

fn percent(part: i64, of: i64) -> f64 {
    100.0 * part as f64 / of as f64
}

fn cpu_three_functions_have_their_shares(sampler: Sampler) {
    // Long enough for 5,000 samples on a machine that gives us a sixth of a processor.
    let profile = record(sampler, 5000, "shares", &["6000"]).profile();
    let all = total(&profile, CPU);
    assert!(total(&profile, SAMPLES) >= 5000, "only {} samples", total(&profile, SAMPLES));
    for (name, share) in [("half", 50.0), ("third", 30.0), ("fifth", 20.0)] {
        let seen = percent(cum(&profile, CPU, name), all);
        assert!(
            (seen - share).abs() <= 2.5,
            "{name} has {seen:.2} %, expected {share} ± 2.5\n{:#?}",
            lines(&profile, 0)
        );
    }
}

fn cpu_totals_are_the_guests_cpu_time(sampler: Sampler) {
    for (name, args) in [
        ("shares", &["1500"][..]),
        ("hostcalls", &["all", "60000"]),
        ("wordbook", &["80"]),
        ("deep", &["100", "1000"]),
        ("reactor", &[]),
    ] {
        let run = if name == "reactor" {
            record_with(sampler, &["--hz", "2000", "--invoke", "work"], name, &["4000"])
        } else {
            record(sampler, 2000, name, args)
        };
        let (profile, guest_cpu) = (run.profile(), run.stats().get("guest_cpu_ns"));
        let n_samples = total(&profile, SAMPLES);
        assert!(n_samples >= 500, "{name}: only {n_samples} samples, too few to tell");
        let off = 100.0 * (total(&profile, CPU) as f64 / guest_cpu - 1.0);
        assert!(off.abs() <= 2.0, "{name}: the total is {off:+.2} % off the guest's CPU time {guest_cpu} ns");
    }
}

fn cpu_sleeping_is_not_counted(sampler: Sampler) {
    let run = record(sampler, 1000, "sleeper", &["5", "200"]);
    let profile = run.profile();
    assert!(profile.duration_nanos() >= 1_000_000_000, "it slept a second, but took {} ns", profile.duration_nanos());
    // It works for some 5 ms; the rest of this is room for a slow machine.
    let cpu = Duration::from_nanos(total(&profile, CPU).unsigned_abs());
    assert!(cpu < Duration::from_millis(200), "a second of sleep became {cpu:?} of CPU: {:#?}", lines(&profile, CPU));
    assert!(run.stats().get("guest_cpu_ns") < 2e8, "{:?}", run.stats());
}

fn every_rate_gives_a_well_formed_profile(sampler: Sampler) {
    for hz in [1, 100, 300, 1000, 10_000] {
        let before = SystemTime::now();
        let profile = record(sampler, hz, "shares", &["400"]).profile();
        let period = 1_000_000_000 / i64::from(hz);
        assert_eq!(profile.period(), period, "at {hz} Hz");
        let name = |id| profile.string(id);
        let types: Vec<_> = profile.sample_types().iter().map(|it| (name(it.kind), name(it.unit))).collect();
        assert_eq!(types, [("samples", "count"), ("cpu", "nanoseconds")]);
        assert_eq!(profile.period_type().map(|it| (name(it.kind), name(it.unit))), Some(("cpu", "nanoseconds")));
        for sample in profile.samples() {
            assert!(sample.values[SAMPLES] >= 0 && sample.values[CPU] >= 0, "{:?}", sample.values);
            assert!(sample.values.iter().any(|value| *value > 0), "a stack for nothing");
            assert!(!sample.locations.is_empty());
            if sampler == Sampler::Epoch {
                assert_eq!(sample.values[CPU], sample.values[SAMPLES] * period);
            }
        }
        // A sample stands for a period of the guest's CPU time, and what is left of a period at the end for none.
        let left = total(&profile, CPU) - total(&profile, SAMPLES) * period;
        assert!((0..period).contains(&left), "{left} ns are left at {hz} Hz");
        let started = UNIX_EPOCH + Duration::from_nanos(profile.time_nanos().unsigned_abs());
        let took = Duration::from_nanos(profile.duration_nanos().unsigned_abs());
        assert!(started + Duration::from_secs(1) >= before, "{started:?} is before the run");
        assert!(started + took <= SystemTime::now() + Duration::from_secs(1), "{started:?} + {took:?} is yet to come");
        assert!(took >= Duration::from_millis(400), "{took:?}");
        let comments: Vec<&str> = profile.comments().collect();
        let line = format!(", {} sampler at {hz} Hz", sampler.name());
        assert!(comments[0].starts_with("# wprof ") && comments[0].ends_with(&line), "{comments:?}");
        assert!(comments.iter().any(|comment| comment.starts_with("# bias: ")), "{comments:?}");
    }
}

fn host_calls_are_leaves_under_their_callers(sampler: Sampler) {
    for (kind, caller, import, n) in [
        ("write", "write_bytes", "fd_write", "50000"),
        ("clock", "read_clock", "clock_time_get", "400000"),
        ("random", "draw_random", "random_get", "10000"),
    ] {
        let profile = record(sampler, 2000, "hostcalls", &[kind, n]).profile();
        let leaf = format!("wasi_snapshot_preview1.{import}");
        let (in_host, in_caller) = (flat(&profile, CPU, &leaf), cum(&profile, CPU, caller));
        assert!(in_host * 2 > in_caller, "{leaf} has {in_host} of {caller}'s {in_caller} ns");
        assert_eq!(cum(&profile, CPU, &leaf), in_host, "nothing is called by a host function");
        for sample in profile.samples() {
            let stack = frames(&profile, &sample);
            if stack.last() == Some(&leaf.as_str()) {
                assert_eq!(mapping_name(&profile, sample.locations[0]), "[host]");
                assert!(mapping_name(&profile, sample.locations[1]).ends_with("hostcalls.wasm"));
            }
        }
        let calls = lines(&profile, SAMPLES);
        assert!(calls.iter().any(|line| line.contains(&format!("hostcalls::{caller};"))), "{calls:#?}");
    }
}

fn a_thousand_frames_are_whole(sampler: Sampler) {
    let profile = record(sampler, 2000, "deep", &["1000", "500"]).profile();
    let deepest = profile.samples().max_by_key(|sample| sample.values[SAMPLES]).expect("samples");
    let stack = frames(&profile, &deepest);
    assert_eq!(stack.iter().filter(|name| name.ends_with("::down")).count(), 1000, "{} frames", stack.len());
    assert!(stack[0].starts_with("_start"), "the root is {}", stack[0]);
    assert!(!names(&profile).contains("[truncated]"));
}

fn past_ten_thousand_frames_the_root_side_is_cut_and_marked(sampler: Sampler) {
    let options = ["--hz", "200", "-W", "max-wasm-stack=67108864"];
    let profile = record_with(sampler, &options, "deep", &["12000", "400"]).profile();
    // A host call at the leaf is one location more.
    let guests = profile.samples().filter(|sample| mapping_name(&profile, sample.locations[0]) != "[host]");
    let deepest = guests.max_by_key(|sample| sample.locations.len()).expect("samples");
    let stack = frames(&profile, &deepest);
    assert_eq!(stack[0], "[truncated]");
    assert_eq!(deepest.locations.len(), 10_001, "10,000 frames and the marker");
    assert!(stack[1..9_990].iter().all(|name| name.ends_with("::down")), "the leaf side is kept");
    assert_eq!(mapping_name(&profile, *deepest.locations.last().expect("the marker")), "[host]");
}

fn a_reactors_export_is_profiled(sampler: Sampler) {
    let add = record_with(sampler, &["--quiet", "--invoke", "add"], "reactor", &["2", "3"]);
    assert_eq!((add.stdout().as_str(), add.stderr()), ("5\n", ""));
    let options = ["--hz", "1000", "--invoke", "work"];
    let work = record_with(sampler, &options, "reactor", &["3000"]).profile();
    let is_ours = |line: &String| line.starts_with("work") || is_outside(line);
    assert!(lines(&work, SAMPLES).iter().all(is_ours), "{:#?}", lines(&work, SAMPLES));
    let is_spin = |sample: &SampleRef<'_>| frames(&work, sample).starts_with(&["work", "reactor::reactor_spin"]);
    let spins: i64 = work.samples().filter(is_spin).map(|sample| sample.values[SAMPLES]).sum();
    // An epoch check is found in the loop, always; a signal may come a step before it. Those without a stack count against it.
    assert!(spins * 100 >= total(&work, SAMPLES) * 98, "{:#?}", lines(&work, SAMPLES));
}

fn a_component_is_profiled_like_its_module(sampler: Sampler) {
    let run = record(sampler, 1000, "shares_component", &["1500"]);
    assert!(run.stdout().starts_with("half "), "{}", run.stdout());
    let profile = run.profile();
    let all = total(&profile, CPU);
    for name in ["half", "third", "fifth"] {
        assert!(percent(cum(&profile, CPU, name), all) > 10.0, "{name} in {:#?}", lines(&profile, CPU));
    }
    // Host calls are named as WIT names them, if the run was long enough to see one.
    let calls = record(sampler, 2000, "shares_component", &["1500"]).profile();
    for name in names(&calls).into_iter().filter(|name| name.starts_with("wasi:") && !name.starts_with("wasi::")) {
        assert!(name.contains("@0.2.") && name.contains('#'), "{name}");
    }
}

fn profiling_changes_nothing_that_the_guest_does(sampler: Sampler) {
    for (name, args, code) in [
        ("hostcalls", &["write", "20000"][..], 0),
        ("wordbook", &["3"], 0),
        ("ends", &["code", "3"], 3),
        ("ends", &["stdin"], 0),
        ("ends", &["stdout", "1000000"], 0),
        ("ends", &["panic"], 134),
        ("allocs", &["100", "64"], 0),
    ] {
        let with = ["--quiet", "--hz", "10000", "--memprofilerate", "1"];
        let [with, without] = [&with[..], &["--quiet", "--no-cpu", "--no-heap"]].map(|options| {
            let run = Wprof::run_on(sampler, options, guest(name), args);
            run.stdin("some text\n".repeat(1000)).finish().expect_code(code)
        });
        assert!(with.ended.stdout == without.ended.stdout, "{name} {args:?}: other output");
        assert_eq!(with.stderr(), without.stderr(), "{name} {args:?}");
        assert_eq!(with.files(), without.files(), "{name} {args:?}");
        for file in ["cpu.prof", "heap.prof"] {
            assert!(with.path(file).is_file());
            assert!(!without.path(file).exists());
        }
    }
}

/// cargo's runner is given the program's path and the arguments of `cargo run`, or those of the test harness.
#[test]
fn works_as_cargos_runner() {
    let run = Wprof::run(&[], guest("shares"), &["50", "--nocapture", "--test-threads=1", "--hz", "7", "-o", "x"]);
    let run = run.finish().expect_code(0);
    assert!(run.stdout().starts_with("half "), "{}", run.stdout());
    assert_eq!(run.profile().period(), 10_000_000, "options after the module are the guest's");
    assert!(!run.path("x").exists());
}

/// What begins with a hyphen before the module is an option of ours, known or not.
#[test]
fn an_unknown_option_is_not_taken_for_the_module() {
    let run = Wprof::run(&["--no-such-option"], guest("shares"), &["50"]).finish().expect_code(2);
    assert!(run.stderr().contains("unexpected argument '--no-such-option'"), "{}", run.stderr());
}

fn pprof_reads_every_kind_of_profile_without_a_word(sampler: Sampler) {
    for (name, options, args) in [
        ("shares", &[][..], &["300"][..]),
        ("shares_names", &[], &["300"]),
        ("shares_dwarf", &[], &["300"]),
        ("shares_stripped", &[], &["300"]),
        ("shares_component", &[], &["300"]),
        ("hostcalls", &[], &["all", "5000"]),
        ("deep", &["-W", "max-wasm-stack=67108864"], &["11000", "50"]),
        ("sleeper", &[], &["1", "1"]),
    ] {
        let Some(mut pprof) = pprof("reading profiles") else { return skip("there is no `go tool pprof`") };
        let run = record_with(sampler, &[&["--hz", "200"], options].concat(), name, args);
        let output = pprof.args(["-top", "cpu.prof"]).current_dir(run.dir.path()).output().expect("pprof starts");
        assert!(output.status.success(), "{name}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
        let top = String::from_utf8_lossy(&output.stdout).into_owned();
        let build_id = build_id(&run.profile());
        for line in [&format!("File: {name}.wasm\n"), &format!("Build ID: {build_id}\n"), "Type: cpu\n"] {
            assert!(top.contains(line), "{name}: no {line:?} in {top}");
        }
    }
}

fn build_id(profile: &Profile) -> String {
    profile.string(profile.mappings()[0].build_id).to_owned()
}
