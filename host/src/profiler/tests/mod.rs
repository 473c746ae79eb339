//! Guests in stores of an embedder's own.

mod asynchronous;
mod components;
mod cpu;
mod heap;
mod hooks;
mod told;

use proto::Profile;
use wasmtime::{Config, Engine, Instance, Linker, Store, StoreLimits};

use super::{Attached, CpuSampler, Guest, Hooks, Limits, Options, Profiler};
use crate::heap::probe::Sampling;
use crate::registry::CpuOptions;

/// `allocate` takes blocks of 1000 bytes at the same addresses in each instance, and frees the last of them; `spin` works;
/// `grow` grows its memory by a page; `call` calls the host. `started` says in how many blocks its start function left memory.
const GUEST: &str = r#"(module
    (import "host" "call" (func $host))
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func $malloc (param i32) (result i32)
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 0))))
    (func $free (param i32))
    (func $start (drop (call $malloc (i32.const 7))))
    (start $start)
    (func $allocate (export "allocate") (param $n i32)
        (local $block i32)
        (loop $again
            (local.set $block (call $malloc (i32.const 1000)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (call $free (local.get $block)))
    (func $loop (param $n i32)
        (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func $spin (export "spin") (param $n i32) (call $loop (local.get $n)))
    (func $grow (export "grow") (result i32) (memory.grow (i32.const 1)))
    (func $call (export "call") (call $host)))"#;

/// What a store holds.
#[derive(Default)]
struct State {
    limits: Limits<StoreLimits>,
    n_calls: usize,
}

/// An embedder: its engine, and a guest.
struct Embedder {
    profiler: Profiler,
    engine: Engine,
    guest: Guest,
    linker: Linker<State>,
}

/// A store with an instance of the guest.
struct Run {
    store: Store<State>,
    attached: Attached,
    instance: Instance,
}

/// Every block is looked at, and nothing else.
fn exact() -> Options {
    Options { heap: Sampling { rate: 1, seed: Some(1) }, ..Options::default() }
}

/// CPU time alone, as one sampler takes it.
fn cpu(sampler: CpuSampler, hz: u32) -> Options {
    let heap = Sampling { rate: 0, seed: None };
    Options { cpu: Some(CpuOptions { hz, has_wall: false }), sampler, heap, ..Options::default() }
}

impl Embedder {
    fn new(options: Options) -> Self {
        Self::with(options, GUEST)
    }

    fn with(options: Options, wat: &str) -> Self {
        let profiler = Profiler::new(options);
        let mut config = Config::new();
        profiler.configure(&mut config).unwrap();
        let engine = Engine::new(&config).unwrap();
        let guest = profiler.prepare(&engine, "guest.wat", wat.as_bytes()).unwrap();
        let mut linker = Linker::new(&engine);
        let call = |mut caller: wasmtime::Caller<'_, State>| caller.data_mut().n_calls += 1;
        linker.func_wrap("host", "call", call).unwrap();
        Self { profiler, engine, guest, linker }
    }

    fn run(&self) -> Run {
        self.run_with(Hooks::new())
    }

    fn run_with(&self, hooks: Hooks<State>) -> Run {
        let mut store = Store::new(&self.engine, State::default());
        let attached = self.guest.attach(&mut store, hooks).unwrap();
        let instance = attached.instantiate(&mut store, &self.linker).unwrap();
        Run { store, attached, instance }
    }

    /// The sums of a profile's columns.
    fn totals(&self, name: &str) -> Vec<i64> {
        totals(&self.profiler.profile(name).unwrap())
    }
}

impl Run {
    fn call(&mut self, name: &str, n: i32) -> wasmtime::Result<()> {
        self.instance.get_typed_func::<i32, ()>(&mut self.store, name)?.call(&mut self.store, n)
    }
}

fn totals(profile: &Profile) -> Vec<i64> {
    (0..profile.sample_types().len()).map(|at| proto::analysis::total(profile, at, false)).collect()
}

/// Each sample's functions, innermost first, and its first value.
fn stacks(profile: &Profile) -> Vec<(String, i64)> {
    let name = |line: &proto::Line| profile.string(profile.function(line.function).name).to_owned();
    let stack = |sample: proto::SampleRef<'_>| {
        let names: Vec<String> = sample.locations.iter().flat_map(|&at| profile.lines(at).iter().map(name)).collect();
        (names.join(";"), sample.values[0])
    };
    profile.samples().map(stack).collect()
}
