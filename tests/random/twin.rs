//! A module and its rewritten self, side by side in the same world.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use fastrand::Rng;
use wasmtime::{
    AnyRef, Config, Engine, Error, Extern, ExternType, Func, Global, Instance, Memory, Module, Ref, SharedMemory,
    Store, Table, Trap, Val, ValType,
};
use wprof::heap::attach;
use wprof::heap::probe::{Probe, Sampling};
use wprof::heap::rewrite::{Armed, CoreRewrite};

/// An engine with all that the generator makes, and nothing that differs from run to run.
pub(crate) fn engine() -> Engine {
    let mut config = Config::new();
    config.shared_memory(true).wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
    config.cranelift_opt_level(wasmtime::OptLevel::None).parallel_compilation(false);
    config.memory_reservation(1 << 20).memory_guard_size(1 << 16).memory_init_cow(false);
    // Code of ours needs stack too; let none of the two run out of it.
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(100_000));
    config.max_wasm_stack(WASM_STACK).async_stack_size(2 * WASM_STACK);
    Engine::new(&config).unwrap()
}

/// Enough for all the calls that a generated module may make.
pub(crate) const WASM_STACK: usize = 16 << 20;

/// What the guest has told its imports.
type Told = Vec<String>;

/// One of the two.
struct Run {
    store: Store<Told>,
    instance: Instance,
}

/// What comparisons have seen.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// How many calls returned.
    pub(crate) n_returned: u32,
    /// How many ended otherwise, by the reason.
    pub(crate) n_ended: BTreeMap<String, u32>,
    /// Samples that the host took.
    pub(crate) n_samples: u64,
}

/// Calls in one life of a guest.
const N_CALLS: usize = 4;

/// Runs both, several times, and asserts that nobody can tell them apart. False if the module cannot be instantiated,
/// for which there are reasons that do not lie in it.
pub(crate) fn compare(
    engine: &Engine,
    original: &[u8],
    rewrite: &CoreRewrite,
    random: &mut Rng,
    compared: &mut Compared,
) -> bool {
    let armed = rewrite.armed.as_ref().unwrap();
    let (old, new) = (Module::new(engine, original).unwrap(), Module::new(engine, &rewrite.bytes).unwrap());
    for rate in [Some(1), Some(1), Some(100), None] {
        let probe = rate.map(|rate| Probe::new(Sampling { rate, seed: Some(random.u64(..)) }, true));
        let runs = instantiate(engine, &old, None).zip(instantiate(engine, &new, Some((armed, probe.as_ref()))));
        let (mut old, mut new) = match runs {
            None => return false,
            Some((Ok(old), Ok(new))) => (old, new),
            Some((Err(old), Err(new))) => {
                assert_eq!(new, old, "both end while they are instantiated");
                *compared.n_ended.entry(new).or_default() += 1;
                return true;
            }
            Some((old, new)) => panic!("one is instantiated: {:?} {:?}", old.err(), new.err()),
        };
        compare_state(&mut old, &mut new);
        let functions = old.instance.exports(&mut old.store).filter(|it| it.clone().into_func().is_some());
        let names: Vec<String> = functions.map(|it| it.name().to_owned()).collect();
        for _ in 0..N_CALLS.min(names.len() * N_CALLS) {
            let (name, seed) = (random.choice(&names).unwrap(), random.u64(..));
            let (expected, result) = (call(&mut old, name, seed), call(&mut new, name, seed));
            assert_eq!(result, expected, "{name}");
            match expected {
                Ok(_) => compared.n_returned += 1,
                Err(reason) => *compared.n_ended.entry(reason).or_default() += 1,
            }
            compare_state(&mut old, &mut new);
        }
        if let Some(probe) = probe {
            probe.free_queued(&mut new.store);
            let sampled = probe.sampled();
            assert!(!sampled.walker_failed, "frames are walked as wasmtime walks them");
            compared.n_samples += sampled.records.iter().map(|it| it.record.n_allocs).sum::<u64>();
        }
    }
    true
}

/// `None` if not even the original can be; else what came of it, with the trap of its start function.
fn instantiate(
    engine: &Engine,
    module: &Module,
    rewritten: Option<(&Armed, Option<&Probe>)>,
) -> Option<Result<Run, String>> {
    let mut store = Store::new(engine, Told::new());
    let imports = module.imports().map(|import| supply(engine, &mut store, import.name(), &import.ty()));
    let imports = imports.collect::<Option<Vec<Extern>>>()?;
    let instance = match Instance::new(&mut store, module, &imports) {
        Ok(instance) => instance,
        Err(error) if error.is::<Trap>() || error.is::<wasmtime::ThrownException>() => {
            return Some(Err(reason(&error)));
        }
        Err(error) => panic!("{error:?}"),
    };
    if let Some((armed, probe)) = rewritten {
        if let Some(probe) = probe {
            attach::arm(&mut store, module, &instance, armed, probe, &Arc::default()).unwrap();
        }
        if let Some(start) = &armed.start {
            let start = instance.get_typed_func::<(), ()>(&mut store, start).unwrap();
            if let Err(error) = start.call(&mut store, ()) {
                return Some(Err(reason(&error)));
            }
        }
    }
    Some(Ok(Run { store, instance }))
}

