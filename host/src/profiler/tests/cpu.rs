//! CPU time of several stores.

use super::*;
use crate::sample::CpuClock;

/// Has the guest use so many seconds of CPU time, in calls much shorter than a period or longer; what it has used.
fn spin(run: &mut Run, seconds: f64, rounds: i32) -> f64 {
    let mut used = 0.0;
    while used < seconds {
        let before = CpuClock::now();
        run.call("spin", rounds).unwrap();
        used += (CpuClock::now() - before) as f64 / 1e9;
    }
    used
}

/// Seconds of CPU time in a profile, of which nearly all must be in the guest's loop.
fn seconds(profile: &Profile) -> f64 {
    let stacks = stacks(profile);
    let in_loop: i64 = stacks.iter().filter(|it| it.0.starts_with("loop;spin")).map(|it| it.1).sum();
    let all = totals(profile)[0];
    assert!(in_loop * 10 > all * 8, "{in_loop} of {all}: {stacks:?}");
    totals(profile)[1] as f64 / 1e9
}

/// The clock of each call stops a little later than the sampler's.
fn assert_near(found: f64, expected: f64) {
    assert!((0.85 * expected - 0.01..1.02 * expected + 0.01).contains(&found), "{found} s of {expected} s");
}

fn two_stores_add_up(sampler: CpuSampler) {
    for rounds in [100_000, 30_000_000] {
        let embedder = Embedder::new(cpu(sampler, 1000));
        let work = || spin(&mut embedder.run(), 0.2, rounds);
        let used: f64 = std::thread::scope(|scope| {
            let threads = [scope.spawn(work), scope.spawn(work)];
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let mut last = embedder.run();
        let used = used + spin(&mut last, 0.2, rounds);
        let profile = embedder.profiler.profile("cpu").unwrap();
        assert_near(seconds(&profile), used);
        drop(last);
        assert!(embedder.profiler.profile("cpu").is_err(), "it has ended");
    }
}

#[test]
fn samples_of_stores_add_up_by_signal() {
    two_stores_add_up(CpuSampler::Auto);
}

#[test]
fn samples_of_stores_add_up_by_epoch() {
    two_stores_add_up(CpuSampler::Epoch);
}

/// Stores that are much shorter than a period are sampled as long ones are: one in many, which stands for all.
fn short_stores_are_sampled(sampler: CpuSampler) {
    let embedder = Embedder::new(cpu(sampler, 100));
    let mut used = 0.0;
    while used < 0.6 {
        used += spin(&mut embedder.run(), 0.0001, 1_000_000);
    }
    assert_near(seconds(&embedder.profiler.profile("cpu").unwrap()), used);
}

#[test]
fn short_stores_are_sampled_by_signal() {
    short_stores_are_sampled(CpuSampler::Auto);
}

#[test]
fn short_stores_are_sampled_by_epoch() {
    short_stores_are_sampled(CpuSampler::Epoch);
}

#[test]
fn a_profile_begins_and_ends_while_stores_run() {
    let embedder = Embedder::new(Options { cpu: None, ..cpu(CpuSampler::Auto, 0) });
    let mut run = embedder.run();
    spin(&mut run, 0.05, 100_000);
    assert!(embedder.profiler.profile("cpu").is_err(), "nobody has begun one");
    let options = CpuOptions { hz: 1000, has_wall: false };
    embedder.profiler.start_cpu(options).unwrap();
    assert!(embedder.profiler.start_cpu(options).is_err(), "one at a time");
    let used = spin(&mut run, 0.2, 100_000);
    assert_near(seconds(&embedder.profiler.profile("cpu").unwrap()), used);
}

#[test]
fn nothing_needs_to_be_measured() {
    let embedder = Embedder::new(Options { cpu: None, ..cpu(CpuSampler::Auto, 0) });
    embedder.run().call("allocate", 3).unwrap();
    assert_eq!(embedder.totals("heap"), [0; 4]);
    let error = embedder.profiler.profile("nonsense").unwrap_err();
    assert_eq!(error.to_string(), r#"there is no profile "nonsense""#);
    // Without hooks nothing is rewritten, so the file is compiled as it is.
    assert!(embedder.guest.0.armed.is_none());
}
