;; Memory grows by 2 pages once and by 3 pages three times; one growth fails.
(module
  (memory (export "memory") 1 20)
  (func $once (drop (memory.grow (i32.const 2))))
  (func $thrice
    (local $i i32)
    (loop $again
      (drop (memory.grow (i32.const 3)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 3)))))
  (func $in_vain
    (if (i32.ne (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable)))
  (func (export "_start")
    (call $once)
    (call $in_vain)
    (call $thrice)))
