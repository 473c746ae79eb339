;; Works and sleeps in turns without end: spins in $work, allocates 100 bytes of which each second block is freed, and
;; sleeps for a millisecond. First it makes a profile of its own with three entries, does each of these once, and prints
;; "ready".
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wprof" "profile_new" (func $profile_new (param i32 i32) (result i32)))
  (import "wprof" "profile_add" (func $profile_add (param i32 i64 i32) (result i32)))
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 4096))
  (data (i32.const 0) "\08\00\00\00\06\00\00\00ready\n")
  (data (i32.const 32) "example.com/<conns>&")
  ;; A subscription to the monotonic clock, 1 ms from now.
  (data (i32.const 128) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\40\42\0f\00\00\00\00\00")
  (func $malloc (export "malloc") (param $size i32) (result i32)
    (global.set $top (i32.add (global.get $top) (local.get $size)))
    ;; What is written there nobody reads.
    (if (i32.gt_u (global.get $top) (i32.const 100000)) (then (global.set $top (i32.const 4096))))
    (global.get $top))
  (func $free (export "free") (param i32))
  (func $work (param $turns i32)
    (loop $again
      (local.set $turns (i32.sub (local.get $turns) (i32.const 1)))
      (br_if $again (local.get $turns))))
  (func $keep (result i32) (call $malloc (i32.const 100)))
  (func $sleep (drop (call $poll_oneoff (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 320))))
  (func $serve (local $conns i32)
    (local.set $conns (call $profile_new (i32.const 32) (i32.const 20)))
    (drop (call $profile_add (local.get $conns) (i64.const 1) (i32.const 0)))
    (drop (call $profile_add (local.get $conns) (i64.const 2) (i32.const 0)))
    (drop (call $profile_add (local.get $conns) (i64.const 3) (i32.const 0)))
    (drop (call $keep))
    (call $free (call $malloc (i32.const 100)))
    (call $sleep)
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
    (loop $again
      (call $work (i32.const 1000000))
      (drop (call $keep))
      (call $free (call $malloc (i32.const 100)))
      (call $sleep)
      (br $again)))
  (func (export "_start") (call $serve)))
