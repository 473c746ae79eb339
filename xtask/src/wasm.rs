//! Building for wasm32: with the targets that rustup installed, or with Debian's rustc, which builds std itself.

use std::path::PathBuf;
use std::process::Command;

use crate::project::{Project, answer};

/// The viewer's target.
pub(crate) const BROWSER: &str = "wasm32-unknown-unknown";
/// The guests' target.
pub(crate) const WASI: &str = "wasm32-wasip1";
/// That of guests with threads.
pub(crate) const THREADS: &str = "wasm32-wasip1-threads";

/// What can build for both targets.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The toolchain at hand has both targets.
    Installed,
    /// Another rustc, with std's source and a C library for WASI beside it.
    FromSource { rustc: PathBuf, linker: PathBuf, wasi_libc: PathBuf },
}

impl Toolchain {
    /// The smallest that a panic can be made, as a profile's `panic`. std has to be built for it.
    pub(crate) fn smallest_panic(&self) -> &'static str {
        match self {
            Self::Installed => "abort",
            Self::FromSource { .. } => "immediate-abort",
        }
    }

    /// `cargo SUBCOMMAND --target TARGET` in the workspace, with `rustflags` for that target.
    ///
    /// It has a target folder of its own: the same folder with another rustc would make cargo build all again at every
    /// turn.
    pub(crate) fn cargo(&self, project: &Project, subcommand: &str, target: &str, rustflags: &[&str]) -> Command {
        let mut flags: Vec<String> = rustflags.iter().map(|&flag| flag.to_owned()).collect();
        let mut command = project.cargo(subcommand);
        command.args(["--release", "--target", target]).env("CARGO_TARGET_DIR", target_dir(project));
        if let Self::FromSource { rustc, linker, wasi_libc } = self {
            let target_name = target.to_uppercase().replace('-', "_");
            command
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC", rustc)
                .env("RUSTC_BOOTSTRAP", "1") // a stable rustc takes -Z so
                .env(format!("CARGO_TARGET_{target_name}_LINKER"), linker)
                .env_remove("LD_LIBRARY_PATH"); // `cargo run` put the other toolchain's libraries there
            if target == BROWSER {
                // What a page loads is to be small: std as it is for small programs.
                command.args(["-Zbuild-std-features=optimize_for_size", "-Zpanic-immediate-abort"]);
            }
            if target == WASI {
                let wasi_libc = wasi_libc.display();
                command.env("WASI_LIBC_DIR", wasi_libc.to_string());
                flags.extend(["-Clink-self-contained=no".to_owned(), format!("-Lnative={wasi_libc}")]);
            }
        }
        // Not RUSTFLAGS: a user's own would then be replaced unseen, and this one takes spaces in paths.
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
        command
    }
}

/// Where wasm is built.
pub(crate) fn target_dir(project: &Project) -> PathBuf {
    project.target.join("wasm")
}

/// Whether the rustc at hand has std for this target.
pub(crate) fn is_installed(target: &str) -> bool {
    let libs = answer(rustc(), &["--print", "target-libdir", "--target", target]).map(PathBuf::from);
    libs.and_then(|dir| dir.read_dir().ok()).is_some_and(|mut files| {
        files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
    })
}

/// The rustc that cargo uses here.
pub(crate) fn rustc() -> PathBuf {
    std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from)
}
