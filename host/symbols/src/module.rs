//! A wasm file as the page has it: bytes that someone dropped, which may be anything.

use crate::binary::Binary;
use crate::{FunctionCode, Listing, Symbolizer, build_id, external_debug_info};

/// A module or component that was read.
///
/// It keeps the bytes and what is said of the file as a whole. All else is looked up when it is asked for, through a
/// [`Symbolizer`] made for the purpose: that takes 30 ms for 69 MB.
#[derive(Debug, Clone)]
pub struct Module {
    bytes: Vec<u8>,
    debug_info: Option<Vec<u8>>,
    kind: Kind,
    build_id: String,
    has_names: bool,
    has_dwarf: bool,
    warnings: Vec<String>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A core module.
    Core,
    /// A component, with any number of core modules in it.
    Component,
}

/// Why a file is no module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// The text form, which only `wprof` itself reads.
    #[error("this is WebAssembly text; the binary form is needed, whose offsets the profile has")]
    Text,
    /// Something else.
    #[error("not a WebAssembly module: it begins with {found}, not with \\0asm")]
    NotWasm {
        /// Its first bytes, escaped.
        found: String,
    },
    /// It is damaged before any of its code.
    #[error("{problem} (at offset {offset:#x})")]
    Broken {
        /// What is wrong.
        problem: String,
        /// Where in the file.
        offset: usize,
    },
}

impl Module {
    /// Reads a file. One that is damaged behind some of its code is taken, and [`warnings`](Self::warnings) say so.
    ///
    /// # Errors
    ///
    /// If there is no code to be had from it.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ModuleError> {
        if !bytes.starts_with(b"\0asm") {
            return Err(not_wasm(&bytes));
        }
        let (binary, error) = Binary::parse_until_error(&bytes);
        if let Some(error) = error.filter(|_| binary.functions().is_empty()) {
            return Err(ModuleError::Broken { problem: error.message().to_owned(), offset: error.offset() });
        }
        let kind = if wasmparser::Parser::is_component(&bytes) { Kind::Component } else { Kind::Core };
        let build_id = build_id(&bytes);
        let [has_names, has_dwarf] = [false; 2];
        let mut module = Self { bytes, debug_info: None, kind, build_id, has_names, has_dwarf, warnings: Vec::new() };
        module.ask_symbolizer();
        Ok(module)
    }

    /// Takes the file that [`external_debug_info`](Self::external_debug_info) names, for what this one has not itself.
    ///
    /// # Errors
    ///
    /// If it is no module.
    pub fn add_debug_info(&mut self, bytes: Vec<u8>) -> Result<(), ModuleError> {
        if !bytes.starts_with(b"\0asm") {
            return Err(not_wasm(&bytes));
        }
        self.debug_info = Some(bytes);
        self.ask_symbolizer();
        Ok(())
    }

    fn ask_symbolizer(&mut self) {
        let symbolizer = self.symbolizer();
        let (has_names, has_dwarf) = (symbolizer.has_names(), symbolizer.has_dwarf());
        let warnings = symbolizer.warnings().to_vec();
        (self.has_names, self.has_dwarf, self.warnings) = (has_names, has_dwarf, warnings);
    }

    /// Answers several questions faster than each for itself.
    #[must_use]
    pub fn symbolizer(&self) -> Symbolizer<'_> {
        Symbolizer::new(&self.bytes, self.debug_info.as_deref())
    }

    /// The functions that have these offsets in the file, as WAT.
    ///
    /// # Errors
    ///
    /// If a core module that holds one is broken, or the function has something that cannot be printed.
    pub fn listings(&self, offsets: &[u32]) -> Result<Vec<Listing>, String> {
        self.symbolizer().listings(offsets)
    }

    /// The functions of that name, demangled or not. As all names are looked at, it is faster to ask for an address.
    #[must_use]
    pub fn functions_named(&self, name: &str) -> Vec<FunctionCode> {
        let symbolizer = self.symbolizer();
        symbolizer.functions().filter(|it| it.name == name || it.system_name == name).collect()
    }

    /// What the file is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What tells it from other builds, as profiles of wprof have it; see [`build_id`].
    #[must_use]
    pub fn build_id(&self) -> &str {
        &self.build_id
    }

    /// Whether it names functions of its own, if only those it exports.
    #[must_use]
    pub fn has_names(&self) -> bool {
        self.has_names
    }

    /// Whether there is DWARF that can be read.
    #[must_use]
    pub fn has_dwarf(&self) -> bool {
        self.has_dwarf
    }

    /// The name of the file that has its DWARF, where that is another.
    #[must_use]
    pub fn external_debug_info(&self) -> Option<&str> {
        external_debug_info(&self.bytes)
    }

    /// What was broken and left out, a line each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// What bytes are that are no module.
