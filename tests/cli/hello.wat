;; RUN: run --hz 1 %
;; RUN: run --quiet %
;; RUN: run --no-cpu %
;; RUN: run --quiet -o new/folder %
;; RUN: run --quiet --cpuprofile other.prof %
;; RUN: run --quiet -S cli=n %
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))
