//! What all threads share: texts, binaries, functions, frames, and the tree of stacks.

use std::hash::Hash;

use rustc_hash::FxHashMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::columns::{Column, Table};
use crate::formats::frames::{FrameIds, NO_STACK, Spot, binary, name};
use crate::profile::{MappingId, Profile};

/// Where a frame is; its number is the position in [`categories`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Category {
    Other,
    Wasm,
    Native,
    Inlined,
    Host,
}

/// The categories' names and colours. The profiler needs a grey one.
pub(super) fn categories() -> Value {
    let category = |name: &str, color: &str| json!({ "name": name, "color": color, "subcategories": ["Other"] });
    json!([
        category("Other", "grey"),
        category("WebAssembly", "blue"),
        category("Native", "purple"),
        category("Inlined", "lightblue"),
        category("Host", "orange"),
    ])
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Func {
    name: u32,
    /// The source file.
    file: Option<u32>,
    /// The binary, as a row of the resources.
    resource: Option<u32>,
    start_line: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Frame {
    func: u32,
    category: Category,
    address: i64,
    inline_depth: u32,
    line: Option<u32>,
    column: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Tables {
    pub(super) libs: Vec<Value>,
    strings: Rows<String>,
    sources: Rows<u32>,
    /// Names, and rows of `libs`.
    resources: Rows<(u32, u32)>,
    funcs: Rows<Func>,
    frames: Rows<Frame>,
    /// A caller's stack, and a frame.
    stacks: Rows<(Option<u32>, u32)>,
    /// Each sample's stack.
    stack_of: Vec<u32>,
}

impl Tables {
    pub(super) fn new(profile: &Profile) -> Self {
        let mut tables = Tables {
            libs: profile
                .mappings()
                .iter()
                .map(|it| lib(profile.string(it.filename), profile.string(it.build_id)))
                .collect(),
            strings: Rows::default(),
            sources: Rows::default(),
            resources: Rows::default(),
            funcs: Rows::default(),
            frames: Rows::default(),
            stacks: Rows::default(),
            stack_of: Vec::with_capacity(profile.n_samples()),
        };
        let ids = FrameIds::new(profile, |spot| tables.frame(profile, spot));
        for sample in profile.samples() {
            let mut stack = None;
            for frame in ids.stack(sample) {
                stack = Some(tables.stacks.row((stack, frame)));
            }
            // The profiler passes over samples without a stack.
            let stack = stack.unwrap_or_else(|| tables.no_stack());
            tables.stack_of.push(stack);
        }
        tables
    }

    /// The stack of a sample, as a row of the stacks.
    pub(super) fn stack_of(&self, sample_idx: usize) -> Option<u32> {
        self.stack_of.get(sample_idx).copied()
    }

    fn frame(&mut self, profile: &Profile, spot: Spot<'_>) -> u32 {
        let location = profile.location(spot.location);
        let name = self.text(&name(profile, spot));
        let function = spot.line.map(|it| profile.function(it.function));
        let file = function.map_or("", |it| profile.string(it.filename));
        let file = if file.is_empty() { None } else { Some(self.text(file)) };
        let resource = location.mapping.map(|it| self.resource(binary(profile, spot.location), it));
        let func = Func {
            name,
            file: file.map(|it| self.sources.row(it)),
            resource,
            start_line: function.and_then(|it| known(it.start_line)),
        };
        let start = location.mapping.map_or(0, |it| profile.mapping(it).start);
        let frame = Frame {
            func: self.funcs.row(func),
            category: category(profile, spot),
            // Of its binary, as the profiler has it; it reads 32 bits.
            address: match location.address.checked_sub(start) {
                Some(address) if location.address != 0 => u32::try_from(address).map_or(-1, i64::from),
                _ => -1,
            },
            inline_depth: spot.inline_depth,
            line: spot.line.and_then(|it| known(it.line)),
            column: spot.line.and_then(|it| known(it.column)),
        };
        self.frames.row(frame)
    }

    fn no_stack(&mut self) -> u32 {
        let name = self.text(NO_STACK);
        let func = self.funcs.row(Func { name, file: None, resource: None, start_line: None });
        let category = Category::Other;
        let frame = self.frames.row(Frame { func, category, address: -1, inline_depth: 0, line: None, column: None });
        self.stacks.row((None, frame))
    }

    fn resource(&mut self, name: &str, mapping: MappingId) -> u32 {
        let name = self.text(name);
        // A lib for each mapping; these are numbered in 32 bits.
        self.resources.row((name, u32::try_from(mapping.index()).unwrap_or(u32::MAX)))
    }

    fn text(&mut self, text: &str) -> u32 {
        self.strings.row(text.to_owned())
    }

    fn func_table(&self) -> Table {
        let funcs = &self.funcs.rows;
        let mut table = Table::new(funcs.len());
        table.column("name", Column::Numbers(funcs.iter().map(|it| it.name.into()).collect()));
        table.column("isJS", Column::Same(false.into()));
        table.column("relevantForJS", Column::Same(false.into()));
        table.column("resource", Column::Numbers(funcs.iter().map(|it| it.resource.map_or(-1, i64::from)).collect()));
        table.column("source", Column::Rows(funcs.iter().map(|it| it.file).collect()));
        table.column("lineNumber", Column::Rows(funcs.iter().map(|it| it.start_line).collect()));
        table.column("columnNumber", Column::Same(Value::Null));
        table
    }

    fn frame_table(&self) -> Table {
        let frames = &self.frames.rows;
        let numbers = |number: fn(&Frame) -> i64| Column::Numbers(frames.iter().map(number).collect());
        let mut table = Table::new(frames.len());
        table.column("address", numbers(|it| it.address));
        table.column("inlineDepth", numbers(|it| it.inline_depth.into()));
        table.column("category", numbers(|it| it.category as i64));
        table.column("subcategory", Column::Same(0.into()));
        table.column("func", numbers(|it| it.func.into()));
        table.column("nativeSymbol", Column::Same(Value::Null));
        table.column("innerWindowID", Column::Same(0.into()));
        table.column("line", Column::Rows(frames.iter().map(|it| it.line).collect()));
        table.column("column", Column::Rows(frames.iter().map(|it| it.column).collect()));
        table
    }

    fn stack_table(&self) -> Table {
        let stacks = &self.stacks.rows;
        let mut table = Table::new(stacks.len());
        table.column("prefix", Column::Rows(stacks.iter().map(|it| it.0).collect()));
        table.column("frame", Column::Numbers(stacks.iter().map(|it| it.1.into()).collect()));
        table
    }

    fn resource_table(&self) -> Table {
        let resources = &self.resources.rows;
        let mut table = Table::new(resources.len());
        table.column("name", Column::Numbers(resources.iter().map(|it| it.0.into()).collect()));
        table.column("lib", Column::Numbers(resources.iter().map(|it| it.1.into()).collect()));
        table.column("host", Column::Same(Value::Null));
        // 1 is a library.
        table.column("type", Column::Same(1.into()));
        table
    }

    fn source_table(&self) -> Table {
        let sources = &self.sources.rows;
        let mut table = Table::new(sources.len());
        table.column("id", Column::Same(Value::Null));
        table.column("filename", Column::Numbers(sources.iter().map(|&it| it.into()).collect()));
        table.column("startLine", Column::Same(1.into()));
        table.column("startColumn", Column::Same(1.into()));
        table.column("sourceMapURL", Column::Same(Value::Null));
        table
    }
}

impl Serialize for Tables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("stringArray", &self.strings.rows)?;
        map.serialize_entry("sources", &self.source_table())?;
        map.serialize_entry("resourceTable", &self.resource_table())?;
        map.serialize_entry("funcTable", &self.func_table())?;
        map.serialize_entry("nativeSymbols", &Table::empty(&["libIndex", "address", "name", "functionSize"]))?;
        map.serialize_entry("frameTable", &self.frame_table())?;
        map.serialize_entry("stackTable", &self.stack_table())?;
        map.end()
    }
}

/// Rows of a table, each once.
#[derive(Debug)]
struct Rows<T> {
    rows: Vec<T>,
    numbers: FxHashMap<T, u32>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows { rows: Vec::new(), numbers: FxHashMap::default() }
    }
}

impl<T: Clone + Eq + Hash> Rows<T> {
    /// The number of a row, added if new.
    fn row(&mut self, row: T) -> u32 {
        *self.numbers.entry(row).or_insert_with_key(|row| {
            self.rows.push(row.clone());
            // The columns of 2³² rows do not fit the memory of this use.
            u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// A line or column, if it is one.
fn known(number: i64) -> Option<u32> {
    u32::try_from(number).ok().filter(|it| *it != 0)
}

fn category(profile: &Profile, spot: Spot<'_>) -> Category {
    let file = profile.location(spot.location).mapping.map_or("", |it| profile.string(profile.mapping(it).filename));
    match file {
        _ if spot.inline_depth != 0 => Category::Inlined,
        "" => Category::Other,
        "[host]" => Category::Host,
        file if file.ends_with(".wasm") || file.ends_with(".wat") => Category::Wasm,
        _ => Category::Native,
    }
}

fn lib(path: &str, build_id: &str) -> Value {
    let name = path.rsplit('/').next().unwrap_or_default();
    json!({
        "arch": "", "name": name, "path": path, "debugName": name, "debugPath": path,
        "breakpadId": "", "codeId": if build_id.is_empty() { Value::Null } else { build_id.into() },
    })
}
