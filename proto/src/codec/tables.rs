//! All of a profile but the samples: read field by field, resolved when all are there.

use prost::Message;

use super::error::{Error, ErrorKind};
use super::ids::Ids;
use super::message;
use super::wire::{Cursor, Field, wire};
use crate::profile::{
    Function, FunctionId, Header, Line, Location, Mapping, MappingId, Profile, StringId, StringTable, ValueType,
};

/// The string table, by the file's indexes.
#[derive(Debug, Default)]
pub(super) struct Strings {
    table: StringTable,
    /// The file may hold a text twice; here each has one id.
    ids: Vec<StringId>,
}

impl Strings {
    fn read(&mut self, text: Cursor<'_>) -> Result<(), Error> {
        let too_many = || ErrorKind::TooMany { table: "string" }.at(text.offset());
        let id = self.table.try_intern(&String::from_utf8_lossy(text.rest())).ok_or_else(too_many)?;
        if self.ids.is_empty() && id.index() != 0 {
            return Err(ErrorKind::FirstString { found: self.table.get(id).to_owned() }.at(text.offset()));
        }
        self.ids.push(id);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The index of a text that is not the file's; 0, which is the empty text, if there is no room for it.
    pub(super) fn add(&mut self, text: &str) -> i64 {
        let index = i64::try_from(self.ids.len()).unwrap_or(0);
        let Some(id) = self.table.try_intern(text) else { return 0 };
        self.ids.push(id);
        index
    }

    /// The text at the file's `index`. 0 is what a field says that is not there, so it needs no table.
    pub(super) fn id(&self, index: i64, what: &'static str, offset: usize) -> Result<StringId, Error> {
        if index == 0 {
            return Ok(StringId::default());
        }
        let no_string = || ErrorKind::NoString { what, index, len: self.ids.len() }.at(offset);
        usize::try_from(index).ok().and_then(|idx| self.ids.get(idx)).copied().ok_or_else(no_string)
    }
}

/// A message and where it began.
pub(super) type At<T> = (T, usize);

/// All of a profile but the samples, references unresolved.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) strings: Strings,
    pub(super) sample_types: Vec<At<message::ValueType>>,
    pub(super) mapping_ids: Ids,
    pub(super) mappings: Vec<At<message::Mapping>>,
    pub(super) location_ids: Ids,
    pub(super) locations: Vec<At<RawLocation>>,
    /// All locations' lines; a location knows where its own end.
    pub(super) lines: Vec<message::Line>,
    pub(super) function_ids: Ids,
    pub(super) functions: Vec<At<message::Function>>,
    pub(super) header: RawHeader,
}

#[derive(Debug, Default)]
pub(super) struct RawLocation {
    pub(super) mapping_id: u64,
    pub(super) address: u64,
    pub(super) is_folded: bool,
    pub(super) lines_end: usize,
}

#[derive(Debug, Default)]
pub(super) struct RawHeader {
    pub(super) period_type: Option<At<message::ValueType>>,
    period: i64,
    time_nanos: i64,
    duration_nanos: i64,
    pub(super) comments: Vec<At<i64>>,
    pub(super) default_sample_type: At<i64>,
    pub(super) doc_url: At<i64>,
    pub(super) drop_frames: At<i64>,
    pub(super) keep_frames: At<i64>,
}

impl Tables {
    pub(super) fn new() -> Self {
        Tables {
            strings: Strings::default(),
            sample_types: Vec::new(),
            mapping_ids: Ids::new("mapping"),
            mappings: Vec::new(),
            location_ids: Ids::new("location"),
            locations: Vec::new(),
            lines: Vec::new(),
            function_ids: Ids::new("function"),
            functions: Vec::new(),
            header: RawHeader::default(),
        }
    }

