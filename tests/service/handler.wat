;; What a service runs for a request: it works for some milliseconds, takes 3 MB of memory and does not give them back, and says so.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024))
  (data (i32.const 16) "hello\n")

  ;; Blocks are numbers only: nothing is written there.
  (func $malloc (param $size i32) (result i32)
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get $size))))
  (func $free (param i32))

  (func $work (param $n i32)
    (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

  (func $handle (export "_start")
    (drop (call $malloc (i32.const 1000000)))
    (drop (call $malloc (i32.const 1000000)))
    (drop (call $malloc (i32.const 1000000)))
    (call $work (i32.const 3000000))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
