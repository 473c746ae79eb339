//! The file that a guest was made of, and its names, which are looked up as they are wanted.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use self_cell::self_cell;

use super::HeapFacts;
use crate::heap::rewrite::AddressMap;
use crate::record::{MAPPING_ALIGN, Names};

/// A module or component, as profiles name it.
#[derive(Debug)]
pub struct Module {
    /// Its path, as the user gave it.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Arc<Vec<u8>>,
    /// From the file that was compiled to that one.
    pub map: AddressMap,
    /// What is known of its allocator.
    pub heap: HeapFacts,
    /// Whether profiles are to have addresses without names. [`Registry::name_at`](super::Registry::name_at) tells those.
    pub strips_symbols: bool,
    /// See [`Run::base`](crate::record::Run::base).
    base: OnceLock<u64>,
    build_id: OnceLock<String>,
    symbols: Mutex<Option<Symbols>>,
}

/// Bytes that symbols are read from.
#[derive(Debug)]
struct Files {
    bytes: Arc<Vec<u8>>,
    /// Those of the file that has the DWARF, where that is another, or why it is not used.
    debug_info: Option<Result<Vec<u8>, String>>,
}

self_cell!(
    /// Names, beside the bytes that they borrow.
    struct Symbols {
        owner: Files,
        #[not_covariant]
        dependent: Names,
    }
);

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").finish_non_exhaustive()
    }
}

impl Module {
    /// A module of which nothing is known yet but where it is.
    #[must_use]
    pub fn new(path: PathBuf, bytes: Arc<Vec<u8>>, map: AddressMap, heap: HeapFacts) -> Self {
        Self {
            path,
            bytes,
            map,
            heap,
            strips_symbols: false,
            base: OnceLock::new(),
            build_id: OnceLock::new(),
            symbols: Mutex::default(),
        }
    }

    /// Where its first byte is among the addresses of its profiles.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.base.get().copied().unwrap_or(0)
    }

    /// Where the addresses of another module may begin: after its own, and those of host calls.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.base() + (self.bytes.len() as u64).next_multiple_of(MAPPING_ALIGN) + MAPPING_ALIGN
    }

    /// Its profiles have addresses from here on, a multiple of [`MAPPING_ALIGN`], so that they differ from those of other modules. Only the
    /// first such call counts; it must come before any profile is made.
    pub fn begin_at(&self, base: u64) {
        let _is_first = self.base.set(base);
    }

    /// Its build id.
    #[must_use]
    pub fn build_id(&self) -> &str {
        self.build_id.get_or_init(|| symbols::build_id(&self.bytes))
    }

    /// Has its names used. Reading them the first time takes long for a big file; one thread at a time does.
    pub(super) fn with_names<R>(&self, act: impl FnOnce(&mut Names<'_>) -> R) -> R {
        // What a panic has left half looked up is looked up again.
        let mut symbols = self.symbols.lock().unwrap_or_else(PoisonError::into_inner);
        symbols.get_or_insert_with(|| self.read_symbols()).with_dependent_mut(|_, names| act(names))
    }

    /// What is wrong with its symbols, as far as it was noticed.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let symbols = self.symbols.lock().unwrap_or_else(PoisonError::into_inner);
        let warnings = symbols.as_ref().map(|symbols| {
            symbols.with_dependent(|files, names| {
                let not_used = files.debug_info.iter().filter_map(|it| it.as_ref().err()).cloned();
                not_used.chain(names.warnings()).collect()
            })
        });
        warnings.unwrap_or_default()
    }

    fn read_symbols(&self) -> Symbols {
        let files = Files { bytes: Arc::clone(&self.bytes), debug_info: self.read_debug_info() };
        Symbols::new(files, |files| {
            let debug_info = files.debug_info.as_ref().and_then(|it| it.as_deref().ok());
            Names::new(&files.bytes, debug_info)
        })
    }

    /// The file beside the module that an `external_debug_info` section names.
    fn read_debug_info(&self) -> Option<Result<Vec<u8>, String>> {
        let path = self.path.with_file_name(symbols::external_debug_info(&self.bytes)?);
        let read = std::fs::read(&path);
        Some(read.map_err(|error| format!("debug info in {} is not used: {error}", path.display())))
    }
}
