//! Samples from the wire straight into columns: no object, and no allocation, for each.

use super::decode::Strings;
use super::error::{Error, ErrorKind};
use super::ids::Ids;
use super::wire::{Cursor, Field};
use crate::profile::{Label, LabelValue, LocationId, Samples};

/// Reads samples into columns, checking each.
#[derive(Debug)]
pub(super) struct SampleReader<'a> {
    pub(super) locations: &'a Ids,
    pub(super) strings: &'a Strings,
    pub(super) n_types: usize,
    pub(super) samples: Samples,
    /// Scratch for the ids of a stack.
    pub(super) ids: Vec<u64>,
}

impl SampleReader<'_> {
    /// Reads one `Sample`.
    pub(super) fn read(&mut self, mut message: Cursor<'_>) -> Result<(), Error> {
        let start = message.offset();
        let n_values = self.samples.values.len();
        while let Some(field) = message.field("sample")? {
            match field.number {
                1 => self.read_stack(field, &mut message)?,
                2 => message.numbers(field, "sample.value", |value, _| {
                    self.samples.values.push(value.cast_signed());
                    Ok(())
                })?,
                3 => {
                    let label = message.bytes(field, "sample.label")?;
                    self.read_label(label)?;
                }
                _ => message.skip(field, "sample")?,
            }
        }
        let found = self.samples.values.len() - n_values;
        if self.n_types == 0 {
            return Err(ErrorKind::NoSampleTypes.at(start));
        }
        if found != self.n_types {
            let sample = self.samples.len();
            return Err(ErrorKind::ValueCount { sample, found, expected: self.n_types }.at(start));
        }
        self.samples.end_sample();
        Ok(())
    }

    fn read_stack(&mut self, field: Field, message: &mut Cursor<'_>) -> Result<(), Error> {
        const WHAT: &str = "sample.location_id";
        let Some(mut packed) = message.packed(field, WHAT)? else {
            let id = message.varint(field, WHAT)?;
            let dangling = || ErrorKind::Dangling { what: WHAT, id }.at(field.offset);
            self.samples.locations.push(LocationId(self.locations.row(id).ok_or_else(dangling)?));
            return Ok(());
        };
        while !packed.is_empty() {
            let start = packed;
            packed.batch(WHAT, &mut self.ids)?;
            let locations = &mut self.samples.locations;
            if !self.locations.extend_rows(&self.ids, LocationId, locations) {
                return Err(self.dangling(start));
            }
        }
        Ok(())
    }

    /// Which of the packed ids dangles, and where.
    #[cold]
    fn dangling(&self, mut packed: Cursor<'_>) -> Error {
        loop {
            let offset = packed.offset();
            match packed.raw_varint("sample.location_id") {
                Ok(id) if self.locations.row(id).is_none() => {
                    return ErrorKind::Dangling { what: "sample.location_id", id }.at(offset);
                }
                Ok(_) => {}
                Err(err) => return err,
            }
        }
    }

    /// Reads one `Label`. Which kind it is shows only in what is not 0; if nothing is, there is no label.
    fn read_label(&mut self, mut message: Cursor<'_>) -> Result<(), Error> {
        let start = message.offset();
        let (mut key, mut text, mut num, mut unit) = (0, 0, 0, 0);
        while let Some(field) = message.field("label")? {
            let value = match field.number {
                1 => &mut key,
                2 => &mut text,
                3 => &mut num,
                4 => &mut unit,
                _ => {
                    message.skip(field, "label")?;
                    continue;
                }
            };
            *value = message.varint(field, "label")?.cast_signed();
        }
        let key = self.strings.id(key, "label.key", start)?;
        let text = self.strings.id(text, "label.str", start)?;
        let unit = self.strings.id(unit, "label.num_unit", start)?;
        if text.index() != 0 {
            self.samples.labels.push(Label { key, value: LabelValue::Str(text) });
        } else if num != 0 || unit.index() != 0 {
            self.samples.labels.push(Label { key, value: LabelValue::Num { num, unit } });
        }
        Ok(())
    }
}
