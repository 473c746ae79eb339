;; RUN: run --quiet --dir . %
;; RUN: run --quiet --dir .::/data %
;; RUN: run --quiet %
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
  (data (i32.const 64) "written.txt")
  (func (export "_start")
    (local $error i32)
    ;; In the first folder that it was given (3): create it (1), with the right to write (64).
    (local.set $error
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 11) (i32.const 1)
        (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 128)))
    (if (local.get $error) (then (call $proc_exit (local.get $error))))
    (drop (call $fd_write (i32.load (i32.const 128)) (i32.const 0) (i32.const 1) (i32.const 32)))))
