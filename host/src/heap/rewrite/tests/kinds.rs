//! Every kind of allocator function: what is told of it, and when nothing is.

use super::{BUMP, FREE, Guest, MALLOC, REALLOC};
use crate::heap::hook::{GoAlloc, GoSize, Kind, Size};

#[test]
fn an_allocation_is_told_with_its_size_unless_it_is_empty_or_fails() {
    let mut guest = Guest::new(&format!("(module {BUMP})"), &[("malloc", MALLOC), ("free", FREE)]);
    assert_eq!(guest.after("malloc", &[100]), "0+64:100");
    assert_eq!(guest.after("malloc", &[0]), "", "nothing was asked for");
    assert_eq!(guest.after("malloc", &[1001]), "", "null");
    assert_eq!(guest.after("malloc", &[-1]), "", "null");
    assert_eq!(guest.after("malloc", &[1000]), "0+96:1000");
    assert_eq!(guest.after("free", &[64]), "-64");
    assert_eq!(guest.after("free", &[0]), "");
    assert_eq!(guest.after("free", &[64]), "", "it is in the filter no more");
    assert_eq!(guest.after("free", &[96]), "-96");
}

#[test]
fn sizes_and_pointers_have_no_sign() {
    let text = r#"(module
      (func $malloc (export "malloc") (param f64 i32 v128 i32) (result i32) (i32.const 0x8000_0010))
      (func $free (export "free") (param i32))
      (func $wide (export "wide") (param i64) (result i64) (i64.const 0x1_8000_0000))
      (func $wide_free (export "wide_free") (param i64))
      (func (export "malloc-") (param f64 i32 i32) (result i32)
        (call $malloc (local.get 0) (local.get 1) (v128.const i64x2 0 0) (local.get 2))))"#;
    let size = Kind::Alloc { size: Size::Param(3), bias: 0 };
    let kinds = [("malloc", size), ("free", FREE), ("wide", MALLOC), ("wide_free", FREE)];
    let mut guest = Guest::new(text, &kinds);
    assert_eq!(guest.after("malloc-", &[1, 2, -2]), "0+2147483664:4294967294");
    assert_eq!(guest.after("free", &[0x8000_0010]), "-2147483664");
    assert_eq!(guest.after("wide", &[1 << 40]), "2+6442450944:1099511627776");
    assert_eq!(guest.after("wide_free", &[0x1_8000_0000]), "-6442450944");

    let mut guest = Guest::new(text, &[("malloc", Kind::Alloc { size: Size::Product(1, 3), bias: 0 })]);
    assert_eq!(guest.after("malloc-", &[0, 3, 7]), "0+2147483664:21");
    assert_eq!(guest.after("malloc-", &[0, -1, 3]), "0+2147483664:12884901885");
    assert_eq!(guest.after("malloc-", &[0, 3, 0]), "");
}

#[test]
fn a_size_that_no_memory_has_is_none() {
    let text = r#"(module (func $malloc (export "malloc") (param i64 i64) (result i64) (i64.const 64)))"#;
    for size in [Size::Param(0), Size::Product(0, 1)] {
        let mut guest = Guest::new(text, &[("malloc", Kind::Alloc { size, bias: 0 })]);
        assert_eq!(guest.after("malloc", &[-5, 1]), "");
        assert_eq!(guest.after("malloc", &[i64::MIN, 1]), "");
        assert_eq!(guest.after("malloc", &[1 + (1 << 47), 1]), "");
        assert_eq!(guest.after("malloc", &[1 << 47, 1]), "0+64:140737488355328");
        assert_eq!(guest.after("malloc", &[5, 1]), "0+64:5", "and the count has not moved");
    }
}

