//! Where samples and symbols meet: raw samples in, a pprof profile out.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::{FunctionSpec, Line, LocationId, MappingId, MappingSpec, Profile, ProfileBuilder};
use rustc_hash::FxHashMap;

use crate::sample::{Leaf, RawSamples, StackSample, epoch};
use crate::symbols::{Frame, Symbolizer, build_id};

/// Mappings of one profile begin at multiples of this (SEMANTICS §0).
const MAPPING_ALIGN: u64 = 64 * 1024;

/// Shown at the root of a stack that was cut.
const TRUNCATED: &str = "[truncated]";

/// Stands for ticks whose stack nobody saw.
const LOST: &str = "[lost samples]";

/// What the recorder must know of a run beside its samples.
#[derive(Debug)]
pub struct Run<'a> {
    /// The module's or component's path, as the user gave it.
    pub path: &'a Path,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The bytes of the file that holds its DWARF, where that is another.
    pub debug_info: Option<&'a [u8]>,
    /// Samples a second.
    pub hz: u32,
    /// When the guest began.
    pub started: SystemTime,
    /// Wall time it ran.
    pub duration: Duration,
}

/// A CPU profile by the epoch sampler, and what was wrong with the module's symbols.
#[must_use]
pub fn cpu_profile(samples: &RawSamples, run: &Run<'_>) -> (Profile, Vec<String>) {
    let symbolizer = Symbolizer::new(run.bytes, run.debug_info);
    let period = i64::try_from(epoch::period(run.hz)).unwrap_or(i64::MAX);
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    builder.period("cpu", "nanoseconds", period);
    builder.time_nanos(nanos_since_1970(run.started));
    builder.duration_nanos(i64::try_from(run.duration.as_nanos()).unwrap_or(i64::MAX));
    // pprof's reports leave out comments that begin with `#`; `-comments` and the viewer show them.
    builder.comment(&format!("# wprof {}, epoch sampler at {} Hz", env!("CARGO_PKG_VERSION"), run.hz));
    builder.comment(
        "# bias: the guest is seen at function entries and loop heads only, so straight-line code is charged to \
         the next one that runs, often its caller's loop",
    );

    let stacks: Vec<StackSample> = samples.stacks().collect();
    let mut recorder = Recorder::new(builder, &symbolizer, &stacks, run);
    for stack in &stacks {
        recorder.add(stack, period);
    }
    if samples.n_lost() > 0 {
        let lost = recorder.pseudo(LOST);
        recorder.sample(&[lost], samples.n_lost(), period);
    }
    let mut warnings = symbolizer.warnings().to_vec();
    if symbolizer.has_dwarf() && !recorder.frames.is_empty() && !recorder.has_lines {
        warnings.push(
            "its DWARF describes none of the code that was sampled, so there are no source lines (optimisers such as \
             wasm-opt can drop or garble its addresses)"
                .to_owned(),
        );
    }
    (recorder.builder.finish(), warnings)
}

struct Recorder<'a> {
    builder: ProfileBuilder,
    symbolizer: &'a Symbolizer<'a>,
    frames: FxHashMap<u32, Vec<Frame>>,
    has_lines: bool,
    guest: MappingId,
    host_mapping: MappingSpec<'static>,
    host: Option<MappingId>,
    locations: FxHashMap<u32, LocationId>,
    pseudo: FxHashMap<String, LocationId>,
}

impl<'a> Recorder<'a> {
    fn new(mut builder: ProfileBuilder, symbolizer: &'a Symbolizer<'a>, stacks: &[StackSample], run: &Run<'_>) -> Self {
        let mut frames: FxHashMap<u32, Vec<Frame>> = FxHashMap::default();
        for &offset in stacks.iter().flat_map(|stack| &stack.offsets) {
            frames.entry(offset).or_insert_with(|| symbolizer.frames(offset));
        }
        let any = |has: fn(&Frame) -> bool| frames.values().flatten().any(has);
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
        Self { builder, symbolizer, frames, has_lines, guest, host_mapping, host: None, locations, pseudo }
    }

    fn add(&mut self, stack: &StackSample, period: i64) {
        let mut locations = Vec::with_capacity(stack.offsets.len() + 2);
        if stack.leaf == Leaf::HostCall
            && let Some(name) = self.symbolizer.host_call(&stack.offsets)
        {
            locations.push(self.pseudo(&name));
        }
        for &offset in &stack.offsets {
            locations.push(self.location(offset));
        }
        if stack.truncated {
            locations.push(self.pseudo(TRUNCATED));
        }
        self.sample(&locations, stack.ticks, period);
    }

    fn sample(&mut self, locations: &[LocationId], ticks: u64, period: i64) {
        let ticks = i64::try_from(ticks).unwrap_or(i64::MAX);
        self.builder.sample(locations, &[ticks, ticks.saturating_mul(period)], &[]);
    }

    /// A place in the guest. wasmtime has already moved return addresses back into their calls.
    fn location(&mut self, offset: u32) -> LocationId {
        if let Some(&location) = self.locations.get(&offset) {
            return location;
        }
        let mut lines = Vec::new();
        for frame in self.frames.get(&offset).into_iter().flatten() {
            let function = self.builder.function(FunctionSpec {
                name: &frame.name,
                system_name: &frame.system_name,
                filename: &frame.file,
                start_line: i64::from(frame.start_line),
            });
            lines.push(Line { function, line: i64::from(frame.line), column: i64::from(frame.column) });
        }
        let location = self.builder.location(Some(self.guest), u64::from(offset), &lines);
        self.locations.insert(offset, location);
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
