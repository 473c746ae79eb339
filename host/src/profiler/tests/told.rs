//! Guests with wprof's SDK: what one instance tells is told apart from what another does.

use super::*;

/// `make` makes a profile and adds the key 7 to it; 0 for success. `own_allocator` tells of a block at address 64.
const GUEST: &str = r#"(module
    (import "wprof" "profile_new" (func $new (param i32 i32) (result i32)))
    (import "wprof" "profile_add" (func $add (param i32 i64 i32) (result i32)))
    (import "wprof" "alloc_gap" (func $gap (result i64)))
    (import "wprof" "alloc_sampled" (func $sampled (param i32 i64) (result i64)))
    (memory (export "memory") 1)
    (data (i32.const 0) "connections")
    (func $make (export "make") (param $n i32) (result i32)
        (call $add (call $new (i32.const 0) (i32.const 11)) (i64.const 7) (i32.const 0)))
    (func (export "own_allocator") (param $n i32)
        (drop (call $gap))
        (drop (call $sampled (i32.const 64) (i64.const 100)))))"#;

#[test]
fn each_instance_has_profiles_and_blocks_of_its_own() {
    let embedder = Embedder::with(exact(), GUEST);
    let mut runs = [embedder.run(), embedder.run()];
    for run in &mut runs {
        let make = run.instance.get_typed_func::<i32, i32>(&mut run.store, "make").unwrap();
        assert_eq!(make.call(&mut run.store, 0).unwrap(), 0);
        run.call("own_allocator", 0).unwrap();
        assert!(make.call(&mut run.store, 0).unwrap() < 0, "the name is taken in this instance");
    }
    assert_eq!(embedder.totals("connections"), [2]);
    assert_eq!(embedder.totals("heap"), [2, 200, 2, 200]);
    let [one, other] = runs;
    drop(one);
    assert_eq!(embedder.totals("connections"), [1], "profiles die with their store");
    assert_eq!(embedder.totals("heap"), [2, 200, 1, 100]);
    drop(other);
    assert_eq!(embedder.totals("connections"), [0]);
}