#[test]
fn a_bias_names_a_block_at_another_place() {
    // `operator new` style: the block is known at 8 behind the header.
    let text = r#"(module
      (global $top (mut i32) (i32.const 64))
      (func $raw (export "raw") (param i32) (result i32)
        (global.get $top) (global.set $top (i32.add (global.get $top) (i32.const 32))))
      (func $raw_realloc (export "raw_realloc") (param i32 i32) (result i32)
        (if (i32.gt_u (local.get 1) (i32.const 1000)) (then (return (i32.const 0))))
        (i32.add (local.get 0) (i32.const 512)))
      (func $raw_free (export "raw_free") (param i32))
      (func $free (export "free") (param i32))
      (func $back (export "back") (param i32) (result i32) (i32.const 8)))"#;
    let kinds = [
        ("raw", Kind::Alloc { size: Size::Param(0), bias: 8 }),
        ("raw_realloc", Kind::Realloc { block: 0, size: Size::Param(1), bias: 8 }),
        ("raw_free", Kind::Free { block: 0, bias: 8 }),
        ("free", FREE),
        ("back", Kind::Alloc { size: Size::Param(0), bias: -8 }),
    ];
    let mut guest = Guest::new(text, &kinds);
    assert_eq!(guest.after("raw", &[5]), "0+72:5");
    assert_eq!(guest.after("free", &[72]), "-72");
    assert_eq!(guest.after("raw", &[6]), "0+104:6");
    assert_eq!(guest.after("raw_realloc", &[96, 7]), "-104 1+616:7");
    assert_eq!(guest.after("raw_realloc", &[608, 2000]), "", "failed");
    assert_eq!(guest.after("raw_free", &[0]), "", "null with a bias is still null");
    assert_eq!(guest.after("raw_free", &[608]), "-616");
    assert_eq!(guest.after("back", &[1]), "4+0:1", "null is what the function returns, not what the block is called");
}

/// A realloc that moves what grows, and keeps what shrinks. It overwrites its parameters.
const RESIZE: &str = r#"
    (func $realloc (export "realloc") (param $block i32) (param $size i32) (result i32) (local $new i32)
      (if (i32.eqz (local.get $size)) (then
        (if (i32.ne (local.get $block) (i32.const 48)) (then (local.set $block (i32.const 0))))
        (return (local.get $block))))
      (local.set $new (local.get $block))
      (if (i32.or (i32.gt_u (local.get $size) (i32.const 100)) (i32.eqz (local.get $block)))
        (then (local.set $new (call $malloc (local.get $size)))))
      (local.set $block (i32.const 7))
      (local.set $size (i32.const 8))
      (local.get $new))
"#;

#[test]
fn resizing_frees_the_old_block_only_if_it_worked() {
    let text = format!("(module {BUMP} {RESIZE})");
    let mut guest = Guest::new(&text, &[("malloc", MALLOC), ("free", FREE), ("realloc", REALLOC)]);
    assert_eq!(guest.after("realloc", &[0, 10]), "2+64:10", "a null block is an allocation, and one event");
    assert_eq!(guest.after("realloc", &[64, 500]), "-64 2+80:500", "up, moved");
    assert_eq!(guest.after("realloc", &[80, 50]), "-80 2+80:50", "down, in place");
    assert_eq!(guest.after("realloc", &[80, 2000]), "", "failed: the old one stays");
    assert_eq!(guest.after("realloc", &[80, -1]), "");
    assert_eq!(guest.after("realloc", &[80, 0]), "-80", "null for a size of 0: freed");
    assert_eq!(guest.after("realloc", &[0, 0]), "");
    assert_eq!(guest.after("realloc", &[0, 2000]), "", "nothing there, and failed");
    assert_eq!(guest.after("realloc", &[48, 20]), "2+48:20", "a block that was never heard of");
    assert_eq!(guest.after("realloc", &[48, 0]), "-48", "size 0 and not null: freed, and an empty block is none");
    assert_eq!(guest.after("malloc", &[3]), "0+96:3");
}

#[test]
fn resizing_a_block_is_one_event_whatever_it_calls() {
    // malloc, copy, free; and a calloc.
    let text = format!(
        r#"(module {BUMP} (memory (export "memory") 1)
          (func $realloc (export "realloc") (param $block i32) (param $size i32) (result i32) (local $new i32)
            (if (local.tee $new (call $malloc (local.get $size))) (then
              (memory.copy (local.get $new) (local.get $block) (i32.const 16))
              (call $free (local.get $block))))
            (local.get $new))
          (func $calloc (export "calloc") (param $n i32) (param $each i32) (result i32)
            (local.tee $n (call $malloc (i32.mul (local.get $n) (local.get $each))))
            (memory.fill (local.get $n) (i32.const 7) (i32.const 16))))"#
    );
    let calloc = Kind::Alloc { size: Size::Product(0, 1), bias: 0 };
    let kinds = [("malloc", MALLOC), ("free", FREE), ("realloc", REALLOC), ("calloc", calloc)];
    let mut guest = Guest::new(&text, &kinds);
    assert_eq!(guest.after("calloc", &[3, 5]), "3+64:15");
    // The inner free tells of the block, and so does the end of realloc, when it is gone already.
    assert_eq!(guest.after("realloc", &[64, 40]), "-64 ?64 2+80:40");
    assert_eq!(guest.after("free", &[80]), "-80");
    assert_eq!(guest.after("free", &[64]), "");
    assert_eq!(guest.after("realloc", &[0, 2000]), "");
}

