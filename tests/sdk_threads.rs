//! Guests with threads and wprof's SDK, in C and in Rust, do what Go's `sync.go` and `goro.go` do with goroutines: the same waits,
//! and the same contexts.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proto::{Limits, Profile, SampleRef, decode};
use support::gos::{golden, labels, plain, threaded_guest};
use support::on_both_samplers;
use support::sampler::Sampler;
use support::stacks::{frames, mapping_name, total};
use support::wprof::{Run, Wprof, read_profile};

on_both_samplers!(
    waits_of_c_threads_are_gos,
    waits_of_rust_threads_are_gos,
    sampled_waits_stand_for_all,
    one_that_holds_up_five_is_blamed_for_all,
    contexts_of_c_threads_are_gos,
    contexts_of_rust_threads_are_gos
);

/// Runs a guest that may write to its folder.
fn run(sampler: Sampler, options: &[&str], guest: &Path, args: &[&str]) -> Run {
    let options = [&["--quiet", "--dir", "."], options].concat();
    Wprof::run_on(sampler, &options, guest, args).finish().expect_code(0)
}

/// A sample's innermost function of these.
fn site(profile: &Profile, sample: &SampleRef<'_>, sites: &[&str]) -> Option<String> {
    let stack = frames(profile, sample);
    stack.iter().rev().map(|name| plain(name)).find(|name| sites.contains(&name.as_str()))
}

/// The functions of the scenario that wait.
const WAITING: [&str; 4] = ["holdlock", "waitchan", "waitselect", "waitgroup"];

/// How often and how long each has waited, or made others wait. Sleep in a host call is a wait too, which it is not in Go.
fn waits(profile: &Profile) -> BTreeMap<String, [i64; 2]> {
    let kinds: Vec<&str> = profile.sample_types().iter().map(|it| profile.string(it.kind)).collect();
    assert_eq!(kinds, ["contentions", "delay"]);
    let mut waits = BTreeMap::<String, [i64; 2]>::new();
    for sample in profile.samples() {
        if mapping_name(profile, sample.locations[0]) == "[host]" {
            continue;
        }
        if let Some(site) = site(profile, &sample, &WAITING) {
            let [count, delay] = waits.entry(site).or_default();
            *count += sample.values[0];
            *delay += sample.values[1];
        }
    }
    waits
}

/// What a guest or Go's program wrote, by the name of the profile.
fn written(kind: &str, dir: impl Fn(&str) -> Option<PathBuf>) -> Option<BTreeMap<String, [i64; 2]>> {
    Some(waits(&read_profile(&dir(&format!("{kind}.pb.gz"))?)))
}

/// `n_free` is how many turns more than in Go's run may find the lock free, where one of 40 did.
fn waits_are_gos(sampler: Sampler, guest: &Path, n_free: i64) {
    let run = run(sampler, &[], guest, &[".", "1", "1"]);
    let [block, mutex] = ["block", "mutex"].map(|kind| written(kind, |file| Some(run.path(file))).unwrap());
    for (kind, first) in [("block", "--- contention:"), ("mutex", "--- mutex:")] {
        let text = fs::read_to_string(run.path(&format!("{kind}.debug1.txt"))).unwrap();
        assert!(text.starts_with(&format!("{first}\ncycles/second=1000000000\n")), "{text}");
        let [text, binary] =
            [decode(text.as_bytes(), &Limits::default()).unwrap(), read_profile(&run.path(&format!("{kind}.pb.gz")))];
        // It was written later, and what wrote the first may have waited.
        assert!((0..20).contains(&(total(&text, 0) - total(&binary, 0))), "{kind}");
    }
    // 50 and 30 ms; whoever waits may begin a little late, and a machine with other work ends it late.
    for (site, ms) in [("waitchan", 50), ("waitselect", 30)] {
        assert!((ms * 800_000..ms * 20_000_000).contains(&block[site][1]), "{block:?}");
    }
    // Those that hold the lock have made others wait for as long as those have waited, but for how long a thread takes to wake.
    let (waited, blamed) = (block["holdlock"][1], mutex["holdlock"][1]);
    assert!((waited / 2..=waited + 1_000_000).contains(&blamed), "{waited} {blamed}");
    let of_go = |kind: &str| written(kind, |file| golden(&format!("sync_rate1/{file}")));
    let (Some(gos_block), Some(gos_mutex)) = (of_go("block"), of_go("mutex")) else { return };
    for (ours, gos) in [(&block, &gos_block), (&mutex, &gos_mutex)] {
        assert!(ours.keys().eq(gos.keys()), "{ours:?}, and Go {gos:?}");
        for (site, [count, delay]) in ours {
            let [gos_count, gos_delay] = gos[site];
            let n_free = if site == "holdlock" { n_free } else { 0 };
            assert!((gos_count - n_free..=gos_count).contains(count), "{site}: {ours:?}, and Go {gos:?}");
            assert!((gos_delay / 2..gos_delay * 20).contains(delay), "{site}: {ours:?}, and Go {gos:?}");
        }
    }
}

