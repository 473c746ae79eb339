;; RUN: run %
(module (func (export "other")))
