//! What a wasm file says of its own code: names, source lines and inlined calls of its offsets, functions as WAT.
//!
//! wprof asks once per distinct offset, after the run, about the module's original bytes, through [`Symbolizer`]. The page
//! has a [`Module`], which someone dropped; [`resolve`] gives its names to a profile. Nothing here knows files or wasmtime.
//!
//! The function's own name comes from the name section, then its export, then DWARF, else it is
//! `wasm-function[N]`; lines and inlined calls come from DWARF. What is broken in either costs names, never the run:
//! it is left out and said in [`Symbolizer::warnings`].

#![forbid(unsafe_code)]

mod binary;
mod demangle;
mod dwarf;
mod host_call;
mod instructions;
mod listing;
mod module;
mod names;
mod resolve;
mod skeleton;

use std::ops::Range;

use binary::{Binary, CoreModule};
pub use binary::{build_id, external_debug_info};
pub use demangle::demangle;
use dwarf::Dwarf;
use host_call::Target;
pub use listing::{Instruction, Listing, file_offset, weights_in_file};
pub use module::{Kind, Module, ModuleError};
pub use names::FunctionNames;
pub use resolve::{MatchedBy, MatchedMapping, NoMapping, Resolved, find_mapping, resolve};

/// One source-level call at an offset. An offset inside inlined code has several, innermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What to show: demangled.
    pub name: String,
    /// The mangled name; empty when it is the same as `name` (SEMANTICS §0: pprof garbles names that are equal).
    pub system_name: String,
    /// Source file; empty when not known.
    pub file: String,
    /// Line of the call or of the code itself; 0 when not known.
    pub line: u32,
    /// Column, from 1; 0 when not known.
    pub column: u32,
    /// Line on which the function begins; 0 when not known.
    pub start_line: u32,
}

/// A function's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionCode {
    /// What to show: demangled.
    pub name: String,
    /// As it stands in the file; empty when it is the same as `name`.
    pub system_name: String,
    /// Where in the file its body lies: declarations of locals and instructions.
    pub body: Range<u32>,
}

/// Finds frames for offsets in one module or component file.
#[derive(Debug)]
pub struct Symbolizer<'a> {
    bytes: &'a [u8],
    binary: Binary<'a>,
    modules: Vec<ModuleSymbols<'a>>,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct ModuleSymbols<'a> {
    names: FunctionNames<'a>,
    dwarf: Option<Dwarf<'a>>,
}

impl<'a> Symbolizer<'a> {
    /// Reads a module's or component's symbol sections. `debug_info` holds the bytes of the file that an
    /// `external_debug_info` section names, where there is one.
    #[must_use]
    pub fn new(bytes: &'a [u8], debug_info: Option<&'a [u8]>) -> Self {
        let mut warnings = Vec::new();
        let binary = Binary::parse(bytes, &mut warnings);
        let external = debug_info.map(|bytes| Binary::parse(bytes, &mut warnings));
        let modules = binary
            .modules
            .iter()
            .enumerate()
            .map(|(idx, module)| {
                let twin = external.as_ref().and_then(|external| external.modules.get(idx));
                ModuleSymbols::read(module, twin, &mut warnings)
            })
            .collect();
        Self { bytes, binary, modules, warnings }
    }

    /// The calls at an offset, innermost first; never empty.
    #[must_use]
    pub fn frames(&self, offset: u32) -> Vec<Frame> {
        let Some(function) = self.binary.function_at(offset) else {
            return vec![Frame::unnamed(format!("wasm offset {offset:#x}"))];
        };
        let module = &self.binary.modules[function.module];
        let symbols = &self.modules[function.module];
        let own_name = symbols.names.get(function.index);
        let mut frames = match &symbols.dwarf {
            Some(dwarf) => {
                let offset = self.binary.line_offset(self.bytes, function, offset);
                dwarf.frames(u64::from(offset).saturating_sub(module.code_start))
            }
            None => Vec::new(),
        };
        // DWARF's outermost frame is the function itself; its name is the one the module gives it.
        match (frames.last_mut(), own_name) {
            (Some(last), Some(name)) => last.rename(name),
            (Some(last), None) if last.name.is_empty() => last.name = format!("wasm-function[{}]", function.index),
            (Some(_), None) => {}
            (None, Some(name)) => {
                let mut frame = Frame::unnamed(String::new());
                frame.rename(name);
                frames.push(frame);
            }
            (None, None) => frames.push(Frame::unnamed(format!("wasm-function[{}]", function.index))),
        }
        frames
    }

