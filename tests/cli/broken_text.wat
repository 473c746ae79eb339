;; RUN: run %
(module
  (func (export "_start")
    (i32.add (i32.const 1)))
  (func (oops)))
