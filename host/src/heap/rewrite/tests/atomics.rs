//! Instructions by which threads wait and wake, as they were and rewritten.

use std::sync::{Arc, Mutex};

use wasmparser::{Operator, Parser, Payload};
use wasmtime::{Config, Engine, Func, Instance, Linker, MemoryType, Module, Ref, SharedMemory, Store, Val};

use super::super::{AddressMap, FILTER, FILTER_PAGES, NOTIFIES, RESULT_SHIFT, TAKEN, WAITS};
use super::rewrite;

const GUEST: &str = r#"(module
    (import "env" "memory" (memory 1 1 shared))
    (import "wasi" "thread-spawn" (func (param i32) (result i32)))
    (global $zero i32 (i32.const 0))
    (func $untouched (result i32) (i32.const 0xfe))
    (func (export "wait32") (param i32 i64 i64) (result i32)
      (memory.atomic.wait32 offset=4 (local.get 0) (i32.wrap_i64 (local.get 1)) (local.get 2)))
    (func (export "wait64") (param i32 i64 i64) (result i32)
      (local $unused f64)
      (if (i32.eqz (local.get 0)) (then (return (memory.atomic.wait64 (i32.const 8) (local.get 1) (local.get 2)))))
      (i32.add (memory.atomic.wait64 offset=300 (local.get 0) (local.get 1) (local.get 2)) (global.get $zero)))
    (func (export "notify") (param i32 i64 i64) (result i32)
      (memory.atomic.notify (local.get 0) (i32.wrap_i64 (local.get 1)))))"#;

type Told = Arc<Mutex<Vec<(i64, i32)>>>;

/// Its instance; told of what the host is.
fn instantiate(engine: &Engine, bytes: &[u8], table: Option<&str>) -> (Store<()>, Instance, Told) {
    let module = Module::new(engine, bytes).unwrap();
    let (mut store, mut linker, told) = (Store::new(engine, ()), Linker::new(engine), Told::default());
    let shared = |pages| SharedMemory::new(engine, MemoryType::shared(pages, pages)).unwrap();
    linker.define(&store, "env", "memory", shared(1)).unwrap();
    linker.define(&store, FILTER.0, FILTER.1, shared(u32::try_from(FILTER_PAGES).unwrap())).unwrap();
    linker.func_wrap("wasi", "thread-spawn", |_: i32| -1).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    if let Some(table) = table {
        let own = Arc::clone(&told);
        let tell = Func::wrap(&mut store, move |address: i64, what: i32| {
            own.lock().unwrap().push((address, what));
            0
        });
        instance.get_table(&mut store, table).unwrap().set(&mut store, 2, Ref::Func(Some(tell))).unwrap();
    }
    (store, instance, told)
}

fn engine() -> Engine {
    let mut config = Config::new();
    config.shared_memory(true);
    Engine::new(&config).unwrap()
}

fn operators(module: &[u8], mut note: impl FnMut(&Operator<'_>, usize)) {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CodeSectionEntry(body) = payload.unwrap() else { continue };
        let mut operators = body.get_operators_reader().unwrap();
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset().unwrap();
            note(&operator, offset);
        }
    }
}

#[test]
fn waiting_and_waking_are_what_they_were_and_are_told_of() {
    let module = wat::parse_str(GUEST).unwrap();
    let rewritten = rewrite(&module, &[]).unwrap();
    let engine = engine();
    let (mut plain_store, plain, _) = instantiate(&engine, &module, None);
    let table = rewritten.armed.unwrap().table;
    let (mut store, instance, told) = instantiate(&engine, &rewritten.bytes, Some(&table));
    let timed_out = TAKEN | 2 << RESULT_SHIFT;
    let not_equal = TAKEN | 1 << RESULT_SHIFT;
    let (in_time, wrong) = ([0, 0], [1, 0]);
    for (name, at, [value, timeout], expected) in [
        ("wait32", 0, in_time, vec![(4, WAITS), (4, timed_out)]),
        ("wait32", 16, wrong, vec![(20, WAITS), (20, not_equal)]),
        ("wait32", 1, in_time, vec![(5, WAITS)]),
        ("wait32", 65_532, in_time, vec![(65_536, WAITS)]),
        ("wait32", -4, in_time, vec![]),
        ("wait64", 0, in_time, vec![(8, WAITS), (8, timed_out)]),
        ("wait64", 4, wrong, vec![(304, WAITS), (304, not_equal)]),
        ("notify", 8, [1, 0], vec![(8, NOTIFIES)]),
        ("notify", 8, [0, 0], vec![]),
        ("notify", 2, [1, 0], vec![(2, NOTIFIES)]),
    ] {
        let args = [Val::I32(at), Val::I64(value), Val::I64(timeout)];
        let [mut was, mut is] = [[Val::I32(-1)], [Val::I32(-1)]];
        let func = plain.get_func(&mut plain_store, name).unwrap();
        let was = func.call(&mut plain_store, &args, &mut was).is_ok().then(|| was[0].unwrap_i32());
        let func = instance.get_func(&mut store, name).unwrap();
        let is = func.call(&mut store, &args, &mut is).is_ok().then(|| is[0].unwrap_i32());
        assert_eq!(was, is, "{name} {at} {value}: a result, or a trap");
        assert_eq!(std::mem::take(&mut *told.lock().unwrap()), expected, "{name} {at} {value}");
    }
}

#[test]
fn the_calls_stand_for_the_instructions_and_all_else_keeps_its_place() {
    let module = wat::parse_str(GUEST).unwrap();
    let rewritten = rewrite(&module, &[]).unwrap();
    let map = AddressMap::new(rewritten.segments);
    let mut were = Vec::new();
    let is_atomic = |operator: &Operator<'_>| {
        use Operator::{MemoryAtomicNotify, MemoryAtomicWait32, MemoryAtomicWait64};
        matches!(operator, MemoryAtomicNotify { .. } | MemoryAtomicWait32 { .. } | MemoryAtomicWait64 { .. })
    };
    let mut others = Vec::new();
    operators(&module, |operator, offset| if is_atomic(operator) { were.push(offset) } else { others.push(offset) });
    let (mut calls, mut kept) = (Vec::new(), Vec::new());
    operators(&rewritten.bytes, |operator, offset| {
        let Some(old) = map.map(u32::try_from(offset).unwrap()) else { return };
        match operator {
            Operator::Call { .. } => calls.push(old as usize),
            // The offset that is pushed before a call stands for the instruction too.
            _ if were.contains(&(old as usize)) => {}
            _ => kept.push(old as usize),
        }
    });
    assert_eq!(calls, were);
    assert_eq!(kept, others);
}
