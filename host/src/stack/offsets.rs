//! From machine code back to the module's file.

use rustc_hash::FxHashMap;
use wasmtime::Module;

/// File offsets of return addresses in a module's machine code.
#[derive(Debug, Default)]
pub struct CodeOffsets {
    by_code: FxHashMap<u32, u32>,
}

impl CodeOffsets {
    /// Looks up return addresses, given as offsets in the module's machine code. The calls before them are what is
    /// found. One pass over the address map serves all, as it has tens of millions of entries in a big module.
    #[must_use]
    pub fn resolve(module: &Module, returns: impl IntoIterator<Item = u32>) -> Self {
        let mut wanted: Vec<u32> = returns.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut by_code = FxHashMap::default();
        let mut wanted = wanted.into_iter().peekable();
        let mut before: Option<u32> = None;
        for (code, file) in module.address_map().into_iter().flatten() {
            // Entries hold from their offset to the next one's; a call ends where its return address points.
            while let Some(at) = wanted.next_if(|&at| (at as usize).saturating_sub(1) < code) {
                if let Some(file) = before {
                    by_code.insert(at, file);
                }
            }
            if wanted.peek().is_none() {
                break;
            }
            before = file;
        }
        if let Some(file) = before {
            by_code.extend(wanted.map(|at| (at, file)));
        }
        Self { by_code }
    }

    /// The file offset of the call that returns to `code`; `None` for code that is none of the guest's.
    #[must_use]
    pub fn file_offset(&self, code: u32) -> Option<u32> {
        self.by_code.get(&code).copied()
    }
}
