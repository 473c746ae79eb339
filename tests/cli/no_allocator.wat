;; Nothing here allocates, or nothing that can be known: wprof says so, and gives the memory profile instead.
;; RUN: run %
;; RUN: run --quiet %
;; RUN: run --no-heap --quiet %
;; RUN: run --alloc grab=malloc --alloc drop_it=free --memprofilerate 1 %
(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 1024))
  (func $grab (param $size i32) (result i32)
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get $size))))
  (func $drop_it (param i32))
  (func (export "_start")
    (call $drop_it (call $grab (i32.const 100)))
    (drop (memory.grow (i32.const 1)))))
