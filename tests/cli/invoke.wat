;; RUN: run --quiet --invoke add % 2 3
;; RUN: run --quiet --invoke add % -2 0x10
;; RUN: run --quiet --invoke sum64 % 9223372036854775807 1
;; RUN: run --quiet --invoke half % 0.5
;; RUN: run --quiet --invoke both % 1.25
;; RUN: run --quiet --invoke add % 2
;; RUN: run --quiet --invoke add % two 3
;; RUN: run --quiet --invoke reference %
;; RUN: run --quiet --invoke nothing_like_that %
(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "sum64") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "half") (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.5)))
  (func (export "both") (param f64) (result f64 i32) (local.get 0) (i32.trunc_f64_s (local.get 0)))
  (func (export "reference") (result funcref) (ref.null func)))
