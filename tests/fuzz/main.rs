//! libFuzzer's program: the environment variable `FUZZ_TARGET` names the target.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod fuzzer {
    use std::sync::LazyLock;

    static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        let names: Vec<&str> = fuzz::TARGETS.iter().map(|it| it.0).collect();
        fuzz::target(&name).unwrap_or_else(|| panic!("FUZZ_TARGET={name:?} is none of {}", names.join(", ")))
    });

    libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
}

#[cfg(not(fuzzing))]
fn main() -> Result<(), &'static str> {
    Err("built without a fuzzer: `cargo xtask fuzz` builds and runs this")
}
