//! Whatever way control leaves an allocator's body: the result is the same, and the event is told.

use super::{BUMP, FREE, Guest, MALLOC, REALLOC, refused};
use crate::heap::hook::{Kind, Size};

/// Calls an allocator with each way out and checks that every one is told of with its result.
fn check(text: &str, ways: std::ops::Range<i64>) {
    let mut guest = Guest::new(text, &[("malloc", Kind::Alloc { size: Size::Param(1), bias: 0 })]);
    for way in ways {
        let block = guest.call("malloc", &[way, 100 + way]);
        assert_ne!(block, 0, "way {way}");
        assert_eq!(guest.heard(), format!("0+{block}:{}", 100 + way), "way {way}");
    }
}

#[test]
fn bodies_return_from_anywhere() {
    let text = r#"(module
      (func $malloc (export "malloc") (param $way i32) (param $size i32) (result i32) (local f32 v128 f32 i64)
        (if (i32.eqz (local.get $way)) (then (return (i32.const 16))))
        (block $outer (result i32)
          (loop $loop
            (local.set $size (i32.const -9))
            (if (i32.eq (local.get $way) (i32.const 1))
              (then (drop (block (result i32) (i64.const 1) (f32.const 2) (return (i32.const 32)))))
              (else (br_if $loop (i32.gt_u (local.get $way) (i32.const 100)))))
            (drop (br_if 2 (i32.const 48) (i32.eq (local.get $way) (i32.const 2))))
            (block $inner (result i32)
              (br_table $inner $outer 3 (i32.const 64) (i32.sub (local.get $way) (i32.const 3))))
            (return (i32.add (i32.const 16)))
            (return (drop) (br_if 2 (i32.const 1))))
          unreachable)
        (i32.add (i32.const 32))))"#;
    check(text, 0..6);
}

#[test]
fn the_functions_own_label_is_branched_to() {
    let text = r#"(module
      (func $malloc (export "malloc") (param $way i32) (param $size i32) (result i32)
        (drop (br_on_null 0 (i32.const 16) (select (result (ref null $f)) (ref.null $f) (ref.func $malloc)
          (i32.eq (local.get $way) (i32.const 1)))))
        (drop)
        (if (i32.eq (local.get $way) (i32.const 2)) (then (br 1 (i32.const 32))))
        (br_table 0 0 (i32.const 48) (local.get $way)))
      (type $f (func (param i32 i32) (result i32))))"#;
    check(text, 0..5);
    let endless = r#"(module (func $malloc (export "malloc") (param i32 i32) (result i32)
      (local.set 1 (i32.const 0))
      (loop (result i32)
        (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
        (local.set 1 (i32.add (local.get 1) (i32.const 16)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br 0))))"#;
    check(endless, 1..5);
}

#[test]
fn a_trap_is_the_same_trap() {
    let text = r#"(module (memory (export "memory") 1)
      (func $malloc (export "malloc") (param $way i32) (param $size i32) (result i32)
        (i32.store (i32.const 0) (local.get $way))
        (block (block (block (block (br_table 0 1 2 3 (local.get $way)))
          unreachable)
          (return (i32.div_u (i32.const 1) (i32.const 0))))
          (return (call $malloc (local.get $way) (local.get $size))))
        (i32.load (i32.const -1))))"#;
    let kinds = [("malloc", Kind::Alloc { size: Size::Param(1), bias: 0 })];
    for way in 0..4 {
        // A trap ends what a guest does, so each has an instance of its own.
        let mut guest = Guest::new(text, &kinds);
        assert!(guest.try_call("malloc", &[way, 5]).is_err(), "way {way}");
        assert_eq!(guest.heard(), "");
    }
}

