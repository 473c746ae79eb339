//! Modules of every shape: what they have, what they lack, and in which order and encoding.

use wasm_encoder::{RawSection, Section as _};
use wasmparser::{BinaryReader, Parser};

use super::{BUMP, FREE, Guest, MALLOC, REALLOC, hooks, refused, rewrite};
use crate::heap::hook::{GoAlloc, GoSize, Hook, Kind, Size};
use crate::heap::rewrite::rewrite_module;

const HOOKED: [(&str, Kind); 2] = [("malloc", MALLOC), ("free", FREE)];

/// Allocates, frees and allocates.
fn check(mut guest: Guest) {
    assert_eq!(guest.after("malloc", &[7]), "0+64:7");
    assert_eq!(guest.after("free", &[64]), "-64");
    assert_eq!(guest.after("malloc", &[8]), "0+80:8");
}

#[test]
fn allocators_are_called_from_everywhere() {
    let text = format!(
        r#"(module {BUMP}
          (type $alloc (func (param i32) (result i32)))
          (table $t (export "t") 4 funcref)
          (elem (table $t) (i32.const 1) func $malloc)
          (elem declare func $free)
          (global $ref (ref $alloc) (ref.func $malloc))
          (export "malloc too" (func $malloc))
          (start $start)
          (func $start (drop (call $malloc (i32.const 5))))
          (func (export "through_table") (param i32) (result i32)
            (call_indirect (type $alloc) (local.get 0) (i32.const 1)))
          (func (export "by_ref") (param i32) (result i32) (call_ref $alloc (local.get 0) (global.get $ref)))
          (func (export "free_by_ref") (param i32) (table.set $t (i32.const 2) (ref.func $free))
            (call_indirect (param i32) (local.get 0) (i32.const 2))))"#
    );
    let mut guest = Guest::new(&text, &HOOKED);
    assert_eq!(guest.heard(), "0+64:5", "the start function runs when the host listens");
    assert_eq!(guest.after("through_table", &[6]), "0+80:6");
    assert_eq!(guest.after("by_ref", &[7]), "0+96:7");
    assert_eq!(guest.after("malloc too", &[8]), "0+112:8");
    assert_eq!(guest.after("free_by_ref", &[96]), "-96");
}

#[test]
fn the_start_function_may_be_an_import_or_an_allocators() {
    let text = format!(r#"(module (import "env" "start" (func $start)) {BUMP} (start $start))"#);
    check(Guest::new(&text, &HOOKED));
    let text = format!(
        r#"(module {BUMP} (memory (export "memory") 1) (func $start (i32.store8 (i32.const 7) (i32.const 8)))
          (start $start) (export "start" (func $start)))"#
    );
    check(Guest::new(&text, &[HOOKED[0], HOOKED[1]]));
}

#[test]
fn nothing_but_functions_is_needed() {
    let text = r#"(module
      (func $malloc (param i32) (result i32) (i32.const 64))
      (func $free (param i32))
      (start $start)
      (func $start (drop (call $malloc (i32.const 5))) (call $free (i32.const 64)) (drop (call $malloc (i32.const 6)))))"#;
    let mut guest = Guest::new(text, &HOOKED);
    assert_eq!(guest.heard(), "0+64:5 -64 0+64:6");
}

