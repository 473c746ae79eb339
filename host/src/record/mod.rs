//! Where what was measured and symbols meet: raw samples in, pprof profiles out.
//!
//! `cpu`, `heap` and `memory` make one profile each; `trim` knows which frames are the allocator's.

mod contention;
mod counts;
mod cpu;
mod heap;
mod memory;
mod names;
mod traceback;
mod trim;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::{FunctionSpec, LabelSpec, Line, LocationId, MappingId, MappingSpec, Profile, ProfileBuilder};
use rustc_hash::FxHashMap;
use symbols::Frame;

pub use contention::{ContentionKind, Waited, contention_profile};
pub use counts::{CountRow, RowLeaf, count_profile};
pub use cpu::{CpuProfile, cpu_profile};
pub use heap::{HeapKind, HeapProfile, HeapRow, heap_profile};
pub use memory::memory_profile;
pub use names::Names;
pub use traceback::{Traceback, traceback};

use crate::heap::rewrite::AddressMap;
use crate::labels::{LabelSets, LabelsId, Pairs};
use crate::sample::Leaf;

/// Mappings of one profile begin at multiples of this (SEMANTICS §0).
pub const MAPPING_ALIGN: u64 = 64 * 1024;

/// Shown at the root of a stack that was cut.
const TRUNCATED: &str = "[truncated]";

/// What the recorders must know of a run beside its samples.
#[derive(Debug)]
pub struct Run<'a> {
    /// The module's or component's path, as the user gave it.
    pub path: &'a Path,
    /// Where its first byte is among addresses, a multiple of 64 KiB; 0 unless there are other modules.
    pub base: u64,
    /// Its length in bytes.
    pub size: u64,
    /// See [`build_id`](symbols::build_id).
    pub build_id: &'a str,
    /// From the file that was compiled to that one.
    pub map: &'a AddressMap,
    /// Whether places are to have no names.
    pub strips_symbols: bool,
    /// The guest's label sets.
    pub labels: &'a LabelSets,
    /// What the profile states as its time: when measuring began, or when a profile of the state was taken.
    pub time: SystemTime,
    /// Wall time that it is about, for profiles that state one.
    pub duration: Duration,
}

/// Makes one profile.
struct Recorder<'a, 'n> {
    builder: ProfileBuilder,
    names: &'a Names<'n>,
    guest: MappingId,
    /// Its first address.
    base: u64,
    host_mapping: MappingSpec<'static>,
    host: Option<MappingId>,
    /// By offset, and how many of the innermost calls there are left out.
    locations: FxHashMap<(u32, usize), LocationId>,
    pseudo: FxHashMap<String, LocationId>,
    has_names: bool,
    labels: &'a LabelSets,
    /// Those that were looked up.
    pairs: FxHashMap<LabelsId, Pairs>,
}

impl<'a, 'n> Recorder<'a, 'n> {
    /// For stacks that have these offsets, which `names` has looked up.
    fn new(
        builder: ProfileBuilder,
        names: &'a Names<'n>,
        offsets: &(impl Iterator<Item = u32> + Clone),
        run: &Run<'a>,
    ) -> Self {
        let mut builder = builder;
        builder.time_nanos(nanos_since_1970(run.time));
        let has_names = !run.strips_symbols;
        let any = |has: fn(&Frame) -> bool| has_names && offsets.clone().any(|offset| names.at(offset).iter().any(has));
        let has_lines = any(|frame| frame.line > 0);
        let Run { base, size, .. } = *run;
        // Mapping 1 is the guest: pprof prints its name as `File:` and its id as `Build ID:`.
        let guest = builder.mapping(MappingSpec {
            start: base,
            limit: base + size,
            offset: 0,
            filename: &run.path.to_string_lossy(),
            build_id: run.build_id,
            // Every function has a name, if only `wasm-function[N]`. Without this bit pprof would open the
            // module as an ELF file and warn, and ask where it has the profile from.
            has_functions: has_names,
            has_filenames: any(|frame| !frame.file.is_empty()),
            has_line_numbers: has_lines,
            // The same DWARF tells of inlined calls.
            has_inline_frames: has_lines,
        });
        let start = base + size.next_multiple_of(MAPPING_ALIGN);
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
        Self {
            builder,
            names,
            guest,
            base,
            host_mapping,
            host: None,
            locations: FxHashMap::default(),
            pseudo: FxHashMap::default(),
            has_names,
            labels: run.labels,
            pairs: FxHashMap::default(),
        }
    }

    /// A stack's places, innermost first, and inside of them the host call that the guest stands in.
    fn places(&mut self, offsets: &[u32], leaf: Leaf) -> Vec<LocationId> {
        let mut locations = Vec::with_capacity(offsets.len() + 2);
        if leaf == Leaf::HostCall
            && let Some(name) = self.names.symbolizer.host_call(offsets)
        {
            locations.push(self.pseudo(&name));
        }
        locations.extend(offsets.iter().map(|&offset| self.location(offset)));
        locations
    }

    /// Marks a stack that was cut at the root side.
    fn mark_cut(&mut self, locations: &mut Vec<LocationId>, is_cut: bool) {
        if is_cut {
            locations.push(self.pseudo(TRUNCATED));
        }
    }

    /// Adds a stack of locations, innermost first.
    fn sample(&mut self, locations: &[LocationId], values: &[u64], labels: &[LabelSpec<'_>]) {
        self.builder.sample(locations, &signed(values), labels);
    }

    /// The same with the guest's labels.
    fn labelled_sample(&mut self, locations: &[LocationId], values: &[u64], labels: LabelsId) {
        if labels == LabelsId::NONE {
            return self.sample(locations, values, &[]);
        }
        let sets = self.labels;
        // Samples have only labels of sets that there are.
        let pairs = self.pairs.entry(labels).or_insert_with(|| sets.pairs(labels).unwrap_or_default());
        let specs: Vec<_> = pairs.iter().map(|(key, value)| LabelSpec::Str { key, value }).collect();
        self.builder.sample(locations, &signed(values), &specs);
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
        let frames = if self.has_names { self.names.at(offset) } else { &[] };
        for frame in frames.iter().skip(n_inner) {
            let function = self.builder.function(FunctionSpec {
                name: &frame.name,
                system_name: &frame.system_name,
                filename: &frame.file,
                start_line: i64::from(frame.start_line),
            });
            lines.push(Line { function, line: i64::from(frame.line), column: i64::from(frame.column) });
        }
        let location = self.builder.location(Some(self.guest), self.base + u64::from(offset), &lines);
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

fn signed(values: &[u64]) -> Vec<i64> {
    values.iter().map(|&value| i64::try_from(value).unwrap_or(i64::MAX)).collect()
}

fn nanos_since_1970(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
