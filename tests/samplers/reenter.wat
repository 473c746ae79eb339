;; A command whose host calls it back: each list of arguments that it asks for is put where its `cabi_realloc` says, and that
;; takes its time. Ends with an error if the list is not as long as the one before.
(component
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-arguments" (func (result (list string))))))

  (core module $Allocator
    (memory (export "memory") 2)
    (global $next (export "next") (mut i32) (i32.const 1024))
    ;; Blocks are never moved.
    (func $cabi_realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (local $i i32)
      (local $block i32)
      (loop $again
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 3000))))
      (local.set $block
        (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1))) (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $block) (local.get $size)))
      (local.get $block)))
  (core instance $allocator (instantiate $Allocator))

  (core func $get_arguments
    (canon lower (func $environment "get-arguments")
      (memory (core memory $allocator "memory")) (realloc (core func $allocator "cabi_realloc"))))

  (core module $Main
    (import "allocator" "memory" (memory 2))
    (import "allocator" "next" (global $next (mut i32)))
    (import "host" "get-arguments" (func $get_arguments (param i32)))
    (func $ask (result i32)
      (global.set $next (i32.const 1024))
      ;; A pointer and a length are written at 16.
      (call $get_arguments (i32.const 16))
      (i32.load (i32.const 20)))
    (func (export "run") (result i32)
      (local $i i32)
      (local $n i32)
      (local.set $n (call $ask))
      (loop $again
        (if (i32.ne (call $ask) (local.get $n)) (then (return (i32.const 1))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 20000))))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "allocator" (instance $allocator))
    (with "host" (instance (export "get-arguments" (func $get_arguments))))))

  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $runs (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $runs)))
