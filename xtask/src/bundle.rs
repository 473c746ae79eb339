//! Builds the viewer into www/dist: its wasm, wasm-bindgen's JavaScript for it, and the plain files of www.

mod imports;
mod sizes;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::project::{Project, run, run_quietly, say, write_if_changed};
use crate::setup;
use crate::wasm::{self, Toolchain};

/// The name under which www/index.html loads the viewer: `wprof_viewer.js` and `wprof_viewer_bg.wasm`.
const OUT_NAME: &str = "wprof_viewer";

/// zlib-rs inflates twice as fast with these.
const RUSTFLAGS: [&str; 1] = ["-Ctarget-feature=+simd128,+bulk-memory"];

/// What a bundle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quality {
    /// Small and fast.
    Full,
    /// Soon there, for whoever works on the viewer: it is larger, and its code slower.
    Quick,
}

/// Builds the bundle; files that come out the same are left alone, or `wprof`, which embeds them, would be built again.
pub(crate) fn build(project: &Project, toolchain: &Toolchain, quality: Quality) -> Result<()> {
    project.step("build the viewer's bundle", || {
        let module = compile(project, toolchain, quality)?;
        let www = project.root.join("www");
        let dist = www.join("dist");
        fs::create_dir_all(&dist).context("make www/dist")?;
        let mut kept = copy_files(&www, &dist)?;
        kept.extend(copy_files(&bind(project, &module, quality)?, &dist)?);
        remove_all_but(&kept, &dist)?;
        say(&format!("the bundle is in {}", project.shown(&dist)));
        sizes::print(&dist)
    })
}

fn compile(project: &Project, toolchain: &Toolchain, quality: Quality) -> Result<Vec<u8>> {
    let mut cargo = match quality {
        Quality::Full => small_cargo(project, toolchain),
        Quality::Quick => quick_cargo(project, toolchain),
    };
    cargo.args(["--package", "wprof-viewer"]);
    run(&mut cargo)?;
    let file = wasm::target_dir(project).join(wasm::BROWSER).join("release/wprof-viewer.wasm");
    fs::read(&file).with_context(|| format!("read {}", file.display()))
}

/// `cargo build` for the browser. Whatever else is built for wasm32-unknown-unknown is built so too, or std would be built
/// once more for it.
pub(crate) fn cargo(project: &Project, toolchain: &Toolchain) -> Command {
    let mut cargo = toolchain.cargo(project, "build", wasm::BROWSER, &RUSTFLAGS);
    cargo
        .env("CARGO_PROFILE_RELEASE_LTO", "true")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_PANIC", toolchain.smallest_panic())
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("CARGO_PROFILE_RELEASE_SPLIT_DEBUGINFO", "off");
    cargo
}

/// Crates in which little time is spent: what takes long is in `proto` and in inflating.
const SMALL: [&str; 31] = [
    "wprof-viewer",
    "wprof-symbols",
    "addr2line",
    "anyhow",
    "cpp_demangle",
    "flate2",
    "futures-channel",
    "futures-util",
    "gimli",
    "gloo-events",
    "implicit-clone",
    "indexmap",
    "js-sys",
    "pinned",
    "postcard",
    "regex",
    "regex-automata",
    "regex-syntax",
    "rustc-demangle",
    "semver",
    "serde_core",
    "serde_json",
    "sha2",
    "slab",
    "tokise",
    "wasm-bindgen",
    "wasm-bindgen-futures",
    "wasmparser",
    "wasmprinter",
    "web-sys",
    "yew",
];

/// The same, and small.
fn small_cargo(project: &Project, toolchain: &Toolchain) -> Command {
    let mut cargo = cargo(project, toolchain);
    for package in SMALL {
        cargo.args(["--config", &format!("profile.release.package.{package}.opt-level=\"z\"")]);
    }
    // As fast as with 3, and smaller.
    cargo.args(["--config", "profile.release.package.wprof-proto.opt-level=2"]);
    cargo
}