#[test]
fn tail_calls_return_through_the_allocator() {
    let text = r#"(module
      (type $f (func (param i32 i32) (result i32)))
      (table funcref (elem $forty $fifty))
      (elem declare func $sixty)
      (func $forty (param i32 i32) (result i32) (i32.const 48))
      (func $fifty (param i32 i32) (result i32) (i32.const 64))
      (func $sixty (param i32 i32) (result i32) (i32.const 80))
      (func $malloc (export "malloc") (param $way i32) (param $size i32) (result i32)
        (if (i32.eq (local.get $way) (i32.const 1))
          (then (return_call $forty (i32.const 1) (i32.const 2))))
        (if (i32.eq (local.get $way) (i32.const 2))
          (then (i64.const 4) (return_call_indirect (type $f) (i32.const 1) (i32.const 2) (i32.const 1))))
        (if (i32.eq (local.get $way) (i32.const 3))
          (then (block (loop (return_call_ref $f (i32.const 1) (i32.const 2) (ref.func $sixty))))))
        (if (i32.gt_u (local.get $way) (i32.const 10))
          (then (return_call $malloc (i32.sub (local.get $way) (i32.const 10)) (local.get $size))))
        (return_call_indirect (type $f) (i32.const 1) (i32.const 2) (i32.const 0))))"#;
    check(text, 0..40);
}

#[test]
fn an_allocator_that_ends_in_another_is_one_event() {
    let text = format!(
        r#"(module {BUMP}
          (func $calloc (export "calloc") (param i32 i32) (result i32)
            (return_call $malloc (i32.mul (local.get 0) (local.get 1))))
          (func $realloc (export "realloc") (param i32 i32) (result i32)
            (call $free (local.get 0)) (return_call $malloc (local.get 1))))"#
    );
    let calloc = Kind::Alloc { size: Size::Product(0, 1), bias: 0 };
    let mut guest = Guest::new(&text, &[("malloc", MALLOC), ("free", FREE), ("calloc", calloc), ("realloc", REALLOC)]);
    assert_eq!(guest.after("calloc", &[2, 3]), "2+64:6");
    assert_eq!(guest.after("realloc", &[64, 7]), "-64 ?64 3+80:7");
    assert_eq!(guest.after("malloc", &[7]), "0+96:7");
}

#[test]
fn a_collector_frees_inside_an_allocation() {
    let text = r#"(module
      (global $top (mut i32) (i32.const 64))
      (func $free (export "free") (param i32))
      (func $malloc (export "malloc") (param i32) (result i32)
        (call $free (i32.sub (global.get $top) (i32.const 32)))
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (i32.const 16)))))"#;
    let mut guest = Guest::new(text, &[("malloc", MALLOC), ("free", FREE)]);
    for expected in ["0+64:8", "0+80:8", "-64 0+96:8", "-80 0+112:8"] {
        assert_eq!(guest.after("malloc", &[8]), expected);
    }
}

/// `malloc` throws for a size of 13 to 15, with its size; callers catch it, and exported ones return it.
const THROWING: &str = r#"
    (tag $oom (param i32 i64))
    (tag $other)
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 64))
    (func $fail (param i32) (result i32) (throw $oom (local.get 0) (i64.const 1)))
    (func $malloc (export "malloc") (param $n i32) (result i32)
      (if (i32.eq (local.get $n) (i32.const 13)) (then (throw $oom (local.get $n) (i64.const 2))))
      (if (i32.eq (local.get $n) (i32.const 14)) (then (return (call $fail (local.get $n)))))
      (if (i32.eq (local.get $n) (i32.const 15)) (then (return_call $fail (local.get $n))))
      (global.get $top)
      (global.set $top (i32.add (global.get $top) (i32.const 16))))
    (func $calloc (export "calloc") (param $n i32) (param $retry i32) (result i32)
      (block $caught (result i32 i64)
        (try_table (result i32) (catch $oom $caught) (call $malloc (local.get $n)))
        (return))
      (drop) (drop)
      (if (i32.eqz (local.get $retry)) (then (throw $oom (local.get $n) (i64.const 3))))
      (call $malloc (i32.const 1)))
    (func $into (export "into") (param $out i32) (param $n i32) (result i32)
      (i32.store (local.get $out) (call $malloc (local.get $n))) (i32.const 0))
    (func $realloc (export "realloc") (param $block i32) (param $n i32) (result i32) (call $malloc (local.get $n)))
    (func $free (export "free") (param $block i32)
      (if (i32.eq (local.get $block) (i32.const 80)) (then (throw $other))))
    (func (export "try") (param $n i32) (result i64)
      (block $caught (result i32 i64)
        (try_table (catch $oom $caught) (drop (call $malloc (local.get $n))))
        (return (i64.const 0)))
      (i64.add (i64.extend_i32_s)))
    (func (export "try_calloc") (param $n i32) (param $retry i32)
      (block (try_table (catch_all 0) (drop (call $calloc (local.get $n) (local.get $retry))))))
    (func (export "try_realloc") (param $block i32) (param $n i32)
      (block (try_table (catch_all 0) (drop (call $realloc (local.get $block) (local.get $n))))))
    (func (export "try_into") (param $n i32)
      (block (try_table (catch_all 0) (drop (call $into (i32.const 8) (local.get $n))))))
    (func (export "try_free") (param $block i32)
      (block (try_table (catch_all 0) (call $free (local.get $block)))))
