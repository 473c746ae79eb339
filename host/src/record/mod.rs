//! Where what was measured and symbols meet: raw samples in, pprof profiles out.
//!
//! `cpu`, `heap` and `memory` make one profile each; `trim` knows which frames are the allocator's.

mod cpu;
mod heap;
mod memory;
mod trim;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::{FunctionSpec, LabelSpec, Line, LocationId, MappingId, MappingSpec, Profile, ProfileBuilder};
use rustc_hash::FxHashMap;
use symbols::{Frame, Symbolizer, build_id};

pub use cpu::{CpuProfile, cpu_profile};
pub use heap::{HeapKind, HeapProfile, heap_profile};
pub use memory::memory_profile;

use crate::heap::rewrite::AddressMap;

/// Mappings of one profile begin at multiples of this (SEMANTICS §0).
const MAPPING_ALIGN: u64 = 64 * 1024;

/// Shown at the root of a stack that was cut.
const TRUNCATED: &str = "[truncated]";

/// What the recorders must know of a run beside its samples.
#[derive(Debug)]
pub struct Run<'a> {
    /// The module's or component's path, as the user gave it.
    pub path: &'a Path,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// From the file that was compiled to that one.
    pub map: &'a AddressMap,
    /// When the guest began.
    pub started: SystemTime,
    /// Wall time it ran.
    pub duration: Duration,
}

/// Names for the module's offsets, looked up once for all profiles of a run.
#[derive(Debug)]
pub struct Names<'a> {
    symbolizer: Symbolizer<'a>,
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

    fn look_up(&mut self, offsets: impl IntoIterator<Item = u32>) {
        for offset in offsets {
            self.frames.entry(offset).or_insert_with(|| self.symbolizer.frames(offset));
        }
    }

    /// The calls at an offset that was looked up, innermost first.
    fn at(&self, offset: u32) -> &[Frame] {
        self.frames.get(&offset).map_or(&[], Vec::as_slice)
    }
}

/// Makes one profile.
struct Recorder<'a, 'n> {
    builder: ProfileBuilder,
    names: &'a Names<'n>,
    guest: MappingId,
    host_mapping: MappingSpec<'static>,
    host: Option<MappingId>,
    /// By offset, and how many of the innermost calls there are left out.
    locations: FxHashMap<(u32, usize), LocationId>,
    pseudo: FxHashMap<String, LocationId>,
}

impl<'a, 'n> Recorder<'a, 'n> {
    /// For stacks that have these offsets, which `names` has looked up.
    fn new(
        builder: ProfileBuilder,
        names: &'a Names<'n>,
        offsets: &(impl Iterator<Item = u32> + Clone),
        run: &Run<'_>,
    ) -> Self {
        let mut builder = builder;
        builder.time_nanos(nanos_since_1970(run.started));
        let any = |has: fn(&Frame) -> bool| offsets.clone().any(|offset| names.at(offset).iter().any(has));
        let has_lines = any(|frame| frame.line > 0);
        let size = run.bytes.len() as u64;
        // Mapping 1 is the guest: pprof prints its name as `File:` and its id as `Build ID:`.
        let guest = builder.mapping(MappingSpec {
            start: 0,
            limit: size,
            offset: 0,
            filename: &run.path.to_string_lossy(),
            build_id: &build_id(run.bytes),
            // Every function has a name, if only `wasm-function[N]`. Without this bit pprof would open the
            // module as an ELF file and warn.
            has_functions: true,
            has_filenames: any(|frame| !frame.file.is_empty()),
            has_line_numbers: has_lines,
            // The same DWARF tells of inlined calls.
            has_inline_frames: has_lines,
        });
        let start = size.next_multiple_of(MAPPING_ALIGN);
        // pprof takes a mapping named in brackets for one without a file to look symbols up in.
        let host_mapping = MappingSpec {
            start,
            limit: start + MAPPING_ALIGN,
            offset: 0,
            filename: "[host]",
            build_id: "",
            has_functions: true,
            has_filenames: false,
            has_line_numbers: false,
            has_inline_frames: false,
        };
        let (locations, pseudo) = (FxHashMap::default(), FxHashMap::default());
        Self { builder, names, guest, host_mapping, host: None, locations, pseudo }
    }

    /// Adds a stack of locations, innermost first.
    fn sample(&mut self, locations: &[LocationId], values: &[u64], labels: &[LabelSpec<'_>]) {
        let values: Vec<i64> = values.iter().map(|&value| i64::try_from(value).unwrap_or(i64::MAX)).collect();
        self.builder.sample(locations, &values, labels);
    }

    fn finish(self) -> Profile {
        self.builder.finish()
    }

    /// A place in the guest. wasmtime has already moved return addresses back into their calls.
    fn location(&mut self, offset: u32) -> LocationId {
        self.location_without(offset, 0)
    }

    /// The same without so many of the innermost of the calls that are inlined there.
    fn location_without(&mut self, offset: u32, n_inner: usize) -> LocationId {
        if let Some(&location) = self.locations.get(&(offset, n_inner)) {
            return location;
        }
        let mut lines = Vec::new();
        for frame in self.names.at(offset).iter().skip(n_inner) {
            let function = self.builder.function(FunctionSpec {
                name: &frame.name,
                system_name: &frame.system_name,
                filename: &frame.file,
                start_line: i64::from(frame.start_line),
            });
            lines.push(Line { function, line: i64::from(frame.line), column: i64::from(frame.column) });
        }
        let location = self.builder.location(Some(self.guest), u64::from(offset), &lines);
        self.locations.insert((offset, n_inner), location);
        location
    }

    /// A host function or a marker: a name without code, at an address of its own in the `[host]` mapping.
    fn pseudo(&mut self, name: &str) -> LocationId {
        if let Some(&location) = self.pseudo.get(name) {
            return location;
        }
        let mapping = *self.host.get_or_insert_with(|| self.builder.mapping(self.host_mapping));
        let function = self.builder.function(FunctionSpec { name, system_name: "", filename: "", start_line: 0 });
        let address = self.host_mapping.start + self.pseudo.len() as u64 + 1;
        let location = self.builder.location(Some(mapping), address, &[Line { function, line: 0, column: 0 }]);
        self.pseudo.insert(name.to_owned(), location);
        location
    }
}

fn nanos_since_1970(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
