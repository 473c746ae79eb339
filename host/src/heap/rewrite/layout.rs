//! What the rewriter must know of a core module: its sections' places, and the sizes of its index spaces.

use std::ops::Range;

use wasmparser::{
    BinaryReader, CompositeInnerType, ExternalKind, FuncType, FunctionBody, GlobalType, MemoryType, Operator, Parser,
    Payload, TypeRef, ValType,
};

use super::code::{GO_GOROUTINE, GO_STACK_POINTER};

/// What starts a thread, in the wasi-threads proposal.
pub const THREAD_SPAWN: (&str, &str) = ("wasi", "thread-spawn");

/// The code section's id.
pub(super) const CODE: u8 = 10;

/// A section as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Its id; 0 for custom sections.
    pub(super) id: u8,
    /// Where it begins, its id and length included.
    pub(super) start: usize,
    /// Its contents; the first thing in them is a count for all sections that the rewriter appends to.
    pub(super) contents: Range<usize>,
}

/// A parsed core module. Imported items come first in every index space.
#[derive(Debug, Default)]
pub(in crate::heap) struct Layout<'a> {
    bytes: &'a [u8],
    pub(super) sections: Vec<Section>,
    /// By type index; `None` for types that are not functions.
    types: Vec<Option<FuncType>>,
    /// The type of each function.
    functions: Vec<u32>,
    /// Module and name of each imported function.
    pub(in crate::heap) imports: Vec<(&'a str, &'a str)>,
    pub(super) n_tables: u32,
    pub(super) n_memories: u32,
    /// Those of them that it defines itself.
    n_own_memories: u32,
    pub(super) first_memory: Option<MemoryType>,
    pub(super) n_globals: u32,
    /// The first globals.
    first_globals: Vec<GlobalType>,
    pub(super) exports: Vec<(&'a str, ExternalKind, u32)>,
    pub(super) start: Option<u32>,
    /// Code entries, their length prefixes included, and where the body begins.
    pub(super) bodies: Vec<Body>,
    /// How far the code section has been read.
    code_read: usize,
    /// Whether it can throw: it defines or imports a tag.
    pub(super) has_tags: bool,
    /// Name, contents and place of each custom section.
    custom: Vec<(&'a str, &'a [u8], usize)>,
}

/// One entry of the code section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    /// With its length.
    pub(super) entry: Range<usize>,
    /// Where its declarations of locals begin.
    pub(super) start: usize,
}