    /// Reads a field that is no sample: 1 or 3 to 15.
    pub(super) fn read_field(&mut self, field: Field, message: &mut Cursor<'_>) -> Result<(), Error> {
        match field.number {
            1 => self.sample_types.push(read(message.bytes(field, "sample_type")?, "sample_type")?),
            3 => {
                let mapping: At<message::Mapping> = read(message.bytes(field, "mapping")?, "mapping")?;
                self.mapping_ids.push(mapping.0.id, mapping.1)?;
                self.mappings.push(mapping);
            }
            4 => self.read_location(message.bytes(field, "location")?)?,
            5 => {
                let function: At<message::Function> = read(message.bytes(field, "function")?, "function")?;
                self.function_ids.push(function.0.id, function.1)?;
                self.functions.push(function);
            }
            6 => self.strings.read(message.bytes(field, "string_table")?)?,
            _ => self.header.read_field(field, message)?,
        }
        Ok(())
    }

    /// For tables that are whole: makes ids faster to look up.
    pub(super) fn index(&mut self) {
        self.location_ids.index();
        self.function_ids.index();
    }

    pub(super) fn resolve_sample_types(&self) -> Result<Vec<ValueType>, Error> {
        self.sample_types.iter().map(|it| value_type(&self.strings, it)).collect()
    }

    /// The profile of these tables, without its sample types and samples, and without its strings, which stay here.
    pub(super) fn resolve(&self) -> Result<Profile, Error> {
        let (locations, lines) = self.resolve_locations()?;
        Ok(Profile {
            mappings: self.resolve_mappings()?,
            functions: self.resolve_functions()?,
            header: self.resolve_header()?,
            locations,
            lines,
            ..Profile::default()
        })
    }

    pub(super) fn take_strings(&mut self) -> StringTable {
        std::mem::take(&mut self.strings.table)
    }

    /// Reads a `Location` by hand, as prost would allocate a list for its lines.
    fn read_location(&mut self, mut message: Cursor<'_>) -> Result<(), Error> {
        let start = message.offset();
        let mut id = 0;
        let mut location = RawLocation::default();
        while let Some(field) = message.field("location")? {
            match field.number {
                1 => id = message.varint(field, "location.id")?,
                2 => location.mapping_id = message.varint(field, "location.mapping_id")?,
                3 => location.address = message.varint(field, "location.address")?,
                4 => self.lines.push(read(message.bytes(field, "location.line")?, "location.line")?.0),
                5 => location.is_folded = message.varint(field, "location.is_folded")? != 0,
                _ => message.skip(field, "location")?,
            }
        }
        self.location_ids.push(id, start)?;
        location.lines_end = self.lines.len();
        self.locations.push((location, start));
        Ok(())
    }

    fn resolve_locations(&self) -> Result<(Vec<Location>, Vec<Line>), Error> {
        let too_many = |offset| ErrorKind::TooMany { table: "line" }.at(offset);
        let mut locations = Vec::with_capacity(self.locations.len());
        let mut lines = Vec::with_capacity(self.lines.len());
        let mut lines_start = 0;
        for (location, offset) in &self.locations {
            let offset = *offset;
            let n_lines = location.lines_end - lines.len();
            for line in self.lines.iter().skip(lines.len()).take(n_lines) {
                lines.push(self.line(line, offset)?);
            }
            let lines_end = u32::try_from(lines.len()).ok().ok_or_else(|| too_many(offset))?;
            let RawLocation { mapping_id, address, is_folded, .. } = *location;
            let mapping = self.mapping(mapping_id, offset)?;
            locations.push(Location { mapping, address, is_folded, lines_start, lines_end });
            lines_start = lines_end;
        }
        Ok((locations, lines))
    }

    fn mapping(&self, id: u64, offset: usize) -> Result<Option<MappingId>, Error> {
        if id == 0 {
            return Ok(None);
        }
        let dangling = || ErrorKind::Dangling { what: "location.mapping_id", id }.at(offset);
        self.mapping_ids.row(id).map(|row| Some(MappingId(row))).ok_or_else(dangling)
    }

