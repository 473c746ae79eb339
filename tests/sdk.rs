//! Guests with wprof's SDK, in Rust and in C, do what Go's programs do: the same calls, the same counts and labels.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proto::{LabelValue, Profile};
use support::gos::{c_guest, golden, labels, plain};
use support::machine::{guest, pprof};
use support::on_both_samplers;
use support::sampler::Sampler;
use support::sections::without_custom;
use support::stacks::frames;
use support::wprof::{Run, Wprof, read_profile};

on_both_samplers!(rust_labels_are_gos, c_labels_are_gos, a_cpu_profile_that_is_taken_is_not_started_again);

/// Runs a guest that may write to its folder.
fn run(sampler: Option<Sampler>, options: &[&str], guest: &Path, args: &[&str]) -> Run {
    let dir: &[&str] = &["--quiet", "--dir", "."];
    let options = [dir, options].concat();
    let run = match sampler {
        Some(sampler) => Wprof::run_on(sampler, &options, guest, args),
        None => Wprof::run(&options, guest, args),
    };
    run.finish().expect_code(0)
}

/// How much there is by the innermost frames that are the program's own.
fn by_leaf(profile: &Profile) -> BTreeMap<String, i64> {
    let mut by_leaf = BTreeMap::new();
    for sample in profile.samples() {
        let stack: Vec<String> = frames(profile, &sample).into_iter().map(plain).collect();
        // Go's own frame stands at the leaf there: its `skip` begins with `Add` itself.
        let leaf = stack.iter().rev().find(|name| *name != "add").unwrap();
        *by_leaf.entry(leaf.clone()).or_default() += sample.values[0];
    }
    by_leaf
}

fn custom_is_gos(guest: &Path) -> Option<Run> {
    let run = run(None, &[], guest, &["."]);
    let profile = read_profile(&run.path("custom.pb.gz"));
    assert_eq!(profile.string(profile.sample_types()[0].kind), "example.com/golden.conns");
    let gos = read_profile(&golden("custom/custom.pb.gz")?);
    // Go's skip of 1 leaves out Add, ours its caller: SEMANTICS §4 says why.
    let moved = |name: &str| if name == "newclient" { "run" } else { name }.to_owned();
    let mut expected = by_leaf(&gos);
    assert_eq!(expected, [("lostprofileevent", 1), ("newclient", 6)].map(|(name, n)| (name.to_owned(), n)).into());
    expected.insert("newclient".to_owned(), 4);
    expected.insert(moved("newclient"), 2);
    assert_eq!(by_leaf(&profile), expected);
    let [one, two] = ["custom.debug1.txt", "custom.debug2.txt"].map(|name| fs::read_to_string(run.path(name)).unwrap());
    assert_eq!(one, two, "any other number is 1");
    let values = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.contains(" @ "))
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect()
    };
    let gos_text = fs::read_to_string(golden("custom/custom.debug1.txt")?).unwrap();
    assert_eq!(values(&one), values(&gos_text));
    assert_eq!(one.lines().next(), gos_text.lines().next());
    text_is_the_profile(&run, "custom.debug1.txt", "custom.pb.gz");
    Some(run)
}

/// pprof reads the same values and addresses from both forms.
fn text_is_the_profile(run: &Run, text: &str, binary: &str) {
    let read = |name: &str| {
        let mut command = pprof("reading both forms of a profile")?;
        let output = command.args(["-raw", "-symbolize=none"]).arg(run.path(name)).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (_, samples) = stdout.split_once("Samples:\n").unwrap();
        let (samples, rest) = samples.split_once("Locations\n").unwrap();
        let (locations, _) = rest.split_once("Mappings\n").unwrap();
        let address = |line: &str| line.trim().split(' ').take(2).collect::<Vec<_>>().join(" ");
        let addresses: Vec<String> = locations.lines().filter(|line| line.contains(": 0x")).map(address).collect();
        Some((samples.to_owned(), addresses))
    };
    if let (Some(from_text), Some(from_binary)) = (read(text), read(binary)) {
        assert_eq!(from_text, from_binary);
    }
}

#[test]
fn a_rust_guests_own_profile_is_gos() {
    custom_is_gos(&guest("sdk_custom"));
}

#[test]
fn a_c_guests_own_profile_is_gos_and_so_is_what_its_calls_answer() {
    let Some((run, gos)) =
        c_guest("sdk_custom_c").and_then(|guest| custom_is_gos(&guest)).zip(golden("custom/stdout.txt"))
    else {
        return;
    };
    let (ours, gos) = (run.stdout(), fs::read_to_string(gos).unwrap());
    let answers = |text: &str| -> BTreeMap<String, String> {
        let both = text.lines().filter_map(|line| line.split_once(" -> "));
        both.map(|(what, answer)| (what.to_owned(), answer.to_owned())).collect()
    };
    let (ours_by_call, gos_by_call) = (answers(&ours), answers(&gos));
    for (call, answer) in &ours_by_call {
        let Some(gos) = gos_by_call.get(call) else { continue };
        // A code has no name in it; for no error Go has nil; and C has one kind of bad handle.
        let is_same = gos.starts_with(answer.as_str())
            || (answer == "fine" && gos == "<nil>")
            || answer == "pprof: use of uninitialized Profile";
        assert!(is_same, "{call}: {answer}, and Go {gos}");
    }
    let n_compared = ours_by_call.keys().filter(|call| gos_by_call.contains_key(*call)).count();
    assert!(n_compared >= 8, "{ours}");
    for line in gos.lines().filter(|line| line.starts_with("count") || line.starts_with("Lookup")) {
        assert!(ours.lines().any(|our| our == line), "{line} is missing in {ours}");
    }
}

