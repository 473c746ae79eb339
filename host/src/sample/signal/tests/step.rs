//! A guest that calls in every way, seen before every single instruction: its stack must be right at all of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use wasmtime::{CallHook, Config, Engine, Func, Instance, Module, Store, Val};

use super::super::*;
use crate::guest::Code;
use crate::stack::Registers;
use crate::stack::step::step_through;

/// Each function is called in one place only, so that the one that is running tells the whole stack. Comments say who calls.
const GUEST: &str = r#"(module
    (import "" "host" (func $host (param i32) (result i32)))
    (type $pair (func (param i32) (result i32)))
    (type $many (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
    (memory 2)
    (table funcref (elem $indirect $tail_indirect $middle))
    (global $sum (mut i32) (i32.const 0))
    (tag $thrown)
    ;; 1: run
    (func $run (export "run") (param i32) (result i32)
        (call $leaf) (call $looper) (drop (call $many (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5)
            (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9) (i64.const 10)))
        (drop (call_indirect (type $pair) (local.get 0) (i32.const 0)))
        (call $tail_caller) (drop (call $tail_grower (i32.const 4))) (call $builtins) (call $switch (i32.const 0))
        (call $catcher) (drop (call $re_enters (i32.const 1)))
        (global.get $sum))
    ;; 2: run
    (func $leaf (global.set $sum (i32.add (global.get $sum) (i32.const 1))))
    ;; 3: run
    (func $looper (local i32) (local.set 0 (i32.const 3))
        (loop $again (call $inner) (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    ;; 4: looper
    (func $inner (global.set $sum (i32.mul (global.get $sum) (i32.const 3))))
    ;; 5: run; more parameters than registers, and values that live across a call
    (func $many (type $many) (local i64 i64 i64 i64 i64 i64)
        (local.set 10 (i64.mul (local.get 0) (local.get 9))) (local.set 11 (i64.mul (local.get 1) (local.get 8)))
        (local.set 12 (i64.mul (local.get 2) (local.get 7))) (local.set 13 (i64.mul (local.get 3) (local.get 6)))
        (call $in_many)
        (i64.add (i64.add (local.get 10) (local.get 11)) (i64.add (local.get 12) (local.get 13))))
    ;; 6: many
    (func $in_many (global.set $sum (i32.add (global.get $sum) (call $host (i32.const 0)))))
    ;; 7: run, through the table
    (func $indirect (type $pair) (i32.add (local.get 0) (i32.const 1)))
    ;; 8: run, and gone when 9 runs
    (func $tail_caller (return_call $tail_called (i32.const 1)))
    ;; 9: run, by a tail call of 8's; and gone when 10 runs
    (func $tail_called (param i32)
        (drop (call $below_tail (i32.const 2))) (global.set $sum (local.get 0)) (drop (call $table_tail (i32.const 2))))
    ;; 10: tail_called
    (func $below_tail (param i32) (result i32) (call $host (local.get 0)))
    ;; 11: tail_called, and gone when 12 runs
    (func $table_tail (type $pair) (return_call_indirect (type $pair) (local.get 0) (i32.const 1)))
    ;; 12: tail_called, by a tail call of 11's
    (func $tail_indirect (type $pair) (i32.add (local.get 0) (i32.const 7)))
    ;; 13: run, and gone when 14 runs
    (func $tail_grower (type $pair)
        (i32.wrap_i64 (call $tail_grows (i64.const 1))))
    ;; 14: tail_grower; makes room for the parameters of 15
    (func $tail_grows (param i64) (result i64)
        (return_call $tail_many (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
            (local.get 0) (local.get 0) (local.get 0) (local.get 0)))
    ;; 15: tail_grower, by a tail call of 14's
    (func $tail_many (type $many) (i64.add (local.get 9) (i64.extend_i32_u (call $below_many))))
    ;; 16: tail_many
    (func $below_many (result i32) (call $host (i32.const 0)))
    ;; 17: run
    (func $builtins
        (memory.fill (i32.const 0) (i32.const 7) (i32.const 70000)) (memory.copy (i32.const 9) (i32.const 0) (i32.const 70000))
        (drop (memory.grow (i32.const 1))))
    ;; 18: run; a jump through a table inside the function
    (func $switch (param i32)
        (block $0 (block $1 (block $2 (block $3 (br_table $0 $1 $2 $3 $0 $1 $2 $3 (call $below_switch)))
            (call $in_switch)) (call $in_switch_2)) (global.set $sum (i32.const 5))))
    ;; 19: switch
    (func $below_switch (result i32) (i32.const 3))
    ;; 20: switch
    (func $in_switch (global.set $sum (i32.const 4)))
    ;; 21: switch
    (func $in_switch_2 (global.set $sum (i32.const 4)))
    ;; 22: run
    (func $catcher (block $caught (try_table (catch_all $caught) (call $thrower))))
    ;; 23: catcher
    (func $thrower (throw $thrown))
    ;; 24: run
    (func $re_enters (param i32) (result i32) (call $host (local.get 0)))
    ;; 25: the host, that re_enters has called
    (func $entered_again (export "again") (param i32) (result i32) (i32.add (local.get 0) (call $below_again)))
    ;; 26: entered_again
    (func $below_again (result i32) (call $host (i32.const 0)))
    ;; 27: nobody
    (func $middle (type $pair) (local.get 0)))"#;

/// Who is on the stack of each function beside it, from its caller outwards.
const CALLERS: [(u32, &[u32]); 26] = [
    (1, &[]),
    (2, &[1]),
    (3, &[1]),
    (4, &[3, 1]),
    (5, &[1]),
    (6, &[5, 1]),
    (7, &[1]),
    (8, &[1]),
    (9, &[1]),
    (10, &[9, 1]),
    (11, &[9, 1]),
    (12, &[9, 1]),
    (13, &[1]),
    (14, &[13, 1]),
    (15, &[13, 1]),
    (16, &[15, 13, 1]),
    (17, &[1]),
    (18, &[1]),
    (19, &[18, 1]),
    (20, &[18, 1]),
    (21, &[18, 1]),
    (22, &[1]),
    (23, &[22, 1]),
    (24, &[1]),
    (25, &[24, 1]),
    (26, &[25, 24, 1]),
];

static TARGET: AtomicUsize = AtomicUsize::new(usize::MAX);
static N_HOST: AtomicU64 = AtomicU64::new(0);
static N_FULL: AtomicU64 = AtomicU64::new(0);

/// Of the host's instructions, which are many, one in some is looked at.
const HOST_EVERY: u64 = 7;

fn on_step(registers: &Registers) {
    let Some(target) = target::at(TARGET.load(Ordering::Relaxed)) else { return };
    if target.live.depth() == 0 {
        return;
    }
    let place = target.place(registers.pc);
    if place == crate::stack::Place::Host && !N_HOST.fetch_add(1, Ordering::Relaxed).is_multiple_of(HOST_EVERY) {
        return;
    }
    if !target.record(registers, place, target::Kind::Running, [1, 1]) {
        N_FULL.fetch_add(1, Ordering::Relaxed);
    }
}

struct State {
    handle: Handle,
    again: Option<Func>,
}

#[test]
fn the_stack_is_right_before_every_instruction() {
    let mut config = Config::new();
    config.wasm_tail_call(true).wasm_exceptions(true);
    for level in [wasmtime::OptLevel::Speed, wasmtime::OptLevel::None] {
        let engine = Engine::new(config.cranelift_opt_level(level)).unwrap();
        check(&engine);
    }
}

fn check(engine: &Engine) {
    let module = Module::new(engine, GUEST).unwrap();
    let code = Code::Module(module.clone());
    let mut store = Store::new(engine, None::<State>);
    let sampler = SignalSampler::attach(&mut store, &Arc::new(Subject::new(code.clone())), None, 0).unwrap();
    let handle = sampler.handle();
    let host = Func::wrap(&mut store, |mut caller: wasmtime::Caller<'_, Option<State>>, round: i32| {
        let again = caller.data().as_ref().and_then(|state| state.again).filter(|_| round == 1);
        if let Some(again) = again {
            let mut results = [Val::I32(0)];
            again.call(&mut caller, &[Val::I32(1)], &mut results).unwrap();
        }
        round
    });
    let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    let again = instance.get_func(&mut store, "again");
    *store.data_mut() = Some(State { handle: handle.clone(), again });
    store.call_hook(|caller, event| {
        if let Some(State { handle, .. }) = caller.data() {
            match event {
                CallHook::CallingWasm => handle.enter(),
                CallHook::ReturningFromWasm => handle.leave(),
                CallHook::CallingHost | CallHook::ReturningFromHost => {}
            }
        }
        Ok(())
    });
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    // So that nothing is done for the first time while every instruction of it traps.
    run.call(&mut store, 1).unwrap();

    TARGET.store(handle.0.target.index, Ordering::Relaxed);
    let mut records: Vec<Vec<u64>> = Vec::new();
    step_through(on_step, || _ = run.call(&mut store, 1).unwrap());
    TARGET.store(usize::MAX, Ordering::Relaxed);
    handle.0.target.ring.drain(&mut Vec::new(), |record| records.push(record.to_vec()));
    assert_eq!(N_FULL.load(Ordering::Relaxed), 0, "the ring is too small for this test");

    let mut seen: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    let mut wrong: BTreeMap<String, usize> = BTreeMap::new();
    for record in &records {
        let mut collected = Collected::new(Arc::new(Subject::new(code.clone())), None, 1);
        collected.add(record);
        let place = record[0] & 3;
        let at = usize::try_from(record[3]).unwrap().wrapping_sub(code.text().as_ptr().addr());
        let bytes = code.text().get(at..at.wrapping_add(8)).unwrap_or_default();
        let stack = collected.function_stacks().next();
        let is_right = match &stack {
            // Entering and leaving the guest, nothing of it is on the stack.
            Some((functions, _)) if functions.is_empty() => place != 0,
            Some((functions, _)) => {
                let own = seen.entry(functions[0]).or_default();
                if place == 0 {
                    own.0 += 1
                } else {
                    own.1 += 1
                }
                CALLERS.iter().any(|&(own, callers)| own == functions[0] && *callers == functions[1..])
            }
            None => false,
        };
        if !is_right {
            let at_function = code.functions().at(at).map(|it| (it.index, at - it.start));
            *wrong.entry(format!("place {place}, {at_function:x?} {bytes:x?}: {stack:?}")).or_default() += 1;
        }
    }
    assert!(wrong.is_empty(), "of {} instructions: {wrong:#?}", records.len());
    for (function, _) in CALLERS {
        assert!(
            seen.get(&function).is_some_and(|&(own, _)| own > 2),
            "function {function} was not stepped through: {seen:?}"
        );
    }
    for calling in [6, 10, 16, 17, 24, 26] {
        assert!(seen[&calling].1 > 10, "function {calling} was not seen in its host call: {seen:?}");
    }
    assert!(records.len() > 1000, "{} instructions", records.len());
}
