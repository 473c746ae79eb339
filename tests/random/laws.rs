//! What holds for every module.

use std::collections::BTreeMap;

use fastrand::Rng;
use wasmparser::{Validator, WasmFeatures};
use wprof::heap::hook::Hook;
use wprof::heap::rewrite::{CoreRewrite, rewrite_module};

use super::twin::{Compared, WASM_STACK, compare, engine};
use super::{generate, hooks, map};

/// Set it to a number, and so many modules are tried; to `=N`, and only the one with the seed N is.
const VARIABLE: &str = "WPROF_RANDOM_MODULES";

/// Modules tried if nobody says how many: some seconds' worth.
const N_MODULES: u64 = 400;

fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var(VARIABLE).unwrap_or_else(|_unset| N_MODULES.to_string());
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|error| panic!("{VARIABLE}={asked}: {error}"));
    match asked.strip_prefix('=') {
        Some(seed) => number(seed)..number(seed) + 1,
        None => 0..number(&asked),
    }
}

/// What wasmtime enables, and two that it knows.
fn features() -> WasmFeatures {
    WasmFeatures::WASM3 | WasmFeatures::THREADS | WasmFeatures::CUSTOM_PAGE_SIZES | WasmFeatures::WIDE_ARITHMETIC
}

/// A random module, those of its functions that are hooked, and its rewritten self.
fn rewritten(random: &mut Rng) -> (Vec<u8>, Vec<Hook>, CoreRewrite) {
    loop {
        let module = generate::module(random);
        valid(&module);
        let mut hooks = hooks::hooks(&module, random);
        hooks.retain(|hook| match rewrite_module(&module, &[(0, hook)], false) {
            Ok(_) => true,
            Err(reason) => {
                assert!(reason.ends_with("makes a tail call out of a try_table"), "{reason}");
                false
            }
        });
        if hooks.is_empty() {
            continue;
        }
        let numbered: Vec<(i32, &Hook)> = (0..).zip(&hooks).collect();
        let [rewrite, inside] = [false, true].map(|in_component| {
            let rewrite = rewrite_module(&module, &numbered, in_component).unwrap();
            valid(&rewrite.bytes);
            map::check(&module, &hooks, &rewrite);
            rewrite
        });
        assert_eq!(inside.armed, None);
        return (module, hooks, rewrite);
    }
}

fn valid(module: &[u8]) {
    Validator::new_with_features(features()).validate_all(module).unwrap();
}

/// Runs a test on a thread with stack enough for deep guests. Says which module it was that failed.
fn for_each_module(mut test: impl FnMut(&mut Rng) + Send) {
    std::thread::scope(|scope| {
        let test = || {
            for seed in seeds() {
                let named = Named(seed);
                test(&mut Rng::with_seed(seed));
                std::mem::forget(named);
            }
        };
        std::thread::Builder::new().stack_size(4 * WASM_STACK).spawn_scoped(scope, test).unwrap().join().unwrap();
    });
}

struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        eprintln!("it was {VARIABLE}=={}", self.0);
    }
}

/// Which kinds a test must have seen, or it has tested little.
const KINDS: [&str; 4] = ["Alloc", "AllocInto", "Realloc", "Free"];

#[test]
fn a_rewritten_module_does_what_it_did() {
    let engine = engine();
    let (mut compared, mut n_run) = (Compared::default(), 0);
    let mut n_hooked: BTreeMap<String, u32> = BTreeMap::new();
    for_each_module(|random| {
        let (module, hooks, rewrite) = rewritten(random);
        for hook in &hooks {
            let kind = format!("{:?}", hook.kind);
            *n_hooked.entry(kind.split(' ').next().unwrap().to_owned()).or_default() += 1;
        }
        n_run += u32::from(compare(&engine, &module, &rewrite, random, &mut compared));
    });
    println!("{n_run} modules run, hooked {n_hooked:?}: {compared:#?}");
    if seeds().count() as u64 >= N_MODULES {
        assert!(KINDS.iter().all(|kind| n_hooked[*kind] > 10), "{n_hooked:?}");
        assert!(compared.n_returned > 100 && compared.n_ended.len() > 5 && compared.n_samples > 20, "{compared:?}");
    }
}