#[test]
fn memory64_allocators_deal_in_i64() {
    let text = r#"(module
      (memory (export "memory") i64 1)
      (global $top (mut i64) (i64.const 0x2_0000_0040))
      (func $malloc (export "malloc") (param i64) (result i64)
        (global.get $top) (global.set $top (i64.add (global.get $top) (i64.const 64))))
      (func $realloc (export "realloc") (param i64 i64) (result i64)
        (if (i64.eqz (local.get 1)) (then (return (i64.const 0))))
        (call $malloc (local.get 1)))
      (func $into (export "into") (param $out i64) (param $align i64) (param $size i64) (result i32)
        (if (i64.eqz (local.get $align)) (then (return (i32.const 22))))
        (i64.store (local.get $out) (call $malloc (local.get $size)))
        (local.set $out (i64.const -1))
        (i32.const 0))
      (func $free (export "free") (param i64)))"#;
    let into = Kind::AllocInto { out: 0, size: Size::Param(2) };
    let mut guest = Guest::new(text, &[("malloc", MALLOC), ("realloc", REALLOC), ("into", into), ("free", FREE)]);
    assert_eq!(guest.after("malloc", &[9]), "0+8589934656:9");
    assert_eq!(guest.after("realloc", &[8_589_934_656, 10]), "-8589934656 1+8589934720:10");
    assert_eq!(guest.after("realloc", &[8_589_934_720, 0]), "-8589934720");
    assert_eq!(guest.after("into", &[8, 16, 77]), "2+8589934784:77");
    assert_eq!(guest.after("into", &[8, 0, 77]), "");
    assert_eq!(guest.after("free", &[8_589_934_784]), "-8589934784");
    // The same address, but for 4 GiB and more: another block, if one that the filter does not tell from it.
    assert_eq!(guest.after("malloc", &[1]), "0+8589934848:1");
    assert_eq!(guest.after("free", &[8_589_934_848 + (1 << 32)]), "?12884902144");
}

#[test]
fn a_block_that_is_stored_somewhere_is_looked_up_there() {
    let text = format!(
        r#"(module {BUMP} (memory (export "memory") 1)
          (func $into (export "into") (param $out i32) (param $align i32) (param $size i32) (result i32)
            (if (i32.eqz (local.get $align)) (then (return (i32.const 22))))
            (if (i32.gt_u (local.get $size) (i32.const 1000)) (then (return (i32.const 12))))
            (i32.store (local.get $out) (call $malloc (local.get $size)))
            (local.set $out (i32.const -1))
            (local.set $size (i32.const -1))
            (i32.const 0))
          (func $lies (export "lies") (param $out i32) (param $size i32) (result i32) (i32.const 0)))"#
    );
    let into = Kind::AllocInto { out: 0, size: Size::Param(2) };
    let lies = Kind::AllocInto { out: 0, size: Size::Param(1) };
    let mut guest = Guest::new(&text, &[("malloc", MALLOC), ("free", FREE), ("into", into), ("lies", lies)]);
    assert_eq!(guest.after("into", &[1024, 16, 10]), "2+64:10");
    assert_eq!(guest.after("into", &[1024, 0, 10]), "");
    assert_eq!(guest.after("into", &[1024, 16, 2000]), "");
    assert_eq!(guest.after("into", &[65532, 16, 11]), "2+80:11");
    assert_eq!(guest.after("free", &[64]), "-64");
    // Where nothing is stored there is nothing to read, and never a trap.
    assert_eq!(guest.after("lies", &[4, 9]), "", "null is no block");
    for out in [65533, 65536, -1, -4] {
        assert_eq!(guest.after("lies", &[out, 9]), "", "{out}");
    }
}

