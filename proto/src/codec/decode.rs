//! A message to a [`Profile`], field by field as it comes. Nothing of it is kept but what the profile needs.
//!
//! Errors are those of a reader that first reads all but the samples, then these, then resolves the tables.

use super::error::{Error, ErrorKind};
use super::samples::RawSamples;
use super::tables::Tables;
use super::wire::{Cursor, Whole};
use crate::profile::Profile;

/// What was read of a message so far.
#[derive(Debug)]
pub(super) struct Decoder {
    pub(super) tables: Tables,
    pub(super) samples: RawSamples,
    /// No message is longer.
    limit: u64,
    /// Where in the message what comes next begins.
    offset: usize,
    n_known: usize,
    is_binary: bool,
    passed: Option<Passed>,
    failed: Option<Error>,
}

/// A field that is passed over.
#[derive(Debug)]
struct Passed {
    what: &'static str,
    /// It would be wanted, if it were not too long.
    is_known: bool,
    /// Where its length stands.
    start: usize,
    length: u64,
    n_left: u64,
}

impl Decoder {
    pub(super) fn new(limit: u64) -> Self {
        Decoder {
            tables: Tables::new(),
            samples: RawSamples::default(),
            limit,
            offset: 0,
            n_known: 0,
            is_binary: false,
            passed: None,
            failed: None,
        }
    }

    /// Whether it does not begin as a text does.
    pub(super) fn is_binary(&self) -> bool {
        self.is_binary
    }

    /// Whether all so far was a profile's.
    pub(super) fn is_sound(&self) -> bool {
        self.failed.is_none() && !self.samples.is_stopped() && self.n_known != 0
    }

    /// Reads the whole fields that `part` of the message begins with, and says how many bytes they are: all of it if
    /// it is the last part. The next part begins with the rest. The message may be `expected` bytes in all; 0 if nobody
    /// knows.
    pub(super) fn read(&mut self, part: &[u8], is_last: bool, expected: u64) -> usize {
        if self.offset == 0 {
            self.is_binary = part.iter().take(TEXT_START).any(|it| it.is_ascii_control() && !it.is_ascii_whitespace());
        }
        let mut message = Cursor::at(part, self.offset);
        while self.failed.is_none() {
            match self.read_field(&mut message, is_last, expected) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => self.failed = Some(error),
            }
        }
        if self.failed.is_some() {
            return part.len();
        }
        let n_read = message.offset() - self.offset;
        self.offset += n_read;
        n_read
    }

    /// Reads one field; false if there is none, or not enough of it.
    #[inline]
    fn read_field(&mut self, message: &mut Cursor<'_>, is_last: bool, expected: u64) -> Result<bool, Error> {
        if self.passed.is_some() {
            self.pass(message)?;
        }
        if !is_last {
            match message.next_is_whole() {
                Whole::Yes => {}
                Whole::No => return Ok(false),
                Whole::Long { field, length, left } => {
                    let known = what(field.number);
                    // A field beyond the limit cannot be whole.
                    let n_admitted = self.limit.saturating_sub(left.offset() as u64).min(LONGEST_FIELD);
                    if known.is_some() && length <= n_admitted {
                        return Ok(false);
                    }
                    self.n_known += usize::from(known.is_some());
                    let what = known.unwrap_or("profile");
                    self.passed =
                        Some(Passed { what, is_known: known.is_some(), start: field.offset, length, n_left: length });
                    *message = left;
                    return Ok(true);
                }
            }
        }
        let Some(field) = message.field("profile")? else { return Ok(false) };
        self.n_known += usize::from((1..=15).contains(&field.number));
        match field.number {
            2 => {
                let sample = message.bytes(field, "sample")?;
                if !self.samples.is_stopped() {
                    self.samples.read(sample, expected);
                }
            }
            1..=15 => self.tables.read_field(field, message)?,
            _ => message.skip(field, "profile")?,
        }
        Ok(true)
    }

    #[cold]
    fn pass(&mut self, message: &mut Cursor<'_>) -> Result<(), Error> {
        let Some(passed) = &mut self.passed else { return Ok(()) };
        passed.n_left -= message.advance(passed.n_left);
        if passed.n_left != 0 {
            return Ok(());
        }
        let Passed { what, start, length, is_known, .. } = *passed;
        self.passed = None;
        let limit = LONGEST_FIELD;
        if is_known { Err(ErrorKind::LongField { what, length, limit }.at(start)) } else { Ok(()) }
    }

    /// The profile of all that was read. If it is none, all is still here.
    pub(super) fn finish(&mut self) -> Result<Profile, Error> {
        self.check()?;
        self.resolve()
    }

    /// The same of a message that may break off after what was read.
    pub(super) fn resolve(&mut self) -> Result<Profile, Error> {
        let Decoder { tables, samples, .. } = self;
        tables.index();
        let sample_types = tables.resolve_sample_types()?;
        let labels = samples.check(sample_types.len(), &tables.location_ids, &tables.strings)?;
        let rest = tables.resolve()?;
        let samples = samples.take(labels, &tables.location_ids);
        Ok(Profile { sample_types, samples, strings: tables.take_strings(), ..rest })
    }

    /// What is wrong with the message whatever its references.
    fn check(&self) -> Result<(), Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if let Some(Passed { what, start, length, n_left, .. }) = self.passed {
            let left = usize::try_from(length - n_left).unwrap_or(usize::MAX);
            return Err(ErrorKind::CutShort { what, length, left }.at(start));
        }
        if self.offset == 0 {
            return Err(ErrorKind::Empty.at_no_offset());
        }
        if self.n_known == 0 {
            return Err(ErrorKind::NotAProfile { length: self.offset }.at_no_offset());
        }
        Ok(())
    }
}

/// Longer fields are not kept to be read: no stack and no name is so long, and a small gzip may hold many such bytes.
const LONGEST_FIELD: u64 = 64 << 20;

/// So many bytes tell a text.
pub(super) const TEXT_START: usize = 32;

/// A field's name, if it holds bytes that are kept.
fn what(number: u32) -> Option<&'static str> {
    let names = ["sample_type", "sample", "mapping", "location", "function", "string_table"];
    match number {
        1..=6 => names.get(number as usize - 1).copied(),
        11 => Some("period_type"),
        13 => Some("comment"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