/// The same for a quick bundle: only what has changed is compiled anew.
fn quick_cargo(project: &Project, toolchain: &Toolchain) -> Command {
    let mut cargo = cargo(project, toolchain);
    cargo
        // Inflating would take ten times as long. Not all packages, or the macros' would be optimized as well.
        .args(["--config", "profile.release.package.zlib-rs.opt-level=3"])
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort") // with what it has to say
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true");
    cargo
}

/// Runs wasm-bindgen and wasm-opt, unless they have seen this very module before; returns the folder with what came of it.
fn bind(project: &Project, module: &[u8], quality: Quality) -> Result<PathBuf> {
    let (name, wasm_opt) = match quality {
        Quality::Full => ("bundle", setup::wasm_opt(project)),
        Quality::Quick => ("bundle-quick", None),
    };
    let out = project.target.join(name);
    let seen = project.target.join(format!("{name}.input.wasm"));
    // The other half of what came in.
    let tool = project.target.join(format!("{name}.tool.txt"));
    let with = wasm_opt.as_ref().map_or_else(String::new, |it| format!("{} {WASM_OPT:?}", it.display()));
    let is_same = |path, bytes: &[u8]| fs::read(path).is_ok_and(|old| old == bytes);
    if out.is_dir() && is_same(&seen, module) && is_same(&tool, with.as_bytes()) {
        return Ok(out);
    }
    if out.is_dir() {
        fs::remove_dir_all(&out).context("empty the folder of the last bundle")?;
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes(OUT_NAME, module.to_owned()).typescript(false).remove_producers_section(true);
    bindgen.remove_name_section(quality == Quality::Full);
    let mut output = bindgen.web(true)?.generate_output().context("wasm-bindgen failed on the viewer")?;
    let renamed = imports::shorten(&mut output);
    output.emit(&out).context("write what wasm-bindgen made of the viewer")?;
    renamed.follow(&out.join(format!("{OUT_NAME}.js")))?;
    if let Some(wasm_opt) = wasm_opt {
        shrink(&wasm_opt, &out.join(format!("{OUT_NAME}_bg.wasm")))?;
    }
    fs::write(tool, with).context("note the bundle's tool")?;
    fs::write(seen, module).context("note the bundle's input")?;
    Ok(out)
}

/// For speed: `-Oz` leaves about as many bytes of brotli. The features are those that the module is compiled for.
const WASM_OPT: [&str; 10] = [
    "-O3",
    "--strip-debug",
    "--strip-producers",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
];

fn shrink(wasm_opt: &Path, module: &Path) -> Result<()> {
    say("wasm-opt shrinks the module, for a minute or so");
    run_quietly(Command::new("node").arg(wasm_opt).args(WASM_OPT).arg(module).arg("-o").arg(module)).map(drop)
}

/// Copies the plain files of a folder; the answer is their names.
fn copy_files(from: &Path, to: &Path) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in from.read_dir().with_context(|| format!("read the folder {}", from.display()))? {
        let path = entry?.path();
        let is_bundled = path.is_file() && path.extension().is_none_or(|it| it != "md");
        let Some(name) = path.file_name().filter(|_| is_bundled) else {
            continue;
        };
        write_if_changed(&to.join(name), &fs::read(&path).with_context(|| format!("read {}", path.display()))?)?;
        names.push(name.to_owned());
    }
    Ok(names)
}

/// Removes what an older build left there.
fn remove_all_but(kept: &[OsString], dir: &Path) -> Result<()> {
    for entry in dir.read_dir().with_context(|| format!("read the folder {}", dir.display()))? {
        let entry = entry?;
        if !kept.contains(&entry.file_name()) {
            fs::remove_file(entry.path()).with_context(|| format!("remove {}", entry.path().display()))?;
        }
    }
    Ok(())
}
