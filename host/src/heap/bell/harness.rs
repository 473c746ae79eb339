//! A host for tests: rewrites a component, runs it, and keeps books of what its bells say.

use std::collections::BTreeMap;

use wasmtime::component::{Component, Instance, Linker};
use wasmtime::{AsContext, CallHook, Config, Engine, ResourceLimiter, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime::{StoreContextMut, WasmBacktrace};

use super::{Bell, Event};
use crate::heap::hook::{Hook, Kind, Size};
use crate::heap::rewrite::{AddressMap, rewrite_component};

/// What the host has heard.
pub(in crate::heap) struct Heard {
    bell: Bell,
    limits: StoreLimits,
    map: AddressMap,
    /// Allocations, with their stacks in offsets of the original file.
    pub(in crate::heap) allocs: Vec<(Event, Vec<u32>)>,
    /// Sizes of live sampled blocks.
    pub(in crate::heap) live: BTreeMap<i64, i64>,
    /// Freed blocks that were sampled, and that were not.
    pub(in crate::heap) n_frees: (u64, u64),
}

impl ResourceLimiter for Heard {
    fn memory_growing(&mut self, now: usize, then: usize, max: Option<usize>) -> wasmtime::Result<bool> {
        self.limits.memory_growing(now, then, max)
    }

    fn table_growing(&mut self, now: usize, then: usize, max: Option<usize>) -> wasmtime::Result<bool> {
        let (live, n_frees) = (&mut self.live, &mut self.n_frees);
        let free = |block: i64| {
            let was_sampled = live.remove(&block).is_some();
            *(if was_sampled { &mut n_frees.0 } else { &mut n_frees.1 }) += 1;
            was_sampled
        };
        match self.bell.ring(now, then, max, free) {
            Some(answer) => Ok(answer),
            None => self.limits.table_growing(now, then, max),
        }
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.table_grow_failed(error)
    }
}

impl Heard {
    fn on_return(mut store: StoreContextMut<'_, Self>) {
        let Some(event) = store.data_mut().bell.take() else { return };
        let backtrace = WasmBacktrace::force_capture(store.as_context());
        let frames = backtrace.frames().iter().filter_map(wasmtime::FrameInfo::module_offset);
        let mut stack: Vec<u32> = frames.map(|offset| u32::try_from(offset).unwrap()).collect();
        let heard = store.data_mut();
        heard.map.map_stack(&mut stack);
        heard.live.insert(event.block, event.size);
        heard.allocs.push((event, stack));
    }

    /// Hook number and size of each allocation.
    pub(in crate::heap) fn sizes(&self) -> Vec<(i32, i64)> {
        self.allocs.iter().map(|(event, _)| (event.hook, event.size)).collect()
    }
}

/// A running component.
pub(in crate::heap) struct Guest {
    pub(in crate::heap) store: Store<Heard>,
    pub(in crate::heap) instance: Instance,
}

impl Guest {
    /// Rewrites and instantiates a component given as text.
    pub(in crate::heap) fn new(text: &str, hooks: &[Hook], mean: u64, seed: u64) -> Self {
        Self::with(text, hooks, Bell::new(mean, seed), |_| {})
    }

    pub(in crate::heap) fn with(text: &str, hooks: &[Hook], bell: Bell, link: impl FnOnce(&mut Linker<Heard>)) -> Self {
        let rewrite = rewrite_component(&wat::parse_str(text).unwrap(), hooks).unwrap();
        assert_eq!(rewrite.skipped, []);
        wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::default())
            .validate_all(&rewrite.bytes)
            .unwrap();
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).unwrap();
        let component = Component::new(&engine, &rewrite.bytes).unwrap();
        // The bell must be asked before limits that it would offend.
        let limits = StoreLimitsBuilder::new().table_elements(1000).trap_on_grow_failure(true).build();
        let heard = Heard {
            bell,
            limits,
            map: AddressMap::new(rewrite.segments),
            allocs: Vec::new(),
            live: BTreeMap::new(),
            n_frees: (0, 0),
        };
        let mut store = Store::new(&engine, heard);
        store.set_epoch_deadline(1);
        store.limiter(|heard| heard);
        store.call_hook(|store, event| {
            if matches!(event, CallHook::ReturningFromHost) {
                Heard::on_return(store);
            }
            Ok(())
        });
        let mut linker = Linker::new(&engine);
        link(&mut linker);
        let instance = linker.instantiate(&mut store, &component).unwrap();
        Self { store, instance }
    }

    /// Calls an export that takes and returns a number.
    pub(in crate::heap) fn call(&mut self, name: &str, argument: i32) -> i32 {
        let export = self.instance.get_typed_func::<(i32,), (i32,)>(&mut self.store, name).unwrap();
        export.call(&mut self.store, (argument,)).unwrap().0
    }

    pub(in crate::heap) fn heard(&self) -> &Heard {
        self.store.data()
    }
}

/// A core module with an allocator of its own: functions 0 `malloc`, 1 `free`, and exports `run`, which allocates and
/// returns the pointer, `drop`, which frees one, and `churn`, which does both 100 times and keeps every tenth.
pub(in crate::heap) const ALLOCATOR: &str = r#"
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 64))
    (func $malloc (param i32) (result i32)
      global.get $top
      (global.set $top (i32.add (global.get $top) (i32.const 16))))
    (func $free (param i32))
    (func (export "run") (param i32) (result i32) (call $malloc (local.get 0)))
    (func (export "drop") (param i32) (result i32) (call $free (local.get 0)) (i32.const 0))
    (func (export "churn") (param $n i32) (result i32) (local $block i32) (local $i i32)
      (loop
        (local.set $block (call $malloc (i32.const 1000)))
        (if (i32.rem_u (local.get $i) (i32.const 10)) (then (call $free (local.get $block))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if 0 (i32.lt_u (local.get $i) (local.get $n))))
      (i32.const 0))
"#;

/// The hooks of [`ALLOCATOR`] as core module `module` of a file.
pub(in crate::heap) fn allocator_hooks(module: usize) -> [Hook; 2] {
    let hook = |function: u32, name: &str, kind: Kind| Hook { module, function, name: name.to_owned(), kind };
    [
        hook(0, "malloc", Kind::Alloc { size: Size::Param(0), bias: 0 }),
        hook(1, "free", Kind::Free { block: 0, bias: 0 }),
    ]
}
