//! From a file to compiled code.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use wasmparser::Payload;
use wasmtime::component::Component;
use wasmtime::{CodeBuilder, CodeHint, Engine, Module};

use crate::stack::Functions;

/// Compiled code, ready to be instantiated.
#[derive(Debug, Clone)]
pub enum Code {
    /// A core module.
    Module(Module),
    /// A component.
    Component(Component),
}

impl Code {
    /// Its machine code, in memory as it runs.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Module(module) => module.text(),
            Self::Component(component) => component.text(),
        }
    }

    /// Its functions, by their place in the machine code.
    #[must_use]
    pub fn functions(&self) -> Functions {
        match self {
            Self::Module(module) => Functions::of_module(module),
            Self::Component(component) => Functions::of_component(component),
        }
    }

    /// Which instruction of the file each part of the machine code stands for.
    pub fn address_map(&self) -> Box<dyn Iterator<Item = (usize, Option<u32>)> + '_> {
        match self {
            Self::Module(module) => Box::new(module.address_map().into_iter().flatten()),
            Self::Component(component) => Box::new(component.address_map().into_iter().flatten()),
        }
    }
}

/// Reads a module or component. Text is turned into the binary that offsets will refer to.
///
/// # Errors
///
/// Names the file and what is wrong with it.
pub fn read_wasm(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = read(path).with_context(|| format!("failed to read {}", path.display()))?;
    if Engine::detect_precompiled(&bytes).is_some() {
        bail!("{} is already compiled for one machine; give wprof the .wasm file it was made from", path.display());
    }
    if bytes.is_empty() {
        bail!("{} is empty: expected a WebAssembly module or component", path.display());
    }
    if bytes.starts_with(b"\0asm") {
        return Ok(bytes);
    }
    // Anything else may be the text format, which begins with a parenthesis or a comment.
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with(['(', ';']) => wat::parse_str(text)
            .map_err(|mut error| {
                error.set_path(path);
                anyhow::Error::from(error)
            })
            .with_context(|| format!("failed to parse {} as WebAssembly text", path.display())),
        _ => {
            let magic: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            bail!(
                "{} is not WebAssembly: it begins with the bytes {}, expected 00 61 73 6d",
                path.display(),
                magic.join(" ")
            )
        }
    }
}

/// Whether instantiating a module runs code of its own.
#[must_use]
pub fn has_start(bytes: &[u8]) -> bool {
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::StartSection { .. }) => return true,
            // What comes after it is long, and the start section is before.
            Ok(Payload::CodeSectionStart { .. }) | Err(_) => return false,
            Ok(_) => {}
        }
    }
    false
}

/// `-` is standard input, as for `wasmtime run`.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Compiles, or takes it from the engine's cache.
///
/// # Errors
///
/// When the file is not valid WebAssembly, with the offset of the fault.
pub fn compile(engine: &Engine, bytes: &[u8], path: &Path) -> anyhow::Result<Code> {
    let mut builder = CodeBuilder::new(engine);
    let code = builder.wasm_binary(bytes, Some(path)).and_then(|builder| match builder.hint() {
        Some(CodeHint::Component) => builder.compile_component().map(Code::Component),
        Some(CodeHint::Module) | None => builder.compile_module().map(Code::Module),
    });
    code.map_err(anyhow::Error::from).with_context(|| format!("failed to compile {}", path.display()))
}
