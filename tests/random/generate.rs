//! Random valid modules that end.

use arbitrary::Unstructured;
use fastrand::Rng;
use wasm_smith::{Config, Module};

/// What the module may be called with in total: each call of a function and each turn of a loop takes one.
const STEPS: u32 = 500;

/// A module; equal generators make equal ones.
pub(crate) fn module(random: &mut Rng) -> Vec<u8> {
    loop {
        let bytes: Vec<u8> = (0..random.usize(1000..6000)).map(|_| random.u8(..)).collect();
        // Where the bytes do not suffice, others may.
        let Ok(mut module) = Module::new(config(random), &mut Unstructured::new(&bytes)) else { continue };
        module.ensure_termination(STEPS).unwrap();
        return module.to_bytes();
    }
}

/// All that wasmtime runs, and sizes that are quick to compile, run and compare.
fn config(random: &mut Rng) -> Config {
    let (max_memories, max_tables) = (random.usize(0..4), random.usize(0..4));
    Config {
        custom_page_sizes_enabled: random.u8(..8) == 0,
        // Most random code traps at once, and is then over.
        disallow_traps: random.bool(),
        export_everything: true,
        exports: (random.u8(..4) > 0).then(|| exports(random, max_memories > 0, max_tables > 0)),
        gc_enabled: random.bool(),
        generate_custom_sections: random.bool(),
        limit_arrays_in_const_exprs: true,
        max_data_segments: 5,
        max_element_segments: 5,
        max_elements: 20,
        max_funcs: 12,
        max_globals: 10,
        max_imports: if random.bool() { 6 } else { 0 },
        max_instructions: 150,
        max_memories,
        max_memory32_bytes: 1 << 18,
        max_memory64_bytes: 1 << 18,
        max_table_elements: 50,
        max_tables,
        max_tags: random.usize(0..4),
        max_types: 20,
        memory_max_size_required: true,
        min_uleb_size: random.u8(1..6),
        table_max_size_required: true,
        wide_arithmetic_enabled: random.bool(),
        ..Config::default()
    }
}

/// A module whose exports the generated one is to have: functions such as allocators are, and what they may change.
fn exports(random: &mut Rng, has_memory: bool, has_table: bool) -> Vec<u8> {
    let types = [
        "(param i32) (result i32)",
        "(param i64) (result i64)",
        "(param i32 i32) (result i32)",
        "(param i64 i64) (result i64)",
        "(param i32 i64 i32) (result i32)",
        "(param f32 i32 v128 i32) (result i32)",
        "(param i32)",
        "(param i64 f64) (result f64 i32)",
    ];
    let mut text = String::from(r#"(module (global (export "g32") (mut i32) i32.const 0)"#);
    text.push_str(r#"(global (export "g64") (mut i64) i64.const 0)"#);
    for n in 0..random.usize(2..8) {
        let ty = types[random.usize(..types.len())];
        text.extend([r#"(func (export "f"#, &n.to_string(), r#"") "#, ty, " unreachable)"]);
    }
    if has_memory {
        text.push_str(random.choice([r#"(memory (export "m") 1 3)"#, r#"(memory (export "m") i64 1 3)"#]).unwrap());
    }
    if has_table {
        text.push_str(r#"(table (export "t") 5 10 funcref)"#);
    }
    text.push(')');
    wat::parse_str(text).unwrap()
}
