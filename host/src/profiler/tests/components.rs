//! Components, whose core modules only their limiter hears of.

use wasmtime::component;

use super::*;

const COMPONENT: &str = r#"(component
    (core module $module
        (memory 1)
        (global $top (mut i32) (i32.const 1024))
        (func $malloc (param i32) (result i32)
            (global.get $top)
            (global.set $top (i32.add (global.get $top) (local.get 0))))
        (func $free (param i32))
        (func $allocate (export "allocate") (param $n i32)
            (local $block i32)
            (loop $again
                (local.set $block (call $malloc (i32.const 1000)))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (call $free (local.get $block))
            (drop (memory.grow (i32.const 1)))))
    (core instance $instance (instantiate $module))
    (func (export "allocate") (param "n" u32) (canon lift (core func $instance "allocate"))))"#;

#[test]
fn blocks_of_components_are_counted_through_the_limiter() {
    let embedder = Embedder::with(exact(), COMPONENT);
    let component = embedder.guest.component().unwrap();
    let linker = component::Linker::new(&embedder.engine);
    let run = |n: u32| {
        let mut store = Store::new(&embedder.engine, State::default());
        let hooks = Hooks::new().limiter(|state: &mut State| &mut state.limits);
        let attached = embedder.guest.attach(&mut store, hooks).unwrap();
        assert!(attached.instantiate(&mut store, &embedder.linker).is_err(), "that is for core modules");
        let instance = linker.instantiate(&mut store, component).unwrap();
        let allocate = instance.get_typed_func::<(u32,), ()>(&mut store, "allocate").unwrap();
        allocate.call(&mut store, (n,)).unwrap();
        store
    };
    let (one, other) = (run(10), run(4));
    assert_eq!(embedder.totals("heap"), [14, 14_000, 12, 12_000]);
    drop(one);
    assert_eq!(embedder.totals("heap"), [14, 14_000, 3, 3000]);
    drop(other);
    assert_eq!(embedder.totals("heap"), [14, 14_000, 0, 0]);
    let stacks = stacks(&embedder.profiler.profile("heap").unwrap());
    assert_eq!(stacks, [("allocate".to_owned(), 14)]);
    assert_eq!(embedder.totals("memory"), [2 + 2, 4 << 16]);
}
