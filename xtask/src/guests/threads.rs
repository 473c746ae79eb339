//! Guests with threads: C by zig, with threads of our own making over its C library; Rust for wasm32-wasip1-threads, with the
//! target's own library where rustup has brought it, and else with the same as C.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{files_in, is_newer};
use crate::project::{Project, run, run_quietly, say, write_if_changed};
use crate::setup;
use crate::wasm::{self, THREADS, Toolchain};

const CPU: [&str; 3] = ["-target", "wasm32-wasi", "-mcpu=generic+atomics+bulk_memory"];
/// What every module of threads must be, for those of the host's that follow the proposal: memory comes from outside.
const MEMORY: &str = "-Wl,--import-memory,--export-memory,--shared-memory,--max-memory=67108864";
/// Threads for C and for Rust's std.
const PTHREAD: &str = "pthread.c";
/// A guest, its source, and what else is said to the compiler: those that tell wprof nothing are built of the same.
const C_GUESTS: [(&str, &str, &[&str]); 4] = [
    ("sdk_sync_c", "sdk_sync_c.c", &[]),
    ("sdk_goro_c", "sdk_goro_c.c", &[]),
    ("sdk_waiters_c", "sdk_waiters_c.c", &[]),
    ("waiters_c", "sdk_waiters_c.c", &["-DWPROF_DISABLE"]),
];

fn sources(project: &Project) -> PathBuf {
    project.root.join("tests/guests/c/threads")
}

fn compiler(project: &Project, zig: &Path, command: &str) -> Command {
    let cache = project.target.join("tools/zig-cache");
    let mut compiler = Command::new(zig);
    compiler.arg(command).args(CPU).env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache);
    compiler
}

/// Compiles those in C of which any file is newer than the guest.
pub(super) fn build_c(project: &Project, zig: &Path) -> Result<()> {
    let dir = sources(project);
    let mut files = files_in(&dir)?;
    files.push(project.root.join("guest-sdk/include/wprof.h"));
    for (name, source, options) in C_GUESTS {
        let guest = project.guests().join(name).with_extension("wasm");
        if files.iter().all(|file| is_newer(&guest, file)) {
            continue;
        }
        say(&format!("zig compiles {name} with threads"));
        let mut compile = compiler(project, zig, "cc");
        compile.args(["-O2", "-g", MEMORY]).args(options).arg("-o").arg(&guest);
        run_quietly(compile.arg(dir.join(source)).arg(dir.join(PTHREAD)))?;
    }
    Ok(())
}

/// Builds those in Rust, if there is a C library for them.
pub(super) fn build_rust(project: &Project, toolchain: &Toolchain, zig: Option<&Path>) -> Result<()> {
    let source = project.root.join("tests/guests/threads");
    let mut cargo = match (toolchain, zig) {
        (Toolchain::Installed, _) if setup::has_threads_target() => toolchain.cargo(project, "build", THREADS, &[]),
        (Toolchain::FromSource { .. }, Some(zig)) => from_source(project, toolchain, zig)?,
        _ => {
            say("no C library with threads, so no Rust guests with threads; the tests that run them are skipped");
            return Ok(());
        }
    };
    run(cargo.arg("--bins").current_dir(&source))?;
    let built = wasm::target_dir(project).join(THREADS).join("release");
    for file in files_in(&source.join("src/bin"))? {
        let name = Path::new(file.file_stem().context("a source has a name")?).with_extension("wasm");
        let module = fs::read(built.join(&name)).with_context(|| format!("read the guest {}", name.display()))?;
        write_if_changed(&project.guests().join(name), &module)?;
    }
    Ok(())
}

fn from_source(project: &Project, toolchain: &Toolchain, zig: &Path) -> Result<Command> {
    let dir = library(project, zig)?;
    let shown = dir.display();
    let flags = [
        "-Clink-self-contained=no".to_owned(),
        format!("-Lnative={shown}"),
        // Before the C library, which has threads that never begin.
        format!("-Zpre-link-arg={shown}/pthread.o"),
    ];
    let mut cargo = toolchain.cargo(project, "build", THREADS, &flags.each_ref().map(String::as_str));
    // A guest's panic need not say where it came from, and std is built the sooner.
    cargo.arg("-Zbuild-std-features=").env("WASI_LIBC_DIR", &dir);
    Ok(cargo)
}

/// zig's C library with atomic instructions, in a folder: as zig itself would link it, it tells where that is.
fn library(project: &Project, zig: &Path) -> Result<PathBuf> {
    let dir = wasm::target_dir(project).join("wasi-libc-threads");
    fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    let object = dir.join("pthread.o");
    let source = sources(project).join(PTHREAD);
    if is_newer(&object, &source) && dir.join("libc.a").is_file() {
        return Ok(dir);
    }
    run_quietly(compiler(project, zig, "cc").args(["-O2", "-g", "-c", "-o"]).arg(&object).arg(&source))?;
    // zig tells when it links something.
    let mut link = compiler(project, zig, "build-exe");
    link.args(["-lc", "--import-memory", "--shared-memory", "--max-memory=67108864", "--verbose-link"]);
    link.arg("-DWPROF_DISABLE").arg(format!("-femit-bin={}", dir.join("linked.wasm").display()));
    let said = run_quietly(link.arg(&object).arg(sources(project).join("sdk_waiters_c.c")))?.stderr;
    let said = String::from_utf8_lossy(&said);
    let said = said.lines().rfind(|line| line.starts_with("wasm-ld ")).context("zig does not say how it links")?;
    for file in ["crt1-command.o", "libc.a", "libzigc.a", "libcompiler_rt.a"] {
        let found = said.split_whitespace().find(|word| Path::new(word).file_name().is_some_and(|name| name == file));
        let found = found.with_context(|| format!("zig does not say where its {file} is:\n{said}"))?;
        fs::copy(found, dir.join(file)).with_context(|| format!("copy {found}"))?;
    }
    Ok(dir)
}
