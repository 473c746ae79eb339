//! Where no signal can be had, `auto` samples by epochs and says so; whoever asks for signals is told why not.
#![expect(clippy::expect_used, reason = "a test may stop")]

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::machine::guest;
use support::stacks::{cum, lines, total};
use support::wprof::{Run, Wprof};

const SAMPLES: usize = 0;
const LINE: &str = "wprof: CPU samples are taken by epoch interruption, as the signal sampler cannot be used here: ";

/// Runs where no timer can be made: a timer keeps a signal in reserve, and the wprof inherits that this process may have
/// none. This file is a process of its own, so that no other test does.
fn run_without_timers(options: &[&str]) -> Run {
    // Other systems than Linux have no signal sampler, and should say the same.
    #[cfg(target_os = "linux")]
    {
        let limit = getrlimit(Resource::Sigpending);
        setrlimit(Resource::Sigpending, Rlimit { current: Some(0), ..limit }).expect("a limit may be lowered");
    }
    Wprof::run(options, guest("shares"), &["500"]).finish()
}

#[test]
fn auto_takes_epochs_and_says_why() {
    for options in [&["--hz", "1000"][..], &["--hz", "1000", "--sampler", "auto"]] {
        let run = run_without_timers(options).expect_code(0);
        let reasons: Vec<&str> = run.stderr().lines().filter_map(|line| line.strip_prefix(LINE)).collect();
        assert!(matches!(reasons[..], [reason] if !reason.is_empty()), "{}", run.stderr());
        assert_eq!(run.stats().text("sampler"), "epoch");
        let profile = run.profile();
        let half = cum(&profile, SAMPLES, "half");
        assert!(half * 4 > total(&profile, SAMPLES) && half > 50, "{:#?}", lines(&profile, SAMPLES));
        assert!(profile.comments().any(|comment| comment.ends_with(", epoch sampler at 1000 Hz")));
    }
}

/// `--quiet` leaves errors only, and this is none.
#[test]
fn quiet_is_quiet() {
    let run = run_without_timers(&["--quiet"]).expect_code(0);
    assert_eq!(run.stderr(), "");
    assert_eq!(run.stats().text("sampler"), "epoch");
}

/// Where no CPU samples are asked for, nobody cares.
#[test]
fn without_samples_there_is_nothing_to_say() {
    let run = run_without_timers(&["--no-cpu"]).expect_code(0);
    assert!(!run.stderr().contains("sampl"), "{}", run.stderr());
}

#[test]
fn who_asks_for_signals_is_refused() {
    let auto = run_without_timers(&[]);
    let reason = auto.stderr().lines().find_map(|line| line.strip_prefix(LINE)).expect("auto says why");
    let run = run_without_timers(&["--sampler", "signal"]).expect_code(1);
    assert!(run.stderr().contains("error: ") && run.stderr().contains(reason), "{reason}: {}", run.stderr());
    assert_eq!(run.stdout(), "", "the guest was run");
    assert!(!run.path("cpu.prof").exists());
}
