//! What counts as the same place: the frames of all locations at a granularity.

use rustc_hash::FxHashMap;

use super::paths;
use crate::profile::{LocationId, Profile, StringId, StringTable};

/// How finely places are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Granularity {
    /// By function name.
    #[default]
    Functions,
    /// By function name and file.
    FileFunctions,
    /// By file.
    Files,
    /// By function, file and line.
    Lines,
    /// By all that and the address.
    Addresses,
    /// By binary, whose name stands for the function's; pprof has no such option.
    Modules,
}

/// How stacks become frames.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FrameOptions {
    /// How finely places are told apart.
    pub granularity: Granularity,
    /// Count inlined functions as part of the function they were inlined into.
    pub noinlines: bool,
    /// Tell columns of a line apart.
    pub show_columns: bool,
    /// Path prefixes to take off file names, separated by `:`; may be empty.
    pub trim_path: String,
    /// Where sources are looked for, separated by `:`; may be empty. Without `trim_path`, what stands before a folder of
    /// the same name is taken off.
    pub source_path: String,
    /// Tell binaries and start lines apart where functions have names, too.
    pub binaries: bool,
}

/// A frame; only with the [`Frames`] that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub(super) u32);

impl FrameId {
    /// The position among all frames.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A place, as finely as asked for; parts not asked for are empty or 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The function.
    pub name: &'a str,
    /// The source file, its path cleaned.
    pub file: &'a str,
    /// The path of the binary; only where there is no name, or [`FrameOptions::binaries`] were asked for.
    pub binary: &'a str,
    /// The line the function begins on; only where the binary is.
    pub start_line: i64,
    /// The line.
    pub line: i64,
    /// The column.
    pub column: i64,
    /// The address.
    pub address: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Key {
    name: StringId,
    file: StringId,
    binary: StringId,
    start_line: i64,
    line: i64,
    column: i64,
    address: u64,
}

/// All frames of a profile, and which each location stands for.
#[derive(Debug, Clone)]
pub struct Frames {
    strings: StringTable,
    keys: Vec<Key>,
    at: Vec<FrameId>,
    /// Where each location's frames end in `at`.
    ends: Vec<usize>,
}

impl Frames {
    /// The frames of all of `profile`'s locations.
    #[must_use]
    pub fn new(profile: &Profile, options: &FrameOptions) -> Self {
        Builder::new(profile, options).build()
    }

    /// How many different frames there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none, as in a profile without locations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Every frame's id.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = FrameId> + use<> {
        // A key a row, and rows were numbered in u32 when they were made.
        (0..u32::try_from(self.keys.len()).unwrap_or(u32::MAX)).map(FrameId)
    }

    /// The frames that a location stands for, innermost first: all but the last were inlined into the next. Never
    /// empty: an unknown place is a frame, too.
    #[must_use]
    pub fn at(&self, location: LocationId) -> &[FrameId] {
        let idx = location.index();
        let start = if idx == 0 { 0 } else { self.ends[idx - 1] };
        &self.at[start..self.ends[idx]]
    }

    /// A frame's parts.
    #[must_use]
    pub fn get(&self, id: FrameId) -> Frame<'_> {
        let Key { name, file, binary, start_line, line, column, address } = self.keys[id.index()];
        let [name, file, binary] = [name, file, binary].map(|it| self.strings.get(it));
        Frame { name, file, binary, start_line, line, column, address }
    }
}

impl Frame<'_> {
    /// The frame as reports name it: address, function, and file with line, so far as it has them; `[binary]` if none
    /// of those, and `<unknown>` if that is unknown, too.
    #[must_use]
    pub fn label(&self) -> String {
        self.label_parts().join(" ")
    }

    /// The parts of [`label`](Self::label).
    #[must_use]
    pub fn label_parts(&self) -> Vec<String> {
        let mut parts = Vec::with_capacity(3);
        if self.address != 0 {
            parts.push(format!("{:016x}", self.address));
        }
        if !self.name.is_empty() {
            parts.push(self.name.to_owned());
        }
        if self.line != 0 {
            let column = if self.column == 0 { String::new() } else { format!(":{}", self.column) };
            parts.push(format!("{}:{}{column}", self.file, self.line));
        } else if !self.file.is_empty() {
            parts.push(self.file.to_owned());
        } else if !self.name.is_empty() {
            // The name will do.
        } else if !self.binary.is_empty() {
            parts.push(format!("[{}]", paths::base(self.binary)));
        } else {
            parts.push("<unknown>".to_owned());
        }
        parts
    }
}

