;; A guest with threads, as the wasi-threads proposal has them. Each export is a scenario; threads begin in the function of the
;; table that their argument names.
(module
  (import "env" "memory" (memory 3 100 shared))
  (import "wasi" "thread-spawn" (func $thread_spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wprof" "labels_with" (func $labels_with (param i32 i32 i32) (result i32)))
  (import "wprof" "labels_cell" (func $labels_cell (param i32) (result i32)))
  (export "memory" (memory 0))

  ;; 16: the lock. 20: threads that are to end. 24: threads that are about to wait. 32: how far memory is taken.
  (data (i32.const 1024) "shared.txt")
  (data (i32.const 1040) "from a thread\n")
  ;; Labels: k is a, and k is b.
  (data (i32.const 1060) "\01\00\00\00\01\00\00\00ka")
  (data (i32.const 1080) "\01\00\00\00\01\00\00\00kb")
  (table 16 funcref)
  (elem (i32.const 0) $waiter $burn_one $burn_two $burn_three $keeper $exiter $trapper $endless $grower $writer $sleeper $short
    $labelled)

  ;; Never frees, as the books are wprof's.
  (func $malloc (param $n i32) (result i32) (i32.atomic.rmw.add (i32.const 32) (local.get $n)))
  (func $free (param $block i32))

  (func $begin (i32.atomic.store (i32.const 32) (i32.const 65536)))

  (func $spawn (param $function i32)
    (drop (i32.atomic.rmw.add (i32.const 20) (i32.const 1)))
    (if (i32.le_s (call $thread_spawn (local.get $function)) (i32.const 0)) (then unreachable)))

  (func (export "wasi_thread_start") (param $id i32) (param $function i32)
    (call_indirect (local.get $function))
    (drop (i32.atomic.rmw.sub (i32.const 20) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 20) (i32.const -1))))

  (func $join (local $left i32)
    (loop $again
      (if (local.tee $left (i32.atomic.load (i32.const 20)))
        (then (drop (memory.atomic.wait32 (i32.const 20) (local.get $left) (i64.const -1))) (br $again)))))

  (func $sleep (param $ms i32) (local $at i32)
    (local.set $at (i32.atomic.rmw.add (i32.const 32) (i32.const 128)))
    (i32.store offset=16 (local.get $at) (i32.const 1))
    (i64.store offset=24 (local.get $at) (i64.mul (i64.extend_i32_u (local.get $ms)) (i64.const 1000000)))
    (if (call $poll (local.get $at) (i32.add (local.get $at) (i32.const 64)) (i32.const 1)
        (i32.add (local.get $at) (i32.const 120)))
      (then unreachable))
    ;; One event, of a clock.
    (if (i32.ne (i32.load offset=120 (local.get $at)) (i32.const 1)) (then unreachable)))

  (func $lock
    (loop $again
      (if (i32.atomic.rmw.cmpxchg (i32.const 16) (i32.const 0) (i32.const 1))
        (then (drop (memory.atomic.wait32 offset=12 (i32.const 4) (i32.const 1) (i64.const -1))) (br $again)))))
  (func $unlock
    (i32.atomic.store (i32.const 16) (i32.const 0))
    (drop (memory.atomic.notify (i32.const 16) (i32.const 1))))

  ;; One thread holds a lock for 200 ms that five others wait for.
  (func $waiter
    (drop (i32.atomic.rmw.add (i32.const 24) (i32.const 1)))
    (call $lock)
    (call $unlock))
  (func $holder
    (loop $until_all_wait (br_if $until_all_wait (i32.ne (i32.atomic.load (i32.const 24)) (i32.const 5))))
    (call $sleep (i32.const 200))
    (call $unlock))
  (func (export "waiters") (local $n i32)
    (call $begin)
    (call $lock)
    (local.set $n (i32.const 5))
    (loop $more (call $spawn (i32.const 0)) (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $holder)
    (call $join))

  ;; Three threads do the same work.
  (func $burn (param $rounds i32)
    (loop $again (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1))))))
  (func $burn_one (call $burn (i32.const 400000000)))
  (func $burn_two (call $burn (i32.const 400000000)))
  (func $burn_three (call $burn (i32.const 400000000)))
  (func (export "burners")
    (call $begin)
    (call $spawn (i32.const 1)) (call $spawn (i32.const 2)) (call $spawn (i32.const 3))
    (call $join))

  ;; Threads that end before a tick comes, one after the other.
  (func $short (call $burn (i32.const 2000000)))
  (func (export "shorts") (local $n i32)
    (call $begin)
    (local.set $n (i32.const 300))
    (loop $more
      (call $spawn (i32.const 11))
      (call $join)
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  ;; A thread allocates ten blocks of 1,000 bytes of which the main one frees four, and frees one of the main one's two.
  (func $keeper (local $n i32)
    (local.set $n (i32.const 0))
    (loop $more
      (i32.store (i32.add (i32.const 2048) (i32.shl (local.get $n) (i32.const 2))) (call $malloc (i32.const 1000)))
      (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10))))
    (call $free (i32.load (i32.const 2040))))
  (func (export "blocks") (local $n i32)
    (call $begin)
    (i32.store (i32.const 2040) (call $malloc (i32.const 700)))
    (drop (call $malloc (i32.const 700)))
    (call $spawn (i32.const 4))
    (call $join)
    (loop $more
      (call $free (i32.load (i32.add (i32.const 2048) (i32.shl (local.get $n) (i32.const 2)))))
      (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 4)))))

  ;; The whole guest ends with one of its threads.
  (func $exiter (call $burn (i32.const 100000000)) (call $proc_exit (i32.const 33)))
  (func $trapper (call $burn (i32.const 100000000)) (unreachable))
  (func $endless (loop $forever (br $forever)))
  (func (export "exits") (call $begin) (call $spawn (i32.const 5)) (call $endless))
  (func (export "traps") (call $begin) (call $spawn (i32.const 6)) (call $join))
  (func (export "returns") (call $begin) (call $spawn (i32.const 7)) (call $burn (i32.const 400000000)))
  (func (export "never") (call $begin) (call $spawn (i32.const 7)) (call $join))

  ;; Memory that grows in a thread.
  (func $grower (drop (memory.grow (i32.const 5))))
  (func (export "grows") (call $begin) (call $spawn (i32.const 8)) (call $join))

  ;; A file that the main thread has opened, and the same standard output.
  (func $write (param $fd i32)
    (i32.store (i32.const 1100) (i32.const 1040))
    (i32.store (i32.const 1104) (i32.const 14))
    (if (call $fd_write (local.get $fd) (i32.const 1100) (i32.const 1) (i32.const 1108)) (then unreachable)))
  (func $writer (call $write (i32.load (i32.const 1120))) (call $write (i32.const 1)))
  (func (export "writes")
    (call $begin)
    ;; Makes the file in the folder that is given as the first, to be written to.
    (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 1024) (i32.const 10) (i32.const 1) (i64.const 64)
        (i64.const 64) (i32.const 0) (i32.const 1120))
      (then unreachable))
    (call $spawn (i32.const 9))
    (call $join))

  ;; A thread that sleeps keeps no other from the world.
  (func $sleeper (call $sleep (i32.const 1000000)))
  (func (export "sleeps") (call $begin) (call $spawn (i32.const 10)) (call $sleep (i32.const 50)) (call $write (i32.const 1)))

  ;; Each thread has a place where its labels stand. What stands there first are those of the thread that has made it.
  (func $label (param $place i32) (param $list i32)
    (i32.store (local.get $place) (call $labels_with (i32.const 0) (local.get $list) (i32.const 10))))
  (func $has_makers (call $burn (i32.const 200000000)))
  (func $has_own (call $burn (i32.const 200000000)))
  (func $labelled
    (call $has_makers)
    (if (i32.ne (call $labels_cell (i32.const 1104)) (i32.load (i32.const 1100))) (then unreachable))
    (if (i32.ne (i32.load (i32.const 1104)) (i32.load (i32.const 1100))) (then unreachable))
    (call $label (i32.const 1104) (i32.const 1080))
    (drop (memory.grow (i32.const 3)))
    (call $has_own))
  (func $keeps_its_own (call $burn (i32.const 600000000)))
  (func (export "labels")
    (call $begin)
    (if (call $labels_cell (i32.const 1100)) (then unreachable))
    (call $label (i32.const 1100) (i32.const 1060))
    (call $spawn (i32.const 12))
    (call $keeps_its_own)
    (call $join)))
