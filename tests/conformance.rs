//! The table of what must hold of wprof's files, row by row, as `go tool pprof` sees them. Rows about HTTP are in
//! `conformance_http.rs`; that reports on Go's own files are byte for byte pprof's, in `golden.rs`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs;

use support::machine::guest;
use support::on_both_samplers;
use support::pprof::{Said, pprof};
use support::sampler::Sampler;
use support::wprof::{Run, Wprof};

on_both_samplers!(
    raw_cpu,
    top_cpu,
    tags_cpu,
    top_tagfocus_cpu,
    peek_shows_inlined_calls,
    list_has_weights_on_the_hot_line,
);

/// What `allocs` has allocated to keep it.
const KEPT: [&str; 2] = ["-sample_index=alloc_space", "-focus=allocs::keep"];

/// A guest that profiles itself, with labels: `labels.pb.gz`.
fn labelled(sampler: Sampler) -> Run {
    let options = ["--quiet", "--no-cpu", "--dir", "."];
    Wprof::run_on(sampler, &options, guest("sdk_labels"), &["labels.pb.gz"]).finish().expect_code(0)
}

fn run(options: &[&str], name: &str, args: &[&str]) -> Run {
    Wprof::run(&[&["--quiet"], options].concat(), guest(name), args).finish().expect_code(0)
}

/// pprof in the folder of a run.
fn in_run(run: &Run, args: &[&str]) -> Option<Said> {
    pprof(run.dir.path(), args)
}

/// The number that a line of a report begins with, in nanoseconds.
fn nanos(text: &str) -> f64 {
    let number = text.trim_end_matches(|it: char| it.is_alphabetic());
    let unit = match &text[number.len()..] {
        "ms" => 1e6,
        "s" => 1e9,
        "us" => 1e3,
        "" | "ns" => 1.0,
        other => panic!("unknown unit {other:?} of {text}"),
    };
    number.parse::<f64>().unwrap() * unit
}

fn raw_cpu(sampler: Sampler) {
    let run = labelled(sampler);
    let Some(said) = in_run(&run, &["-raw", "labels.pb.gz"]) else { return };
    assert!(said.stdout.contains("PeriodType: cpu nanoseconds\nPeriod: 10000000\n"), "{}", said.stdout);
    assert!(said.stdout.contains("\nsamples/count cpu/nanoseconds"), "{}", said.stdout);
    let values = said.samples().into_iter().filter_map(|line| line.split_once(": ")).filter_map(|(values, _)| {
        let [count, cpu] = values.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        Some((count.parse::<i64>().ok()?, cpu.parse::<i64>().ok()?))
    });
    let values: Vec<_> = values.collect();
    assert!(!values.is_empty());
    if sampler == Sampler::Epoch {
        assert!(values.iter().all(|(count, cpu)| cpu == &(count * 10_000_000)), "{values:?}");
    }
    let (_, mappings) = said.stdout.split_once("\nMappings\n").unwrap();
    let first = mappings.lines().next().unwrap();
    assert!(first.starts_with("1: 0x0/") && first.contains("sdk_labels.wasm"), "{first}");
    assert!(first.ends_with("[FN][FL][LN][IN]"), "{first}");
}

fn top_cpu(sampler: Sampler) {
    let run = labelled(sampler);
    let Some(said) = in_run(&run, &["-top", "labels.pb.gz"]) else { return };
    let printed = said.clean();
    assert!(printed.contains("File: sdk_labels.wasm\nBuild ID: "), "{printed}");
    // What pprof's simplifier leaves of `<Vec<T> as Iterator>::next`.
    assert!(!printed.lines().any(|line| line.split_whitespace().last().is_some_and(|name| name.starts_with("::"))));
    assert!(printed.contains("sdk_labels::burn_a"), "{printed}");
}

fn tags_cpu(sampler: Sampler) {
    let run = labelled(sampler);
    let Some(said) = in_run(&run, &["-tags", "-unit=ns", "labels.pb.gz"]) else { return };
    let printed = said.clean();
    let mut by_key: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let mut key = String::new();
    for line in printed.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words[1] == "Total" {
            key = words[0].trim_end_matches(':').to_owned();
            by_key.insert(key.clone(), (nanos(words[2]), 0.0));
        } else {
            by_key.get_mut(&key).unwrap().1 += nanos(words[0]);
        }
    }
    assert_eq!(by_key.keys().collect::<Vec<_>>(), ["req", "stage", "tenant"], "{printed}");
    for (key, (total, parts)) in by_key {
        assert!((total - parts).abs() < 1.0, "{key}: {total} in all, {parts} together: {printed}");
    }
}

