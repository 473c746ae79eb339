//! Rewriting one core module: nothing is renumbered, every function but the allocator's stays as it is, byte for byte.
//!
//! Appended are some types, a memory for the filter, two globals, two functions that the allocator's call, and a table
//! for the host's functions. Sections that nothing is appended to are copied as they are. In a module that starts threads the
//! filter is imported, so that they share it, and instructions that wait or wake become calls (`atomics`).

use wasm_encoder::{
    ConstExpr, Encode, EntityType, ExportKind, FuncType, GlobalType, MemoryType, RefType, TableType, ValType,
};
use wasmparser::BinaryReader;

use super::atomics;
use super::body::{Edit, Piece, count_locals};
use super::code::{self, Appended, Hooked, PAGES, Reach, UNARMED};
use super::layout::{Body, CODE, Layout, Section};
use super::map::{Origin, Segment};
use crate::heap::bell;
use crate::heap::hook::{Hook, Kind};

/// The names under which the host finds what it has to fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Armed {
    /// Export of the table: slot 0 for allocations, slot 1 for frees.
    pub table: String,
    /// Export of the countdown, a mutable i64.
    pub countdown: String,
    /// Export of the memory with the filter and the queue of freed blocks; `None` where threads share a filter, which is
    /// imported as [`FILTER`].
    pub memory: Option<String>,
    /// Export of what was the start function, which the host must call after that.
    pub start: Option<String>,
}

/// A rewritten core module.
#[derive(Debug)]
pub struct CoreRewrite {
    /// The new module.
    pub bytes: Vec<u8>,
    /// Where its code was; offsets count from the module's first byte.
    pub segments: Vec<Segment>,
    /// What the host has to fill; nothing inside a component, where the module arms itself.
    pub armed: Option<Armed>,
}

/// The import of a filter that threads share: a memory of so many pages.
pub const FILTER: (&str, &str) = ("wprof:heap", "filter");
/// See [`FILTER`].
pub const FILTER_PAGES: u64 = 1;

/// Section ids in the order in which they must stand.
const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
const TYPE: u8 = 1;
const IMPORT: u8 = 2;
const FUNCTION: u8 = 3;
const TABLE: u8 = 4;
const MEMORY: u8 = 5;
const GLOBAL: u8 = 6;
const EXPORT: u8 = 7;
const START: u8 = 8;

/// Bounds of wasmtime's (and of the JavaScript API, where they come from).
const MAX_TABLES: u32 = 100;
const MAX_MEMORIES: u32 = 100;
const MAX_ITEMS: u32 = 1_000_000;

/// Slots of the table for the host's functions.
pub const HOOK_SLOTS: u32 = 3;

const NO_BODY: &str = "a hooked function has no body";

/// Pages of most memories.
const PAGE_SIZE_LOG2: u32 = 16;

/// Puts hooks into functions of a core module. Each hook comes with the number that the host
/// knows it by.
///
/// # Errors
///
/// Says why the module cannot be rewritten; it is to run as it is then.
pub fn rewrite_module(bytes: &[u8], hooks: &[(i32, &Hook)], in_component: bool) -> Result<CoreRewrite, String> {
    let layout = Layout::parse(bytes)?;
    let plan = Plan::new(&layout, hooks, in_component)?;
    plan.emit(bytes)
}

/// What will stand where.
struct Plan<'a> {
    layout: &'a Layout<'a>,
    /// By function index.
    hooked: Vec<Hooked>,
    own: Appended,
    armed: Option<Armed>,
    /// What takes the table's place inside a component.
    bell: Option<bell::At>,
    /// What waiting threads call.
    atomics: Option<atomics::Reach>,
}

/// Bytes that go to the end of a section.
#[derive(Default)]
struct Addition {
    n_items: u32,
    items: Vec<u8>,
}

