//! Builds the programs of tests/guests into target/guests: Rust, C, Go, AssemblyScript, some with threads, a component, and
//! copies without names or DWARF.

mod threads;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::bundle;
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
    /// AssemblyScript's, a script for node.
    pub(crate) asc: Option<PathBuf>,
}

impl Compilers {
    /// Installs what can be installed.
    pub(crate) fn find(project: &Project) -> Self {
        Self { zig: setup::zig(project), go: setup::go(project), asc: setup::asc(project) }
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
            threads::build_c(project, zig)?;
        }
        threads::build_rust(project, toolchain, compilers.zig.as_deref())?;
        if let Some(go) = &compilers.go {
            build_go(project, go)?;
        }
        if let Some(asc) = &compilers.asc {
            build_assemblyscript(project, asc)?;
        }
        build_components(&project.guests())?;
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
    build_bare(project, toolchain)
}

/// A guest once more, without a C library below it: the allocator is then Rust's own.
fn build_bare(project: &Project, toolchain: &Toolchain) -> Result<()> {
    let mut cargo = bundle::cargo(project, toolchain);
    run(cargo.args(["--bin", "books_rust", "--no-default-features"]).current_dir(project.root.join("tests/guests")))?;
    let built = wasm::target_dir(project).join(wasm::BROWSER).join("release/books_rust.wasm");
    let module = fs::read(built).context("read the guest books_rust.wasm")?;
    write_if_changed(&project.guests().join("books_bare.wasm"), &module)
}

/// Other forms of `shares`, with less in it.
fn build_variants(guests: &Path) -> Result<()> {
    let module = fs::read(guests.join("shares.wasm")).context("read the guest shares.wasm")?;
    let write = |name: &str, bytes: &[u8]| write_if_changed(&guests.join(name), bytes);
    write("shares_stripped.wasm", &without_custom(&module, |_| true)?)?;
    write("shares_names.wasm", &without_custom(&module, is_dwarf)?)?;
    write("shares_dwarf.wasm", &without_custom(&module, |section| section == "name")?)
}

/// WASI 0.2 commands made of WASI 0.1 ones, as wasm-tools makes them; of those guests that could be built.
fn build_components(guests: &Path) -> Result<()> {
    for name in ["shares", "books_rust", "stats"] {
        let module = guests.join(name).with_extension("wasm");
        if module.is_file() {
            let module = fs::read(&module).with_context(|| format!("read the guest {name}.wasm"))?;
            let component = component(&module).with_context(|| format!("make a component of {name}.wasm"))?;
            write_if_changed(&guests.join(format!("{name}_component.wasm")), &component)?;
        }
    }
    Ok(())
}

fn component(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)?
        .encode()
}

fn build_c(project: &Project, zig: &Path) -> Result<()> {
    // zig builds its C library here once, and that for C++.
    let cache = project.target.join("tools/zig-cache");
    each_source(project, "c", &["c", "cpp"], |source| {
        let is_cpp = source.extension() == Some(OsStr::new("cpp"));
        let mut compile = Command::new(zig);
        compile.arg(if is_cpp { "c++" } else { "cc" }).args(["-target", "wasm32-wasi", "-O2", "-g"]);
        if is_cpp {
            compile.args(["-std=c++17", "-fno-exceptions", "-fno-rtti"]);
        }
        compile.env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache);
        compile
    })
}

fn build_go(project: &Project, go: &Path) -> Result<()> {
    each_source(project, "go", &["go"], |_| {
        let mut compile = setup::go_command(project, go, "build");
        compile.env("GOOS", "wasip1").env("GOARCH", "wasm");
        compile
    })
}

fn build_assemblyscript(project: &Project, asc: &Path) -> Result<()> {
    // What a file is called in names begins at this folder.
    let base = project.root.join("tests/guests/as");
    each_source(project, "as", &["ts"], |_| {
        let mut compile = Command::new("node");
        // Names are debug information; `abort` would be imported from a browser's glue.
        compile.arg(asc).args(["-O2", "--debug", "--runtime", "incremental", "--use", "abort=books_as/on_abort"]);
        compile.arg("--baseDir").arg(&base);
        compile
    })
}

/// Compiles each source of these kinds in a folder of tests/guests, if any file there, or the SDK's header, is newer than the
/// guest.
fn each_source(project: &Project, dir: &str, kinds: &[&str], compiler: impl Fn(&Path) -> Command) -> Result<()> {
    let sources = files_in(&project.root.join("tests/guests").join(dir))?;
    let mut files = sources.clone();
    files.push(project.root.join("guest-sdk/include/wprof.h"));
    for source in &sources {
        let kind = source.extension().unwrap_or_default();
        let stem = source.file_stem().context("a source has a name")?;
        let guest = project.guests().join(stem).with_extension("wasm");
        if !kinds.iter().any(|it| kind == *it) || files.iter().all(|file| is_newer(&guest, file)) {
            continue;
        }
        let mut compile = compiler(source);
        let program = Path::new(compile.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        say(&format!("{program} compiles {}", project.shown(source)));
        run_quietly(compile.arg("-o").arg(&guest).arg(source))?;
    }
    Ok(())
}

fn files_in(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = dir.read_dir().with_context(|| format!("read the folder {}", dir.display()))?;
    let mut files: Vec<_> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let modified =
        |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(|error| anyhow!(error));
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file > than)
}