fn top_tagfocus_cpu(sampler: Sampler) {
    let run = labelled(sampler);
    let Some(said) = in_run(&run, &["-top", "-tagfocus=stage=inner", "labels.pb.gz"]) else { return };
    let printed = said.clean();
    assert!(printed.contains("sdk_labels::burn_b") && !printed.contains("sdk_labels::burn_a"), "{printed}");
}

fn peek_shows_inlined_calls(sampler: Sampler) {
    let run = Wprof::run_on(sampler, &["--quiet"], guest("inlines"), &[]).finish().expect_code(0);
    let Some(said) = in_run(&run, &["-peek", "inlines::outer$", "cpu.prof"]) else { return };
    let printed = said.clean();
    assert!(printed.contains("inlines::middle (inline)"), "{printed}");
}

fn list_has_weights_on_the_hot_line(sampler: Sampler) {
    let run = Wprof::run_on(sampler, &["--quiet"], guest("inlines"), &[]).finish().expect_code(0);
    let sources = support::machine::workspace().join("tests/guests");
    let source_path = format!("-source_path={}", sources.display());
    let Some(said) = in_run(&run, &["-list", "inlines::inner$", &source_path, "cpu.prof"]) else { return };
    let printed = said.clean();
    let hot = printed.lines().find(|line| line.contains("// HOT")).unwrap_or_default();
    let cum = hot.split_whitespace().nth(1).unwrap_or_default();
    assert!(nanos(cum) > 1e8, "{printed}");
}

#[test]
fn top_heap_and_allocs() {
    let run = run(&["--allocsprofile", "allocs.prof"], "allocs", &["1000"]);
    for (file, kind) in [("heap.prof", "inuse_space"), ("allocs.prof", "alloc_space")] {
        let Some(said) = in_run(&run, &["-top", file]) else { return };
        let printed = said.clean();
        assert!(printed.contains(&format!("Type: {kind}\n")), "{printed}");
    }
}

#[test]
fn raw_heap_at_rate_1_is_exact() {
    let run = run(&["--memprofilerate=1"], "sdk_alloc", &[]);
    let Some(said) = in_run(&run, &["-raw", "heap.prof"]) else { return };
    let samples = said.samples();
    let row = |bytes: i64| -> Vec<i64> {
        let label = format!("bytes:[{bytes}]");
        let pair = samples.chunks(2).find(|pair| pair[1] == label).unwrap();
        pair[0].split(':').next().unwrap().split_whitespace().map(|it| it.parse().unwrap()).collect()
    };
    // Some are kept; all are freed; all are kept.
    assert_eq!(row(12_345), [100, 1_234_500, 60, 740_700]);
    assert_eq!(row(1_111), [10, 11_110, 0, 0]);
    assert_eq!(row(22_222), [10, 222_220, 10, 222_220]);
}

/// 5,000 blocks of 4 kB, at one sample in 512 kB: ten runs are 390 samples or so, and 5 % is the standard error of their sum. The
/// seeds are always the same.
#[test]
fn heap_at_the_default_rate_is_right_on_average() {
    let mut sum = 0.0;
    for seed in 0..10 {
        let run = run(&["--seed", &seed.to_string(), "--no-cpu"], "allocs", &["5000", "4096"]);
        let Some(said) = in_run(&run, &["-top", "-unit=B", KEPT[0], KEPT[1], "heap.prof"]) else { return };
        let printed = said.clean();
        let line = printed.lines().find(|line| line.ends_with("  allocs::keep")).unwrap();
        sum += line.split_whitespace().nth(3).unwrap().trim_end_matches('B').parse::<f64>().unwrap();
    }
    // The list that holds the blocks is one of its own.
    let truth = 5000.0 * (4096.0 + 12.0);
    let off = sum / 10.0 / truth - 1.0;
    assert!(off.abs() < 0.1, "{:+.1} % off", 100.0 * off);
}

