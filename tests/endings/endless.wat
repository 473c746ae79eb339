;; Loops without a call, and so without anything that a host could hear of. Each export prints `ready` before it does what
;; it is for. Those that come to an end print `done` then; theirs takes a second or two.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; Iovecs: 6 bytes at 16, 5 bytes at 32, 6 bytes at 64.
  (data (i32.const 0) "\10\00\00\00\06\00\00\00")
  (data (i32.const 16) "ready\n")
  (data (i32.const 24) "\20\00\00\00\05\00\00\00")
  (data (i32.const 32) "done\n")
  (data (i32.const 40) "\40\00\00\00\06\00\00\00")

  (func $ready (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 48))))
  (func $done (drop (call $fd_write (i32.const 1) (i32.const 24) (i32.const 1) (i32.const 48))))

  ;; As empty as a loop can be.
  (func $empty_loop (loop (br 0)))
  (func (export "empty") (call $ready) (call $empty_loop))

  ;; It does something, for ever.
  (func $storing_loop
    (local $i i32)
    (loop $again
      (i32.store (i32.const 1024) (local.tee $i (i32.add (local.get $i) (i32.const 1))))
      (br $again)))
  (func (export "storing") (call $ready) (call $storing_loop))

  ;; It does something, and ends.
  (func $long_loop
    (local $i i64)
    (loop $again
      (i64.store (i32.const 1024) (local.tee $i (i64.add (local.get $i) (i64.const 1))))
      (br_if $again (i64.lt_u (local.get $i) (i64.const 1500000000)))))
  (func (export "ending") (call $ready) (call $long_loop) (call $done))

  (func $deeper (param $n i32) (result i32)
    (if (i32.eqz (local.get $n))
      (then (call $ready) (call $long_loop) (return (i32.const 1))))
    (i32.add (i32.const 1) (call $deeper (i32.sub (local.get $n) (i32.const 1)))))
  (func (export "deep") (drop (call $deeper (i32.const 299))) (call $done))

  (func $waiting (drop (call $fd_read (i32.const 0) (i32.const 40) (i32.const 1) (i32.const 48))))
  (func (export "reading") (call $ready) (call $waiting) (call $done)))
