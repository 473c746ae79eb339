//! The guest's execution contexts as `goroutine` and `threadcreate` tell of them.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::fs;

use proto::{LabelValue, Limits, Profile, decode};
use support::machine::{pprof, shared};
use support::on_both_samplers;
use support::sampler::Sampler;
use support::stacks::{frames, lines};
use support::wprof::{Run, Wprof};

on_both_samplers!(a_guest_of_one_thread_is_one_context, its_traceback_is_as_gos);

/// Prints a profile of this name in this form, from two functions below `_start`, with labels set.
fn asking(name: &str, debug: u32) -> String {
    let len = name.len();
    format!(
        r#"(module
          (import "wprof" "labels_with" (func $with (param i32 i32 i32) (result i32)))
          (import "wprof" "labels_use" (func $use (param i32) (result i32)))
          (import "wprof" "profile_lookup" (func $lookup (param i32 i32) (result i32)))
          (import "wprof" "profile_count" (func $count (param i32) (result i64)))
          (import "wprof" "profile_write" (func $write (param i32 i32) (result i32)))
          (import "wprof" "stream_read" (func $read (param i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 4)
          (data (i32.const 64) "{name}")
          (data (i32.const 128) "\01\00\00\00\06\00\00\00aq\"uote\04\00\00\00\08\00\00\00rolelabelled")
          (func $print (param $stream i32) (local $n i32)
            (loop $more
              (local.set $n (call $read (local.get $stream) (i32.const 4096) (i32.const 100)))
              (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (local.get $n))
              (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
              (br_if $more (local.get $n))))
          (func $ask (result i32)
            (local $profile i32)
            (local.set $profile (call $lookup (i32.const 64) (i32.const {len})))
            (if (i64.ne (call $count (local.get $profile)) (i64.const 1)) (then (unreachable)))
            (call $write (local.get $profile) (i32.const {debug})))
          (func $work (call $print (call $ask)))
          (func (export "_start")
            (drop (call $use (call $with (i32.const 0) (i32.const 128) (i32.const 35))))
            (call $work)))"#
    )
}

fn ask(sampler: Sampler, name: &str, debug: u32) -> Run {
    let options = ["--quiet", "--sampler", sampler.name(), "guest.wat"];
    Wprof::new("run").file("guest.wat", asking(name, debug)).args(options).finish().expect_code(0)
}

fn labels(profile: &Profile) -> Vec<String> {
    let sample = profile.sample(0);
    let text = |label: &proto::Label| match label.value {
        LabelValue::Str(value) => format!("{}={}", profile.string(label.key), profile.string(value)),
        LabelValue::Num { num, .. } => format!("{}={num}", profile.string(label.key)),
    };
    sample.labels.iter().map(text).collect()
}

fn a_guest_of_one_thread_is_one_context(sampler: Sampler) {
    let binary = ask(sampler, "goroutine", 0);
    let profile = decode(&binary.ended.stdout, &Limits::default()).unwrap();
    assert_eq!(lines(&profile, 0), ["_start;work;ask 1"]);
    assert_eq!(labels(&profile), ["a=q\"uote", "role=labelled"]);
    assert_eq!(profile.string(profile.sample_types()[0].kind), "goroutine");
    assert_eq!(profile.period(), 1);

    let text = ask(sampler, "goroutine", 1);
    let said = text.stdout();
    let mut said = said.lines();
    assert_eq!(said.next(), Some("goroutine profile: total 1"));
    assert!(said.next().is_some_and(|row| row.starts_with("1 @ 0x")));
    // In Go's words, of a profile whose goroutines have the same labels.
    assert_eq!(said.next(), Some(r##"# labels: {"a":"q\"uote", "role":"labelled"}"##));
    let read = decode(&text.ended.stdout, &Limits::default()).unwrap();
    let addresses = |profile: &Profile| {
        profile.sample(0).locations.iter().map(|&it| profile.location(it).address).collect::<Vec<_>>()
    };
    assert_eq!((read.sample(0).values, addresses(&read)), (&[1][..], addresses(&profile)));
    if let Some(mut pprof) = pprof("reading a goroutine profile's text") {
        let file = text.path("goroutine.txt");
        fs::write(&file, &text.ended.stdout).unwrap();
        let output = pprof.arg("-raw").arg(file).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("goroutine/count\n          1: 1 2 3"), "{output:?}");
    }

    let created = ask(sampler, "threadcreate", 0);
    let profile = decode(&created.ended.stdout, &Limits::default()).unwrap();
    assert_eq!(frames(&profile, &profile.sample(0)), ["[start]"]);
    assert_eq!(ask(sampler, "threadcreate", 1).stdout().lines().next(), Some("threadcreate profile: total 1"));
}

fn its_traceback_is_as_gos(sampler: Sampler) {
    let said = ask(sampler, "goroutine", 2).stdout();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], r#"goroutine 1 [running] {a: "q\"uote", role: labelled}:"#);
    assert_eq!([lines[1], lines[3], lines[5]], ["ask(...)", "work(...)", "_start(...)"]);
    for place in [lines[2], lines[4], lines[6]] {
        assert!(place.starts_with("\t?:0 +0x"), "{said}");
    }
    assert_eq!(lines[7..], [""]);
    let Some(golden) = shared("spec/golden") else { return };
    let gos = fs::read_to_string(golden.join("goroutine/goroutine.debug2_labels.txt")).unwrap();
    let labelled = |text: &str| {
        text.lines().find(|line| line.contains("labelled")).map(|it| it.replace("chan receive", "running"))
    };
    let without_number = |line: Option<String>| line.map(|it| it.split_once(" [").unwrap().1.to_owned());
    assert_eq!(without_number(labelled(&said)), without_number(labelled(&gos)));
}