impl<'a> Plan<'a> {
    fn new(layout: &'a Layout<'a>, hooks: &[(i32, &Hook)], in_component: bool) -> Result<Self, String> {
        let mut hooked = hooks.iter().map(|&(n, hook)| to_be_hooked(layout, n, hook)).collect::<Result<Vec<_>, _>>()?;
        hooked.sort_by_key(|it| it.function);
        if hooked.windows(2).any(|pair| pair[0].function == pair[1].function) {
            return Err("one function is hooked twice".to_owned());
        }
        let first = layout.n_functions();
        for (what, count, bound) in [
            ("tables", layout.n_tables, MAX_TABLES - 1),
            ("memories", layout.n_memories, MAX_MEMORIES - 1),
            ("globals", layout.n_globals, MAX_ITEMS - 5),
            ("types", layout.n_types(), MAX_ITEMS - 4 - atomics::N_FUNCTIONS),
            ("exports", u32::try_from(layout.exports.len()).unwrap_or(u32::MAX), MAX_ITEMS - 4),
            ("functions", first, MAX_ITEMS - 4 - atomics::N_FUNCTIONS),
        ] {
            if count > bound {
                return Err(format!("it has {count} {what}, which leaves no room for wprof's"));
            }
        }
        let free_name = |wanted: &str| {
            let is_taken = |name: &String| layout.exports.iter().any(|(taken, ..)| taken == name);
            let names = std::iter::once(wanted.to_owned()).chain((2..).map(|n: u32| format!("{wanted}{n}")));
            names.into_iter().find(|name| !is_taken(name)).unwrap_or_default()
        };
        let has_threads = !in_component && layout.has_threads();
        let armed = (!in_component).then(|| Armed {
            table: free_name("wprof:hooks"),
            countdown: free_name("wprof:countdown"),
            memory: (!has_threads).then(|| free_name("wprof:memory")),
            start: layout.start.map(|_| free_name("wprof:start")),
        });
        let (table, globals, functions) = (layout.n_tables, layout.n_globals + 2, first + 2);
        let bell = in_component.then_some(bell::At { table, globals, functions });
        let reach = match bell {
            Some(at) => Reach::Functions { on_alloc: at.on_alloc(), on_free: at.on_free() },
            None => Reach::Table { table, on_alloc_type: layout.n_types(), on_free_type: layout.n_types() + 1 },
        };
        let own = Appended {
            reach,
            memory: layout.n_memories,
            is_shared: has_threads,
            countdown: layout.n_globals,
            depth: layout.n_globals + 1,
            record: first,
            forget: first + 1,
            catches: layout.has_tags,
        };
        let atomics =
            has_threads.then_some(atomics::Reach { table, host_type: layout.n_types() + 1, functions: first + 2 });
        Ok(Self { layout, hooked, own, armed, bell, atomics })
    }

