//! Components of every shape, rewritten, validated, run and heard.

use std::collections::BTreeSet;

use crate::heap::bell::harness::{ALLOCATOR, Guest, allocator_hooks};
use crate::heap::bell::{Bell, MAX_HOOKS};
use crate::heap::hook::{Hook, Kind, Size};
use crate::heap::rewrite::{AddressMap, rewrite_component};

const RUN: &str = r#"(canon lift (core func $i "run"))"#;

/// Calls each export with its own size and checks that the host hears of all, in one block each.
fn check(text: &str, modules: &[usize], exports: &[(&str, i32)]) {
    let hooks: Vec<Hook> = modules.iter().flat_map(|&module| allocator_hooks(module)).collect();
    let mut guest = Guest::new(text, &hooks, 1, 0);
    let mut blocks = BTreeSet::new();
    for (n, &(export, hook)) in exports.iter().enumerate() {
        let size = 10 + i32::try_from(n).unwrap();
        guest.call(export, size);
        let (event, stack) = guest.heard().allocs.last().unwrap();
        assert_eq!((event.hook, event.size), (hook, i64::from(size)), "{export}");
        blocks.insert(event.block);
        assert_eq!(stack.len(), 2, "malloc and its caller: {stack:x?}");
    }
    assert_eq!(guest.heard().allocs.len(), exports.len());
    assert_eq!(blocks.len(), exports.len(), "equal pointers of different instances are different blocks");
}

#[test]
fn a_nested_component_is_instantiated_twice() {
    let text = format!(
        r#"(component
          (component $inner
            (core module $m {ALLOCATOR})
            (core instance $i (instantiate $m))
            (func (export "run") (param "n" s32) (result s32) {RUN}))
          (instance $a (instantiate $inner))
          (instance $b (instantiate $inner))
          (export "a" (func $a "run"))
          (export "b" (func $b "run")))"#
    );
    check(&text, &[0], &[("a", 0), ("b", 0)]);
}

#[test]
fn core_modules_stand_at_every_level() {
    let text = format!(
        r#"(component
          (core module $m0 {ALLOCATOR})
          (component $outer
            (component $inner
              (core module $m1 {ALLOCATOR})
              (core instance $i (instantiate $m1))
              (func (export "run") (param "n" s32) (result s32) {RUN}))
            (core module $m2 {ALLOCATOR})
            (core instance $i (instantiate $m2))
            (instance $b (instantiate $inner))
            (func (export "run") (param "n" s32) (result s32) {RUN})
            (export "inner" (func $b "run")))
          (core instance $i (instantiate $m0))
          (instance $c (instantiate $outer))
          (instance $d (instantiate $outer))
          (func (export "run") (param "n" s32) (result s32) {RUN})
          (export "outer" (func $c "run"))
          (export "inner" (func $c "inner"))
          (export "other-inner" (func $d "inner")))"#
    );
    check(&text, &[0, 1, 2], &[("run", 0), ("outer", 4), ("inner", 2), ("other-inner", 2)]);
    // Only the innermost.
    check(&text, &[1], &[("inner", 0), ("other-inner", 0)]);
}

#[test]
fn one_core_module_is_instantiated_twice() {
    let text = format!(
        r#"(component
          (core module $m {ALLOCATOR})
          (core instance $i (instantiate $m))
          (core instance $j (instantiate $m))
          (func (export "a") (param "n" s32) (result s32) {RUN})
          (func (export "b") (param "n" s32) (result s32) (canon lift (core func $j "run"))))"#
    );
    check(&text, &[0], &[("a", 0), ("b", 0)]);
}

#[test]
fn modules_and_components_are_aliased_from_outside() {
    let text = format!(
        r#"(component $root
          (core module $m {ALLOCATOR})
          (component $plain
            (core module $m {ALLOCATOR})
            (core instance $i (instantiate $m))
            (func (export "run") (param "n" s32) (result s32) {RUN}))
          (component $inner
            (alias outer $root $m (core module $outer))
            (alias outer $root $plain (component $nested))
            (core instance $i (instantiate $outer))
            (instance $c (instantiate $nested))
            (func (export "run") (param "n" s32) (result s32) {RUN})
            (export "nested" (func $c "run")))
          (instance $a (instantiate $inner))
          (export "a" (func $a "run"))
          (export "b" (func $a "nested")))"#
    );
    check(&text, &[0, 1], &[("a", 0), ("b", 2)]);
}