/// The same samples, with the same values at the same addresses.
fn both_forms_are_equal(run: &Run, binary: &str, text: &str) {
    let read = |file: &str| {
        let said = in_run(run, &["-raw", "-symbolize=none", file])?;
        let (_, rest) = said.stdout.split_once("\nLocations\n").unwrap();
        let (locations, _) = rest.split_once("\nMappings\n").unwrap();
        let addresses: BTreeMap<String, String> = locations
            .lines()
            .filter_map(|line| line.trim().split_once(": "))
            .map(|(id, rest)| (id.to_owned(), rest.split(' ').next().unwrap_or_default().to_owned()))
            .collect();
        let mut rows: Vec<String> = Vec::new();
        for line in said.samples() {
            match line.split_once(": ") {
                Some((values, ids)) => {
                    let stack: Vec<&str> = ids.split_whitespace().map(|id| addresses[id].as_str()).collect();
                    let values: Vec<&str> = values.split_whitespace().collect();
                    rows.push(format!("{values:?} {stack:?}"));
                }
                None => rows.last_mut().unwrap().push_str(line),
            }
        }
        rows.sort();
        Some(rows)
    };
    if let (Some(from_binary), Some(from_text)) = (read(binary), read(text)) {
        assert!(!from_binary.is_empty());
        assert_eq!(from_binary, from_text, "{binary} and {text}");
    }
}

#[test]
fn heap_and_its_text_say_the_same() {
    for rate in ["1", "65536"] {
        let rate = format!("--memprofilerate={rate}");
        let options = [rate.as_str(), "--seed=7", "--no-cpu"];
        let binary = run(&options, "allocs", &["500"]);
        let text = run(&[&options[..], &["--memprofile", "heap.txt"]].concat(), "allocs", &["500"]);
        fs::copy(text.path("heap.txt"), binary.path("heap.txt")).unwrap();
        both_forms_are_equal(&binary, "heap.prof", "heap.txt");
    }
}

/// Sleeps 20 ms five times, and then gives up a lock for which it has waited itself.
const WAITER: &str = r#"(module
  (import "wprof" "lock_waits" (func $waits (param i64)))
  (import "wprof" "lock_taken" (func $taken (param i64)))
  (import "wprof" "lock_released" (func $released (param i64)))
  (import "wprof" "profile_lookup" (func $lookup (param i32 i32) (result i32)))
  (import "wprof" "profile_write" (func $write (param i32 i32) (result i32)))
  (import "wprof" "stream_read" (func $read (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 1000) "blockmutex")
  (func $sleep
    (i32.store (i32.const 520) (i32.const 1)) (i64.store (i32.const 528) (i64.const 20000000))
    (drop (call $poll (i32.const 504) (i32.const 640) (i32.const 1) (i32.const 720))))
  (func $five (local $n i32)
    (loop $more (call $sleep) (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 5)))))
  (func $contended (call $waits (i64.const 7)) (call $sleep) (call $released (i64.const 7)) (call $taken (i64.const 7)))
  (func $print (param $fd i32) (param $stream i32) (local $n i32)
    (loop $more
      (local.set $n (call $read (local.get $stream) (i32.const 4096) (i32.const 60000)))
      (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (local.get $n))
      (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if $more (local.get $n))))
  ;; Text forms of the two, block's to stdout and mutex's to stderr; what is written as files later is the same.
  (func (export "_start")
    (call $five) (call $contended)
    (call $print (i32.const 1) (call $write (call $lookup (i32.const 1000) (i32.const 5)) (i32.const 1)))
    (call $print (i32.const 2) (call $write (call $lookup (i32.const 1005) (i32.const 5)) (i32.const 1)))))"#;

fn waited() -> Run {
    let options = ["--quiet", "--no-cpu", "--blockprofile", "block.prof", "--mutexprofile", "mutex.prof", "guest.wat"];
    let run = Wprof::new("run").file("guest.wat", WAITER).args(options).finish().expect_code(0);
    fs::write(run.path("block.txt"), &run.ended.stdout).unwrap();
    fs::write(run.path("mutex.txt"), run.stderr()).unwrap();
    run
}

