//! Source lines and inlined calls from a module's DWARF sections.

use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use addr2line::Context;
use gimli::{AttributeValue, DebugInfoOffset, EndianSlice, LittleEndian, Unit, UnitHeader, UnitOffset, UnitRef};
use rustc_hash::FxHashMap;

use crate::Frame;
use crate::binary::CoreModule;

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// A `DW_AT_abstract_origin` chain is a few links long; broken files may have it run in circles.
const MAX_REFERENCES: u32 = 16;

/// How far past code without a line to look for one, in bytes.
const MAX_LINE_GAP: u64 = 64;

/// The DWARF of one core module.
pub(crate) struct Dwarf<'a> {
    context: Context<Slice<'a>>,
    dwarf: Arc<gimli::Dwarf<Slice<'a>>>,
    /// Where each unit begins in `.debug_info`, ascending.
    unit_offsets: Vec<(DebugInfoOffset, UnitHeader<Slice<'a>>)>,
    /// Units that others have referred to.
    units: RefCell<FxHashMap<DebugInfoOffset, Arc<Unit<Slice<'a>>>>>,
}

impl fmt::Debug for Dwarf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dwarf").finish_non_exhaustive()
    }
}

impl<'a> Dwarf<'a> {
    /// `None` when the module has no DWARF, or none that can be read.
    pub(crate) fn read(module: &CoreModule<'a>, warnings: &mut Vec<String>) -> Option<Self> {
        if !module.has_dwarf() {
            return None;
        }
        let section = |id: gimli::SectionId| Ok(EndianSlice::new(module.debug_section(id.name()), LittleEndian));
        match gimli::Dwarf::load(section).and_then(Self::new) {
            Ok(dwarf) => Some(dwarf),
            Err(error) => {
                warnings.push(format!("the DWARF sections are broken and not used: {error}"));
                None
            }
        }
    }

    fn new(dwarf: gimli::Dwarf<Slice<'a>>) -> gimli::Result<Self> {
        let dwarf = Arc::new(dwarf);
        let context = Context::from_arc_dwarf(Arc::clone(&dwarf))?;
        let mut unit_offsets = Vec::new();
        let mut headers = dwarf.units();
        while let Some(header) = headers.next()? {
            if let Some(offset) = header.debug_info_offset() {
                unit_offsets.push((offset, header));
            }
        }
        Ok(Self { context, dwarf, unit_offsets, units: RefCell::default() })
    }

    /// The calls at an address, innermost first, counted from the start of the code section's contents. Empty
    /// when DWARF says nothing about it. The outermost may have no name.
    pub(crate) fn frames(&self, address: u64) -> Vec<Frame> {
        let mut frames = self.frames_at(address);
        if frames.first().is_some_and(|frame| frame.line == 0)
            && let Some(next) = self.next_with_line(address, &frames)
        {
            frames[0] = next;
        }
        frames
    }

    /// LLVM gives what it puts before a loop, where epoch checks are, no line (0). The first code after it that has
    /// one, in the same call, is what is about to run.
    fn next_with_line(&self, address: u64, frames: &[Frame]) -> Option<Frame> {
        let rows = self.context.find_location_range(address, address + MAX_LINE_GAP).ok()?;
        rows.filter(|(start, _, _)| *start > address).find_map(|(start, _, _)| {
            let mut there = self.frames_at(start);
            // Inlined calls may have begun by then; the frame that is the same as ours lies below them.
            let ours = there.len().checked_sub(frames.len())?;
            let is_same_call = there[ours..].iter().zip(frames).all(|(there, here)| there.name == here.name);
            (is_same_call && there[ours].line > 0).then(|| there.swap_remove(ours))
        })
    }

    fn frames_at(&self, address: u64) -> Vec<Frame> {
        let mut found = Vec::new();
        let Ok(mut frames) = self.context.find_frames(address).skip_all_loads() else { return found };
        let unit = self.context.find_dwarf_and_unit(address).skip_all_loads();
        while let Ok(Some(frame)) = frames.next() {
            let mut own = Frame::unnamed(String::new());
            if let Some(name) = frame.function.as_ref().and_then(|function| function.raw_name().ok()) {
                own.rename(&name);
            }
            if let Some(location) = frame.location {
                own.file = location.file.unwrap_or_default().to_owned();
                own.line = location.line.unwrap_or_default();
                own.column = location.column.unwrap_or_default();
            }
            if let (Some(die), Some(unit)) = (frame.dw_die_offset, unit) {
                own.start_line = self.start_line(unit, die, 0).unwrap_or_default();
            }
            found.push(own);
        }
        // A frame without a function is a line table entry outside any; the module's own name will be put there,
        // so only the outermost may stay unnamed.
        let last = found.len().saturating_sub(1);
        let mut idx = 0;
        found.retain(|frame| {
            let keep = idx == last || !frame.name.is_empty();
            idx += 1;
            keep
        });
        found
    }

    /// The line of `DW_AT_decl_line`, which an inlined or out-of-line instance has at its abstract origin.
    fn start_line(&self, unit: UnitRef<'_, Slice<'a>>, die: UnitOffset, n_followed: u32) -> Option<u32> {
        if n_followed > MAX_REFERENCES {
            return None;
        }
        let entry = unit.entry(die).ok()?;
        if let Some(line) = entry.attr_value(gimli::DW_AT_decl_line).and_then(|value| value.udata_value()) {
            return u32::try_from(line).ok();
        }
        let origin = entry.attr_value(gimli::DW_AT_abstract_origin);
        match origin.or_else(|| entry.attr_value(gimli::DW_AT_specification))? {
            AttributeValue::UnitRef(die) => self.start_line(unit, die, n_followed + 1),
            AttributeValue::DebugInfoRef(offset) => self.start_line_elsewhere(offset, n_followed + 1),
            _ => None,
        }
    }

    /// Link-time optimisation leaves references from one unit into another.
    fn start_line_elsewhere(&self, offset: DebugInfoOffset, n_followed: u32) -> Option<u32> {
        let after = self.unit_offsets.partition_point(|(start, _)| *start <= offset);
        let (unit_offset, header) = self.unit_offsets.get(after.checked_sub(1)?)?;
        let die = offset.to_unit_offset(header)?;
        let mut units = self.units.borrow_mut();
        let unit = match units.entry(*unit_offset) {
            Entry::Occupied(unit) => Arc::clone(unit.get()),
            Entry::Vacant(place) => Arc::clone(place.insert(Arc::new(self.dwarf.unit(*header).ok()?))),
        };
        drop(units);
        self.start_line(unit.unit_ref(&self.dwarf), die, n_followed)
    }
}
