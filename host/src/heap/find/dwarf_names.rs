//! Function names from DWARF, for a module that has no name section.

use std::rc::Rc;

use gimli::{
    AttributeValue, DebugInfoOffset, Dwarf, EndianSlice, EntriesRaw, LittleEndian, Unit, UnitHeader, UnitOffset,
};
use rustc_hash::FxHashMap;

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// How many links of `DW_AT_abstract_origin` and `DW_AT_specification` are followed; broken files may have circles.
const MAX_REFERENCES: u32 = 8;

/// Attributes may take no bytes, so that a small file can have any number of them. Sound ones have fewer than this for
/// each byte.
const MAX_ATTRIBUTES_PER_BYTE: usize = 4;

/// The names of the functions that DWARF describes, mangled where it has that, each with where its body begins (at the
/// declarations of its locals, behind its size), counted from the start of the code section's contents. In ascending
/// order, one a body. `section` gives the contents of a custom section by name, such as `.debug_info`, empty when there
/// is none.
///
/// What is broken is left out: a unit's names before a fault are kept.
pub fn names<'a>(section: impl Fn(&str) -> &'a [u8]) -> Vec<(u64, &'a str)> {
    let info = section(gimli::SectionId::DebugInfo.name());
    let load = |id: gimli::SectionId| gimli::Result::Ok(EndianSlice::new(section(id.name()), LittleEndian));
    let Ok(dwarf) = Dwarf::load(load) else { return Vec::new() };
    let mut reader = Reader {
        dwarf: &dwarf,
        headers: headers(&dwarf),
        units: FxHashMap::default(),
        n_attributes_left: info.len().saturating_mul(MAX_ATTRIBUTES_PER_BYTE),
        names: Vec::new(),
    };
    for idx in 0..reader.headers.len() {
        // A broken unit costs its own names only.
        let _ = reader.read_unit(idx);
    }
    let mut names = reader.names;
    names.sort_unstable();
    names.dedup_by_key(|(address, _)| *address);
    names
}

fn headers<'a>(dwarf: &Dwarf<Slice<'a>>) -> Vec<(DebugInfoOffset, UnitHeader<Slice<'a>>)> {
    let mut headers = Vec::new();
    let mut units = dwarf.units();
    while let Ok(Some(header)) = units.next() {
        headers.extend(header.debug_info_offset().map(|offset| (offset, header)));
    }
    headers
}

/// Linkers leave functions that they dropped in DWARF, at an address where no code is.
fn is_dropped(address: u64) -> bool {
    let tombstones = [u64::MAX, u64::MAX - 1, u64::from(u32::MAX), u64::from(u32::MAX) - 1];
    address == 0 || tombstones.contains(&address)
}

struct Reader<'d, 'a> {
    dwarf: &'d Dwarf<Slice<'a>>,
    /// Where each unit begins in `.debug_info`, ascending.
    headers: Vec<(DebugInfoOffset, UnitHeader<Slice<'a>>)>,
    /// By number in `headers`: those that others refer to.
    units: FxHashMap<usize, Rc<Unit<Slice<'a>>>>,
    n_attributes_left: usize,
    names: Vec<(u64, &'a str)>,
}

/// What a function's entry says of itself.
#[derive(Default)]
struct Function<'a> {
    address: Option<u64>,
    name: Option<AttributeValue<Slice<'a>>>,
    linkage_name: Option<AttributeValue<Slice<'a>>>,
    /// The entry that has its name.
    origin: Option<AttributeValue<Slice<'a>>>,
}

impl<'a> Function<'a> {
    fn add(&mut self, name: gimli::DwAt, value: AttributeValue<Slice<'a>>) {
        match name {
            gimli::DW_AT_name => self.name = Some(value),
            gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => self.linkage_name = Some(value),
            gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => self.origin = Some(value),
            _ => {}
        }
    }
}

impl<'a> Reader<'_, 'a> {
    fn read_unit(&mut self, idx: usize) -> gimli::Result<()> {
        let Some(unit) = self.unit(idx) else { return Ok(()) };
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if !self.take_attributes(abbreviation.attributes().len()) {
                break;
            }
            if abbreviation.tag() != gimli::DW_TAG_subprogram {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let function = self.read_function(&unit, &mut entries, abbreviation.attributes())?;
            if let Some(address) = function.address.filter(|&address| !is_dropped(address))
                && let Some(name) = self.name(&unit, function)
            {
                self.names.push((address, name));
            }
        }
        Ok(())
    }

