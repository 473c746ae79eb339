;; RUN: run --quiet %
;; RUN: run --quiet -W unknown-imports-trap %
;; RUN: run --quiet -W unknown-imports-default %
(module
  (import "somewhere" "else" (func $import (result i32)))
  (func (export "_start") (drop (call $import))))