    /// What goes to the end of the section with this id; `None` for code, which is more than an addition.
    fn addition(&self, id: u8) -> Addition {
        let mut add = Addition::default();
        match id {
            TYPE => {
                let i64_i64_i32 = [ValType::I64, ValType::I64, ValType::I32];
                add.func_type(i64_i64_i32, [ValType::I64]);
                add.func_type([ValType::I64, ValType::I32], [ValType::I32]);
                add.func_type(i64_i64_i32, []);
                add.func_type([ValType::I64, ValType::I32], []);
                if self.atomics.is_some() {
                    atomics::PARAMS.iter().for_each(|params| add.func_type_of(params, &[ValType::I32]));
                }
            }
            IMPORT if self.own.is_shared => {
                FILTER.0.encode(&mut add.items);
                FILTER.1.encode(&mut add.items);
                add.item(&EntityType::Memory(pages(FILTER_PAGES, true)));
            }
            FUNCTION => {
                let bells = if self.bell.is_some() { 0..2 } else { 0..0 };
                let atomics = if self.atomics.is_some() { 4..4 + atomics::N_FUNCTIONS } else { 0..0 };
                for ty in (2..4).chain(bells).chain(atomics) {
                    add.item(&(self.layout.n_types() + ty));
                }
            }
            TABLE => add.item(&if self.bell.is_some() { bell::table() } else { hooks_table() }),
            MEMORY if !self.own.is_shared => add.item(&pages(PAGES, false)),
            GLOBAL => {
                // A table must be filled before it is used; but the first allocation rings the bell, and arms it.
                let countdown = if self.bell.is_some() { 0 } else { UNARMED };
                add.global(ValType::I64, &ConstExpr::i64_const(countdown));
                add.global(ValType::I32, &ConstExpr::i32_const(0));
                if self.bell.is_some() {
                    bell::globals().iter().for_each(|(ty, init)| add.global(*ty, init));
                }
            }
            EXPORT => {
                if let Some(armed) = &self.armed {
                    add.export(&armed.table, ExportKind::Table, self.layout.n_tables);
                    add.export(&armed.countdown, ExportKind::Global, self.own.countdown);
                    if let Some(memory) = &armed.memory {
                        add.export(memory, ExportKind::Memory, self.own.memory);
                    }
                    if let (Some(name), Some(start)) = (&armed.start, self.layout.start) {
                        add.export(name, ExportKind::Func, start);
                    }
                }
            }
            _ => {}
        }
        add
    }

    fn emit(self, bytes: &[u8]) -> Result<CoreRewrite, String> {
        let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 64 + 4096);
        let mut segments = Vec::new();
        let mut missing: Vec<u8> = ORDER.into_iter().filter(|&id| self.addition(id).n_items > 0).collect();
        missing.retain(|id| !self.layout.sections.iter().any(|section| section.id == *id));
        out.extend_from_slice(bytes.get(..8).ok_or("it is shorter than its header")?);
        for section in &self.layout.sections {
            while let Some(&id) = missing.first()
                && section.id != 0
                && rank(id) < rank(section.id)
            {
                self.addition(id).write_section(id, &mut out);
                missing.remove(0);
            }
            match section.id {
                START if self.armed.is_some() => {}
                CODE => self.write_code(bytes, section, &mut out, &mut segments)?,
                id => {
                    let add = self.addition(id);
                    if id == 0 || add.n_items == 0 {
                        out.extend_from_slice(slice(bytes, section.start..section.contents.end)?);
                    } else {
                        add.append_to(bytes, section, &mut out)?;
                    }
                }
            }
        }
        for id in missing {
            self.addition(id).write_section(id, &mut out);
        }
        Ok(CoreRewrite { bytes: out, segments, armed: self.armed })
    }

    /// Bodies that are hooked, in file order, and in a module with threads all the others too, since those may wait.
    fn bodies_to_change(&self) -> Result<Vec<(&Body, Option<&Hooked>)>, String> {
        let n_imports = self.layout.imports.len();
        if self.atomics.is_none() {
            return self
                .hooked
                .iter()
                .map(|it| Ok((self.layout.body(it.function).ok_or(NO_BODY)?, Some(it))))
                .collect();
        }
        let hooked_at = |n: usize| {
            let function = u32::try_from(n_imports + n).ok()?;
            self.hooked.binary_search_by_key(&function, |it| it.function).ok().and_then(|at| self.hooked.get(at))
        };
        Ok(self.layout.bodies.iter().enumerate().map(|(n, body)| (body, hooked_at(n))).collect())
    }

    /// The bodies as they are, but for the hooked ones; behind them the functions of ours.
    fn write_code(
        &self,
        bytes: &[u8],
        section: &Section,
        out: &mut Vec<u8>,
        segments: &mut Vec<Segment>,
    ) -> Result<(), String> {
        let (n_bodies, first_entry) = read_count(bytes, section)?;
        let mut own = vec![entry(&code::record(&self.own)), entry(&code::forget(&self.own))];
        if let Some(at) = self.bell {
            own.extend(bell::functions(at).iter().map(entry));
        }
        if let Some(atomics) = self.atomics {
            own.extend(atomics::functions(atomics).iter().map(entry));
        }
        // With each piece, the body that it is put into.
        let mut pieces: Vec<(Piece, Option<usize>)> = Vec::new();
        let mut copied = first_entry;
        for (body, hooked) in self.bodies_to_change()? {
            let range = body.start..body.entry.end;
            let instead = self.atomics.map_or(Ok(Vec::new()), |own| atomics::instead(bytes, range.clone(), own))?;
            let edit = match hooked {
                Some(hooked) => code::edit(hooked, &self.own, count_locals(bytes, range.clone(), hooked.params.len())?),
                None if instead.is_empty() => continue,
                None => Edit::new(0),
            };
            pieces.push((Piece::Old(copied..body.entry.start), None));
            pieces.extend(edit.apply(bytes, range, instead)?.into_iter().map(|piece| (piece, Some(body.start))));
            copied = body.entry.end;
        }
        pieces.push((Piece::Old(copied..section.contents.end), None));
        let mut count = Vec::new();
        (n_bodies + len_u32(own.len())?).encode(&mut count);
        pieces.extend(own.into_iter().map(|function| (Piece::New(function), None)));
        let n_bytes = count.len() + pieces.iter().map(|(piece, _)| piece.len()).sum::<usize>();
        out.push(CODE);
        len_u32(n_bytes)?.encode(out);
        out.extend_from_slice(&count);
        for (piece, body) in pieces {
            let start = len_u32(out.len())?;
            let origin = match (&piece, body) {
                (Piece::Old(range), _) => Origin::Copied(len_u32(range.start)?),
                (Piece::Instead(at, _), _) => Origin::Instead(len_u32(*at)?),
                (Piece::New(_), Some(body)) => Origin::PutInto(len_u32(body)?),
                (Piece::New(_), None) => Origin::Ours,
            };
            match piece {
                Piece::Old(range) => out.extend_from_slice(slice(bytes, range)?),
                Piece::New(code) | Piece::Instead(_, code) => out.extend_from_slice(&code),
            }
            segments.push(Segment { new: start..len_u32(out.len())?, origin });
        }
        Ok(())
    }
}