#[test]
fn a_free_may_return_something_and_be_told_late() {
    let text = format!(
        r#"(module {BUMP}
          (func $release (export "release") (param f64 i32) (result f64 i32)
            (local.set 1 (i32.const 9))
            (if (f64.eq (local.get 0) (f64.const 2)) (then (return (f64.const 3) (i32.const 4))))
            (local.get 0) (local.get 1)))"#
    );
    let mut guest = Guest::new(&text, &[("malloc", MALLOC), ("release", Kind::Free { block: 1, bias: 0 })]);
    guest.call("malloc", &[1]);
    guest.call("malloc", &[2]);
    guest.call("release", &[2, 64]);
    guest.call("release", &[1, 80]);
    guest.call("malloc", &[3]);
    assert_eq!(guest.heard(), "0+64:1 0+80:2 -64 -80 0+96:3");
}

/// Go's globals, and an allocator that is left at every size of 500 and more. Its arguments: size, then the result.
const GO: &str = r#"
    (memory (export "memory") 1)
    (global $sp (export "sp") (mut i32) (i32.const 1024))
    (global (mut i64) (i64.const 0))
    (global $g (mut i64) (i64.const 77))
    (global $top (mut i32) (i32.const 4096))
    (func $mallocgc (export "mallocgc") (param $at i32) (result i32)
      (if (i32.and (i32.eqz (local.get $at)) (i64.ge_u (i64.load (global.get $sp)) (i64.const 500)))
        (then (local.set $at (i32.const 9)) (return (i32.const 1))))
      (i64.store (i32.add (global.get $sp) (i32.const 24)) (i64.extend_i32_u (global.get $top)))
      (global.set $top (i32.add (global.get $top) (i32.wrap_i64 (i64.load (global.get $sp)))))
      (local.set $at (i32.const 9))
      (i32.const 0))
    (func $mcall (export "mcall") (param i32) (result i32) (i32.const 1))
    (func (export "ask") (param $g i64) (param $size i64)
      (global.set $g (local.get $g)) (i64.store (global.get $sp) (local.get $size)))
"#;

fn go(size: GoSize, tiny_result: Option<u32>) -> Kind {
    Kind::Go(GoAlloc { size, tiny_result })
}

#[test]
fn go_allocates_for_goroutines() {
    let kinds = [("mallocgc", go(GoSize::At(0), None)), ("mcall", Kind::GoSwitch)];
    let mut guest = Guest::new(&format!("(module {GO})"), &kinds);
    guest.call("ask", &[77, 48]);
    assert_eq!(guest.after("mallocgc", &[0]), "0+77:48");
    guest.call("ask", &[78, 600]);
    assert_eq!(guest.after("mallocgc", &[0]), "", "the call is left, not over");
    assert_eq!(guest.after("mcall", &[0]), "1left:78");
    assert_eq!(guest.after("mallocgc", &[5]), "0+78:600", "where it was taken up");
}

#[test]
fn gos_tiny_blocks_and_size_classes_count_when_they_are_new() {
    let mut guest = Guest::new(&format!("(module {GO})"), &[("mallocgc", go(GoSize::Const(16), Some(24)))]);
    let mut at = |size: i64| {
        guest.call("ask", &[7, size]);
        guest.after("mallocgc", &[0])
    };
    assert_eq!(at(8), "0+7:16", "at 4096");
    assert_eq!(at(4), "", "at 4104");
    assert_eq!(at(4), "", "at 4108");
    assert_eq!(at(16), "0+7:16", "at 4112");
    assert_eq!(at(501), "", "the call is left");
}

#[test]
fn a_goroutine_that_is_left_is_not_told_before_the_host_is_armed() {
    let kinds = [("mallocgc", go(GoSize::At(0), None)), ("mcall", Kind::GoSwitch)];
    let mut guest = Guest::new(&format!("(module {GO})"), &kinds);
    guest.store.data_mut().gaps.extend([i64::MAX, 1000]);
    guest.call("ask", &[7, 1]);
    assert_eq!(guest.after("mallocgc", &[0]), "0+7:1");
    assert_eq!(guest.after("mcall", &[0]), "");
}
