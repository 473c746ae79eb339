//! Links the start-up object of a wasi-libc outside rustc, where rustc brings none: `cargo xtask guests` then sets
//! `WASI_LIBC_DIR`. A flag in RUSTFLAGS could not tell commands from reactors.

fn main() {
    println!("cargo::rerun-if-env-changed=WASI_LIBC_DIR");
    if let Ok(dir) = std::env::var("WASI_LIBC_DIR") {
        println!("cargo::rustc-link-arg-bins={dir}/crt1-command.o");
        println!("cargo::rustc-link-arg-cdylib={dir}/crt1-reactor.o");
    }
}