"#;

#[test]
fn an_exception_through_the_allocator_leaves_it() {
    let text = format!("(module {THROWING})").replace(
        "(i64.add (i64.extend_i32_s))",
        "(local.set $n (i32.wrap_i64)) (i64.extend_i32_s) (i64.extend_i32_s (local.get $n)) (i64.add)",
    );
    let kinds = [
        ("malloc", MALLOC),
        ("calloc", MALLOC),
        ("into", Kind::AllocInto { out: 0, size: Size::Param(1) }),
        ("realloc", REALLOC),
        ("free", FREE),
    ];
    let mut guest = Guest::new(&text, &kinds);
    assert_eq!(guest.call("try", &[12]), 0);
    assert_eq!(guest.heard(), "0+64:12");
    for (n, caught) in [(13, 15), (14, 15), (15, 16)] {
        assert_eq!(guest.call("try", &[n]), caught, "what was thrown arrives");
        assert_eq!(guest.heard(), "");
        guest.call("malloc", &[1]);
        assert!(guest.heard().starts_with("0+"), "and the next allocation is told of");
    }
    guest.call("try_calloc", &[13, 0]);
    assert_eq!(guest.heard(), "", "through two allocator functions");
    assert_eq!(guest.after("try_calloc", &[13, 1]), "1+128:13", "caught by the outer one, which tries again");
    assert_eq!(guest.after("try_realloc", &[64, 14]), "", "the old block stays");
    assert_eq!(guest.after("try_into", &[14]), "");
    assert_eq!(guest.after("into", &[8, 4]), "2+144:4");
    assert_eq!(guest.after("realloc", &[144, 3]), "-144 3+160:3");
    assert_eq!(guest.after("try_free", &[80]), "-80", "a free that throws has freed");
    assert_eq!(guest.after("malloc", &[2]), "0+176:2");
    assert!(guest.try_call("malloc", &[13]).is_err(), "and so does one that nobody catches");
}

#[test]
fn an_exception_that_the_body_catches_is_its_own() {
    let text = r#"(module
      (tag $e (param i32))
      (func $malloc (export "malloc") (param $way i32) (param $size i32) (result i32) (local $x exnref)
        (block $h (result i32)
          (try_table (catch $e $h) (if (i32.eqz (local.get $way)) (then (throw $e (i32.const 16)))))
          (block $r (result exnref)
            (try_table (result i32) (catch_all_ref $r)
              (if (i32.eq (local.get $way) (i32.const 1)) (then (return (i32.const 32))))
              (if (i32.eq (local.get $way) (i32.const 2)) (then (throw $e (i32.const 48))))
              (br_if 3 (i32.const 64) (i32.eq (local.get $way) (i32.const 3)))
              (drop) (i32.const 80))
            (return))
          (local.set $x)
          (try_table (catch $e $h) (throw_ref (local.get $x)))
          unreachable)))"#;
    check(text, 0..5);
}

#[test]
fn a_tail_call_out_of_a_try_table_is_left_alone() {
    let text = r#"(module
      (tag $e)
      (func $inner (param i32) (result i32) (throw $e))
      (func $malloc (param i32) (result i32)
        (block (try_table (catch_all 0) (block (return_call $inner (i32.const 1))))) (i32.const 8))
      (func $fine (param i32) (result i32)
        (block (try_table (catch_all 0) nop)) (block (return_call $inner (i32.const 1)))
        (return_call $inner (i32.const 2)))
      (func $free (param i32) (block (try_table (catch_all 0) (return_call $free (i32.const 1))))))"#;
    let reason = refused(text, &[("malloc", MALLOC)]);
    assert!(reason.ends_with("makes a tail call out of a try_table"), "{reason}");
    Guest::new(text, &[("fine", MALLOC), ("free", FREE)]);
}
