//! Builds the programs of tests/guests into target/guests: Rust, C, Go, a component, and copies without names or DWARF.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::project::{Project, run, run_quietly, say, write_if_changed};
use crate::sections::{is_dwarf, without_custom};
use crate::setup;
use crate::wasm::{self, Toolchain};

/// The guest that the demo and the bench profile.
pub(crate) const DEMO: &str = "wordbook";

/// Compilers of guests in other languages, where there are any.
#[derive(Debug, Default)]
pub(crate) struct Compilers {
    /// For C and C++.
    pub(crate) zig: Option<PathBuf>,
    pub(crate) go: Option<PathBuf>,
}

impl Compilers {
    /// Installs what can be installed.
    pub(crate) fn find(project: &Project) -> Self {
        Self { zig: setup::zig(project), go: setup::go(project) }
    }
}

/// Builds all guests, those in other languages as far as there are compilers.
pub(crate) fn build(project: &Project, toolchain: &Toolchain, compilers: &Compilers) -> Result<()> {
    project.step("build the guests", || {
        fs::create_dir_all(project.guests()).context("make target/guests")?;
        build_rust(project, toolchain)?;
        build_variants(&project.guests())?;
        if let Some(zig) = &compilers.zig {
            build_c(project, zig)?;
        }
        if let Some(go) = &compilers.go {
            build_go(project, go)?;
        }
        say(&format!("guests are in {}", project.shown(&project.guests())));
        Ok(())
    })
}

/// One cargo build for all of them, so that std and each crate are built once.
fn build_rust(project: &Project, toolchain: &Toolchain) -> Result<()> {
    let source = project.root.join("tests/guests");
    let mut cargo = toolchain.cargo(project, "build", wasm::WASI, &[]);
    run(cargo.arg("--lib").arg("--bins").current_dir(&source))?;

    let built = wasm::target_dir(project).join(wasm::WASI).join("release");
    let mut names = vec!["reactor".to_owned()];
    for file in files_in(&source.join("src/bin"))? {
        names.extend(file.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    for name in names {
        let file = format!("{name}.wasm");
        let module = fs::read(built.join(&file)).with_context(|| format!("read the guest {file}"))?;
        write_if_changed(&project.guests().join(file), &module)?;
    }
    Ok(())
}

/// Other forms of `shares`: with less in it, and as a component.
fn build_variants(guests: &Path) -> Result<()> {
    let module = fs::read(guests.join("shares.wasm")).context("read the guest shares.wasm")?;
    let write = |name: &str, bytes: &[u8]| write_if_changed(&guests.join(name), bytes);
    write("shares_stripped.wasm", &without_custom(&module, |_| true)?)?;
    write("shares_names.wasm", &without_custom(&module, is_dwarf)?)?;
    write("shares_dwarf.wasm", &without_custom(&module, |section| section == "name")?)?;
    write("shares_component.wasm", &component(&module).context("make a component of shares.wasm")?)
}

/// A WASI 0.2 command made of a WASI 0.1 one, as wasm-tools makes it.
fn component(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)?
        .encode()
}

fn build_c(project: &Project, zig: &Path) -> Result<()> {
    for source in files_in(&project.root.join("tests/guests/c"))? {
        let stem = source.file_stem().context("a C file has a name")?;
        let guest = project.guests().join(stem).with_extension("wasm");
        if is_newer(&guest, &source) {
            continue;
        }
        let mut compile = Command::new(zig);
        compile.arg("cc").args(["-target", "wasm32-wasi", "-O2", "-g"]);
        if source.extension() == Some(OsStr::new("cpp")) {
            compile.args(["-std=c++17", "-fno-exceptions", "-fno-rtti"]);
        }
        // zig builds its C library here once.
        let cache = project.target.join("tools/zig-cache");
        compile.env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache).arg("-o").arg(&guest);
        say(&format!("zig cc {}", project.shown(&source)));
        run_quietly(compile.arg(&source))?;
    }
    Ok(())
}

fn build_go(project: &Project, go: &Path) -> Result<()> {
    for source in files_in(&project.root.join("tests/guests/go"))? {
        let stem = source.file_stem().context("a Go file has a name")?;
        let guest = project.guests().join(stem).with_extension("wasm");
        if is_newer(&guest, &source) {
            continue;
        }
        let mut compile = setup::go_command(project, go, "build");
        compile.env("GOOS", "wasip1").env("GOARCH", "wasm").arg("-o").arg(&guest);
        say(&format!("go build {}", project.shown(&source)));
        run_quietly(compile.arg(&source))?;
    }
    Ok(())
}

fn files_in(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = dir.read_dir().with_context(|| format!("read the folder {}", dir.display()))?;
    let mut files: Vec<_> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    Ok(files)
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let modified =
        |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(|error| anyhow!(error));
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file > than)
}