fn to_be_hooked(layout: &Layout<'_>, hook: i32, of: &Hook) -> Result<Hooked, String> {
    if layout.body(of.function).is_none() {
        return Err(format!("{} is not a function with a body", of.name));
    }
    let ty = layout.signature(of.function).ok_or_else(|| format!("{} has no type", of.name))?;
    let is_integer = |param: u32| ty.params().get(param as usize).copied().and_then(integer).is_some();
    if let Some(param) = of.kind.parameters().find(|&param| !is_integer(param)) {
        return Err(format!("{} has no integer as its parameter {param}", of.name));
    }
    // The other parameters are only passed on, whatever they are.
    let params: Vec<ValType> = ty.params().iter().map(|ty| integer(*ty).unwrap_or(ValType::I32)).collect();
    let result = ty.results().first().and_then(|ty| integer(*ty));
    let returns = !matches!(of.kind, Kind::Free { .. } | Kind::GoSwitch);
    if returns && (result.is_none() || ty.results().len() != 1) {
        return Err(format!("{} does not return one integer", of.name));
    }
    let is_go = matches!(of.kind, Kind::Go(_) | Kind::GoSwitch);
    if is_go && !(layout.has_go_registers() && params == [ValType::I32] && result == Some(ValType::I32)) {
        return Err(format!("{} is to be Go's, but has not the globals or the type for that", of.name));
    }
    let in_memory = match of.kind {
        Kind::AllocInto { out, .. } => params.get(out as usize).copied(),
        Kind::Go(_) => Some(ValType::I32),
        _ => None,
    };
    let address = layout.first_memory.map(|memory| if memory.memory64 { ValType::I64 } else { ValType::I32 });
    if in_memory.is_some() && in_memory != address {
        return Err(format!("{} deals in pointers to a memory that is not there", of.name));
    }
    let page_size_log2 = layout.first_memory.and_then(|memory| memory.page_size_log2).unwrap_or(PAGE_SIZE_LOG2);
    Ok(Hooked { function: of.function, hook, kind: of.kind, params, result, page_size_log2 })
}

