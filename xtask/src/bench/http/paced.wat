;; Works without end, and writes sixteen bytes a hundred times a second: nanoseconds by the monotonic clock, and how many units of
;; work it has done. A unit is some thousand additions and 64 blocks allocated and freed, from eight places.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  ;; One piece to write: sixteen bytes at 16.
  (data (i32.const 0) "\10\00\00\00\10\00\00\00")
  (global $top (mut i32) (i32.const 4096))
  (func $malloc (export "malloc") (param $size i32) (result i32)
    (global.set $top (i32.add (global.get $top) (local.get $size)))
    (if (i32.gt_u (global.get $top) (i32.const 200000)) (then (global.set $top (i32.const 4096))))
    (global.get $top))
  (func $free (export "free") (param i32))
  (func $add (param $n i32)
    (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func $site (param $n i32)
    (loop $again
      (call $add (i32.const 200))
      (call $free (call $malloc (i32.const 48)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func $a (call $site (i32.const 8))) (func $b (call $site (i32.const 8)))
  (func $c (call $site (i32.const 8))) (func $d (call $site (i32.const 8)))
  (func $e (call $site (i32.const 8))) (func $f (call $site (i32.const 8)))
  (func $g (call $site (i32.const 8))) (func $h (call $site (i32.const 8)))
  (func $unit (call $a) (call $b) (call $c) (call $d) (call $e) (call $f) (call $g) (call $h))
  ;; Twenty units.
  (func $some (export "some") (local $left i32)
    (local.set $left (i32.const 20))
    (loop $units (call $unit) (br_if $units (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
  (func (export "_start") (local $due i64) (local $n i64)
    (loop $again
      (call $some)
      (local.set $n (i64.add (local.get $n) (i64.const 20)))
      (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 16)))
      (if (i64.ge_u (i64.load (i32.const 16)) (local.get $due))
        (then
          (local.set $due (i64.add (i64.load (i32.const 16)) (i64.const 10000000)))
          (i64.store (i32.const 24) (local.get $n))
          (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
      (br $again))))
