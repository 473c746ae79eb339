//! The real host's half on a rewritten module: counts, stacks and the peak, exact to the byte at a rate of 1.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmparser::{Operator, Parser, Payload};
use wasmtime::{Engine, Instance, Module, Store};

use super::{BUMP, FREE, MALLOC, REALLOC, hooks, rewrite};
use crate::heap::attach;
use crate::heap::hook::{Kind, Size};
use crate::heap::probe::{Probe, Sampling};
use crate::heap::rewrite::AddressMap;

const TEXT: &str = r#"
    (func $calloc (export "calloc") (param i32 i32) (result i32)
      (call $malloc (i32.mul (local.get 0) (local.get 1))))
    (func $realloc (export "realloc") (param i32 i32) (result i32)
      (if (i32.gt_u (local.get 1) (i32.const 1000)) (then (return (i32.const 0))))
      (call $free (local.get 0))
      (call $malloc (local.get 1)))
    (func $site (export "site") (param $size i32) (result i32)
      (if (i32.and (local.get $size) (i32.const 1)) (then (return (call $calloc (local.get $size) (i32.const 3)))))
      (call $malloc (local.get $size)))
    (func $other (export "other") (param $size i32) (result i32) (call $site (local.get $size)))
    (func $resize (export "resize") (param i32 i32) (result i32) (call $realloc (local.get 0) (local.get 1)))
"#;

struct Probed {
    original: Vec<u8>,
    map: AddressMap,
    store: Store<()>,
    instance: Instance,
    probe: Probe,
}

impl Probed {
    fn new(rate: u64) -> Self {
        let original = wat::parse_str(format!("(module {BUMP} {TEXT})")).unwrap();
        let calloc = Kind::Alloc { size: Size::Product(0, 1), bias: 0 };
        let kinds = [("malloc", MALLOC), ("free", FREE), ("calloc", calloc), ("realloc", REALLOC)];
        let rewrite = rewrite(&original, &hooks(&original, &kinds)).unwrap();
        let engine = Engine::default();
        let module = Module::new(&engine, &rewrite.bytes).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let probe = Probe::new(Sampling { rate, seed: Some(1) }, true);
        attach::arm(&mut store, &module, &instance, &rewrite.armed.unwrap(), &probe, &Arc::default()).unwrap();
        Self { original, map: AddressMap::new(rewrite.segments), store, instance, probe }
    }

    fn call(&mut self, name: &str, argument: i32) -> i32 {
        let function = self.instance.get_typed_func::<i32, i32>(&mut self.store, name).unwrap();
        function.call(&mut self.store, argument).unwrap()
    }

    fn free(&mut self, block: i32) {
        self.instance.get_typed_func::<i32, ()>(&mut self.store, "free").unwrap().call(&mut self.store, block).unwrap();
    }

    fn resize(&mut self, block: i32, size: i32) -> i32 {
        let function = self.instance.get_typed_func::<(i32, i32), i32>(&mut self.store, "resize").unwrap();
        function.call(&mut self.store, (block, size)).unwrap()
    }

    /// Stack in the original, size, then allocations, blocks alive, blocks alive at the peak.
    fn sampled(&mut self) -> BTreeMap<(Vec<u32>, u64), [u64; 3]> {
        self.probe.free_queued(&mut self.store);
        let sampled = self.probe.sampled();
        assert!(!sampled.walker_failed);
        assert_eq!(sampled.n_overwritten, 0);
        let records = sampled.records.into_iter().map(|it| {
            let mut stack = it.offsets;
            self.map.map_stack(&mut stack);
            let record = it.record;
            ((stack, record.size), [record.n_allocs, record.n_live(), record.n_at_peak])
        });
        records.collect()
    }

