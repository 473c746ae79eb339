//! Contexts that end while others are asked.

use std::cell::RefCell;

use wasmtime::{Config, Engine, Instance, Module, Store};

use super::*;
use crate::guest::Code;
use crate::sample::{Chained, CpuClock, Kind, Options, Sampler, Subject, Watch};

const GUEST: &str = r#"(module
    (func (export "spin") (local $n i32)
        (local.set $n (i32.const 30_000_000))
        (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

/// A context whose guest has run for some periods, and for how much CPU time.
fn ran(contexts: &Contexts, kind: Kind) -> (Arc<Context>, Sampler, u64) {
    let mut config = Config::new();
    config.epoch_interruption(kind == Kind::Epoch);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let mut store = Store::new(&engine, ());
    let carry = Some(Arc::clone(&contexts.carry));
    let options = Options { kind, hz: 0, has_wall: false, watch: Watch::default(), carry, has_hook: true };
    let subject = Arc::new(Subject::new(Code::Module(module.clone())));
    let sampler = Sampler::attach(&mut store, &subject, options, Chained::default()).unwrap();
    let own = Own::default();
    let context = contexts.begin(contexts.next_id(), sampler.handle(), own, Creation::default()).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
    let before = CpuClock::now();
    spin.call(&mut store, ()).unwrap();
    (context, sampler, CpuClock::now() - before)
}

/// One ends while another is asked what it has measured: that is neither lost nor there twice.
#[test]
fn whoever_ends_while_a_profile_is_taken_is_in_it_once() {
    for kind in [Kind::Epoch, Kind::Signal] {
        let contexts = Contexts::default();
        contexts.start_cpu(CpuOptions { hz: 1000, has_wall: false }).unwrap();
        let ((_, _one, first), (other, sampler, second)) = (ran(&contexts, kind), ran(&contexts, kind));
        let to_end = RefCell::new(Some(sampler));
        let take = |handle: &sample::Handle| {
            if let Some(sampler) = to_end.take() {
                contexts.end(&other, || sampler.finish());
            }
            handle.take()
        };
        let measured = contexts.take_all(take);
        let (used, of_guests) = (first + second, measured.guest_cpu);
        let of_samples = measured.samples.total().cpu + contexts.carry.take().cpu;
        for found in [of_guests, of_samples] {
            assert!(found <= used && found > used * 4 / 5, "{kind:?}: {of_guests} and {of_samples} ns of {used} ns");
        }
        let again = contexts.take_all(sample::Handle::take);
        assert_eq!((again.samples.total().ticks, again.guest_cpu, contexts.carry.take()), (0, 0, Default::default()));
    }
}