    fn read_function(
        &self,
        unit: &Unit<Slice<'a>>,
        entries: &mut EntriesRaw<'_, Slice<'a>>,
        attributes: &[gimli::AttributeSpecification],
    ) -> gimli::Result<Function<'a>> {
        let mut function = Function::default();
        for specification in attributes {
            let attribute = entries.read_attribute(*specification)?;
            if attribute.name() == gimli::DW_AT_low_pc {
                function.address = self.dwarf.attr_address(unit, attribute.value())?;
            }
            function.add(attribute.name(), attribute.value());
        }
        Ok(function)
    }

    /// A function's own name, or that of the entry it refers to.
    fn name(&mut self, unit: &Rc<Unit<Slice<'a>>>, function: Function<'a>) -> Option<&'a str> {
        let (mut unit, mut function) = (Rc::clone(unit), function);
        for _ in 0..MAX_REFERENCES {
            let text = |value| self.dwarf.attr_string(&unit, value).ok().map(|text| text.slice());
            if let Some(name) = function.linkage_name.and_then(text).or_else(|| function.name.and_then(text)) {
                return std::str::from_utf8(name).ok().filter(|name| !name.is_empty());
            }
            let entry: UnitOffset = match function.origin? {
                AttributeValue::UnitRef(entry) => entry,
                AttributeValue::DebugInfoRef(offset) => {
                    let after = self.headers.partition_point(|(start, _)| *start <= offset);
                    let idx = after.checked_sub(1)?;
                    unit = self.unit(idx)?;
                    offset.to_unit_offset(&self.headers.get(idx)?.1)?
                }
                _ => return None,
            };
            let entry = unit.entry(entry).ok()?;
            if !self.take_attributes(entry.attrs().len()) {
                return None;
            }
            function = Function::default();
            for attribute in entry.attrs() {
                function.add(attribute.name(), attribute.value());
            }
        }
        None
    }

    /// Kept, since link-time optimisation leaves many references from one unit into another.
    fn unit(&mut self, idx: usize) -> Option<Rc<Unit<Slice<'a>>>> {
        if let Some(unit) = self.units.get(&idx) {
            return Some(Rc::clone(unit));
        }
        let (_, header) = self.headers.get(idx)?;
        let unit = Rc::new(self.dwarf.unit(*header).ok()?);
        self.units.insert(idx, Rc::clone(&unit));
        Some(unit)
    }

    fn take_attributes(&mut self, n_attributes: usize) -> bool {
        let left = self.n_attributes_left.checked_sub(n_attributes.max(1));
        self.n_attributes_left = left.unwrap_or_default();
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One unit of DWARF 4 for 4-byte addresses with these entries, each with the number of its abbreviation, and these
    /// abbreviations: tag and attributes with their forms.
    fn sections(abbreviations: &[(u8, &[(u8, u8)])], entries: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut abbrev = Vec::new();
        for (number, (tag, attributes)) in (1..).zip(abbreviations) {
            abbrev.extend([number, *tag, u8::from(*tag == UNIT)]);
            abbrev.extend(attributes.iter().flat_map(|(name, form)| [*name, *form]));
            abbrev.extend([0, 0]);
        }
        abbrev.push(0);
        let length = u32::try_from(7 + entries.len()).unwrap();
        let mut info = length.to_le_bytes().to_vec();
        info.extend([4, 0, 0, 0, 0, 0, 4]);
        info.extend(entries);
        (info, abbrev)
    }

    fn read(info: &[u8], abbrev: &[u8]) -> Vec<(u64, String)> {
        let section = |name: &str| match name {
            ".debug_info" => info,
            ".debug_abbrev" => abbrev,
            ".debug_str" => b"\0linked\0",
            _ => &[],
        };
        names(section).into_iter().map(|(address, name)| (address, name.to_owned())).collect()
    }

    const UNIT: u8 = 0x11;
    const SUBPROGRAM: u8 = 0x2e;
    const VARIABLE: u8 = 0x34;
    const NAME: u8 = 0x03;
    const LOW_PC: u8 = 0x11;
    const ORIGIN: u8 = 0x31;
    const LINKAGE_NAME: u8 = 0x6e;
    const ADDRESS: u8 = 0x01;
    const TEXT: u8 = 0x08;
    const IN_STR: u8 = 0x0e;
    const REFERENCE: u8 = 0x13;

    fn sound() -> (Vec<u8>, Vec<u8>) {
        let abbreviations: &[(u8, &[(u8, u8)])] = &[
            (UNIT, &[(NAME, TEXT)]),
            (SUBPROGRAM, &[(NAME, TEXT), (LOW_PC, ADDRESS)]),
            (SUBPROGRAM, &[(LOW_PC, ADDRESS), (ORIGIN, REFERENCE)]),
            (SUBPROGRAM, &[(NAME, TEXT), (LINKAGE_NAME & 0x7f, IN_STR), (LOW_PC, ADDRESS)]),
            (VARIABLE, &[(NAME, TEXT), (LOW_PC, ADDRESS)]),
            (SUBPROGRAM, &[(NAME, TEXT)]),
        ];
        let mut entries = Vec::new();
        let mut add = |number: u8, parts: &[&[u8]]| {
            let offset = u32::try_from(11 + entries.len()).unwrap();
            entries.push(number);
            entries.extend(parts.concat());
            offset
        };
        let at = u32::to_le_bytes;
        add(1, &[b"unit\0"]);
        add(2, &[b"malloc\0", &at(0x40)]);
        add(2, &[b"free\0", &at(0x20)]);
        for dropped in [0, u32::MAX, u32::MAX - 1] {
            add(2, &[b"dropped\0", &at(dropped)]);
        }
        let declared = add(6, &[b"declared\0"]);
        add(3, &[&at(0x60), &at(declared)]);
        add(4, &[b"short\0", &at(1), &at(0x80)]);
        add(5, &[b"variable\0", &at(0xa0)]);
        let circle = u32::try_from(11 + entries.len()).unwrap();
        entries.extend([&[3][..], &at(0xc0), &at(circle)].concat());
        entries.push(0);
        sections(abbreviations, &entries)
    }

    #[test]
    fn functions_have_names_by_address() {
        let (info, abbrev) = sound();
        let expected = [(0x20, "free"), (0x40, "malloc"), (0x60, "declared"), (0x80, "linked")];
        assert_eq!(read(&info, &abbrev), expected.map(|(address, name)| (address, name.to_owned())));
    }

    #[test]
    fn broken_dwarf_costs_names_and_no_more() {
        let (info, abbrev) = sound();
        for length in 0..info.len() {
            read(&info[..length], &abbrev);
        }
        for length in 0..abbrev.len() {
            read(&info, &abbrev[..length]);
        }
        for at in 0..info.len() {
            for byte in [0, 1, 3, 0x7f, 0x80, 0xff] {
                let mut broken = info.clone();
                broken[at] = byte;
                assert!(read(&broken, &abbrev).len() <= info.len());
            }
        }
        assert_eq!(read(&[], &[]), []);
    }

    #[test]
    fn attributes_without_bytes_do_not_take_for_ever() {
        // A thousand flags an entry, each entry one byte.
        let flags: Vec<(u8, u8)> = vec![(0x3c, 0x19); 1000];
        let (info, abbrev) = sections(&[(UNIT, &[]), (SUBPROGRAM, &flags)], &[&[1][..], &[2; 1_000_000]].concat());
        let start = std::time::Instant::now();
        assert_eq!(read(&info, &abbrev), []);
        assert!(start.elapsed().as_secs() < 5, "a thousand million attributes were read");
    }
}