    /// The function whose body holds an offset. [`frames`](Self::frames) calls it the same.
    #[must_use]
    pub fn function_at(&self, offset: u32) -> Option<FunctionCode> {
        let function = self.binary.function_at(offset)?;
        let mut frame = Frame::unnamed(format!("wasm-function[{}]", function.index));
        match self.modules[function.module].names.get(function.index) {
            Some(name) => frame.rename(name),
            // Without a name of the module's own, DWARF has it.
            None => frame = self.frames(offset).pop().unwrap_or(frame),
        }
        Some(FunctionCode { name: frame.name, system_name: frame.system_name, body: function.body() })
    }

    /// All functions, by where they lie in the file. Names are demangled as it goes, which takes its time for a large
    /// file.
    pub fn functions(&self) -> impl Iterator<Item = FunctionCode> {
        self.binary.functions().iter().filter_map(|it| self.function_at(it.body().start))
    }

    /// What a stack's innermost instruction has the host do: the import that it calls, as `module.name`, or work of
    /// wasmtime's, as `[builtin] memory.copy`. `None` when it is the guest's alone. `offsets` is innermost first.
    #[must_use]
    pub fn host_call(&self, offsets: &[u32]) -> Option<String> {
        let (&leaf, callers) = offsets.split_first()?;
        match self.target(leaf)? {
            Target::Import(name) => Some(name),
            Target::Builtin(name) => Some(format!("[builtin] {name}")),
            // Components call some imports through a shim module's table; the shim stands for one import, and its
            // caller says which.
            Target::Unknown => match callers.first().and_then(|&caller| self.target(caller)) {
                Some(Target::Import(name)) => Some(name),
                _ => Some("host function".to_owned()),
            },
        }
    }

    fn target(&self, offset: u32) -> Option<Target> {
        let function = self.binary.function_at(offset)?;
        host_call::target(self.bytes, offset, &self.binary.modules[function.module])
    }

    /// Whether the file names functions of its own, if only those it exports.
    #[must_use]
    pub fn has_names(&self) -> bool {
        self.modules.iter().any(|module| !module.names.is_empty())
    }

    /// Whether the file carries DWARF that can be read.
    #[must_use]
    pub fn has_dwarf(&self) -> bool {
        self.modules.iter().any(|module| module.dwarf.is_some())
    }

    /// What was broken and left out, a line each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl<'a> ModuleSymbols<'a> {
    fn read(module: &CoreModule<'a>, external: Option<&CoreModule<'a>>, warnings: &mut Vec<String>) -> Self {
        let debug = if module.has_dwarf() { module } else { external.unwrap_or(module) };
        let named = if module.name_section.is_some() { module } else { external.unwrap_or(module) };
        Self {
            names: FunctionNames::read(named.name_section, named.exports.iter().copied(), warnings),
            dwarf: Dwarf::read(debug, warnings),
        }
    }
}

impl Frame {
    fn unnamed(name: String) -> Self {
        Self { name, system_name: String::new(), file: String::new(), line: 0, column: 0, start_line: 0 }
    }

    /// Gives the frame a name as it stands in the file, mangled or not.
    fn rename(&mut self, raw: &str) {
        self.name = demangle(raw).into_owned();
        self.system_name = if self.name == raw { String::new() } else { raw.to_owned() };
    }
}
