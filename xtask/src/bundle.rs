//! Builds the viewer into www/dist: its wasm, wasm-bindgen's JavaScript for it, and the plain files of www.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::project::{Project, on_path, run, run_quietly, say, write_if_changed};
use crate::wasm::{self, Toolchain};

/// The name under which www/index.html loads the viewer: `wprof_viewer.js` and `wprof_viewer_bg.wasm`.
const OUT_NAME: &str = "wprof_viewer";

/// zlib-rs inflates twice as fast with these.
const RUSTFLAGS: [&str; 1] = ["-Ctarget-feature=+simd128,+bulk-memory"];

/// Builds the bundle; files that come out the same are left alone, or `wprof`, which embeds them, would be built again.
pub(crate) fn build(project: &Project, toolchain: &Toolchain) -> Result<()> {
    project.step("build the viewer's bundle", || {
        let module = compile(project, toolchain)?;
        let www = project.root.join("www");
        let dist = www.join("dist");
        fs::create_dir_all(&dist).context("make www/dist")?;
        let mut kept = copy_files(&www, &dist)?;
        kept.extend(copy_files(&bind(project, &module)?, &dist)?);
        remove_all_but(&kept, &dist)?;
        say(&format!("the bundle is in {}", project.shown(&dist)));
        Ok(())
    })
}

/// The viewer's wasm, small and fast rather than quickly built.
fn compile(project: &Project, toolchain: &Toolchain) -> Result<Vec<u8>> {
    let mut cargo = cargo(project, toolchain);
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
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .env("CARGO_PROFILE_RELEASE_SPLIT_DEBUGINFO", "off");
    cargo
}

/// Runs wasm-bindgen, unless it has seen this very module before; returns the folder with what came of it.
fn bind(project: &Project, module: &[u8]) -> Result<PathBuf> {
    let out = project.target.join("bundle");
    let seen = project.target.join("bundle.input.wasm");
    if out.is_dir() && fs::read(&seen).is_ok_and(|old| old == module) {
        return Ok(out);
    }
    if out.is_dir() {
        fs::remove_dir_all(&out).context("empty target/bundle")?;
    }
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes(OUT_NAME, module.to_owned()).typescript(false).remove_producers_section(true);
    bindgen.web(true)?.generate(&out).context("wasm-bindgen failed on the viewer")?;
    shrink(&out.join(format!("{OUT_NAME}_bg.wasm")))?;
    fs::write(seen, module).context("note the bundle's input")?;
    Ok(out)
}

/// Lets wasm-opt at the module where it is installed; the bundle works without.
fn shrink(module: &Path) -> Result<()> {
    let Some(wasm_opt) = on_path(&["wasm-opt"]) else {
        return Ok(());
    };
    say("wasm-opt is there: it shrinks the module");
    let features = [
        "simd",
        "bulk-memory",
        "reference-types",
        "multivalue",
        "mutable-globals",
        "sign-ext",
        "nontrapping-float-to-int",
    ];
    let mut command = Command::new(wasm_opt);
    command.args(features.map(|feature| format!("--enable-{feature}")));
    run_quietly(command.arg("-O3").arg(module).arg("-o").arg(module))?;
    Ok(())
}

/// Copies the plain files of a folder; the answer is their names.
fn copy_files(from: &Path, to: &Path) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in from.read_dir().with_context(|| format!("read the folder {}", from.display()))? {
        let path = entry?.path();
        let Some(name) = path.file_name().filter(|_| path.is_file()) else {
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