    /// A stack: the function that was entered, by export, and the calls that led there, each by what it calls.
    fn stack(&self, leaf: &str, calls: &[(&str, &str)]) -> Vec<u32> {
        let exports = crate::heap::rewrite::Layout::parse(&self.original).unwrap();
        let index = |name: &str| exports.exported_functions().find(|(_, own)| *own == name).unwrap().0;
        let bodies = Parser::new(0).parse_all(&self.original).filter_map(|it| match it.unwrap() {
            Payload::CodeSectionEntry(body) => Some(body),
            _ => None,
        });
        let bodies: Vec<_> = bodies.collect();
        let body = |name: &str| &bodies[index(name) as usize];
        let call = |&(from, to): &(&str, &str)| {
            let mut operators = body(from).get_operators_reader().unwrap().into_iter_with_offsets();
            let is_it = |operator: &Operator<'_>| matches!(operator, Operator::Call { function_index } if *function_index == index(to));
            operators.find_map(|it| it.ok().filter(|(operator, _)| is_it(operator)).map(|(_, at)| at)).unwrap()
        };
        let offsets = std::iter::once(body(leaf).range().start).chain(calls.iter().map(call));
        offsets.map(|it| u32::try_from(it).unwrap()).collect()
    }
}

#[test]
fn every_block_is_counted_where_the_original_allocates_it() {
    let mut guest = Probed::new(1);
    let blocks = [2, 2, 3, 0].map(|size| guest.call("site", size));
    guest.call("other", 2);
    guest.free(blocks[0]);
    guest.call("other", 5);
    let resized = guest.resize(blocks[2], 9);
    assert_eq!(guest.resize(resized, 2000), 0);
    let malloc =
        |guest: &Probed, callers: &[(&str, &str)]| guest.stack("malloc", &[&[("site", "malloc")], callers].concat());
    let calloc =
        |guest: &Probed, callers: &[(&str, &str)]| guest.stack("calloc", &[&[("site", "calloc")], callers].concat());
    let expected = BTreeMap::from([
        ((malloc(&guest, &[]), 2), [2, 1, 1]),
        ((malloc(&guest, &[("other", "site")]), 2), [1, 1, 1]),
        ((calloc(&guest, &[]), 9), [1, 0, 1]),
        ((calloc(&guest, &[("other", "site")]), 15), [1, 1, 1]),
        ((guest.stack("realloc", &[("resize", "realloc")]), 9), [1, 1, 0]),
    ]);
    assert_eq!(guest.sampled(), expected, "28 bytes, and as many when the realloc has moved 9 of them");
}

#[test]
fn the_peak_is_that_of_the_guest_however_long_frees_wait() {
    let mut guest = Probed::new(1);
    let first: Vec<i32> = (0..6000).map(|_| guest.call("site", 100)).collect();
    first.into_iter().for_each(|block| guest.free(block));
    // As much as before, less 100.
    let second: Vec<i32> = (0..749).map(|_| guest.call("site", 800)).collect();
    let site = guest.stack("malloc", &[("site", "malloc")]);
    let expected = BTreeMap::from([((site.clone(), 100), [6000, 0, 6000]), ((site.clone(), 800), [749, 749, 0])]);
    assert_eq!(guest.sampled(), expected);
    second.into_iter().for_each(|block| guest.free(block));
    for _ in 0..2000 {
        guest.call("other", 302);
    }
    let other = guest.stack("malloc", &[("site", "malloc"), ("other", "site")]);
    let expected = BTreeMap::from([
        ((site.clone(), 100), [6000, 0, 0]),
        ((site, 800), [749, 0, 0]),
        ((other, 302), [2000, 2000, 2000]),
    ]);
    assert_eq!(guest.sampled(), expected);
}

#[test]
fn at_a_rate_the_sampled_ones_are_counted_and_no_others() {
    let mut guest = Probed::new(10_000);
    let blocks: Vec<i32> = (0..5000).map(|_| guest.call("site", 100)).collect();
    let counts = |guest: &mut Probed| guest.sampled().into_values().next().unwrap();
    let [n_sampled, n_live, n_at_peak] = counts(&mut guest);
    assert_eq!((n_live, n_at_peak), (n_sampled, n_sampled));
    // 5000 × (1 − e^(−1/100)), give or take four standard deviations.
    assert!((22..=78).contains(&n_sampled), "{n_sampled} of 5000");
    blocks.into_iter().for_each(|block| guest.free(block));
    assert_eq!(counts(&mut guest), [n_sampled, 0, n_sampled]);
}