struct Builder<'a> {
    profile: &'a Profile,
    options: &'a FrameOptions,
    frames: Frames,
    ids: FxHashMap<Key, FrameId>,
    /// The profile's strings in `frames`: as they are, and as cleaned paths.
    texts: FxHashMap<StringId, StringId>,
    files: FxHashMap<StringId, StringId>,
}

impl<'a> Builder<'a> {
    fn new(profile: &'a Profile, options: &'a FrameOptions) -> Self {
        let n_locations = profile.locations().len();
        let frames = Frames {
            strings: StringTable::default(),
            keys: Vec::new(),
            at: Vec::with_capacity(n_locations),
            ends: Vec::with_capacity(n_locations),
        };
        Builder {
            profile,
            options,
            frames,
            ids: FxHashMap::default(),
            texts: FxHashMap::default(),
            files: FxHashMap::default(),
        }
    }

    fn build(mut self) -> Frames {
        for idx in 0..self.profile.locations().len() {
            self.add_location(idx);
            self.frames.ends.push(self.frames.at.len());
        }
        self.frames
    }

    fn add_location(&mut self, idx: usize) {
        let location = self.profile.locations()[idx];
        let binary = location.mapping.map_or(StringId::default(), |it| self.profile.mapping(it).filename);
        let address = if self.options.granularity == Granularity::Addresses { location.address } else { 0 };
        if self.options.granularity == Granularity::Modules {
            let path = self.profile.string(binary);
            let name = if path.is_empty() { "" } else { paths::base(path) };
            let name = self.frames.strings.intern(name);
            let binary = self.text(binary);
            self.push(Key { name, binary, ..Key::default() });
            return;
        }
        let lines = &self.profile.lines[location.lines()];
        if lines.is_empty() {
            let binary = self.text(binary);
            self.push(Key { address, binary, ..Key::default() });
        }
        let outermost = lines.len().saturating_sub(1);
        for line in &lines[if self.options.noinlines { outermost } else { 0 }..] {
            let key = self.key(line, address, binary);
            self.push(key);
        }
    }

    fn key(&mut self, line: &crate::Line, address: u64, binary: StringId) -> Key {
        let FrameOptions { granularity, noinlines, show_columns, .. } = *self.options;
        let function = self.profile.function(line.function);
        let mut key = Key { address, ..Key::default() };
        if granularity != Granularity::Files {
            key.name = self.text(function.name);
        }
        if granularity != Granularity::Functions {
            key.file = self.file(function.filename);
        }
        if matches!(granularity, Granularity::Lines | Granularity::Addresses) {
            key.line = line.line;
            // pprof shows columns unasked with addresses, unless it folds inlines.
            let is_whole = granularity == Granularity::Addresses && !noinlines;
            key.column = if show_columns || is_whole { line.column } else { 0 };
        }
        if key.name.index() == 0 || self.options.binaries {
            key.binary = self.text(binary);
            key.start_line = function.start_line;
        }
        key
    }

    fn push(&mut self, key: Key) {
        let keys = &mut self.frames.keys;
        let id = *self.ids.entry(key).or_insert_with(|| {
            keys.push(key);
            // There are no more frames than lines and locations, which were counted in u32 already.
            FrameId(u32::try_from(keys.len() - 1).unwrap_or(u32::MAX))
        });
        self.frames.at.push(id);
    }

    fn text(&mut self, id: StringId) -> StringId {
        let strings = &mut self.frames.strings;
        *self.texts.entry(id).or_insert_with(|| strings.intern(self.profile.string(id)))
    }

    fn file(&mut self, id: StringId) -> StringId {
        let strings = &mut self.frames.strings;
        *self.files.entry(id).or_insert_with(|| {
            let FrameOptions { trim_path, source_path, .. } = self.options;
            let path = paths::trim_source(self.profile.string(id), trim_path, source_path);
            strings.intern(&paths::clean(path))
        })
    }
}