fn waits_of_c_threads_are_gos(sampler: Sampler) {
    if let Some(guest) = threaded_guest("sdk_sync_c") {
        // Its lock goes to whoever has come first.
        waits_are_gos(sampler, &guest, 0);
    }
}

fn waits_of_rust_threads_are_gos(sampler: Sampler) {
    if let Some(guest) = threaded_guest("sdk_sync") {
        // std's goes to whoever comes just when it is free, too.
        waits_are_gos(sampler, &guest, 3);
    }
}

/// Of waits that are shorter than 5 ms some are kept and count for more, and of five for which one is to blame one is, for five.
fn sampled_waits_stand_for_all(sampler: Sampler) {
    let Some(guest) = threaded_guest("sdk_sync_c") else { return };
    let run = run(sampler, &[], &guest, &[".", "5000000", "5"]);
    let ours = ["block", "mutex"].map(|kind| written(kind, |file| Some(run.path(file))).unwrap());
    let gos = ["block", "mutex"].map(|kind| written(kind, |file| golden(&format!("sync_sampled/{file}"))));
    for [block, mutex] in [Some(ours), gos[0].clone().zip(gos[1].clone()).map(<[_; 2]>::from)].into_iter().flatten() {
        assert_eq!([block["waitchan"][0], block["waitselect"][0]], [1, 1], "{block:?}");
        assert!((20..80).contains(&block["holdlock"][0]), "{block:?}");
        let [count, delay] = mutex["holdlock"];
        assert!(count % 5 == 0 && (5..=39 * 5).contains(&count) && delay > count * 1_000_000, "{mutex:?}");
    }
}

/// The sums over all stacks with this function, but for those that wake others: the host may keep them for a moment.
fn of(profile: &Profile, function: &str) -> [i64; 2] {
    let is_it = |sample: &SampleRef<'_>| {
        let stack = frames(profile, sample);
        stack.iter().any(|name| plain(name) == function) && stack.last() != Some(&"[builtin] memory.atomic.notify")
    };
    profile.samples().filter(is_it).fold([0, 0], |sum, it| [sum[0] + it.values[0], sum[1] + it.values[1]])
}

/// Five wait for 200 ms, so the one that lets them is blamed for a second: also where the guest tells nothing, as it waits and wakes
/// by wasm's own instructions.
fn one_that_holds_up_five_is_blamed_for_all(sampler: Sampler) {
    for name in ["sdk_waiters_c", "sdk_waiters", "waiters_c"] {
        let Some(guest) = threaded_guest(name) else { return };
        let run = run(sampler, &["--blockprofile", "block.prof", "--mutexprofile", "mutex.prof"], &guest, &[]);
        let [block, mutex] = ["block.prof", "mutex.prof"].map(|file| read_profile(&run.path(file)));
        let [count, blamed] = of(&mutex, "holder");
        // On a machine with other work it is more.
        let second = 1_000_000_000..3_000_000_000;
        assert!(count == 1 && second.contains(&blamed), "{name}: {count} {blamed}");
        // They hold each other up only for as long as a thread takes to wake.
        assert!(of(&mutex, "waiter")[1] < blamed / 2, "{name}: {:?}", of(&mutex, "waiter"));
        let [count, waited] = of(&block, "waiter");
        // By its instructions, all wake at each turn and wait again.
        let is_five = if name == "waiters_c" { count >= 5 } else { count == 5 };
        assert!(is_five && (second.start..2 * second.end).contains(&waited), "{name}: {count} {waited}");
    }
}