#[test]
fn what_a_module_has_and_imports_keeps_its_place() {
    let text = format!(
        r#"(module
          (import "env" "f" (func $f (param i32) (result i64)))
          (import "env" "memory" (memory $imported 1 2))
          (import "env" "table" (table $imported_table 3 externref))
          (import "env" "global" (global $imported_global i64))
          (import "env" "mutable" (global $mutable (mut f32)))
          (import "env" "g" (func $g))
          {BUMP}
          (memory $own (export "own") 2)
          (memory $wide (export "wide") i64 1)
          (table $own_table 5 20 funcref)
          (table $wide_table i64 1 funcref)
          (tag (param i32))
          (global $own_global (export "global") (mut i64) (i64.const 5))
          (elem $passive func $malloc $free)
          (elem (table $own_table) (i32.const 0) func $g $f)
          (data $text "hello")
          (data (memory $own) (i32.const 8) "active")
          (data (memory $imported) (i32.const 8) "imported")
          (func (export "work") (result i64)
            (call $g)
            (memory.init $own $text (i32.const 100) (i32.const 0) (i32.const 5))
            (data.drop $text)
            (table.init $own_table $passive (i32.const 2) (i32.const 0) (i32.const 2))
            (i32.store $imported (i32.const 0) (call_indirect $own_table (param i32) (result i32) (i32.const 3) (i32.const 2)))
            (global.set $own_global (i64.add (global.get $own_global) (call $f (i32.load $own (i32.const 100)))))
            (i64.store $wide (i64.const 8) (i64.extend_i32_u (memory.grow $wide (i64.const 1)) (memory.size $own) (drop)))
            (drop (table.grow $own_table (ref.null func) (i32.const 2)))
            (i64.add (global.get $own_global) (i64.extend_i32_u (table.size $own_table)))))"#
    )
    .replace("(i64.extend_i32_u (memory.grow $wide (i64.const 1)) (memory.size $own) (drop))", "(memory.grow $wide (i64.const 1))");
    let mut guest = Guest::new(&text, &HOOKED);
    assert_eq!(guest.call("work", &[]), 5 + 7);
    assert_eq!(guest.heard(), "0+64:3");
    assert_eq!(guest.after("free", &[64]), "-64");
}

