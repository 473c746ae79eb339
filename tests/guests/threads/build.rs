//! Links the C library that `cargo xtask guests` has made, where rustc brings none: `WASI_LIBC_DIR` then says where it is.

fn main() {
    println!("cargo::rerun-if-env-changed=WASI_LIBC_DIR");
    if let Ok(dir) = std::env::var("WASI_LIBC_DIR") {
        println!("cargo::rerun-if-changed={dir}");
        for file in ["crt1-command.o", "libzigc.a", "libcompiler_rt.a"] {
            println!("cargo::rustc-link-arg-bins={dir}/{file}");
        }
    }
}
