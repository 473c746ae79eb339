//! Function names from the module itself: its name section, and its exports for what that leaves out.

use rustc_hash::FxHashMap;
use wasmparser::{BinaryReader, Name, NameSectionReader};

/// Names by function index, as they stand in the file.
#[derive(Debug, Default)]
pub struct FunctionNames<'a> {
    by_index: FxHashMap<u32, &'a str>,
}

impl<'a> FunctionNames<'a> {
    /// Reads a name section, given with its place in the file, and exported functions. Keeps every name before the
    /// first fault.
    pub fn read(
        name_section: Option<(&'a [u8], usize)>,
        exports: impl IntoIterator<Item = (u32, &'a str)>,
        warnings: &mut Vec<String>,
    ) -> Self {
        let mut names = Self::default();
        if let Some((data, offset)) = name_section
            && let Err(error) = names.read_section(data, offset)
        {
            warnings.push(format!("the name section is broken, {} names are used: {error}", names.by_index.len()));
        }
        for (index, name) in exports {
            // The shims in components export functions under mere numbers, which would only mislead.
            if !name.bytes().all(|byte| byte.is_ascii_digit()) {
                names.by_index.entry(index).or_insert(name);
            }
        }
        names
    }

    /// All of them.
    #[must_use]
    pub fn by_index(self) -> FxHashMap<u32, &'a str> {
        self.by_index
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_index.is_empty()
    }

    /// The name of a function; `None` if it has none.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&'a str> {
        self.by_index.get(&index).copied().filter(|name| !name.is_empty())
    }

    fn read_section(&mut self, data: &'a [u8], offset: usize) -> wasmparser::Result<()> {
        for subsection in NameSectionReader::new(BinaryReader::new(data, offset)) {
            if let Name::Function(functions) = subsection? {
                for naming in functions {
                    let naming = naming?;
                    self.by_index.insert(naming.index, naming.name);
                }
            }
        }
        Ok(())
    }
}
