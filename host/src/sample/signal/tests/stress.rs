//! Guests that trap, exit, recurse, overflow, panic, re-enter and are ended, on several threads, while they are sampled as fast as
//! the machine can. `WPROF_STRESS_SECONDS` says for how long.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use wasmtime::{Caller, Config, Engine, Extern, Instance, Linker, Module, Store, Trap};

use super::super::*;
use crate::guest::Code;
use crate::sample::Watch;

const HZ: u32 = 5_000;

/// `work` is on the stack wherever time passes.
const GUEST: &str = r#"(module
    (import "" "spin" (func $spin (param i32)))
    (import "" "fail" (func $fail (param i32)))
    (import "" "enter" (func $enter (param i32)))
    (memory 1 4)
    (func $loop (param i32)
        (loop $again (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func $recurse (param i32)
        (call $loop (i32.const 20))
        (if (local.get 0) (then (call $recurse (i32.sub (local.get 0) (i32.const 1)))))
        (call $loop (i32.const 20)))
    (func $overflow (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
        (i64.add (local.get 8) (call $overflow (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
            (local.get 0) (local.get 0) (local.get 0) (local.get 0))))
    (func $work (export "work") (param $what i32) (param $n i32)
        (call $loop (i32.add (local.get $n) (i32.const 1)))
        (block $copy (block $enter (block $overflow (block $spin (block $fail (block $recurse (block $divide (block $bounds (block $unreachable (block $return
            (br_table $return $unreachable $bounds $divide $recurse $fail $spin $overflow $enter $copy (local.get $what)))
            (return))
            (unreachable))
            (drop (i32.load (i32.mul (local.get $n) (i32.const 100000)))) (drop (i32.load (i32.const -64))) (return))
            (drop (i32.div_u (local.get $n) (i32.const 0))))
            (call $recurse (i32.and (local.get $n) (i32.const 2047))) (return))
            (call $fail (local.get $n)) (return))
            (call $spin (local.get $n)) (return))
            (drop (call $overflow (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6)
                (i64.const 7) (i64.const 8) (i64.const 9))) (return))
            (call $enter (local.get $n)) (return))
        (memory.fill (i32.const 0) (local.get $n) (i32.const 60000))
        (memory.copy (i32.const 1) (i32.const 0) (i32.const 60000))
        (drop (memory.grow (i32.const 1)))))"#;

const N_DEEDS: i32 = 10;
const DIVIDE: i32 = 3;
const UNREACHABLE: i32 = 1;
const BOUNDS: i32 = 2;
const OVERFLOW: i32 = 7;
const WORK: u32 = 6;

fn seconds() -> f64 {
    std::env::var("WPROF_STRESS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2.0)
}

fn linker(engine: &Engine) -> Linker<()> {
    let mut linker = Linker::new(engine);
    let spin = |n: i32| {
        let mut product = 1_u64;
        for n in 0..n.unsigned_abs() {
            product = std::hint::black_box(product.wrapping_mul(u64::from(n) | 1));
        }
    };
    linker.func_wrap("", "spin", spin).unwrap();
    let fail = |n: i32| -> wasmtime::Result<()> {
        if n % 2 == 0 {
            // Not by panic!, which would print.
            std::panic::resume_unwind(Box::new("a host function panics"));
        }
        Err(wasmtime::Error::msg("a host function fails"))
    };
    linker.func_wrap("", "fail", fail).unwrap();
    let enter = |mut caller: Caller<'_, ()>, n: i32| -> wasmtime::Result<()> {
        let Some(Extern::Func(work)) = caller.get_export("work") else { panic!() };
        let work = work.typed::<(i32, i32), ()>(&caller)?;
        // What happens in there ends this one too, or not; deeper and deeper while n lasts.
        work.call(&mut caller, (n % N_DEEDS, n / 2))
    };
    linker.func_wrap("", "enter", enter).unwrap();
    linker
}

/// One store, used until a host function has panicked through it.
struct Guest {
    store: Store<()>,
    instance: Instance,
    sampler: SignalSampler,
}

impl Guest {
    fn new(engine: &Engine, module: &Module) -> Self {
        let mut store = Store::new(engine, ());
        let sampler =
            SignalSampler::attach(&mut store, &Arc::new(Subject::new(Code::Module(module.clone()))), None, HZ).unwrap();
        sampler.handle().hook(&mut store, Watch::default(), None, None);
        let instance = linker(engine).instantiate(&mut store, module).unwrap();
        Self { store, instance, sampler }
    }

    /// Does something. False if it panicked.
    fn act(&mut self, what: i32, n: i32, on_fiber: bool) -> bool {
        let work = self.instance.get_typed_func::<(i32, i32), ()>(&mut self.store, "work").unwrap();
        let handle = self.sampler.handle();
        let call = AssertUnwindSafe(|| {
            if !on_fiber {
                return work.call(&mut self.store, (what, n));
            }
            let mut call = pin!(work.call_async(&mut self.store, (what, n)));
            loop {
                handle.resume();
                let polled = call.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()));
                handle.pause();
                if let Poll::Ready(outcome) = polled {
                    return outcome;
                }
            }
        });
        let Ok(outcome) = std::panic::catch_unwind(call) else { return false };
        let was_ended = self.sampler.handle().0.target.has_ended.swap(false, Ordering::SeqCst);
        let trap = outcome.as_ref().err().and_then(|error| error.downcast_ref::<Trap>()).copied();
        if !was_ended {
            let expected = match what {
                UNREACHABLE => Some(Trap::UnreachableCodeReached),
                BOUNDS => Some(Trap::MemoryOutOfBounds),
                DIVIDE => Some(Trap::IntegerDivisionByZero),
                OVERFLOW => Some(Trap::StackOverflow),
                _ => trap,
            };
            assert_eq!(trap, expected, "deed {what}: {outcome:?}");
        }
        true
    }

    /// Every stack leads to `work`, and nothing was lost but what the ring had no room for.
    fn check(self) -> (u64, u64) {
        drop(self.store);
        let handle = self.sampler.handle();
        handle.0.stop_timer();
        let collected = handle.0.drain();
        assert_eq!(collected.n_bad(), 0, "{}", collected.last_bad);
        let mut n = 0;
        for (functions, _) in collected.function_stacks() {
            assert!(functions.last().is_none_or(|&root| root == WORK), "{functions:?}");
            n += 1;
        }
        drop(collected);
        let measured = self.sampler.finish();
        let (total, lost) = (measured.samples.total().cpu, measured.samples.lost().cpu);
        let period = crate::sample::period(HZ);
        let all = total + lost;
        assert!(
            all <= measured.guest_cpu + period && measured.guest_cpu <= all + 2 * period,
            "{all} of {}",
            measured.guest_cpu
        );
        (n, measured.guest_cpu)
    }
}

/// What a thread does, and how many stacks and how much CPU time of its guests came out.
fn act_for_long(engine: &Engine, module: &Module, seed: u64, until: Instant) -> (u64, u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut n_stacks, mut all_cpu) = (0, 0);
    while Instant::now() < until {
        let mut guest = Guest::new(engine, module);
        let handle = guest.sampler.handle();
        let mut is_sound = true;
        for _ in 0..random.u32(1..200) {
            if random.u8(..) == 0 {
                handle.end_guest();
            }
            is_sound = guest.act(random.i32(0..N_DEEDS), random.i32(0..200_000), random.bool());
            if !is_sound || Instant::now() > until {
                break;
            }
        }
        if is_sound {
            let (stacks, cpu) = guest.check();
            n_stacks += stacks;
            all_cpu += cpu;
        }
    }
    (n_stacks, all_cpu)
}

#[test]
fn guests_that_misbehave_are_sampled_on_many_threads() {
    let mut config = Config::new();
    config.max_wasm_stack(256 << 10).async_stack_size(2 << 20);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let until = Instant::now() + Duration::from_secs_f64(seconds());
    let threads: Vec<_> = (0..4)
        .map(|seed| {
            let (engine, module) = (engine.clone(), module.clone());
            std::thread::spawn(move || act_for_long(&engine, &module, seed, until))
        })
        .collect();
    let (mut n_stacks, mut cpu) = (0, 0);
    for thread in threads {
        let (stacks, nanos) = thread.join().unwrap();
        n_stacks += stacks;
        cpu += nanos;
    }
    assert!(n_stacks > 20, "{n_stacks} stacks in {cpu} ns of CPU");
}
