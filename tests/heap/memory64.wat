;; A 64-bit memory: the allocator's sizes and blocks are i64. What it allocates before `_start`, in its start section, counts
;; as well.
(module
  (memory (export "memory") i64 1)
  (global $next (mut i64) (i64.const 1024))
  (func $malloc (param $size i64) (result i64)
    (global.get $next)
    (global.set $next (i64.add (global.get $next) (i64.and (i64.add (local.get $size) (i64.const 31)) (i64.const -16)))))
  (func $calloc (param $n i64) (param $size i64) (result i64)
    (call $malloc (i64.mul (local.get $n) (local.get $size))))
  (func $free (param i64))
  (func $site_start
    (drop (call $malloc (i64.const 24)))
    (drop (call $malloc (i64.const 8))))
  (func $site_calloc (result i64)
    (call $calloc (i64.const 10) (i64.const 10)))
  (func $site_freed
    (call $free (call $malloc (i64.const 7)))
    (call $free (i64.const 0)))
  (start $site_start)
  (func (export "_start")
    (drop (call $site_calloc))
    (call $site_freed)
    (call $site_freed)))