fn integer(ty: wasmparser::ValType) -> Option<ValType> {
    match ty {
        wasmparser::ValType::I32 => Some(ValType::I32),
        wasmparser::ValType::I64 => Some(ValType::I64),
        _ => None,
    }
}

/// The table whose slots the host fills: for allocations, for frees, for atomics.
fn hooks_table() -> TableType {
    let slots = u64::from(HOOK_SLOTS);
    TableType { element_type: RefType::FUNCREF, minimum: slots, maximum: Some(slots), table64: false, shared: false }
}

fn pages(n: u64, shared: bool) -> MemoryType {
    MemoryType { minimum: n, maximum: Some(n), memory64: false, shared, page_size_log2: None }
}

impl Addition {
    fn item(&mut self, item: &impl Encode) {
        item.encode(&mut self.items);
        self.n_items += 1;
    }

    fn func_type<const P: usize, const R: usize>(&mut self, params: [ValType; P], results: [ValType; R]) {
        self.func_type_of(&params, &results);
    }

    fn func_type_of(&mut self, params: &[ValType], results: &[ValType]) {
        const FUNC: u8 = 0x60;
        let ty = FuncType::new(params.iter().copied(), results.iter().copied());
        self.items.push(FUNC);
        ty.params().encode(&mut self.items);
        ty.results().encode(&mut self.items);
        self.n_items += 1;
    }

    fn global(&mut self, val_type: ValType, init: &ConstExpr) {
        self.item(&GlobalType { val_type, mutable: true, shared: false });
        init.encode(&mut self.items);
    }

    fn export(&mut self, name: &str, kind: ExportKind, index: u32) {
        name.encode(&mut self.items);
        kind.encode(&mut self.items);
        self.item(&index);
    }

    fn write_section(&self, id: u8, out: &mut Vec<u8>) {
        let mut contents = Vec::new();
        self.n_items.encode(&mut contents);
        contents.extend_from_slice(&self.items);
        out.push(id);
        contents.as_slice().encode(out);
    }

    fn append_to(&self, bytes: &[u8], section: &Section, out: &mut Vec<u8>) -> Result<(), String> {
        let (n_items, first) = read_count(bytes, section)?;
        let old = slice(bytes, first..section.contents.end)?;
        let mut count = Vec::new();
        (n_items + self.n_items).encode(&mut count);
        out.push(section.id);
        len_u32(count.len() + old.len() + self.items.len())?.encode(out);
        out.extend_from_slice(&count);
        out.extend_from_slice(old);
        out.extend_from_slice(&self.items);
        Ok(())
    }
}

/// A function as an entry of the code section.
fn entry(function: &wasm_encoder::Function) -> Vec<u8> {
    let mut bytes = Vec::new();
    function.encode(&mut bytes);
    bytes
}

fn rank(id: u8) -> usize {
    ORDER.iter().position(|it| *it == id).unwrap_or(ORDER.len())
}

/// How many items a section has, and where the first one begins.
fn read_count(bytes: &[u8], section: &Section) -> Result<(u32, usize), String> {
    let mut reader = BinaryReader::new(slice(bytes, section.contents.clone())?, section.contents.start);
    let count = reader.read_var_u32().map_err(|error| error.to_string())?;
    Ok((count, reader.original_position()))
}

fn slice(bytes: &[u8], range: std::ops::Range<usize>) -> Result<&[u8], String> {
    bytes.get(range).ok_or_else(|| "a section ends behind the file".to_owned())
}

fn len_u32(n: usize) -> Result<u32, String> {
    u32::try_from(n).map_err(|_too_large| "it is larger than 4 GiB".to_owned())
}