/// Something of an import's type; the same each time. `None` if there is nothing to be had.
fn supply(engine: &Engine, store: &mut Store<Told>, name: &str, ty: &ExternType) -> Option<Extern> {
    Some(match ty {
        ExternType::Func(ty) => {
            ty.results().all(|ty| has_default(&ty)).then_some(())?;
            let (name, results) = (name.to_owned(), ty.clone());
            let function = Func::new(&mut *store, ty.clone(), move |mut caller, arguments, out| {
                let told: Vec<String> = arguments.iter().map(|it| show(&mut caller, it)).collect();
                caller.data_mut().push(format!("{name}({})", told.join(" ")));
                let seed = caller.data().len() as u64;
                for ((n, ty), out) in results.results().enumerate().zip(out) {
                    *out = value(&ty, seed * 7 + n as u64).unwrap();
                }
                Ok(())
            });
            function.into()
        }
        ExternType::Global(ty) => Global::new(store, ty.clone(), value(ty.content(), 3)?).ok()?.into(),
        ExternType::Memory(ty) if ty.is_shared() => SharedMemory::new(engine, ty.clone()).ok()?.into(),
        ExternType::Memory(ty) => Memory::new(store, ty.clone()).ok()?.into(),
        ExternType::Table(ty) => {
            let value = value(&ValType::Ref(ty.element().clone()), 0)?;
            Table::new(store, ty.clone(), value.ref_()?).ok()?.into()
        }
        ExternType::Tag(ty) => wasmtime::Tag::new(store, ty).ok()?.into(),
    })
}

fn call(run: &mut Run, name: &str, seed: u64) -> Result<String, String> {
    let function = run.instance.get_func(&mut run.store, name).unwrap();
    let ty = function.ty(&run.store);
    let arguments = (0_u32..).zip(ty.params()).map(|(n, ty)| value(&ty, seed.rotate_left(n * 9)));
    // Nobody can call what takes a reference that is not null.
    let Some(arguments) = arguments.collect::<Option<Vec<Val>>>() else { return Ok(String::new()) };
    let mut results = vec![Val::I32(0); ty.results().len()];
    match function.call(&mut run.store, &arguments, &mut results) {
        Ok(()) => Ok(results.iter().map(|it| show(&mut run.store, it)).collect::<Vec<_>>().join(" ")),
        Err(error) => Err(reason(&error)),
    }
}

/// Why a guest has ended, without where.
fn reason(error: &Error) -> String {
    error.downcast_ref::<Trap>().map_or_else(|| error.root_cause().to_string(), ToString::to_string)
}

fn has_default(ty: &ValType) -> bool {
    !matches!(ty, ValType::Ref(ty) if !ty.is_nullable())
}

/// A value made of a seed. Numbers are small, or addresses and sizes of small things, or anything.
fn value(ty: &ValType, seed: u64) -> Option<Val> {
    let bits = match seed % 4 {
        0 => seed >> 2 & 0x1f,
        1 => seed >> 2 & 0xfff0,
        2 => seed,
        _ => (seed.cast_signed() >> 58).cast_unsigned(),
    };
    Some(match ty {
        ValType::I32 => Val::I32(low(bits)),
        ValType::I64 => Val::I64(bits.cast_signed()),
        ValType::F32 => Val::F32((low(bits) as f32).to_bits()),
        ValType::F64 => Val::F64((bits.cast_signed() as f64).to_bits()),
        ValType::V128 => Val::V128((u128::from(bits) << 64 | u128::from(seed)).into()),
        ValType::Ref(ty) => Val::null_ref(ty.is_nullable().then(|| ty.heap_type())?),
    })
}

fn low(bits: u64) -> i32 {
    let [a, b, c, d, ..] = bits.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// A value, as far as it is the same in both.
fn show(mut store: impl wasmtime::AsContextMut, value: &Val) -> String {
    match value {
        Val::I32(_) | Val::I64(_) | Val::F32(_) | Val::F64(_) | Val::V128(_) => format!("{value:?}"),
        Val::AnyRef(Some(any)) => match AnyRef::as_i31(any, &mut store) {
            Ok(Some(number)) => format!("i31 {}", number.get_u32()),
            _ => "something".to_owned(),
        },
        it => it.ref_().map_or("?", |it| if it.is_null() { "null" } else { "something" }).to_owned(),
    }
}

fn show_ref(store: &mut Store<Told>, it: Ref) -> String {
    show(store, &Val::from(it))
}

/// Memories, globals, tables, and what imports were told.
fn compare_state(old: &mut Run, new: &mut Run) {
    assert_eq!(new.store.data(), old.store.data(), "imports are told the same");
    let names: Vec<String> = old.instance.exports(&mut old.store).map(|it| it.name().to_owned()).collect();
    for name in names {
        assert_eq!(state(new, &name), state(old, &name), "{name}");
    }
}

fn state(run: &mut Run, name: &str) -> (u64, String) {
    let mut hasher = DefaultHasher::new();
    let store = &mut run.store;
    match run.instance.get_export(&mut *store, name).unwrap() {
        Extern::Memory(memory) => {
            memory.data(&*store).hash(&mut hasher);
            (hasher.finish(), format!("{} bytes", memory.data_size(&*store)))
        }
        Extern::Global(global) => {
            let value = global.get(&mut *store);
            (0, show(store, &value))
        }
        Extern::Table(table) => {
            let items = (0..table.size(&*store)).map(|n| table.get(&mut *store, n).unwrap()).collect::<Vec<_>>();
            (0, items.into_iter().map(|it| show_ref(store, it)).collect::<Vec<_>>().join(" "))
        }
        Extern::SharedMemory(memory) => (0, format!("{} pages", memory.size())),
        Extern::Func(_) | Extern::Tag(_) => (0, String::new()),
    }
}