impl<'a> Layout<'a> {
    /// Reads a core module's layout. Only what must be understood is checked; wasmtime validates the rest.
    ///
    /// # Errors
    ///
    /// When the bytes are not a core module that this parser can read.
    pub(in crate::heap) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        if !Parser::is_core_wasm(bytes) {
            return Err("it is not a core module".to_owned());
        }
        let mut layout = Self { bytes, ..Self::default() };
        layout.read(bytes).map_err(|error| format!("its layout cannot be read: {error}"))?;
        Ok(layout)
    }

    /// The signature of a function; `None` when there is no such function.
    pub(in crate::heap) fn signature(&self, function: u32) -> Option<&FuncType> {
        self.types.get(*self.functions.get(function as usize)? as usize)?.as_ref()
    }

    pub(in crate::heap) fn n_functions(&self) -> u32 {
        count(self.functions.len())
    }

    pub(super) fn n_types(&self) -> u32 {
        count(self.types.len())
    }

    /// The code entry of a function; `None` for imported ones.
    pub(super) fn body(&self, function: u32) -> Option<&Body> {
        self.bodies.get((function as usize).checked_sub(self.imports.len())?)
    }

    /// Contents and place of the custom section with this name.
    pub(in crate::heap) fn custom_section(&self, name: &str) -> Option<(&'a [u8], usize)> {
        self.custom.iter().find(|(own, ..)| *own == name).map(|&(_, data, offset)| (data, offset))
    }

    /// The functions whose bodies are like this; only short ones are asked about.
    pub(in crate::heap) fn functions_like(&self, is_like: impl Fn(&FunctionBody<'_>) -> bool) -> Vec<u32> {
        const SHORT: usize = 128;
        let short = self.bodies.iter().enumerate().filter(|(_, body)| body.entry.len() <= SHORT);
        let like = short.filter(|(_, body)| {
            let code = self.bytes.get(body.start..body.entry.end).unwrap_or_default();
            is_like(&FunctionBody::new(BinaryReader::new(code, body.start)))
        });
        like.map(|(n, _)| count(self.imports.len() + n)).collect()
    }

    /// Whether a function is called by name anywhere but in `known`, which is sorted.
    pub(in crate::heap) fn is_called_outside(&self, function: u32, known: &[u32]) -> bool {
        let mut call = Vec::new();
        wasm_encoder::InstructionSink::new(&mut call).call(function);
        // Linkers leave room for any index: its five groups of seven bits, of which all but the last say that more come.
        let mut padded = vec![call[0]];
        padded.extend((0..5).map(|n| {
            let [bits, ..] = (function >> (7 * n)).to_le_bytes();
            bits & 0x7f | if n < 4 { 0x80 } else { 0 }
        }));
        let n_imports = self.imports.len();
        self.bodies.iter().enumerate().any(|(n, body)| {
            let code = self.bytes.get(body.start..body.entry.end).unwrap_or_default();
            // Most bodies are passed over by their bytes alone; the rest is read properly.
            [&call, &padded].into_iter().any(|call| code.windows(call.len()).any(|bytes| bytes == call))
                && known.binary_search(&count(n_imports + n)).is_err()
                && calls(&FunctionBody::new(BinaryReader::new(code, body.start)), function)
        })
    }

    /// The function that this one calls with its own parameters, if it does nothing else.
    pub(in crate::heap) fn forwards_to(&self, function: u32) -> Option<u32> {
        let body = self.body(function)?;
        let code = self.bytes.get(body.start..body.entry.end)?;
        let reader = FunctionBody::new(BinaryReader::new(code, body.start)).get_operators_reader().ok()?;
        let mut operators = reader.into_iter().map_while(Result::ok);
        for param in 0..self.signature(function)?.params().len() {
            match operators.next()? {
                Operator::LocalGet { local_index } if local_index as usize == param => {}
                _ => return None,
            }
        }
        match (operators.next()?, operators.next()?, operators.next()) {
            (Operator::Call { function_index } | Operator::ReturnCall { function_index }, Operator::End, None) => {
                Some(function_index)
            }
            _ => None,
        }
    }

    /// The function whose code entry has this address, counted from the start of the code section's contents, at its
    /// length or at its declarations of locals.
    pub(in crate::heap) fn function_with_code_at(&self, address: u64) -> Option<u32> {
        let code = self.sections.iter().find(|section| section.id == CODE)?;
        let at = code.contents.start.checked_add(usize::try_from(address).ok()?)?;
        let n = self.bodies.partition_point(|body| body.start < at);
        self.bodies.get(n).filter(|body| body.entry.start <= at).map(|_| count(self.imports.len() + n))
    }

    /// Parameters and results of a function.
    pub(in crate::heap) fn parameters(&self, function: u32) -> (&[ValType], &[ValType]) {
        self.signature(function).map_or((&[], &[]), |ty| (ty.params(), ty.results()))
    }

    /// Exported functions by index.
    pub(in crate::heap) fn exported_functions(&self) -> impl Iterator<Item = (u32, &'a str)> + '_ {
        let functions = self.exports.iter().filter(|(_, kind, _)| is_function(*kind));
        functions.map(|&(name, _, index)| (index, name))
    }

    /// Whether it starts threads, which are further instances that share its memory. All its memories are imported then, so that
    /// another import has the next number.
    pub(in crate::heap) fn has_threads(&self) -> bool {
        let is_shared = self.first_memory.is_some_and(|memory| memory.shared && !memory.memory64);
        is_shared && self.n_own_memories == 0 && self.imports.contains(&THREAD_SPAWN)
    }

    fn read(&mut self, bytes: &'a [u8]) -> wasmparser::Result<()> {
        let mut end = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let Some((id, contents)) = payload.as_section() {
                self.sections.push(Section { id, start: end, contents: contents.clone() });
                end = contents.end;
            } else if let Payload::Version { range, .. } = &payload {
                end = range.end;
            }
            self.read_section(bytes, payload)?;
        }
        Ok(())
    }

    fn read_section(&mut self, bytes: &[u8], payload: Payload<'a>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(groups) => {
                for group in groups {
                    self.types.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                        CompositeInnerType::Func(ty) => Some(ty),
                        _ => None,
                    }));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    match import.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                            self.functions.push(ty);
                            self.imports.push((import.module, import.name));
                        }
                        TypeRef::Table(_) => self.n_tables += 1,
                        TypeRef::Memory(ty) => self.note_memory(ty),
                        TypeRef::Global(ty) => self.note_global(ty),
                        TypeRef::Tag(_) => self.has_tags = true,
                    }
                }
            }
            Payload::FunctionSection(functions) => {
                for ty in functions {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(tables) => self.n_tables += tables.count(),
            Payload::MemorySection(memories) => {
                self.n_own_memories += memories.count();
                for memory in memories {
                    self.note_memory(memory?);
                }
            }
            Payload::TagSection(tags) => self.has_tags |= tags.count() > 0,
            Payload::GlobalSection(globals) => {
                for global in globals {
                    self.note_global(global?.ty);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    self.exports.push((export.name, export.kind, export.index));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::CodeSectionStart { range, .. } => {
                let mut count = BinaryReader::new(bytes.get(range.clone()).unwrap_or_default(), range.start);
                count.read_var_u32()?;
                self.code_read = count.original_position();
            }
            Payload::CodeSectionEntry(body) => {
                // An entry begins where the one before ends: its length may be padded.
                let range = body.range();
                self.bodies.push(Body { entry: self.code_read..range.end, start: range.start });
                self.code_read = range.end;
            }
            Payload::CustomSection(custom) => self.custom.push((custom.name(), custom.data(), custom.data_offset())),
            _ => {}
        }
        Ok(())
    }

    fn note_memory(&mut self, ty: MemoryType) {
        self.first_memory.get_or_insert(ty);
        self.n_memories += 1;
    }

    fn note_global(&mut self, ty: GlobalType) {
        if self.first_globals.len() <= GO_GOROUTINE as usize {
            self.first_globals.push(ty);
        }
        self.n_globals += 1;
    }

    /// Whether it has the globals that serve as registers to code made by Go.
    pub(in crate::heap) fn has_go_registers(&self) -> bool {
        let has = |global: u32, ty| {
            self.first_globals.get(global as usize).is_some_and(|it| it.mutable && it.content_type == ty)
        };
        has(GO_STACK_POINTER, ValType::I32) && has(GO_GOROUTINE, ValType::I64)
    }
}

fn calls(body: &FunctionBody<'_>, function: u32) -> bool {
    let Ok(operators) = body.get_operators_reader() else { return true };
    operators.into_iter().map_while(Result::ok).any(|operator| {
        matches!(operator, Operator::Call { function_index } | Operator::ReturnCall { function_index }
            if function_index == function)
    })
}

fn is_function(kind: ExternalKind) -> bool {
    matches!(kind, ExternalKind::Func | ExternalKind::FuncExact)
}

fn count(n: usize) -> u32 {
    // Parsers refuse index spaces beyond a million.
    u32::try_from(n).unwrap_or(u32::MAX)
}
