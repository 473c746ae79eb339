;; RUN: run --quiet %
(module
  (func unreachable)
  (func (call 0))
  (export "_start" (func 1)))
