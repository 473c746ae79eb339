//! Blocks of several instances, which lie at equal addresses.

use super::*;

/// alloc_objects, alloc_space, inuse_objects and inuse_space.
fn heap(embedder: &Embedder) -> [i64; 4] {
    embedder.totals("heap").try_into().unwrap()
}

#[test]
fn blocks_of_all_instances_are_counted_and_gone_with_their_stores() {
    let embedder = Embedder::new(exact());
    let (mut one, mut other) = (embedder.run(), embedder.run());
    assert_eq!(heap(&embedder), [2, 14, 2, 14], "their start functions allocate");
    one.call("allocate", 10).unwrap();
    other.call("allocate", 10).unwrap();
    other.call("allocate", 1).unwrap();
    // What is freed is told at the next call of the host's at the latest, which blocks bring about at this rate.
    let (objects, space) = (2 + 21, 14 + 21_000);
    let [.., in_use, _] = heap(&embedder);
    assert_eq!(heap(&embedder)[..2], [objects, space]);
    assert!((objects - 3..=objects).contains(&in_use), "{in_use}");
    for run in [&mut one, &mut other] {
        run.instance.get_typed_func::<(), ()>(&mut run.store, "call").unwrap().call(&mut run.store, ()).unwrap();
    }
    assert_eq!(heap(&embedder), [objects, space, objects - 3, space - 3000]);
    drop(one.store);
    assert_eq!(heap(&embedder), [objects, space, 1 + 9 + 1 - 1, 7 + 9000], "those of the other store are in use");
    drop(one.attached);
    drop(other);
    assert_eq!(heap(&embedder), [objects, space, 0, 0]);
    let peak = embedder.totals("peak");
    assert!(peak.contains(&(space - 3000 + 1000)) || peak.contains(&space), "{peak:?}");
    let again = embedder.run();
    assert_eq!(heap(&embedder), [objects + 1, space + 7, 1, 7]);
    drop(again);
}

#[test]
fn blocks_of_threads_add_up() {
    let embedder = Embedder::new(exact());
    let work = || {
        for _ in 0..20 {
            embedder.run().call("allocate", 50).unwrap();
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    assert_eq!(heap(&embedder), [80 * 51, 80 * (7 + 50_000), 0, 0]);
    let stacks = stacks(&embedder.profiler.profile("heap").unwrap());
    assert_eq!(stacks, [("start".to_owned(), 80), ("allocate".to_owned(), 4000)]);
}

#[test]
fn growth_of_memory_is_that_of_all_stores() {
    let embedder = Embedder::new(Options::default());
    let hooks = || Hooks::new().limiter(|state: &mut State| &mut state.limits);
    for _ in 0..3 {
        let mut run = embedder.run_with(hooks());
        let grow = run.instance.get_typed_func::<(), i32>(&mut run.store, "grow").unwrap();
        assert_eq!(grow.call(&mut run.store, ()).unwrap(), 1);
        assert_eq!(grow.call(&mut run.store, ()).unwrap(), 2);
    }
    let stacks = stacks(&embedder.profiler.profile("memory").unwrap());
    let counts: Vec<_> = stacks.iter().map(|(stack, count)| (stack.as_str(), *count)).collect();
    assert_eq!(counts, [("grow", 6), ("[initial memory]", 3)]);
}

#[test]
fn a_store_has_one_instance_of_a_guest() {
    let embedder = Embedder::new(exact());
    let mut run = embedder.run();
    let error = run.attached.instantiate(&mut run.store, &embedder.linker).unwrap_err();
    assert_eq!(error.to_string(), "the store has an instance of the guest already");
}

/// wprof's memory in the guest does not count against what the embedder allows.
#[test]
fn limits_are_those_of_the_embedder() {
    let embedder = Embedder::new(exact());
    let limited = |pages: usize| {
        let own =
            wasmtime::StoreLimitsBuilder::new().memory_size(pages << 16).memories(1).tables(0).instances(1).build();
        let mut store = Store::new(&embedder.engine, State { limits: Limits::new(own), n_calls: 0 });
        let hooks = Hooks::new().limiter(|state: &mut State| &mut state.limits);
        let attached = embedder.guest.attach(&mut store, hooks).unwrap();
        let instance = attached.instantiate(&mut store, &embedder.linker)?;
        let grow = instance.get_typed_func::<(), i32>(&mut store, "grow").unwrap();
        Ok::<_, anyhow::Error>((grow.call(&mut store, ()).unwrap(), grow.call(&mut store, ()).unwrap()))
    };
    assert_eq!(limited(2).unwrap(), (1, -1));
    assert!(limited(0).is_err(), "the guest's first page is not allowed");
}

#[test]
fn guests_of_different_modules_have_addresses_of_their_own() {
    let embedder = Embedder::new(exact());
    let second =
        embedder.profiler.prepare(&embedder.engine, "second.wat", GUEST.replace("$allocate", "$take").as_bytes());
    let second = second.unwrap();
    embedder.run().call("allocate", 1).unwrap();
    let mut store = Store::new(&embedder.engine, State::default());
    let attached = second.attach(&mut store, Hooks::new()).unwrap();
    let instance = attached.instantiate(&mut store, &embedder.linker).unwrap();
    instance.get_typed_func::<i32, ()>(&mut store, "allocate").unwrap().call(&mut store, 1).unwrap();
    let merged = embedder.profiler.profile("heap").unwrap();
    let mut names: Vec<String> = stacks(&merged).into_iter().map(|(stack, _)| stack).collect();
    names.sort_unstable();
    assert_eq!(names, ["allocate", "start", "start", "take"]);
    let places: Vec<_> = merged.mappings().iter().map(|it| it.start..it.limit).collect();
    assert_eq!(places.len(), 2);
    assert!(places[0].end <= places[1].start && places[1].start % (1 << 16) == 0, "{places:x?}");
    for &at in merged.samples().flat_map(|it| it.locations) {
        let (address, line) = (merged.location(at).address, merged.lines(at)[0]);
        let found = [&embedder.guest, &second].map(|it| it.registry().name_at(address));
        let expected = merged.string(merged.function(line.function).name);
        assert_eq!(found.iter().flatten().collect::<Vec<_>>(), [expected], "one module has it, and it alone");
    }
}