fn not_wasm(bytes: &[u8]) -> ModuleError {
    /// Enough to tell what it is.
    const SHOWN: usize = 8;
    if bytes.is_empty() {
        return ModuleError::Empty;
    }
    let text = bytes.trim_ascii_start();
    if ["(module", "(component", ";;"].iter().any(|it| text.starts_with(it.as_bytes())) {
        return ModuleError::Text;
    }
    ModuleError::NotWasm { found: bytes[..bytes.len().min(SHOWN)].escape_ascii().to_string() }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    #[test]
    fn what_is_no_module_says_what_it_is() {
        let check = |bytes: &[u8], expected: &str| {
            let error = Module::parse(bytes.to_vec()).map(|it| it.kind()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check(b"", "the file is empty");
        check(b"\x7fELF\x02\x01", "not a WebAssembly module: it begins with \\x7fELF\\x02\\x01, not with \\0asm");
        check(b"\n(module)", "this is WebAssembly text; the binary form is needed, whose offsets the profile has");
        check(b"\0asm\x01\0", "unexpected end-of-file (at offset 0x4)");
        check(b"\0asm\x01\0\0\0\x01\x05\x01", "unexpected end-of-file (at offset 0xa)");
    }

    #[test]
    fn a_module_says_what_it_has() {
        let check = |wat: &str, kind: Kind, has_names: bool| {
            let module = Module::parse(wat::parse_str(wat).unwrap()).unwrap();
            assert_eq!((module.kind(), module.has_names(), module.has_dwarf()), (kind, has_names, false), "{wat}");
            assert_eq!(module.warnings(), [""; 0]);
        };
        check("(module (func $a))", Kind::Core, true);
        check("(module (func) (func (export \"run\")))", Kind::Core, true);
        check("(module (func))", Kind::Core, false);
        check("(component (core module (func $a)))", Kind::Component, true);
    }

    #[test]
    fn a_cut_module_is_used_as_far_as_it_goes() {
        let whole = wat::parse_str("(module (func $a) (func $b nop nop))").unwrap();
        let code = whole.windows(4).position(|it| it == [2, 0, 0x0b, 4]).unwrap();
        let cut = Module::parse(whole[..code + 4].to_vec()).unwrap();
        assert!(cut.warnings()[0].starts_with("symbols are incomplete: "), "{:?}", cut.warnings());
        assert_eq!(cut.symbolizer().functions().map(|it| it.name).collect::<Vec<_>>(), ["wasm-function[0]"]);
        assert!(cut.listings(&[u32::try_from(code + 1).unwrap()]).is_err());
    }

    #[test]
    fn functions_are_found_by_name_and_by_address() {
        let wat = "(component
            (core module (func $_ZN4core3ptr4read17h0123456789abcdefE) (func $b nop))
            (core module (func $b (drop (i32.const 3)))))";
        let module = Module::parse(wat::parse_str(wat).unwrap()).unwrap();
        let names = |name: &str| module.functions_named(name).into_iter().map(|it| it.body).collect::<Vec<_>>();
        assert_eq!(names("core::ptr::read").len(), 1);
        assert_eq!(names("core::ptr::read"), names("_ZN4core3ptr4read17h0123456789abcdefE"));
        assert_eq!(names("none"), [] as [Range<u32>; 0]);
        let both = names("b");
        let starts: Vec<u32> = both.iter().map(|it| it.start).collect();
        let listings = module.listings(&starts).unwrap();
        let text = |listing: &Listing| {
            let lines = listing.instructions.iter().map(|it| format!("{}{}", " ".repeat(it.depth), it.text));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(text(&listings[0]), ["(func $b (;1;) (type 0)", " nop", ")"]);
        assert_eq!(text(&listings[1]), ["(func $b (;0;) (type 0)", " i32.const 3", " drop", ")"]);
        // Any address of a function will do, and several give it once.
        let at = both[1].start + 2;
        assert_eq!(module.listings(&[at, starts[1]]).unwrap(), listings[1..]);
        assert_eq!(module.listings(&[0, 4, u32::MAX]).unwrap(), []);
    }
}
