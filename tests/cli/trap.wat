;; RUN: run --quiet %
;; RUN: run --quiet --invoke divide % 0
;; RUN: run --quiet --invoke divide % 2
;; RUN: run --quiet --invoke read % 65536
;; RUN: run --quiet --invoke call % 1
;; RUN: run --quiet --invoke convert % 1e30
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (type $nothing (func))
  ;; Where a function does nothing but trap, wasmtime's backtrace has another offset with epoch checks than without.
  (func $inner (i32.store (i32.const 0) (i32.const 1)) unreachable)
  (func $middle (call $inner))
  (func (export "_start") (call $middle))
  (func (export "divide") (param i32) (result i32) (i32.div_s (i32.const 84) (local.get 0)))
  (func (export "read") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "call") (param i32) (call_indirect (type $nothing) (local.get 0)))
  (func (export "convert") (param f32) (result i32) (i32.trunc_f32_s (local.get 0))))
