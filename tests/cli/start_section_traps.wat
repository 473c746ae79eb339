;; RUN: run --quiet %
(module
  (global $begun (mut i32) (i32.const 0))
  (func $begin (global.set $begun (i32.const 1)) unreachable)
  (start $begin)
  (func (export "_start")))