/// What a context is at: `func2` is Go's name for what `locker` does in our guests.
const PLACES: [&str; 5] = ["parkedworker", "sleeper", "locker", "func2", "main"];

type Contexts = BTreeMap<(String, BTreeMap<String, String>), i64>;

/// How many contexts are at a place, with these labels.
fn contexts(profile: &Profile) -> Contexts {
    let mut contexts = Contexts::new();
    for sample in profile.samples() {
        let place = site(profile, &sample, &PLACES).unwrap_or_else(|| panic!("{:?}", frames(profile, &sample)));
        let place = if place == "func2" { "locker".to_owned() } else { place };
        *contexts.entry((place, labels(profile, &sample))).or_default() += sample.values[0];
    }
    contexts
}

/// The states of a traceback with the labels behind them, in order: Go's are called as ours.
fn states(traceback: &str) -> Vec<String> {
    let header = |line: &str| Some(line.strip_prefix("goroutine ")?.split_once(' ')?.1.to_owned());
    let ours = |line: String| {
        line.replace("chan receive", "atomic wait").replace("sync.Mutex.Lock", "atomic wait").replace("sleep", "poll")
    };
    let mut states: Vec<String> = traceback.lines().filter_map(header).map(ours).collect();
    states.sort();
    states
}

/// The first line, the numbers of the rows, and the labels below them.
fn outline(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.contains(" @ ") || line.starts_with("# labels"));
    text.lines().take(1).chain(rows.map(|row| row.split_once(" @ ").map_or(row, |(n, _)| n))).collect()
}

fn contexts_are_gos(sampler: Sampler, guest: &Path) {
    let run = run(sampler, &[], guest, &["."]);
    let text = |name: &str| fs::read_to_string(run.path(name)).unwrap();
    where_threads_began(&run);
    let profile = read_profile(&run.path("goroutine.pb.gz"));
    assert_eq!(total(&profile, 0), 8);
    let [one, two] = ["goroutine.debug1.txt", "goroutine.debug2.txt"].map(text);
    assert_eq!(
        two.lines().filter(|line| line.starts_with("created by ") && line.ends_with(" in goroutine 1")).count(),
        7
    );
    let Some(gos) = golden("goroutine/goroutine.pb.gz") else { return };
    assert_eq!(contexts(&profile), contexts(&read_profile(&gos)));
    let gos = |name: &str| fs::read_to_string(golden(&format!("goroutine/{name}")).unwrap()).unwrap();
    assert_eq!(outline(&one), outline(&gos("goroutine.debug1.txt")));
    assert_eq!(states(&two), states(&gos("goroutine.debug2_labels.txt")));
}

/// Go's stacks of this have been empty for years; ours say where each thread was made.
fn where_threads_began(run: &Run) {
    let profile = read_profile(&run.path("threadcreate.pb.gz"));
    let mut starts = Vec::new();
    for sample in profile.samples() {
        let place = if frames(&profile, &sample) == ["[start]"] {
            Some("start".to_owned())
        } else {
            site(&profile, &sample, &["main"])
        };
        starts.extend(std::iter::repeat_n(place, usize::try_from(sample.values[0]).unwrap()));
    }
    starts.sort();
    let mut expected = vec![Some("main".to_owned()); 7];
    expected.push(Some("start".to_owned()));
    assert_eq!(starts, expected);
    let [one, two] =
        [1, 2].map(|debug| fs::read_to_string(run.path(&format!("threadcreate.debug{debug}.txt"))).unwrap());
    assert_eq!(one, two, "any other number is 1");
    assert!(one.starts_with("threadcreate profile: total 8\n1 @ 0x"), "{one}");
}

fn contexts_of_c_threads_are_gos(sampler: Sampler) {
    if let Some(guest) = threaded_guest("sdk_goro_c") {
        contexts_are_gos(sampler, &guest);
    }
}

fn contexts_of_rust_threads_are_gos(sampler: Sampler) {
    if let Some(guest) = threaded_guest("sdk_goro") {
        contexts_are_gos(sampler, &guest);
    }
}
