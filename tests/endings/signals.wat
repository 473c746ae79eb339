;; Works a little in `busy`, allocates in `keep`, prints `ready`, then never ends: in its own code, or in a host call that
;; waits.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; An iovec: 6 bytes at 8.
  (data (i32.const 0) "\08\00\00\00\06\00\00\00ready\n")
  ;; A subscription to the monotonic clock (id 1), in 10^12 ns from now.
  (data (i32.const 80) "\01")
  (data (i32.const 88) "\00\10\a5\d4\e8\00\00\00")

  (func $busy
    (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 100000000)))))

  (global $next (mut i32) (i32.const 1024))
  (func $malloc (param $size i32) (result i32)
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get $size))))

  (func $keep
    (drop (call $malloc (i32.const 100))))

  (func $get_ready
    (call $busy)
    (call $keep)
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))

  (func (export "spin")
    (call $get_ready)
    (loop $forever (br $forever)))

  ;; Reads 6 bytes of stdin over its own text.
  (func (export "read")
    (call $get_ready)
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 32))))

  (func (export "sleep")
    (call $get_ready)
    (drop (call $poll_oneoff (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 32)))))
