//! What guests may ask of wprof, called by hand: whatever they pass, the worst that comes of it is an error of their own.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::fs;

use proto::{Limits, decode};
use support::on_both_samplers;
use support::sampler::Sampler;
use support::stacks::{cum, flat, total};
use support::wprof::{Wprof, read_profile};

const CONTENTIONS: usize = 0;
const DELAY: usize = 1;

on_both_samplers!(waits_are_seen_where_they_are, who_holds_a_lock_is_blamed_for_all_who_wait);

/// Imports and helpers of all guests here. `$say` prints a number and what failed last.
const HEAD: &str = r#"(module
  (import "wprof" "version" (func $version (result i32)))
  (import "wprof" "last_error" (func $last_error (param i32 i32) (result i32)))
  (import "wprof" "cpu_start" (func $cpu_start (param i32) (result i32)))
  (import "wprof" "cpu_stop" (func $cpu_stop (result i32)))
  (import "wprof" "profile_new" (func $new (param i32 i32) (result i32)))
  (import "wprof" "profile_lookup" (func $lookup (param i32 i32) (result i32)))
  (import "wprof" "profiles_list" (func $list (param i32 i32) (result i32)))
  (import "wprof" "profile_count" (func $count (param i32) (result i64)))
  (import "wprof" "profile_add" (func $add (param i32 i64 i32) (result i32)))
  (import "wprof" "profile_remove" (func $remove (param i32 i64) (result i32)))
  (import "wprof" "profile_write" (func $write (param i32 i32) (result i32)))
  (import "wprof" "stream_read" (func $read (param i32 i32 i32) (result i32)))
  (import "wprof" "stream_close" (func $close (param i32)))
  (import "wprof" "labels_with" (func $with (param i32 i32 i32) (result i32)))
  (import "wprof" "labels_use" (func $use (param i32) (result i32)))
  (import "wprof" "labels_cell" (func $cell (param i32) (result i32)))
  (import "wprof" "labels_current" (func $current (result i32)))
  (import "wprof" "labels_read" (func $read_labels (param i32 i32 i32) (result i32)))
  (import "wprof" "lock_waits" (func $waits (param i64)))
  (import "wprof" "lock_taken" (func $taken (param i64)))
  (import "wprof" "lock_released" (func $released (param i64)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 200)
  (data (i32.const 64) "app.conns two words heap \ff\fe\00")
  (data (i32.const 128) "\01\00\00\00\02\00\00\00abb")
  (func $print (param $at i32) (param $len i32)
    (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $len))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $digits (param $n i32) (param $at i32)
    (if (i32.lt_s (local.get $n) (i32.const 0))
      (then (i32.store8 (i32.const 16) (i32.const 45)) (call $print (i32.const 16) (i32.const 1))
        (local.set $n (i32.sub (i32.const 0) (local.get $n)))))
    (local.set $at (i32.const 31))
    (loop $more
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
      (local.set $n (i32.div_u (local.get $n) (i32.const 10)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $more (local.get $n)))
    (call $print (i32.add (local.get $at) (i32.const 1)) (i32.sub (i32.const 31) (local.get $at))))
  (func $say (param $n i32)
    (call $digits (local.get $n) (i32.const 0))
    (i32.store8 (i32.const 16) (i32.const 32)) (call $print (i32.const 16) (i32.const 1))
    (if (i32.lt_s (local.get $n) (i32.const 0))
      (then (call $print (i32.const 1024) (call $last_error (i32.const 1024) (i32.const 1000)))))
    (i32.store8 (i32.const 16) (i32.const 10)) (call $print (i32.const 16) (i32.const 1)))
  (func $sleep (param $ns i64)
    (i32.store8 (i32.const 512) (i32.const 0)) (i32.store (i32.const 520) (i32.const 1))
    (i64.store (i32.const 528) (local.get $ns))
    (drop (call $poll (i32.const 504) (i32.const 640) (i32.const 1) (i32.const 720))))
"#;

/// A guest with these functions.
fn guest(functions: &str) -> String {
    format!("{HEAD}\n{functions})")
}

/// What `_start` with this body says, a line for each `$say`.
#[track_caller]
fn check(start: &str, expected: &[&str]) {
    let text = guest(&format!("(func (export \"_start\") (local $h i32) (local $n i32) {start})"));
    let run = Wprof::new("run").file("guest.wat", text).args(["--quiet", "--no-cpu", "guest.wat"]).finish();
    let run = run.expect_code(0);
    let stdout = run.stdout();
    let lines: Vec<&str> = stdout.lines().map(str::trim_end).collect();
    assert_eq!(lines, expected, "{start}");
}

#[test]
fn names_that_cannot_be_are_refused() {
    check(
        "(call $say (i32.gt_s (call $new (i32.const 64) (i32.const 9)) (i32.const 0)))
         (call $say (call $new (i32.const 64) (i32.const 9)))
         (call $say (call $new (i32.const 64) (i32.const 0)))
         (call $say (call $new (i32.const 74) (i32.const 9)))
         (call $say (call $new (i32.const 84) (i32.const 4)))
         (call $say (call $new (i32.const 89) (i32.const 2)))
         (call $say (call $new (i32.const 91) (i32.const 1)))
         (call $say (call $new (i32.const 64) (i32.const 2000000)))
         (call $say (call $lookup (i32.const 74) (i32.const 9)))",
        &[
            "1",
            "-3 pprof: NewProfile name already in use: app.conns",
            "-2 pprof: NewProfile with empty name",
            "-4 wprof: a profile's name has no spaces or control characters: \"two words\"",
            "-3 pprof: NewProfile name already in use: heap",
            "-4 wprof: a profile's name has no spaces or control characters: \"\"",
            "-4 wprof: a profile's name has no spaces or control characters: \"\\0\"",
            "-9 wprof: larger or more than wprof keeps for a guest",
            "0",
        ],
    );
}

#[test]
fn handles_that_are_none_are_refused() {
    check(
        "(local.set $h (call $lookup (i32.const 84) (i32.const 4)))
         (call $say (call $add (local.get $h) (i64.const 1) (i32.const 0)))
         (call $say (call $remove (local.get $h) (i64.const 1)))
         (call $say (call $add (i32.const 77) (i64.const 1) (i32.const 0)))
         (call $say (call $add (i32.const 0) (i64.const 1) (i32.const 0)))
         (call $say (call $remove (i32.const -5) (i64.const 1)))
         (call $say (i32.wrap_i64 (call $count (i32.const 77))))
         (call $say (call $write (i32.const 77) (i32.const 0)))
         (call $say (call $read (i32.const 9) (i32.const 2048) (i32.const 10)))
         (call $close (i32.const 9))
         (call $say (call $use (i32.const 5)))
         (call $say (call $use (i32.const -5)))
         (call $say (call $read_labels (i32.const 5) (i32.const 2048) (i32.const 10)))
         (call $say (call $cpu_stop))",
        &[
            "-6 pprof: Add called on built-in Profile heap",
            "0",
            "-5 pprof: use of uninitialized Profile",
            "-5 pprof: use of uninitialized Profile",
            "-5 pprof: use of uninitialized Profile",
            "-5 pprof: use of uninitialized Profile",
            "-5 pprof: use of uninitialized Profile",
            "-5 pprof: use of uninitialized Profile",
            "-5 pprof: use of uninitialized Profile",
            "-5 pprof: use of uninitialized Profile",
            "-5 pprof: use of uninitialized Profile",
            "0",
        ],
    );
}

#[test]
fn pointers_out_of_memory_are_refused() {
    let fault = "-1 wprof: a pointer leads out of the guest's memory";
    let far = "(i32.const 13107198)";
    check(
        &format!(
            "(local.set $h (call $write (call $lookup (i32.const 84) (i32.const 4)) (i32.const 1)))
             (call $say (call $new {far} (i32.const 9)))
             (call $say (call $new (i32.const -1) (i32.const -1)))
             (call $say (call $new (i32.const 64) (i32.const -1)))
             (call $say (call $lookup {far} (i32.const 9)))
             (call $say (call $list {far} (i32.const 1000)))
             (call $say (call $read (local.get $h) {far} (i32.const 1000)))
             (call $say (call $read (local.get $h) (i32.const -8) (i32.const 16)))
             (call $say (call $with (i32.const 0) {far} (i32.const 100)))
             (call $say (call $with (i32.const 0) (i32.const -8) (i32.const 16)))
             (call $say (call $cell {far}))
             (call $say (call $cell (i32.const -2)))
             (call $say (i32.gt_s (call $read (local.get $h) (i32.const 2048) (i32.const 1000)) (i32.const 0)))
             (call $say (i32.lt_s (call $last_error {far} (i32.const 1000)) (i32.const 0)))"
        ),
        &[[fault; 11].as_slice(), &["1", "1"]].concat(),
    );
}

#[test]
fn labels_that_are_none_or_too_many_are_refused() {
    check(
        "(local.set $h (call $with (i32.const 0) (i32.const 128) (i32.const 11)))
         (call $say (local.get $h))
         (call $say (call $with (i32.const 0) (i32.const 128) (i32.const 10)))
         (call $say (call $with (i32.const 9) (i32.const 128) (i32.const 11)))
         (call $say (call $with (i32.const 0) (i32.const 128) (i32.const 10000000)))
         (call $say (call $use (local.get $h)))
         (call $say (call $current))
         (call $say (call $read_labels (call $current) (i32.const 2048) (i32.const 100)))
         (call $print (i32.const 2056) (i32.const 3))
         (call $say (call $use (i32.const 0)))
         (call $say (call $cell (i32.const 256)))
         (i32.store (i32.const 256) (local.get $h))
         (call $say (call $current))
         (call $say (call $use (i32.const 0)))
         (call $say (i32.load (i32.const 256)))
         (i32.store (i32.const 256) (i32.const 12345))
         (call $say (call $add (call $new (i32.const 64) (i32.const 9)) (i64.const 1) (i32.const 0)))
         (call $say (call $cell (i32.const 260)))",
        &[
            "1",
            "-10 wprof: the list of labels breaks off, or is not UTF-8",
            "-5 pprof: use of uninitialized Profile",
            "-9 wprof: larger or more than wprof keeps for a guest",
            "0",
            "1",
            "11",
            "abb1",
            "0",
            "1",
            "1",
            "0",
            "0",
            "-11 wprof: the profile cannot be written",
        ],
    );
}

/// A million of everything that a guest can make ends in an error of the guest's, and what it made first is there.
#[test]
fn a_million_profiles_do_no_harm() {
    let start = "
        (loop $more
          (i32.store (i32.const 3000) (i32.add (i32.const 0x30303030) (i32.and (local.get $n) (i32.const 0x0f0f0f0f))))
          (i64.store (i32.const 3004) (i64.add (i64.const 0x4040404040404040)
            (i64.and (i64.mul (i64.extend_i32_u (local.get $n)) (i64.const 0x0102040810204081)) (i64.const 0x0f0f0f0f0f0f0f0f))))
          (if (i32.gt_s (call $new (i32.const 3000) (i32.const 12)) (i32.const 0))
            (then (local.set $h (i32.add (local.get $h) (i32.const 1)))))
          (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000000))))
        (call $say (i32.and (i32.gt_s (local.get $h) (i32.const 1000)) (i32.le_s (local.get $h) (i32.const 10000))))
        (call $say (i32.gt_s (call $list (i32.const 4096) (i32.const 10)) (i32.const 10000)))";
    check(start, &["1", "1"]);
}

