//! Rewritten modules at work: a host that writes down what it is told, beside the module as it was.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use wasmparser::{KnownCustom, Name, Parser, Payload};
use wasmtime::{
    AsContextMut, Caller, Config, Engine, Extern, Func, Instance, Linker, Memory, Module, Ref, Store, Trap, Val,
    ValType,
};

use super::{CoreRewrite, SUSPENDED, rewrite_module};
use crate::heap::hook::{Hook, Kind, Size};
use crate::heap::queue;

mod atomics;
mod bodies;
mod kinds;
mod probe;
mod queues;
mod shapes;

/// Parameter 0 says how much.
const MALLOC: Kind = Kind::Alloc { size: Size::Param(0), bias: 0 };
const FREE: Kind = Kind::Free { block: 0, bias: 0 };
/// `realloc(block, size)`.
const REALLOC: Kind = Kind::Realloc { block: 0, size: Size::Param(1), bias: 0 };

/// Gives out 16 bytes from 64 on, and null for more than 1000.
const BUMP: &str = r#"
    (global $top (mut i32) (i32.const 64))
    (func $malloc (export "malloc") (param i32) (result i32)
      (if (i32.gt_u (local.get 0) (i32.const 1000)) (then (return (i32.const 0))))
      (global.get $top)
      (global.set $top (i32.add (global.get $top) (i32.const 16))))
    (func $free (export "free") (param i32))
"#;

/// What the host has heard.
#[derive(Default)]
struct Heard {
    /// `n+block:bytes` for a sample of hook n, `-block` for a freed one, `?block` for one that was none.
    events: String,
    live: BTreeSet<i64>,
    /// Countdowns to hand out; 0, that is a sample at once, when there are none left.
    gaps: VecDeque<i64>,
    queue: Option<Memory>,
    /// How often the guest has called because of a full queue.
    n_full: u32,
}

fn drain(mut store: impl AsContextMut<Data = Heard>) {
    let Some(memory) = store.as_context().data().queue else { return };
    let mut heard = std::mem::take(store.as_context_mut().data_mut());
    queue::drain(&memory, &mut store, |block| {
        let was_sampled = heard.live.remove(&block.cast_signed());
        write!(heard.events, "{}{block} ", if was_sampled { '-' } else { '?' }).unwrap();
        was_sampled
    });
    *store.as_context_mut().data_mut() = heard;
}

fn on_alloc(mut caller: Caller<'_, Heard>, block: i64, size: i64, hook: i32) -> i64 {
    let memory = caller.data().queue.unwrap();
    assert!(!queue::is_left_alone(&memory, &caller), "the hook under way deals with the queue");
    drain(&mut caller);
    let heard = caller.data_mut();
    let number = hook & !SUSPENDED;
    if hook & SUSPENDED != 0 {
        write!(heard.events, "{number}left:{block} ").unwrap();
        return 0;
    }
    heard.live.insert(block);
    write!(heard.events, "{number}+{block}:{size} ").unwrap();
    heard.gaps.pop_front().unwrap_or(0)
}

fn on_free(mut caller: Caller<'_, Heard>, _block: i64, _hook: i32) -> i32 {
    caller.data_mut().n_full += 1;
    let memory = caller.data().queue.unwrap();
    assert!(queue::is_left_alone(&memory, &caller), "the guest calls for nothing");
    drain(&mut caller);
    0
}

/// The functions with these names, as hooks.
fn hooks(module: &[u8], kinds: &[(&str, Kind)]) -> Vec<Hook> {
    let mut by_name = BTreeMap::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload.unwrap() else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for names in names {
            let Name::Function(functions) = names.unwrap() else { continue };
            by_name.extend(functions.into_iter().map(|it| it.unwrap()).map(|it| (it.name, it.index)));
        }
    }
    let hook = |&(name, kind): &(&str, Kind)| Hook { module: 0, function: by_name[name], name: name.to_owned(), kind };
    kinds.iter().map(hook).collect()
}

fn rewrite(module: &[u8], hooks: &[Hook]) -> Result<CoreRewrite, String> {
    let numbered: Vec<(i32, &Hook)> = (0..).zip(hooks).collect();
    rewrite_module(module, &numbered, false)
}

