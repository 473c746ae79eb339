//! Names for the places of a module, looked up once for all its profiles.

use rustc_hash::FxHashMap;
use symbols::{Frame, Symbolizer};

/// Names for the module's offsets, looked up once for all profiles of a run.
#[derive(Debug)]
pub struct Names<'a> {
    pub(super) symbolizer: Symbolizer<'a>,
    frames: FxHashMap<u32, Vec<Frame>>,
}

impl<'a> Names<'a> {
    /// Reads a file's symbols. `debug_info` holds the bytes of the file that has its DWARF, where that is another.
    #[must_use]
    pub fn new(bytes: &'a [u8], debug_info: Option<&'a [u8]>) -> Self {
        Self { symbolizer: Symbolizer::new(bytes, debug_info), frames: FxHashMap::default() }
    }

    /// What is wrong with the file's symbols, as far as it was noticed.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.symbolizer.warnings().to_vec();
        let has_lines = self.frames.values().flatten().any(|frame| frame.line > 0);
        if self.symbolizer.has_dwarf() && !self.frames.is_empty() && !has_lines {
            warnings.push(
                "its DWARF describes none of the code that was sampled, so there are no source lines (optimisers such \
                 as wasm-opt can drop or garble its addresses)"
                    .to_owned(),
            );
        }
        warnings
    }

    /// What the file calls the function at an offset, mangled where it is; `None` where there is no code.
    #[must_use]
    pub fn function_at(&self, offset: u32) -> Option<String> {
        let function = self.symbolizer.function_at(offset)?;
        Some(if function.system_name.is_empty() { function.name } else { function.system_name })
    }

    pub(super) fn look_up(&mut self, offsets: impl IntoIterator<Item = u32>) {
        for offset in offsets {
            self.frames.entry(offset).or_insert_with(|| self.symbolizer.frames(offset));
        }
    }

    /// The calls at an offset that was looked up, innermost first.
    pub(super) fn at(&self, offset: u32) -> &[Frame] {
        self.frames.get(&offset).map_or(&[], Vec::as_slice)
    }
}
