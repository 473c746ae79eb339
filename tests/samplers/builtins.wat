;; Copies and fills 4 MiB at a time: work that the engine does for the guest.
(module
  (memory (export "memory") 256)

  (func $copy_blocks
    (local $i i32)
    (loop $again
      (memory.copy (i32.const 0) (i32.const 8388608) (i32.const 4194304))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 3000)))))

  (func $fill_blocks
    (local $i i32)
    (loop $again
      (memory.fill (i32.const 0) (local.get $i) (i32.const 4194304))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 3000)))))

  (func (export "_start")
    (call $copy_blocks)
    (call $fill_blocks)))
