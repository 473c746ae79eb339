//! The layout of a module or component file: where functions, imports and symbol sections lie.

use std::fmt::Write as _;
use std::ops::Range;

use sha2::{Digest, Sha256};
use wasmparser::{BinaryReader, ExternalKind, FunctionBody, Parser, Payload, TypeRef};

/// A parsed file. A core module has one entry; a component one for each core module in it, nested ones too.
#[derive(Debug, Default)]
pub(crate) struct Binary<'a> {
    pub(crate) modules: Vec<CoreModule<'a>>,
    /// All function bodies of all modules, by where they lie in the file.
    functions: Vec<Function>,
}

/// A function body.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    body: Range<u32>,
    /// Index into [`Binary::modules`].
    pub(crate) module: usize,
    /// Index in the module's function index space.
    pub(crate) index: u32,
}

/// What one core module says about its symbols.
#[derive(Debug, Default)]
pub(crate) struct CoreModule<'a> {
    /// Where it lies in the file.
    pub(crate) range: Range<usize>,
    /// Where the code section's contents begin; DWARF counts from here (WebAssembly tool conventions).
    pub(crate) code_start: u64,
    /// Imported functions, module and name, in index order.
    pub(crate) imports: Vec<(&'a str, &'a str)>,
    /// Exported functions by index.
    pub(crate) exports: Vec<(u32, &'a str)>,
    /// Contents of the `name` section, with its place in the file.
    pub(crate) name_section: Option<(&'a [u8], usize)>,
    /// Contents of the custom sections named `.debug_*`.
    debug_sections: Vec<(&'a str, &'a [u8])>,
    n_bodies: u32,
}

impl Function {
    /// Where its declarations of locals and its instructions lie in the file.
    pub(crate) fn body(&self) -> Range<u32> {
        self.body.clone()
    }
}

impl<'a> CoreModule<'a> {
    pub(crate) fn debug_section(&self, name: &str) -> &'a [u8] {
        self.debug_sections.iter().find(|(own, _)| *own == name).map_or(&[], |(_, data)| data)
    }

    pub(crate) fn has_dwarf(&self) -> bool {
        !self.debug_section(".debug_info").is_empty()
    }
}

impl<'a> Binary<'a> {
    /// Reads what can be read. Where wasmtime has accepted the file, an error is a gap between two parsers; it is
    /// reported and costs the names behind it.
    pub(crate) fn parse(bytes: &'a [u8], warnings: &mut Vec<String>) -> Self {
        let (binary, error) = Self::parse_until_error(bytes);
        warnings.extend(error.map(|error| format!("symbols are incomplete: {error}")));
        binary
    }

    /// The same with the error as it is.
    pub(crate) fn parse_until_error(bytes: &'a [u8]) -> (Self, Option<wasmparser::Error>) {
        let mut binary = Self::default();
        let error = binary.read(bytes).err();
        binary.functions.sort_by_key(|function| function.body.start);
        (binary, error)
    }

    /// All functions, by where they lie in the file.
    pub(crate) fn functions(&self) -> &[Function] {
        &self.functions
    }

    pub(crate) fn function_at(&self, offset: u32) -> Option<&Function> {
        let after = self.functions.partition_point(|function| function.body.start <= offset);
        let function = self.functions.get(after.checked_sub(1)?)?;
        function.body.contains(&offset).then_some(function)
    }

    /// Where to ask DWARF about an offset. The check at a function's entry stands at its declarations of locals, which
    /// no line is about; its first instruction is meant.
    pub(crate) fn line_offset(&self, bytes: &[u8], function: &Function, offset: u32) -> u32 {
        let body = function.body.start as usize..function.body.end as usize;
        let first = bytes.get(body.clone()).and_then(|code| {
            let body = FunctionBody::new(BinaryReader::new(code, body.start));
            body.get_operators_reader().ok().map(|operators| operators.original_position())
        });
        first.and_then(|first| u32::try_from(first).ok()).map_or(offset, |first| first.max(offset))
    }

    fn read(&mut self, bytes: &'a [u8]) -> wasmparser::Result<()> {
        // Which module each nesting level belongs to; a component's own level has none.
        let mut levels: Vec<Option<usize>> = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match payload {
                Payload::Version { encoding: wasmparser::Encoding::Module, range, .. } => {
                    levels.push(Some(self.modules.len()));
                    self.modules.push(CoreModule { range: range.start..bytes.len(), ..CoreModule::default() });
                }
                Payload::Version { .. } => levels.push(None),
                Payload::End(end) => {
                    if let Some(module) = levels.pop().flatten() {
                        self.modules[module].range.end = end;
                    }
                }
                payload => {
                    if let Some(Some(module)) = levels.last().copied() {
                        self.read_section(module, payload)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn read_section(&mut self, idx: usize, payload: Payload<'a>) -> wasmparser::Result<()> {
        let module = &mut self.modules[idx];
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                        module.imports.push((import.module, import.name));
                    }
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                        module.exports.push((export.index, export.name));
                    }
                }
            }
            Payload::CodeSectionStart { range, .. } => module.code_start = range.start as u64,
            Payload::CodeSectionEntry(body) => {
                let index = u32::try_from(module.imports.len()).unwrap_or(u32::MAX).saturating_add(module.n_bodies);
                module.n_bodies += 1;
                // wasmtime limits modules to 4 GiB.
                let range = body.range();
                if let (Ok(start), Ok(end)) = (u32::try_from(range.start), u32::try_from(range.end)) {
                    self.functions.push(Function { body: start..end, module: idx, index });
                }
            }
            Payload::CustomSection(section) => match section.name() {
                "name" => module.name_section = Some((section.data(), section.data_offset())),
                name if name.starts_with(".debug_") => module.debug_sections.push((name, section.data())),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// The outermost custom section of that name.
fn custom_section<'a>(bytes: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut depth = 0u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 1 && section.name() == name => return Some(section.data()),
            _ => {}
        }
    }
    None
}

/// Identifies the module: its `build_id` section in hex if it has one, else the first 20 bytes of its SHA-256
/// (as long as a GNU build id).
#[must_use]
pub fn build_id(bytes: &[u8]) -> String {
    match custom_section(bytes, "build_id") {
        // WebAssembly tool conventions, build_id: a vector of bytes, so a length comes first.
        Some([len, id @ ..]) if usize::from(*len) == id.len() => hex(id),
        Some(id) if !id.is_empty() => hex(id),
        _ => hex(&Sha256::digest(bytes)[..20]),
    }
}

/// The file name that an `external_debug_info` section gives (WebAssembly tool conventions: a name).
#[must_use]
pub fn external_debug_info(bytes: &[u8]) -> Option<&str> {
    let data = custom_section(bytes, "external_debug_info")?;
    BinaryReader::new(data, 0).read_string().ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