#[test]
fn memory_may_be_shared_or_not_there_and_types_may_be_in_groups() {
    check(Guest::new(&format!(r#"(module (memory 1 4 shared) {BUMP})"#), &HOOKED));
    let text = format!(
        r#"(module
          (rec (type $list (sub (struct (field (mut (ref null $list))) (field i8))))
               (type $bytes (array (mut i8)))
               (type $longer (sub $list (struct (field (mut (ref null $list))) (field i8) (field (ref $bytes))))))
          (rec (type (func (param (ref $list)))))
          {BUMP}
          (type $late (func (param v128) (result v128)))
          (func $simd (export "simd") (param $n i32) (result i32) (local $v v128) (local $list (ref $list))
            (local.set $v (i32x4.splat (local.get $n)))
            (local.set $list (struct.new $longer (ref.null $list) (i32.const 7) (array.new_default $bytes (i32.const 9))))
            (if (i32x4.all_true (i32x4.relaxed_trunc_f32x4_s (f32x4.convert_i32x4_s (local.get $v))))
              (then (return (i32.add (i32x4.extract_lane 2 (local.get $v)) (struct.get_s $list 1 (local.get $list))))))
            (i32.const 0)))"#
    );
    let mut guest = Guest::new(&text, &[("simd", MALLOC)]);
    assert_eq!(guest.after("simd", &[20]), "0+27:20");
    assert_eq!(guest.after("simd", &[0]), "");
}

#[test]
fn names_that_are_taken_are_not_used_twice() {
    let text = format!(
        r#"(module {BUMP}
          (func (export "wprof:hooks")) (table (export "wprof:hooks2") 1 funcref)
          (global (export "wprof:countdown") i32 (i32.const 1))
          (func $start (export "wprof:start") (drop (call $malloc (i32.const 1)))) (start $start)
          (memory (export "wprof:memory") 1))"#
    );
    let module = wat::parse_str(&text).unwrap();
    let armed = rewrite(&module, &hooks(&module, &HOOKED)).unwrap().armed.unwrap();
    assert_eq!(
        [armed.table, armed.countdown, armed.memory.unwrap()],
        ["wprof:hooks3", "wprof:countdown2", "wprof:memory2"]
    );
    assert_eq!(armed.start.unwrap(), "wprof:start2");
    let mut guest = Guest::new(&text, &HOOKED);
    assert_eq!(guest.heard(), "0+64:1");
    assert_eq!(guest.after("malloc", &[1]), "0+80:1");
}

/// A number in as many bytes as the format allows.
fn padded(n: usize) -> [u8; 5] {
    std::array::from_fn(|byte| (n >> (7 * byte)).to_le_bytes()[0] & 0x7f | if byte < 4 { 0x80 } else { 0 })
}

/// Reads a number and returns it padded, and what follows.
fn pad_first(bytes: &[u8]) -> (usize, Vec<u8>, &[u8]) {
    let mut reader = BinaryReader::new(bytes, 0);
    let n = reader.read_var_u32().unwrap() as usize;
    (n, padded(n).to_vec(), &bytes[reader.original_position()..])
}

/// The module with every length and count padded, and between all sections, first and last, a custom one.
fn inflate(module: &[u8]) -> Vec<u8> {
    let mut out = module[..8].to_vec();
    for (n, payload) in Parser::new(0).parse_all(module).enumerate() {
        let Some((id, range)) = payload.unwrap().as_section() else { continue };
        let mut contents = module[range].to_vec();
        if id == 10 {
            let (n, mut code, mut rest) = pad_first(&contents);
            for _ in 0..n {
                let (length, _, after) = pad_first(rest);
                let (_, groups, locals) = pad_first(&after[..length]);
                code.extend(padded(groups.len() + locals.len()));
                code.extend([&groups, locals].concat());
                rest = &after[length..];
            }
            contents = code;
        } else if id != 0 && id != 8 {
            let (_, count, rest) = pad_first(&contents);
            contents = [&count, rest].concat();
        }
        wasm_encoder::CustomSection { name: format!("between {n}").into(), data: (&[1, 2, 3]).into() }
            .append_to(&mut out);
        out.push(id);
        out.extend(padded(contents.len()));
        out.extend(contents);
    }
    RawSection { id: 0, data: &[1, b'x'] }.append_to(&mut out);
    out
}

#[test]
fn lengths_and_counts_may_be_padded_and_custom_sections_stand_anywhere() {
    let sections = [
        "(memory 1)",
        "(table 1 funcref)",
        "(tag)",
        "(data $d \"x\") (memory 1) (func (data.drop $d))",
        "(import \"\" \"f\" (func)) (elem declare func $malloc)",
        "(func $s (export \"s\")) (start $s)",
        "",
    ];
    for more in sections {
        let more = if more.starts_with("(import") { format!("{more} {BUMP}") } else { format!("{BUMP} {more}") };
        let module = wat::parse_str(format!("(module {more})")).unwrap();
        let hooks = hooks(&module, &HOOKED);
        let inflated = inflate(&module);
        assert!(inflated.len() > module.len() + 40);
        check(Guest::of(&inflated, &hooks));
        // Custom sections come out as they were, in order.
        let customs = |bytes: &[u8]| -> Vec<String> {
            let names = Parser::new(0).parse_all(bytes).filter_map(|it| match it.unwrap() {
                wasmparser::Payload::CustomSection(custom) => Some(custom.name().to_owned()),
                _ => None,
            });
            names.collect()
        };
        assert_eq!(customs(&rewrite(&inflated, &hooks).unwrap().bytes), customs(&inflated));
    }
}

#[test]
fn what_is_at_its_limit_leaves_no_room() {
    let with = |more: &str| format!("(module {BUMP} {more})");
    check(Guest::new(&with(&"(table 0 funcref)".repeat(99)), &HOOKED));
    check(Guest::new(&with(&"(memory 0)".repeat(99)), &HOOKED));
    let tables = with(&"(table 0 funcref)".repeat(100));
    assert_eq!(refused(&tables, &HOOKED), "it has 100 tables, which leaves no room for wprof's");
    let memories = with(&"(memory 0)".repeat(100));
    assert_eq!(refused(&memories, &HOOKED), "it has 100 memories, which leaves no room for wprof's");
    // In a component the bell is a table too, and the limit is the same.
    let module = wat::parse_str(tables).unwrap();
    assert!(rewrite_module(&module, &[(0, &hooks(&module, &HOOKED)[0])], true).is_err());
    let locals = |n: u32| {
        let locals = format!("(local {})", "i64 ".repeat(n as usize));
        with("").replacen("(result i32)", &format!("(result i32) {locals}"), 1)
    };
    check(Guest::new(&locals(49_980), &HOOKED));
    let reason = refused(&locals(49_999), &HOOKED);
    assert_eq!(reason, "an allocator function has 50000 locals, which leaves no room for wprof's");
    let long = with("").replacen("(result i32)", &format!("(result i32) {}", "nop ".repeat(7_654_260)), 1);
    let reason = refused(&long, &HOOKED);
    assert!(reason.ends_with("is so large that wprof's code has no room in it"), "{reason}");
}

#[test]
fn functions_that_are_not_what_they_are_said_to_be_are_refused() {
    let text = r#"(module
      (import "" "f" (func $imported (param i32) (result i32)))
      (memory i64 1)
      (func $none (param i32))
      (func $two (param i32) (result i32 i32) unreachable)
      (func $float (param f32) (result i32) unreachable)
      (func $into (param i32 i32) (result i32) unreachable)
      (func $wide (param i64 i64) (result i32) unreachable))"#;
    let into = Kind::AllocInto { out: 0, size: Size::Param(1) };
    let product = Kind::Alloc { size: Size::Product(0, 2), bias: 0 };
    let go = Kind::Go(GoAlloc { size: GoSize::Const(1), tiny_result: None });
    for (name, kind, reason) in [
        ("imported", MALLOC, "imported is not a function with a body"),
        ("none", MALLOC, "none does not return one integer"),
        ("two", MALLOC, "two does not return one integer"),
        ("float", MALLOC, "float has no integer as its parameter 0"),
        ("float", FREE, "float has no integer as its parameter 0"),
        ("float", REALLOC, "float has no integer as its parameter 0"),
        ("into", Kind::Free { block: 2, bias: 0 }, "into has no integer as its parameter 2"),
        ("into", product, "into has no integer as its parameter 2"),
        ("into", into, "into deals in pointers to a memory that is not there"),
        ("into", go, "into is to be Go's, but has not the globals or the type for that"),
    ] {
        assert_eq!(refused(text, &[(name, kind)]), reason);
    }
    assert_eq!(refused(text, &[("wide", into), ("wide", FREE)]), "one function is hooked twice");
    Guest::new(text, &[("wide", into), ("two", FREE)]);
    let narrow = text.replace("(memory i64 1)", "");
    assert_eq!(refused(&narrow, &[("wide", into)]), "wide deals in pointers to a memory that is not there");
    let go_type = "(module (global (mut i32) i32.const 0) (global i32 i32.const 0) (global (mut i64) i64.const 0)
      (func $f (param i64) (result i32) unreachable) (memory 1))";
    assert_eq!(refused(go_type, &[("f", go)]), "f is to be Go's, but has not the globals or the type for that");
    let hook = Hook { module: 0, function: 99, name: "it".to_owned(), kind: MALLOC };
    let module = wat::parse_str(text).unwrap();
    assert_eq!(rewrite(&module, &[hook]).unwrap_err(), "it is not a function with a body");
}

#[test]
fn a_broken_file_is_refused_or_left_to_the_engine() {
    let text =
        format!("(module (memory 1) {BUMP} (data (i32.const 0) \"x\") (table 1 funcref) (elem (i32.const 0) $malloc))");
    let module = wat::parse_str(text).unwrap();
    let hooks = hooks(&module, &HOOKED);
    for n in 0..module.len() {
        // Whatever comes out, it comes out.
        let _ = rewrite(&module[..n], &hooks);
        let mut broken = module.clone();
        for bit in [0x01, 0x04, 0x40, 0x80] {
            broken[n] ^= bit;
            let _ = rewrite(&broken, &hooks);
        }
    }
}