#[test]
fn components_and_modules_are_exported_and_passed_as_arguments() {
    let text = format!(
        r#"(component
          (component $library
            (core module $m {ALLOCATOR})
            (component $made
              (core module $m {ALLOCATOR})
              (core instance $i (instantiate $m))
              (func (export "run") (param "n" s32) (result s32) {RUN}))
            (export "m" (core module $m))
            (export "made" (component $made)))
          (instance $library (instantiate $library))
          (component $user
            (import "m" (core module $m (export "run" (func (param i32) (result i32)))))
            (import "made" (component $made (export "run" (func (param "n" s32) (result s32)))))
            (core instance $i (instantiate $m))
            (instance $c (instantiate $made))
            (func (export "run") (param "n" s32) (result s32) {RUN})
            (export "made" (func $c "run")))
          (instance $u (instantiate $user
            (with "m" (core module $library "m")) (with "made" (component $library "made"))))
          (export "a" (func $u "run"))
          (export "b" (func $u "made")))"#
    );
    check(&text, &[0, 1], &[("a", 0), ("b", 2)]);
}

#[test]
fn a_start_function_allocates() {
    let text = format!(
        r#"(component
          (core module $m {ALLOCATOR}
            (func $start (drop (call $malloc (i32.const 8))))
            (start $start))
          (core instance $i (instantiate $m))
          (core instance $j (instantiate $m))
          (func (export "run") (param "n" s32) (result s32) {RUN}))"#
    );
    let mut guest = Guest::new(&text, &allocator_hooks(0), 1, 0);
    assert_eq!(guest.heard().sizes(), [(0, 8), (0, 8)]);
    guest.call("run", 9);
    assert_eq!(guest.heard().sizes(), [(0, 8), (0, 8), (0, 9)]);
}

