;; Prints its environment.
;; RUN: run --quiet %
;; RUN: run --quiet --env A=1 --env B= --env TZ %
;; RUN: run --quiet --env NO_SUCH_VARIABLE_HERE %
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (local $i i32)
    (drop (call $sizes (i32.const 0) (i32.const 12)))
    (i32.store (i32.const 8) (i32.const 1024))
    (drop (call $args (i32.const 512) (i32.const 1024)))
    ;; Each zero byte becomes a newline.
    (loop $next
      (if (i32.eqz (i32.load8_u (i32.add (i32.const 1024) (local.get $i))))
        (then (i32.store8 (i32.add (i32.const 1024) (local.get $i)) (i32.const 10))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.load (i32.const 12)))))
    (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 32)))))
