//! The embedder's own hooks, beside wprof's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wasmtime::{CallHook, UpdateDeadline};

use super::*;

const SAMPLERS: [CpuSampler; 2] = [CpuSampler::Auto, CpuSampler::Epoch];

#[test]
fn the_embedders_call_hook_is_called_and_its_errors_count() {
    for sampler in SAMPLERS {
        let embedder = Embedder::new(Options { heap: exact().heap, ..cpu(sampler, 100) });
        let (counts, refuses) = (Arc::new([const { AtomicUsize::new(0) }; 4]), Arc::new(AtomicUsize::new(9)));
        let hook = {
            let (counts, refuses) = (Arc::clone(&counts), Arc::clone(&refuses));
            move |_: wasmtime::StoreContextMut<'_, State>, event: CallHook| {
                let event = match event {
                    CallHook::CallingWasm => 0,
                    CallHook::ReturningFromWasm => 1,
                    CallHook::CallingHost => 2,
                    CallHook::ReturningFromHost => 3,
                };
                counts[event].fetch_add(1, Ordering::Relaxed);
                if refuses.load(Ordering::Relaxed) == event {
                    return Err(wasmtime::Error::msg("refused"));
                }
                Ok(())
            }
        };
        let mut run = embedder.run_with(Hooks::new().call_hook(hook));
        let call = run.instance.get_typed_func::<(), ()>(&mut run.store, "call").unwrap();
        let before: Vec<_> = counts.iter().map(|it| it.load(Ordering::Relaxed)).collect();
        call.call(&mut run.store, ()).unwrap();
        let more: Vec<_> = counts.iter().zip(before).map(|(it, before)| it.load(Ordering::Relaxed) - before).collect();
        assert_eq!(more, [1; 4]);
        for refused in [0, 1, 2, 3] {
            refuses.store(refused, Ordering::Relaxed);
            let error = call.call(&mut run.store, ()).unwrap_err();
            assert!(format!("{error:#}").contains("refused"), "{refused}: {error:#}");
            refuses.store(9, Ordering::Relaxed);
            // The guest is not taken to be inside still, or inside less than once.
            call.call(&mut run.store, ()).unwrap();
        }
        // Refused before the host was called, it was not: that is so for two of the four.
        assert_eq!(run.store.data().n_calls, 1 + 2 + 4);
        run.call("allocate", 5).unwrap();
        drop(run);
        assert_eq!(embedder.totals("heap"), [6, 5007, 0, 0]);
        let samples = stacks(&embedder.profiler.profile("cpu").unwrap());
        assert!(samples.iter().all(|(stack, _)| !stack.contains("lost")), "{samples:?}");
    }
}

/// An embedder's deadlines are counted in its own ticks, of which wprof makes none.
#[test]
fn the_embedders_epoch_deadlines_are_its_own() {
    for sampler in SAMPLERS {
        let embedder = Embedder::in_epochs(cpu(sampler, 1000));
        let (n_calls, refuses) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let callback = {
            let (n_calls, refuses) = (Arc::clone(&n_calls), Arc::clone(&refuses));
            move |_: wasmtime::StoreContextMut<'_, State>| {
                n_calls.fetch_add(1, Ordering::Relaxed);
                if refuses.load(Ordering::Relaxed) {
                    return Err(wasmtime::Error::msg("out of time"));
                }
                Ok(UpdateDeadline::Continue(2))
            }
        };
        let mut run = embedder.run_with(Hooks::new().epoch_deadline(3, callback));
        let mut seen = Vec::new();
        for _ in 0..8 {
            // Some of the sampler's ticks pass, too.
            run.call("spin", 10_000_000).unwrap();
            embedder.profiler.increment_epoch(&embedder.engine);
            run.call("spin", 10_000).unwrap();
            seen.push(n_calls.load(Ordering::Relaxed));
        }
        assert_eq!(seen, [0, 0, 1, 1, 2, 2, 3, 3], "{sampler:?}");
        refuses.store(true, Ordering::Relaxed);
        embedder.profiler.increment_epoch(&embedder.engine);
        let error = run.call("spin", 10_000).unwrap_err();
        assert!(format!("{error:#}").contains("out of time"), "{error:#}");
        assert!(embedder.totals("cpu")[0] > 5, "{sampler:?}: it is sampled beside that");
    }
}

/// Growth that the embedder's limiter refuses, or that it makes an error of, is no growth.
#[test]
fn the_embedders_limiter_is_asked_and_its_errors_count() {
    for (traps, expected) in [(false, "Ok(-1)"), (true, "Err(")] {
        let embedder = Embedder::new(exact());
        let own = wasmtime::StoreLimitsBuilder::new().memory_size(1 << 16).trap_on_grow_failure(traps).build();
        let mut store = Store::new(&embedder.engine, State { limits: Limits::new(own), n_calls: 0 });
        let hooks = Hooks::new().limiter(|state: &mut State| &mut state.limits);
        let attached = embedder.guest.attach(&mut store, hooks).unwrap();
        let instance = attached.instantiate(&mut store, &embedder.linker).unwrap();
        let grow = instance.get_typed_func::<(), i32>(&mut store, "grow").unwrap();
        let outcome = format!("{:?}", grow.call(&mut store, ()));
        assert!(outcome.starts_with(expected), "{outcome}");
        let stacks = stacks(&embedder.profiler.profile("memory").unwrap());
        assert_eq!(stacks.len(), 1, "{stacks:?}");
    }
}

impl Embedder {
    /// One that uses epoch interruption itself.
    fn in_epochs(options: Options) -> Self {
        let profiler = Profiler::new(options);
        let mut config = Config::new();
        config.epoch_interruption(true);
        profiler.configure(&mut config).unwrap();
        let engine = Engine::new(&config).unwrap();
        let guest = profiler.prepare(&engine, "guest.wat", GUEST.as_bytes()).unwrap();
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "call", || {}).unwrap();
        Self { profiler, engine, guest, linker }
    }
}