/// As `wit-component` builds them: the lowered import needs the memory of the module that imports it, so the module
/// gets it through a table that is filled afterwards.
const STRINGS: &str = r#"(component
  (import "give" (func $give (result string)))
  (core module $m
    (import "" "give" (func $give (param i32)))
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func $malloc (param i32) (result i32)
      (global.get $top) (global.set $top (i32.add (global.get $top) (i32.const 64))))
    (func $free (param i32))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (call $malloc (local.get 3)))
    (func $read (call $give (i32.const 16)))
    (func (export "run") (param i32) (result i32) (call $read) (i32.load (i32.const 20)))
    (func (export "text") (result i32) (call $read) (i32.const 16))
    (func (export "after-text") (param i32) (drop (call $malloc (i32.const 3))) (call $free (i32.load (i32.const 16)))))
  (core module $indirect
    (table (export "table") 1 funcref)
    (func (export "give") (param i32) (call_indirect (param i32) (local.get 0) (i32.const 0))))
  (core module $fill
    (import "" "table" (table 1 funcref))
    (import "" "give" (func $give (param i32)))
    (elem (i32.const 0) func $give))
  (core instance $indirect (instantiate $indirect))
  (core instance $i (instantiate $m (with "" (instance (export "give" (func $indirect "give"))))))
  (core func $give (canon lower (func $give) (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc"))))
  (core instance (instantiate $fill
    (with "" (instance (export "table" (table $indirect "table")) (export "give" (func $give))))))
  (func (export "run") (param "n" s32) (result s32) (canon lift (core func $i "run")))
  (func (export "text") (result string)
    (canon lift (core func $i "text") (memory (core memory $i "memory")) (post-return (core func $i "after-text")))))"#;

fn string_hooks() -> [Hook; 2] {
    allocator_hooks(0).map(|hook| Hook { function: hook.function + 1, ..hook })
}

#[test]
fn blocks_for_what_the_host_gives_are_heard_of_with_their_stacks() {
    let mut guest = Guest::with(STRINGS, &string_hooks(), Bell::new(1, 0), |linker| {
        linker.root().func_wrap("give", |_, (): ()| Ok(("hello".to_owned(),))).unwrap();
    });
    assert_eq!(guest.call("run", 0), 5);
    assert_eq!(guest.heard().sizes(), [(0, 5)]);
    let stack = &guest.heard().allocs[0].1;
    // malloc and cabi_realloc; then, beyond the host, the indirect module's give, and the readers.
    assert_eq!(stack.len(), 5, "{stack:x?}");

    let text = guest.instance.get_typed_func::<(), (String,)>(&mut guest.store, "text").unwrap();
    assert_eq!(text.call(&mut guest.store, ()).unwrap().0, "hello");
    assert_eq!(guest.heard().sizes(), [(0, 5), (0, 5), (0, 3)], "also while it cleans up");
    assert_eq!(guest.heard().live.len(), 2, "where the string is freed");
}

#[test]
fn offsets_lead_back_to_the_original_file_everywhere() {
    let text = format!(
        r#"(component
          (core module $before (func (export "f") nop nop unreachable))
          (component $inner (core module $m {ALLOCATOR} (func $fail (export "fail") nop unreachable)))
          (core module $after (func (export "f") nop nop nop unreachable)))"#
    );
    let bytes = wat::parse_str(text).unwrap();
    let rewrite = rewrite_component(&bytes, &allocator_hooks(0).map(|hook| Hook { module: 1, ..hook })).unwrap();
    let map = AddressMap::new(rewrite.segments);
    // All bodies with an `unreachable` in them are as they were.
    let at_unreachable = |bytes: &[u8]| {
        let mut found = Vec::new();
        for payload in wasmparser::Parser::new(0).parse_all(bytes) {
            if let wasmparser::Payload::CodeSectionEntry(body) = payload.unwrap() {
                let operators = body.get_operators_reader().unwrap().into_iter_with_offsets();
                found.extend(operators.filter_map(|it| match it.unwrap() {
                    (wasmparser::Operator::Unreachable, offset) => Some(u32::try_from(offset).unwrap()),
                    _ => None,
                }));
            }
        }
        found
    };
    let mapped: Vec<u32> = at_unreachable(&rewrite.bytes).into_iter().map(|at| map.map(at).unwrap()).collect();
    assert_eq!(mapped.len(), 3);
    assert_eq!(mapped, at_unreachable(&bytes));
}

#[test]
fn a_module_that_cannot_be_rewritten_is_skipped_and_says_why() {
    let tables = "(table 0 funcref)".repeat(100);
    let text = format!(
        r#"(component
          (core module (table 1 funcref) {ALLOCATOR} {tables})
          (core module $m {ALLOCATOR}))"#
    );
    let text = text.replacen("(table 1 funcref)", "", 1);
    let bytes = wat::parse_str(text).unwrap();
    let both: Vec<Hook> = [0, 1].into_iter().flat_map(allocator_hooks).collect();
    let rewrite = rewrite_component(&bytes, &both).unwrap();
    let reason = "it has 100 tables, which leaves no room for wprof's".to_owned();
    assert_eq!(rewrite.skipped, [(0, reason.clone())]);
    let error = rewrite_component(&bytes, &allocator_hooks(0)).unwrap_err();
    assert_eq!(error, format!("core module 0: {reason}"));
    let error = rewrite_component(&bytes, &allocator_hooks(2)).unwrap_err();
    assert_eq!(error, "core module 2 is not in it: it has 2");
}

#[test]
fn more_hooks_than_can_be_told_apart_are_refused() {
    let hook =
        Hook { module: 0, function: 0, name: String::new(), kind: Kind::Alloc { size: Size::Param(0), bias: 0 } };
    let error = rewrite_component(&wat::parse_str("(component)").unwrap(), &vec![hook; MAX_HOOKS + 1]).unwrap_err();
    assert_eq!(error, "it has 4097 allocator functions, more than the 4096 that can be told apart");
}

#[test]
fn a_broken_file_is_an_error_at_worst() {
    let bytes = wat::parse_str(STRINGS).unwrap();
    let whole = rewrite_component(&bytes, &string_hooks()).unwrap();
    assert!(whole.bytes.len() > bytes.len());
    for n in 0..bytes.len() {
        let mut broken = bytes.clone();
        for bit in [0x01, 0x04, 0x80] {
            broken[n] ^= bit;
            // Whatever comes out, it comes out.
            let _ = rewrite_component(&broken, &string_hooks());
        }
        if n > 8 {
            let _ = rewrite_component(&bytes[..n], &string_hooks());
        }
        assert!(n >= 8 || rewrite_component(&bytes[..n], &string_hooks()).is_err());
    }
    let mut deep = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..10_000 {
        let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
        outer.extend(super::leb(deep.len()).unwrap());
        deep = [outer, deep].concat();
    }
    assert_eq!(rewrite_component(&deep, &[]).unwrap().bytes, deep);
}