/// Arguments of 32 bits may be given with or without a sign.
fn low(argument: i64) -> i32 {
    let [a, b, c, d, ..] = argument.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// Text that [`rewrite`] refuses, and why.
fn refused(text: &str, kinds: &[(&str, Kind)]) -> String {
    let module = wat::parse_str(text).unwrap();
    rewrite(&module, &hooks(&module, kinds)).err().unwrap()
}

/// A module twice: as it was, and rewritten.
struct Guest {
    plain: Store<Heard>,
    plain_instance: Instance,
    store: Store<Heard>,
    instance: Instance,
}

impl Guest {
    fn new(text: &str, kinds: &[(&str, Kind)]) -> Self {
        let module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
        let hooks = hooks(&module, kinds);
        Self::of(&module, &hooks)
    }

    fn of(module: &[u8], hooks: &[Hook]) -> Self {
        let rewrite = rewrite(module, hooks).unwrap();
        let mut config = Config::new();
        config.shared_memory(true);
        let engine = Engine::new(&config).unwrap();
        let (plain, plain_instance, _) = instantiate(&engine, module);
        let (mut store, instance, _) = instantiate(&engine, &rewrite.bytes);
        let armed = rewrite.armed.unwrap();
        let table = instance.get_table(&mut store, &armed.table).unwrap();
        let (on_alloc, on_free) = (Func::wrap(&mut store, on_alloc), Func::wrap(&mut store, on_free));
        table.set(&mut store, 0, Ref::Func(Some(on_alloc))).unwrap();
        table.set(&mut store, 1, Ref::Func(Some(on_free))).unwrap();
        store.data_mut().queue = armed.memory.as_ref().and_then(|name| instance.get_memory(&mut store, name));
        assert!(store.data().queue.is_some());
        instance.get_global(&mut store, &armed.countdown).unwrap().set(&mut store, Val::I64(0)).unwrap();
        if let Some(start) = armed.start {
            instance.get_typed_func::<(), ()>(&mut store, &start).unwrap().call(&mut store, ()).unwrap();
        }
        let mut guest = Self { plain, plain_instance, store, instance };
        guest.compare("instantiation");
        guest
    }

    /// Calls an export in both; its result, if there is one, and 0 if there is none. The other's is the same.
    fn call(&mut self, name: &str, arguments: &[i64]) -> i64 {
        self.try_call(name, arguments).unwrap_or_else(|error| panic!("{name}{arguments:?}: {error}"))
    }

    fn try_call(&mut self, name: &str, arguments: &[i64]) -> Result<i64, String> {
        let expected = call(&mut self.plain, self.plain_instance, name, arguments);
        let result = call(&mut self.store, self.instance, name, arguments);
        assert_eq!(result, expected, "{name}{arguments:?}");
        self.compare(name);
        result
    }

    /// What the host has heard since it was last asked.
    fn heard(&mut self) -> String {
        drain(&mut self.store);
        std::mem::take(&mut self.store.data_mut().events).trim_end().to_owned()
    }

    /// Calls and says what was heard.
    fn after(&mut self, name: &str, arguments: &[i64]) -> String {
        self.call(name, arguments);
        self.heard()
    }

    /// Checks that exported memories and globals of both are equal.
    fn compare(&mut self, after: &str) {
        let names: Vec<String> = self.plain_instance.exports(&mut self.plain).map(|it| it.name().to_owned()).collect();
        for name in names {
            let plain = self.plain_instance.get_export(&mut self.plain, &name).unwrap();
            match (plain, self.instance.get_export(&mut self.store, &name).unwrap()) {
                (Extern::Memory(plain), Extern::Memory(ours)) => {
                    assert!(plain.data(&self.plain) == ours.data(&self.store), "{name} differs after {after}");
                }
                (Extern::Global(plain), Extern::Global(ours)) => {
                    let (plain, ours) = (plain.get(&mut self.plain), ours.get(&mut self.store));
                    assert_eq!(format!("{ours:?}"), format!("{plain:?}"), "{name} differs after {after}");
                }
                _ => {}
            }
        }
    }
}

/// Imports are whatever is nothing.
fn instantiate(engine: &Engine, module: &[u8]) -> (Store<Heard>, Instance, Module) {
    let module = Module::new(engine, module).unwrap_or_else(|error| panic!("{error:?}"));
    let mut store = Store::new(engine, Heard::default());
    let mut linker = Linker::new(engine);
    linker.define_unknown_imports_as_default_values(&mut store, &module).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    (store, instance, module)
}

fn call(store: &mut Store<Heard>, instance: Instance, name: &str, arguments: &[i64]) -> Result<i64, String> {
    let function = instance.get_func(&mut *store, name).unwrap_or_else(|| panic!("no export {name}"));
    let ty = function.ty(&*store);
    assert_eq!(ty.params().len(), arguments.len(), "{name}");
    let arguments = ty.params().zip(arguments).map(|(ty, &argument)| match ty {
        ValType::I32 => Val::I32(low(argument)),
        ValType::I64 => Val::I64(argument),
        ValType::F64 => Val::F64((argument as f64).to_bits()),
        _ => panic!("{name} takes {ty}"),
    });
    let arguments: Vec<Val> = arguments.collect();
    let mut results = vec![Val::I32(0); ty.results().len()];
    function.call(&mut *store, &arguments, &mut results).map_err(|error| match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    })?;
    Ok(match results.first() {
        Some(Val::I32(it)) => i64::from(*it),
        Some(Val::I64(it)) => *it,
        _ => 0,
    })
}