#[test]
fn block_and_mutex_and_their_texts_say_the_same() {
    let run = waited();
    both_forms_are_equal(&run, "block.prof", "block.txt");
    both_forms_are_equal(&run, "mutex.prof", "mutex.txt");
}

#[test]
fn contentions_and_mean_delay_are_what_they_were() {
    let run = waited();
    let value = |said: Said, function: &str| {
        let printed = said.clean();
        let line = printed
            .lines()
            .find(|line| line.ends_with(&format!("  {function}")))
            .unwrap_or_else(|| panic!("{printed}"));
        nanos(line.split_whitespace().nth(3).unwrap())
    };
    let Some(contentions) = in_run(&run, &["-top", "-contentions", "block.prof"]) else { return };
    let Some(mean) = in_run(&run, &["-top", "-mean_delay", "block.prof"]) else { return };
    assert_eq!(value(contentions, "five"), 5.0);
    let mean = value(mean, "five");
    assert!((20e6..24e6).contains(&mean), "{mean} ns, expected 20 ms");
}

#[test]
fn top_custom_has_its_name_and_count() {
    let run = Wprof::run(&["--quiet", "--dir", "."], guest("sdk_custom"), &["."]).finish().expect_code(0);
    let Some(said) = in_run(&run, &["-top", "custom.pb.gz"]) else { return };
    let printed = said.clean();
    assert!(printed.contains("Type: example.com/golden.conns\n"), "{printed}");
    assert!(printed.contains("Showing nodes accounting for 7, 100% of 7 total"), "{printed}");
}

#[test]
fn what_is_compared_is_what_has_come() {
    let [a, b] = ["1000", "3000"].map(|n| run(&["--memprofilerate=1", "--no-cpu"], "allocs", &[n, "4096"]));
    fs::copy(b.path("heap.prof"), a.path("later.prof")).unwrap();
    let total = |args: &[&str]| {
        let printed = in_run(&a, args)?.clean();
        let line = printed.lines().find(|line| line.ends_with("  allocs::keep")).unwrap_or_else(|| panic!("{printed}"));
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Some((words[3].trim_end_matches('B').parse::<f64>().unwrap(), words[4].clone()))
    };
    let own = |n: f64| n * (4096.0 + 12.0);
    let Some((less, _)) = total(&["-top", "-unit=B", KEPT[0], KEPT[1], "-base=heap.prof", "later.prof"]) else {
        return;
    };
    assert_eq!(less, own(2000.0), "only what b did");
    let (less, percent) = total(&["-top", "-unit=B", KEPT[0], KEPT[1], "-diff_base=heap.prof", "later.prof"]).unwrap();
    assert_eq!(less, own(2000.0));
    let percent: f64 = percent.trim_end_matches('%').parse().unwrap();
    // Beside what is kept, a allocated ten times as much.
    assert!(
        (17.0..19.0).contains(&percent),
        "{percent} % of all that a allocated, of which 2,000 of 11,000 blocks are 18 %"
    );
    let (both, _) = total(&["-top", "-unit=B", KEPT[0], KEPT[1], "heap.prof", "later.prof"]).unwrap();
    assert_eq!(both, own(4000.0), "totals add");
}

/// What wprof has read and written again is to pprof what it was.
#[test]
fn decoded_and_encoded_again_it_is_the_same() {
    let Some(golden) = support::machine::shared("spec/golden") else { return };
    let mut files: Vec<_> = fs::read_dir(golden)
        .unwrap()
        .filter_map(|folder| fs::read_dir(folder.unwrap().path()).ok())
        .flat_map(|folder| folder.map(|file| file.unwrap().path()))
        .filter(|file| file.to_string_lossy().ends_with(".pb.gz"))
        .collect();
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let args = ["--to", "proto", "-o", "again.pb.gz"];
        let run = Wprof::new("convert").arg(&file).args(args).finish().expect_code(0);
        let [before, after] = [file.display().to_string(), "again.pb.gz".to_owned()]
            .map(|file| in_run(&run, &["-raw", "-symbolize=none", &file]).map(|said| said.stdout));
        let Some((before, after)) = before.zip(after) else { return };
        assert_eq!(before, after, "{}", file.display());
    }
}