    fn line(&self, line: &message::Line, offset: usize) -> Result<Line, Error> {
        let id = line.function_id;
        let dangling = || ErrorKind::Dangling { what: "line.function_id", id }.at(offset);
        let function = FunctionId(self.function_ids.row(id).ok_or_else(dangling)?);
        Ok(Line { function, line: line.line, column: line.column })
    }

    fn resolve_mappings(&self) -> Result<Vec<Mapping>, Error> {
        let resolve = |(it, offset): &At<message::Mapping>| {
            Ok(Mapping {
                start: it.memory_start,
                limit: it.memory_limit,
                offset: it.file_offset,
                filename: self.strings.id(it.filename, "mapping.filename", *offset)?,
                build_id: self.strings.id(it.build_id, "mapping.build_id", *offset)?,
                has_functions: it.has_functions,
                has_filenames: it.has_filenames,
                has_line_numbers: it.has_line_numbers,
                has_inline_frames: it.has_inline_frames,
            })
        };
        self.mappings.iter().map(resolve).collect()
    }

    fn resolve_functions(&self) -> Result<Vec<Function>, Error> {
        let resolve = |(it, offset): &At<message::Function>| {
            Ok(Function {
                name: self.strings.id(it.name, "function.name", *offset)?,
                system_name: self.strings.id(it.system_name, "function.system_name", *offset)?,
                filename: self.strings.id(it.filename, "function.filename", *offset)?,
                start_line: it.start_line,
            })
        };
        self.functions.iter().map(resolve).collect()
    }

    fn resolve_header(&self) -> Result<Header, Error> {
        let raw = &self.header;
        let id = |(index, offset): At<i64>, what| self.strings.id(index, what, offset);
        Ok(Header {
            // An empty type says as much as none.
            period_type: (raw.period_type.as_ref().map(|it| value_type(&self.strings, it)).transpose()?)
                .filter(|it| *it != ValueType::default()),
            period: raw.period,
            time_nanos: raw.time_nanos,
            duration_nanos: raw.duration_nanos,
            comments: raw.comments.iter().map(|&it| id(it, "comment")).collect::<Result<_, _>>()?,
            default_sample_type: id(raw.default_sample_type, "default_sample_type")?,
            doc_url: id(raw.doc_url, "doc_url")?,
            drop_frames: id(raw.drop_frames, "drop_frames")?,
            keep_frames: id(raw.keep_frames, "keep_frames")?,
        })
    }
}

impl RawHeader {
    fn read_field(&mut self, field: Field, message: &mut Cursor<'_>) -> Result<(), Error> {
        let mut int = |what| Ok((message.varint(field, what)?.cast_signed(), field.offset));
        match field.number {
            7 => self.drop_frames = int("drop_frames")?,
            8 => self.keep_frames = int("keep_frames")?,
            9 if self.time_nanos != 0 => return Err(ErrorKind::Concatenated.at(field.offset)),
            9 => self.time_nanos = int("time_nanos")?.0,
            10 => self.duration_nanos = int("duration_nanos")?.0,
            11 => self.period_type = Some(read(message.bytes(field, "period_type")?, "period_type")?),
            12 => self.period = int("period")?.0,
            13 => message.numbers(field, "comment", |index, offset| {
                self.comments.push((index.cast_signed(), offset));
                Ok(())
            })?,
            14 => self.default_sample_type = int("default_sample_type")?,
            _ => self.doc_url = int("doc_url")?,
        }
        Ok(())
    }
}

/// A message without lists, so that prost reads it without allocating.
fn read<M: Message + Default>(message: Cursor<'_>, what: &'static str) -> Result<At<M>, Error> {
    let offset = message.offset();
    Ok((M::decode(message.rest()).map_err(|err| wire(what, &err, offset))?, offset))
}

fn value_type(strings: &Strings, (raw, offset): &At<message::ValueType>) -> Result<ValueType, Error> {
    let kind = strings.id(raw.r#type, "value_type.type", *offset)?;
    Ok(ValueType { kind, unit: strings.id(raw.unit, "value_type.unit", *offset)? })
}
