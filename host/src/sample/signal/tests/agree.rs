//! Stacks of random guests, walked by the handler and captured by wasmtime at the same instruction.

use std::time::Duration;

use wasmtime::{AsContextMut, Caller, Extern, Instance, Linker, Module, Store, WasmBacktrace};

use super::super::target::{END, SHOW};
use super::super::*;
use crate::guest::Code;
use crate::sample::{Leaf, Watch};
use crate::stack::capture::tests::{engine, guest, random_depths, with_stack};

/// What the host functions need and have seen.
struct State {
    handle: Handle,
    /// Whether they look at the stack.
    looks: bool,
    n_compared: usize,
    deepest: usize,
}

struct Guest {
    module: Module,
    store: Store<Option<State>>,
    instance: Instance,
    sampler: SignalSampler,
}

fn look(mut store: impl AsContextMut<Data = Option<State>>) {
    let mut store = store.as_context_mut();
    let Some(state) = store.data().as_ref().filter(|state| state.looks) else { return };
    let walked = state.handle.functions_now(Duration::from_secs(5));
    let captured = functions(&WasmBacktrace::force_capture(&store));
    let (walked, leaf) = walked.unwrap_or_else(|| panic!("no stack came: {}", state.handle.0.lock().last_bad));
    assert_eq!(leaf, Leaf::HostCall);
    assert!(walked == captured, "{} frames for {}", walked.len(), captured.len());
    let state = store.data_mut().as_mut().unwrap();
    state.n_compared += 1;
    state.deepest = state.deepest.max(captured.len());
}

fn functions(backtrace: &WasmBacktrace) -> Vec<u32> {
    backtrace.frames().iter().map(wasmtime::FrameInfo::func_index).collect()
}

impl Guest {
    /// A guest that is sampled so often; see [`guest`] for what it does.
    fn new(hz: u32) -> Self {
        let engine = engine();
        let module = Module::new(&engine, guest()).unwrap();
        let mut store = Store::new(&engine, None);
        let mut linker = Linker::new(&engine);
        linker.func_wrap("", "look", |caller: Caller<'_, Option<State>>| look(caller)).unwrap();
        let nest = |mut caller: Caller<'_, Option<State>>| {
            let Some(Extern::Func(again)) = caller.get_export("look") else { panic!() };
            again.call(&mut caller, &[], &mut [])
        };
        linker.func_wrap("", "nest", nest).unwrap();
        let sampler =
            SignalSampler::attach(&mut store, &Arc::new(Subject::new(Code::Module(module.clone()))), None, hz).unwrap();
        let handle = sampler.handle();
        handle.hook(&mut store, Watch::default(), None, None);
        *store.data_mut() = Some(State { handle, looks: true, n_compared: 0, deepest: 0 });
        let instance = linker.instantiate(&mut store, &module).unwrap();
        Self { module, store, instance, sampler }
    }

    fn run(&mut self, depth: i32, seed: i32) -> wasmtime::Result<()> {
        let run = self.instance.get_typed_func::<(i32, i32), ()>(&mut self.store, "run").unwrap();
        run.call(&mut self.store, (depth, seed))
    }

    fn state(&mut self) -> &mut State {
        self.store.data_mut().as_mut().unwrap()
    }
}

#[test]
fn in_host_calls_stacks_are_those_that_wasmtime_captures() {
    let test = || {
        let mut guest = Guest::new(0);
        for (seed, depth) in random_depths(3).take(200).enumerate() {
            guest.run(depth, i32::try_from(seed).unwrap()).unwrap();
        }
        let State { n_compared, deepest, .. } = guest.state();
        assert!(*n_compared > 1000 && *deepest > 1000, "{n_compared} stacks, of up to {deepest} frames");
    };
    with_stack(test).join().unwrap();
}

/// The guest is ended at random moments. The stack is walked at the instruction where that happens, and wasmtime captures it
/// as the stack of a trap there; in its view the trap stands in the place of the innermost function.
#[test]
fn in_the_guests_code_stacks_are_those_that_wasmtime_captures() {
    let test = || {
        let mut random = fastrand::Rng::with_seed(7);
        let (mut n_compared, mut n_at_edges, mut deepest) = (0, 0, 0);
        let mut guest = Guest::new(0);
        guest.state().looks = false;
        let handle = guest.sampler.handle();
        for seed in 0..6000 {
            drop(handle.0.drain().take_shown());
            let delay = Duration::from_nanos(random.u64(1..100_000));
            handle.0.target.requests.store(END | SHOW, Ordering::SeqCst);
            handle.0.set_timer(delay, Duration::from_micros(50));
            // Deep enough to be still at work when its time has come.
            let outcome = guest.run(random.i32(1..4000), seed);
            handle.0.target.requests.store(0, Ordering::SeqCst);
            let was_ended = handle.0.target.has_ended.swap(false, Ordering::SeqCst);
            let Err(error) = outcome else { continue };
            assert!(was_ended, "{error:?}");
            let captured = functions(error.downcast_ref::<WasmBacktrace>().expect("a trap has a backtrace"));
            let Some((walked, _)) = handle.0.drain().take_shown_functions().filter(|(_, leaf)| *leaf == Leaf::Guest)
            else {
                // It was shown in a host call, and ended later.
                continue;
            };
            n_compared += 1;
            deepest = deepest.max(walked.len());
            // wasmtime does not know of a caller whose frame is not the frame pointer's any more, or not yet.
            let is_edge = walked.len() > captured.len();
            n_at_edges += usize::from(is_edge);
            let callers = &walked[1 + usize::from(is_edge)..];
            assert!(callers == &captured[1..], "{} frames for {}", walked.len(), captured.len());
        }
        let collected = handle.0.drain();
        assert_eq!(collected.n_bad(), 0, "{}", collected.last_bad);
        drop(collected);
        assert!(
            n_compared > 1000 && deepest > 300,
            "{n_compared} stacks, {n_at_edges} at edges, of up to {deepest} frames"
        );
        assert!(n_at_edges > 10, "{n_at_edges} of {n_compared} at edges");
        assert!(guest.module.functions().len() > 5);
    };
    with_stack(test).join().unwrap();
}
