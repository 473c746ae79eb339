//! What tells the samplers apart, and what must not: straight lines of code, the engine's own work, a host that calls back.
#![expect(clippy::expect_used, reason = "a test may stop")]

use std::sync::Mutex;

use support::machine::guest;
use support::on_both_samplers;
use support::sampler::Sampler;
use support::stacks::{cum, flat, frames, lines, mapping_name, total};
use support::wprof::{Run, Wprof};

const SAMPLES: usize = 0;
const CPU: usize = 1;
const BUILTINS: &str = include_str!("samplers/builtins.wat");
const REENTER: &str = include_str!("samplers/reenter.wat");

on_both_samplers!(
    cpu_a_straight_line_has_its_share,
    the_engines_work_is_a_leaf_below_its_caller,
    a_guest_that_its_host_calls_back,
    the_profile_says_how_it_was_taken,
);

/// Runs a module in text.
fn record(sampler: Sampler, hz: &str, text: &str, args: &[&str]) -> Run {
    let run = Wprof::run_on(sampler, &["--hz", hz], "guest.wat", args).file("guest.wat", text);
    run.finish().expect_code(0).expect_sampler(sampler)
}

/// A signal finds the guest wherever it is. Epoch checks are in loops and at entries only, and the profile owns up to that.
fn cpu_a_straight_line_has_its_share(sampler: Sampler) {
    let record = |ms: &str| {
        let run = Wprof::run_on(sampler, &["--hz", "2000"], guest("straight"), &[ms]).finish();
        run.expect_code(0).expect_sampler(sampler)
    };
    if sampler == Sampler::Epoch {
        let profile = record("100").profile();
        let bias = profile.comments().find(|comment| comment.starts_with("# bias: ")).expect("the bias is stated");
        assert!(bias.contains("straight-line code"), "{bias}");
        return;
    }
    // The guest's clock runs on where others take its processor, so a busy machine gets more than one chance.
    let mut tries = Vec::new();
    loop {
        let faults = straight_faults(&record("3000"));
        if faults.is_empty() {
            break;
        }
        tries.push(faults);
        assert!(tries.len() < 3, "{tries:#?}");
    }
}

/// The shares that are not what the guest measured.
fn straight_faults(run: &Run) -> Vec<String> {
    let profile = run.profile();
    let mut faults = Vec::new();
    for name in ["leaf", "after_a_call", "looped"] {
        let measured = run.stdout().lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        let measured = measured.expect("the guest prints each share");
        let seen = 100.0 * cum(&profile, CPU, name) as f64 / total(&profile, CPU) as f64;
        if (seen - measured).abs() > 2.5 {
            faults.push(format!("{name} has {seen:.2} %, measured {measured:.2} ± 2.5"));
        }
    }
    faults
}

/// Epochs do not see this work at all, and the profile owns up to that too.
fn the_engines_work_is_a_leaf_below_its_caller(sampler: Sampler) {
    let profile = record(sampler, "1000", BUILTINS, &[]).profile();
    let all = total(&profile, CPU);
    assert!(all > 0);
    if sampler == Sampler::Epoch {
        assert!(profile.comments().any(|comment| comment.starts_with("# bias: ") && comment.contains("memory.copy")));
        return;
    }
    for (leaf, caller) in [("[builtin] memory.copy", "copy_blocks"), ("[builtin] memory.fill", "fill_blocks")] {
        let (in_builtin, in_caller) = (flat(&profile, CPU, leaf), cum(&profile, CPU, caller));
        assert!(in_caller * 10 > all, "{caller} has only {in_caller} of {all} ns: {:#?}", lines(&profile, CPU));
        assert!(in_builtin * 10 > in_caller * 9, "{leaf} has {in_builtin} of {caller}'s {in_caller} ns");
        for sample in profile.samples() {
            let stack = frames(&profile, &sample);
            if stack.last() == Some(&leaf) {
                assert_eq!(stack, ["_start", caller, leaf]);
                assert_eq!(mapping_name(&profile, sample.locations[0]), "[host]");
            }
        }
    }
}

/// Stacks then go through the host: from what it called, back to what called it.
fn a_guest_that_its_host_calls_back(sampler: Sampler) {
    let profile = record(sampler, "5000", REENTER, &["a", "number", "of", "arguments", "to", "hand", "over"]).profile();
    let all = total(&profile, CPU);
    assert!(all > 50_000_000, "{all} ns are too few to tell");
    let in_ask = cum(&profile, CPU, "ask");
    assert!(in_ask * 10 > all * 9, "ask has {in_ask} of {all} ns: {:#?}", lines(&profile, CPU));
    for sample in profile.samples() {
        let stack = frames(&profile, &sample);
        if stack.contains(&"cabi_realloc") {
            assert!(stack.starts_with(&["run", "ask"]) && stack.ends_with(&["cabi_realloc"]), "{stack:?}");
        }
    }
    if sampler == Sampler::Signal {
        let called_back = flat(&profile, CPU, "cabi_realloc");
        assert!(called_back * 2 > all, "cabi_realloc has {called_back} of {all} ns: {:#?}", lines(&profile, CPU));
    }
}

/// A sampler that is named is the one that is used, without a word about it; one that is not leaves two to choose from.
fn the_profile_says_how_it_was_taken(sampler: Sampler) {
    let run = Wprof::run_on(sampler, &["--hz", "300"], guest("shares"), &["200"]).finish().expect_code(0);
    assert!(!run.stderr().contains("sampler"), "{}", run.stderr());
    let unnamed = Wprof::run(&["--hz", "300"], guest("shares"), &["200"]).finish().expect_code(0);
    for (run, named) in [(&run, Some(sampler)), (&unnamed, None)] {
        let (stats, profile) = (run.stats(), run.profile());
        let used = stats.text("sampler");
        assert!(named.is_none_or(|named| named.name() == used), "{named:?}, but {stats:?}");
        let comments: Vec<&str> = profile.comments().collect();
        assert!(comments[0].ends_with(&format!(", {used} sampler at 300 Hz")), "{comments:?}");
        // As many overruns as were counted are admitted to.
        let overruns = comments.iter().find_map(|comment| comment.strip_prefix("# overruns: "));
        let overruns = overruns.and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0.0);
        assert_eq!(overruns, stats.get("overruns"), "{comments:?}");
        assert!(total(&profile, SAMPLES) > 0);
    }
    let none = Wprof::run_on(sampler, &["--no-cpu"], guest("shares"), &["20"]).finish().expect_code(0);
    assert_eq!(none.stats().text("sampler"), "none");
}

/// Before each run wprof tries whether signals work here. They do, so it must not find otherwise on a machine that has much
/// to do.
#[test]
fn every_start_finds_that_signals_work() {
    if !Sampler::Signal.is_here("every start") {
        return;
    }
    let start = |_: i32| {
        let run = Wprof::run_on(Sampler::Signal, &["--quiet"], "guest.wat", &[]);
        let run = run.file("guest.wat", "(module (func (export \"_start\")))").finish();
        (run.code() != 0).then(|| run.stderr().to_owned())
    };
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| (0..60).filter_map(start).for_each(|stderr| failed.lock().expect("no panic").push(stderr)));
        }
    });
    let failed = failed.into_inner().expect("no panic");
    assert!(failed.is_empty(), "{} of 720 starts failed: {}", failed.len(), failed[0]);
}
