;; RUN: run --quiet -W max-memory-size=65536 %
;; RUN: run --quiet -W max-memory-size=131072 --invoke grow %
;; RUN: run --quiet -W max-memory-size=131072,trap-on-grow-failure --invoke grow %
;; RUN: run --quiet -W fuel=1000 --invoke spin %
;; RUN: run --quiet -W max-wasm-stack=100000 --invoke recurse %
(module
  (memory (export "memory") 2)
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "spin") (loop $forever (br $forever)))
  (func $recurse (export "recurse") (result i32) (i32.add (call $recurse) (i32.const 1))))