#[test]
fn what_is_wrong_panics_in_the_guest_with_gos_words() {
    for (wrong, words) in [
        ("add-duplicate", "pprof: Profile.Add of duplicate value"),
        ("new-duplicate", "pprof: NewProfile name already in use: example.com/golden.conns"),
        ("new-heap", "pprof: NewProfile name already in use: heap"),
        ("new-empty", "pprof: NewProfile with empty name"),
        ("new-bad", "two words"),
        ("heap-add", "pprof: Add called on built-in Profile heap"),
        ("labels-odd", "uneven number of arguments to pprof.Labels"),
    ] {
        let run = Wprof::run(&["--dir", "."], guest("sdk_custom"), &[".", wrong]).finish().expect_code(134);
        assert!(run.stderr().contains(words), "{wrong}: {}", run.stderr());
        assert!(run.path("cpu.prof").is_file() && run.path("heap.prof").is_file(), "what was measured is kept");
    }
}

/// By the size of blocks: how many were allocated, and how many are in use.
fn by_size(profile: &Profile, sizes: &[i64]) -> BTreeMap<i64, (i64, i64)> {
    let mut by_size = BTreeMap::new();
    for sample in profile.samples() {
        let bytes = support::books::block_bytes(profile, &sample).unwrap();
        if sizes.contains(&bytes) {
            let (allocs, inuse) = by_size.entry(bytes).or_insert((0, 0));
            *allocs += sample.values[0];
            *inuse += sample.values[2];
        }
    }
    by_size
}

/// Where wprof finds the allocator, it does not listen to it; in a file without names it does. Both know every block.
#[test]
fn an_allocator_that_tells_of_itself_counts_once() {
    let whole = fs::read(guest("sdk_alloc")).unwrap();
    let bare = ["name", ".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_ranges", ".debug_loc"]
        .iter()
        .fold(whole.clone(), |module, section| without_custom(&module, section));
    for (module, is_hooked) in [(whole, true), (bare, false)] {
        for (options, args) in [(&["--memprofilerate=1"][..], &[][..]), (&[], &["1"])] {
            let run = Wprof::new("run").file("guest.wasm", &module).args(options).arg("guest.wasm").args(args);
            let run = run.finish().expect_code(0);
            assert_eq!(run.stderr().contains("hooked: wprof_guest::Alloc"), !is_hooked, "{}", run.stderr());
            let heap = run.heap();
            assert_eq!(heap.period(), 1);
            let expected = [(1_111, (10, 0)), (12_345, (100, 60)), (22_222, (10, 10))];
            let seen = by_size(&heap, &expected.map(|it| it.0));
            // Set by the guest, a rate counts from the next block on, whoever counts.
            assert_eq!(seen, expected.into(), "{is_hooked} {args:?}");
        }
    }
}

/// A place at work, and its labels.
type Labelled = (String, BTreeMap<String, String>);

fn labelled(profile: &Profile) -> BTreeSet<Labelled> {
    let mut found = BTreeSet::new();
    for sample in profile.samples() {
        let names: Vec<String> = frames(profile, &sample).into_iter().map(plain).collect();
        if let Some(burn) = names.iter().find(|name| name.starts_with("burn")) {
            found.insert((burn.clone(), labels(profile, &sample)));
        }
    }
    found
}

fn labels_are_gos(sampler: Sampler, guest: &Path) {
    // CPU time is the guest's to profile, so wprof does not.
    let run = run(Some(sampler), &["--no-cpu"], guest, &["labels.pb.gz"]);
    let profile = read_profile(&run.path("labels.pb.gz"));
    let period = profile.period();
    assert_eq!(period, 10_000_000);
    let (mut total, mut of_stage) = (0, BTreeMap::<String, i64>::new());
    for sample in profile.samples() {
        total += sample.values[1];
        if sampler == Sampler::Epoch {
            assert_eq!(sample.values[1], sample.values[0] * period);
        }
        for label in sample.labels {
            if let ("stage", LabelValue::Str(value)) = (profile.string(label.key), label.value) {
                *of_stage.entry(profile.string(value).to_owned()).or_default() += sample.values[1];
            }
        }
    }
    // 600, 300 and 200 parts of work.
    for (stage, share) in [("outer", 600.0 / 1100.0), ("inner", 300.0 / 1100.0)] {
        let seen = of_stage[stage] as f64 / total as f64;
        assert!((seen - share).abs() < 0.06, "{stage}: {seen:.3} of all, expected {share:.3}");
    }
    let (Some(gos), Some(gos_stdout)) = (golden("cpu/cpu_labels.pb.gz"), golden("cpu/stdout.txt")) else { return };
    assert_eq!(labelled(&profile), labelled(&read_profile(&gos)));
    let gos_stdout = fs::read_to_string(gos_stdout).unwrap();
    // Go says whether there is a value beside it; in C labels are compared by their handle.
    let stdout = run.stdout().replace("after inner: the same", "after inner: outer");
    assert_eq!(stdout, gos_stdout.replace("outer true", "outer"));
}

fn rust_labels_are_gos(sampler: Sampler) {
    labels_are_gos(sampler, &guest("sdk_labels"));
}

fn c_labels_are_gos(sampler: Sampler) {
    if let Some(guest) = c_guest("sdk_labels_c") {
        labels_are_gos(sampler, &guest);
    }
}

fn a_cpu_profile_that_is_taken_is_not_started_again(sampler: Sampler) {
    let run = Wprof::run_on(sampler, &["--dir", "."], guest("sdk_labels"), &["labels.pb.gz"]).finish();
    assert_ne!(run.code(), 0);
    assert!(run.stderr().contains("cpu profiling already in use"), "{}", run.stderr());
    assert!(run.path("cpu.prof").is_file());
}
