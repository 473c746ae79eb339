//! Walked stacks against wasmtime's own, in guests that call in every way and to every depth.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::{
    AsContextMut, CallHook, Caller, Config, Engine, Extern, Func, Instance, Linker, Module, Store, Val, WasmBacktrace,
};

use super::super::{Lookup, MAX_FRAMES, StackId, Stacks, Walker};

/// How many functions the guest has, each with a frame of its own size.
const N_FUNCTIONS: usize = 7;

/// Stack for the deepest guest.
pub(crate) const STACK: usize = 32 << 20;

/// A guest whose `run(depth, seed)` calls itself so many levels deep, at each in a random way, and looks at its stack
/// through the imports `look` and `nest` and by growing its memory, in the innermost level and at random places.
pub(crate) fn guest() -> String {
    let mut text = String::from(
        r#"(module
          (import "" "look" (func $look))
          (import "" "nest" (func $nest))
          (memory 1 1)
          (global $seed (mut i32) (i32.const 1))
          (global $every (export "every") (mut i32) (i32.const 100))
          (func $random (param $below i32) (result i32)
            (global.set $seed (i32.add (i32.mul (global.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
            (i32.rem_u (i32.shr_u (global.get $seed) (i32.const 8)) (local.get $below)))
          (func $maybe (if (i32.eqz (call $random (global.get $every))) (then (return_call $look)))
            (if (i32.eqz (call $random (global.get $every))) (then (drop (memory.grow (i32.const 1)))))
            (if (i32.eqz (call $random (i32.mul (global.get $every) (i32.const 5)))) (then (call $nest))))
          (func (export "run") (param $depth i32) (param $seed i32)
            (global.set $seed (local.get $seed))
            (call $f0 (local.get $depth)))
          (func (export "look") (call $look))
          (func (export "nest") (call $nest))
        "#,
    );
    for n in 0..N_FUNCTIONS {
        // More parameters than there are registers, and locals that live across calls.
        let more = "i64 f64 ".repeat(n * 3);
        let next = (n + 3) % N_FUNCTIONS;
        let arguments = "(i64.const 5) (f64.const 6) ".repeat(next * 3);
        let (live, use_live): (String, String) = (0..n)
            .map(|n| {
                (
                    format!("(local $l{n} i64)"),
                    format!("(global.set $seed (i32.xor (global.get $seed) (i32.wrap_i64 (local.get $l{n}))))"),
                )
            })
            .unzip();
        let set_live: String = (0..n)
            .map(|n| format!("(local.set $l{n} (i64.extend_i32_u (call $random (i32.const {}))))", n + 9))
            .collect();
        write!(
            text,
            r#"
          (type $t{n} (func (param i32 {more})))
          (func $f{n} (type $t{n}) {live}
            {set_live}
            (if (i32.eqz (local.get 0)) (then (call $look) (return)))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (call $maybe)
            (block $done
              (block $2 (block $3 (block $4 (block $5
                (block $1 (block $0 (br_table $0 $1 $2 $3 $4 $5 (call $random (i32.const 6))))
                  (call $f{next} (local.get 0) {arguments}) (br $done))
                (call_indirect (type $t{next}) (local.get 0) {arguments} (i32.const {next})) (br $done))
              (return_call $f{next} (local.get 0) {arguments}))
              (return_call_indirect (type $t{next}) (local.get 0) {arguments} (i32.const {next})))
              (call_ref $t{next} (local.get 0) {arguments} (ref.func $f{next})) (br $done))
              (try_table (catch_all $done) (call $f{next} (local.get 0) {arguments})))
            (call $maybe)
            {use_live})
        "#
        )
        .unwrap();
    }
    let all: Vec<String> = (0..N_FUNCTIONS).map(|n| format!("$f{n}")).collect();
    write!(text, "(table funcref (elem {})))", all.join(" ")).unwrap();
    text
}

/// What a store's host functions have seen.
#[derive(Default)]
struct Seen {
    stacks: Stacks,
    /// Stacks, and what wasmtime says that they are.
    all: Vec<(StackId, Vec<u32>)>,
    /// How often the guest has been entered from the host.
    depth: u32,
    walker: Option<Walker>,
    /// Whether it is to be entered again.
    nests: bool,
}

pub(crate) fn engine() -> Engine {
    let mut config = Config::new();
    config.max_wasm_stack(STACK / 2).async_stack_size(STACK);
    config.wasm_backtrace_max_frames(NonZeroUsize::new(MAX_FRAMES + 1));
    Engine::new(&config).unwrap()
}

fn look(mut store: impl AsContextMut<Data = Seen>) {
    let backtrace = WasmBacktrace::force_capture(&store);
    let frames = backtrace.frames().iter().map(|it| u32::try_from(it.module_offset().unwrap()).unwrap());
    let mut expected: Vec<u32> = frames.collect();
    expected.truncate(MAX_FRAMES);
    let mut seen = std::mem::take(store.as_context_mut().data_mut());
    let walker = seen.walker.as_ref().filter(|_| seen.depth <= 1);
    let id = seen.stacks.capture(&store, walker);
    seen.all.push((id, expected));
    *store.as_context_mut().data_mut() = seen;
}

/// A guest whose walker was made on this thread.
struct Guest {
    module: Module,
    store: Store<Seen>,
    instance: Instance,
}

impl Guest {
    fn new(engine: &Engine) -> Self {
        let module = Module::new(engine, guest()).unwrap();
        let mut store = Store::new(engine, Seen::default());
        let mut linker = Linker::new(engine);
        linker.func_wrap("", "look", |caller: Caller<'_, Seen>| look(caller)).unwrap();
        let nest = |mut caller: Caller<'_, Seen>| {
            if !caller.data().nests {
                return;
            }
            let Some(Extern::Func(again)) = caller.get_export("look") else { panic!() };
            look(&mut caller);
            caller.data_mut().depth += 1;
            again.call(&mut caller, &[], &mut []).unwrap();
            caller.data_mut().depth -= 1;
            look(&mut caller);
        };
        linker.func_wrap("", "nest", nest).unwrap();
        // Memory that grows is seen by the hook alone.
        store.call_hook(|store, event| {
            if matches!(event, CallHook::ReturningFromHost) {
                look(store);
            }
            Ok(())
        });
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let mut guest = Self { module, store, instance };
        (guest.store.data_mut().depth, guest.store.data_mut().nests) = (1, true);
        guest.walk();
        guest
    }

    fn function(&mut self) -> Func {
        self.instance.get_func(&mut self.store, "look").unwrap()
    }

    fn walk(&mut self) {
        let function = self.function();
        let walker = Walker::new(&mut self.store, &self.module, function).expect("frames can be walked here");
        let seen = self.store.data_mut();
        seen.stacks.walk_in(&self.module);
        seen.walker = Some(walker);
    }

    fn run(&mut self, depth: i32, seed: i32) {
        let run = self.instance.get_typed_func::<(i32, i32), ()>(&mut self.store, "run").unwrap();
        run.call(&mut self.store, (depth, seed)).unwrap();
    }

    /// Checks that every stack is what wasmtime says. How many of them there are, and how many were walked.
    fn check(&self) -> (usize, usize) {
        let seen = self.store.data();
        let mut lookup = Lookup::default();
        lookup.add(&self.module, seen.stacks.code_since(lookup.n_known()));
        for (id, expected) in &seen.all {
            let (frames, is_cut) = lookup.frames(seen.stacks.taken(*id));
            assert!(frames == *expected, "{} frames for {}, walked: {}", frames.len(), expected.len(), id.walked);
            assert_eq!(is_cut, frames.len() == MAX_FRAMES);
        }
        (seen.all.len(), seen.all.iter().filter(|(id, _)| id.walked).count())
    }
}

/// Runs on a thread with stack enough.
pub(crate) fn with_stack<R: Send + 'static>(test: impl FnOnce() -> R + Send + 'static) -> std::thread::JoinHandle<R> {
    std::thread::Builder::new().stack_size(STACK).spawn(test).unwrap()
}

pub(crate) fn random_depths(seed: u64) -> impl Iterator<Item = i32> {
    let mut random = fastrand::Rng::with_seed(seed);
    let bounds = [3, 30, 300, 3000];
    bounds.into_iter().cycle().map(move |bound| random.i32(1..=bound))
}

#[test]
fn walked_stacks_are_those_that_wasmtime_captures() {
    let test = || {
        let mut guest = Guest::new(&engine());
        for (seed, depth) in random_depths(1).take(40).enumerate() {
            guest.run(depth, i32::try_from(seed).unwrap());
        }
        let (n, n_walked) = guest.check();
        let depths = |walked: bool| {
            let stacks = guest.store.data().all.iter().filter(move |(id, _)| id.walked == walked);
            stacks.map(|(_, frames)| frames.len()).max().unwrap()
        };
        assert!(!guest.store.data().stacks.walker_failed());
        assert!(n_walked > 1000 && n > n_walked, "{n_walked} walked of {n}; the others are nested");
        assert!(depths(true) > 1000 && depths(false) > 1000, "deep ones too: {} {}", depths(true), depths(false));
    };
    with_stack(test).join().unwrap();
}

#[test]
fn a_stack_that_is_too_deep_is_cut_at_the_same_frame() {
    let test = || {
        let mut guest = Guest::new(&engine());
        let every = guest.instance.get_global(&mut guest.store, "every").unwrap();
        every.set(&mut guest.store, Val::I32(2000)).unwrap();
        guest.run(18_000, 1);
        let (_, n_walked) = guest.check();
        let n_cut =
            guest.store.data().all.iter().filter(|(id, frames)| id.walked && frames.len() == MAX_FRAMES).count();
        assert!(n_cut > 3 && n_walked > n_cut, "{n_cut} of {n_walked}");
        assert!(!guest.store.data().stacks.walker_failed());
    };
    with_stack(test).join().unwrap();
}

#[test]
fn threads_walk_their_own_stores() {
    let engine = engine();
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            let engine = engine.clone();
            with_stack(move || {
                let mut guests = [Guest::new(&engine), Guest::new(&engine)];
                for (seed, depth) in random_depths(thread).take(16).enumerate() {
                    guests[seed % 2].run(depth, i32::try_from(seed).unwrap());
                }
                guests.map(|guest| guest.check())
            })
        })
        .collect();
    for thread in threads {
        for (n, n_walked) in thread.join().unwrap() {
            assert!(n_walked * 2 > n && n > 20, "{n_walked} of {n}");
        }
    }
}

#[test]
fn a_store_on_another_thread_is_not_walked() {
    let mut guest = with_stack(|| {
        let mut guest = Guest::new(&engine());
        guest.run(100, 1);
        let (n, n_walked) = guest.check();
        assert!(n_walked * 2 > n);
        guest.store.data_mut().all.clear();
        guest
    })
    .join()
    .unwrap();
    let test = move || {
        guest.run(100, 1);
        assert_eq!(guest.check().1, 0);
        assert!(!guest.store.data().stacks.walker_failed(), "it is not wrong, only of no use");
        guest.walk();
        guest.run(100, 1);
        assert!(guest.check().1 > 0, "one of this thread");
    };
    with_stack(test).join().unwrap();
}

#[test]
fn another_stores_walker_is_of_no_use() {
    let engine = engine();
    let (mut one, mut other) = (Guest::new(&engine), Guest::new(&engine));
    std::mem::swap(&mut one.store.data_mut().walker, &mut other.store.data_mut().walker);
    one.run(50, 1);
    other.run(50, 2);
    assert_eq!((one.check().1, other.check().1), (0, 0));
    assert!(!one.store.data().stacks.walker_failed());
    let host = Func::wrap(&mut one.store, || ());
    assert!(Walker::new(&mut one.store, &one.module, host).is_none(), "a host function leads nowhere");
}

#[test]
fn a_guest_on_a_stack_of_its_own_is_not_walked() {
    let mut guest = Guest::new(&engine());
    guest.store.data_mut().nests = false;
    let run = guest.instance.get_typed_func::<(i32, i32), ()>(&mut guest.store, "run").unwrap();
    {
        let call = pin!(run.call_async(&mut guest.store, (100, 1)));
        assert!(matches!(call.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(()))));
    }
    let (n, n_walked) = guest.check();
    assert!(n > 0);
    assert_eq!(n_walked, 0);
}

#[test]
fn a_walk_that_misses_frames_is_found_out() {
    let mut guest = Guest::new(&engine());
    // As if nobody had noticed that the guest is entered twice.
    guest.store.data_mut().depth = 0;
    guest.instance.get_typed_func::<(), ()>(&mut guest.store, "nest").unwrap().call(&mut guest.store, ()).unwrap();
    guest.run(20, 1);
    let seen = guest.store.data();
    assert!(seen.stacks.walker_failed());
    assert!(seen.all.last().is_some_and(|(id, _)| !id.walked), "nothing is walked after that");
    guest.check();
}