#[test]
fn streams_and_profiles_that_nobody_closes_come_to_an_end() {
    let start = "
        (loop $more
          (if (i32.gt_s (call $write (i32.const 1) (i32.const 1)) (i32.const 0))
            (then (local.set $h (i32.add (local.get $h) (i32.const 1)))))
          (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 200))))
        (call $say (local.get $h))";
    check(start, &["64"]);
}

/// A guest that waits 500 ms in each of three places: in one host call, in two, and for a lock of its own.
const WAITER: &str = r#"
  (func $one (call $sleep (i64.const 500000000)))
  (func $two (call $sleep (i64.const 250000000)) (call $sleep (i64.const 250000000)))
  (func $contended
    (call $waits (i64.const 77)) (call $sleep (i64.const 500000000)) (call $released (i64.const 77))
    (call $taken (i64.const 77)))
  (func (export "_start") (call $one) (call $two) (call $contended))"#;

fn waits_are_seen_where_they_are(sampler: Sampler) {
    let options = ["--quiet", "--sampler", sampler.name(), "--blockprofile", "block.prof", "guest.wat"];
    let mut tries = Vec::new();
    loop {
        let run = Wprof::new("run").file("guest.wat", guest(WAITER)).args(options).finish().expect_code(0);
        let block = read_profile(&run.path("block.prof"));
        let counts = ["one", "two", "contended"].map(|name| cum(&block, CONTENTIONS, name));
        assert_eq!(counts, [1, 2, 1]);
        assert_eq!(flat(&block, CONTENTIONS, "wasi_snapshot_preview1.poll_oneoff"), 3, "the host call is the leaf");
        let delays = ["one", "two", "contended"].map(|name| cum(&block, DELAY, name));
        assert!(delays.iter().all(|&delay| delay >= 499_000_000), "{delays:?}");
        if delays.iter().all(|&delay| delay <= 510_000_000) {
            return;
        }
        // On a machine that is busy beyond measure sleepers wake late.
        tries.push(delays);
        assert!(tries.len() < 5, "more than 2 % off 500 ms: {tries:?}");
    }
}

fn who_holds_a_lock_is_blamed_for_all_who_wait(sampler: Sampler) {
    let options = ["--quiet", "--sampler", sampler.name(), "--no-cpu", "--mutexprofile", "mutex.txt", "guest.wat"];
    let run = Wprof::new("run").file("guest.wat", guest(WAITER)).args(options).finish().expect_code(0);
    let text = fs::read_to_string(run.path("mutex.txt")).unwrap();
    assert!(text.starts_with("--- mutex:\ncycles/second=1000000000\nsampling period=1\n"), "{text}");
    let mutex = decode(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(total(&mutex, CONTENTIONS), 1, "{text}");
    assert!((499_000_000..600_000_000).contains(&total(&mutex, DELAY)), "{text}");
    assert!(text.contains("\tcontended\n"), "{text}");
}
