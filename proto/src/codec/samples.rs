//! Samples from the wire straight into columns, as they come: no object, and no allocation, for each.
//!
//! Most writers put samples before the tables they refer to. So references stay the file's own until the tables are
//! whole, and are then resolved in place. Where ids are 1, 2, 3…, as nearly always, there is nothing left to do: the
//! column holds each id less one, which is its row.

use std::collections::{BTreeSet, HashMap};

use super::error::{Error, ErrorKind};
use super::ids::Ids;
use super::tables::Strings;
use super::wire::{Cursor, Field, varint_len};
use crate::profile::{Label, LabelValue, LocationId, Samples};

const LOCATION_ID: &str = "sample.location_id";

/// Samples whose references are not resolved.
#[derive(Debug, Default)]
pub(super) struct RawSamples {
    /// Locations are ids less one, or [`FIRST_WIDE`] and the position in `wide`; labels are not here.
    columns: Samples,
    labels: Vec<RawLabel>,
    greatest_row: u32,
    wide: Wide,
    /// Where the ids are in the file, to say where one is that does not exist.
    runs: Vec<Run>,
    /// Where the first sample began, and how many values it had: as many as all after it.
    first: Option<(usize, usize)>,
    /// Why no more samples are read.
    stop: Option<Stop>,
    /// The first index that no string can have.
    odd_index: Option<i64>,
}

/// Columns hold lesser rows as they are.
const FIRST_WIDE: u32 = 1 << 31;

/// Ids that do not fit the column, each once.
#[derive(Debug, Default)]
struct Wide {
    ids: Vec<u64>,
    /// With a keyed hash, as ids may be chosen to collide.
    positions: HashMap<u64, u32>,
}

/// Ids that follow each other in the file as in the column, each written as short as it can be.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The position of the first in the column.
    first: usize,
    /// Its offset in the message.
    offset: usize,
}

/// A label with its strings' indexes in the file; those that no string can have are `u32::MAX`.
#[derive(Debug, Clone, Copy)]
struct RawLabel {
    key: u32,
    text: u32,
    unit: u32,
    offset: usize,
    num: i64,
}

#[derive(Debug)]
enum Stop {
    /// The sample is broken.
    Broken(Error),
    /// The sample at `start` has another number of values than those before.
    Count { start: usize, found: usize },
}

/// How much of the message was read, of how much, in bytes; says how large columns will be.
#[derive(Debug, Clone, Copy)]
struct Share {
    read: u64,
    /// 0 if unknown.
    total: u64,
}

/// What is wrong with the samples, at the place in the file that orders such errors.
type Fault = ((usize, usize), Error);

/// The labels, and where each sample's end.
type Labels = (Vec<Label>, Vec<usize>);

impl RawSamples {
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// How many values each sample has.
    pub(super) fn n_values(&self) -> Option<usize> {
        self.first.map(|it| it.1)
    }

    /// Whether there is no sense in reading on.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_some()
    }

    /// Reads one `Sample`. If it is broken, that is told in the end, as tables may be broken, too.
    pub(super) fn read(&mut self, message: Cursor<'_>, expected: u64) {
        let start = message.offset();
        let share = Share { read: start as u64, total: expected };
        let n_before = self.columns.values.len();
        if let Err(error) = self.make_room(message.rest().len(), share, start).and_then(|()| self.read_fields(message))
        {
            self.stop = Some(Stop::Broken(error));
            return;
        }
        let found = self.columns.values.len() - n_before;
        let (_, expected) = *self.first.get_or_insert((start, found));
        if found == expected && found != 0 {
            self.columns.location_ends.push(self.columns.locations.len());
            self.columns.label_ends.push(self.labels.len());
        } else {
            self.stop = Some(Stop::Count { start, found });
        }
    }

    /// Whatever a sample of `n_bytes` may hold is room for.
    fn make_room(&mut self, n_bytes: usize, share: Share, offset: usize) -> Result<(), Error> {
        let columns = &mut self.columns;
        let is_there = room(&mut columns.locations, n_bytes, share)
            && room(&mut columns.values, n_bytes, share)
            && room(&mut columns.location_ends, 1, share)
            && room(&mut columns.label_ends, 1, share)
            && room(&mut self.runs, 1, share);
        let n_samples = columns.len();
        if is_there { Ok(()) } else { Err(ErrorKind::NoMemory { n_samples }.at(offset)) }
    }

    fn read_fields(&mut self, mut message: Cursor<'_>) -> Result<(), Error> {
        while let Some(field) = message.field("sample")? {
            match field.number {
                1 => self.read_stack(field, &mut message)?,
                2 => message.numbers(field, "sample.value", |value, _| {
                    self.columns.values.push(value.cast_signed());
                    Ok(())
                })?,
                3 => {
                    let label = message.bytes(field, "sample.label")?;
                    self.read_label(label)?;
                }
                _ => message.skip(field, "sample")?,
            }
        }
        Ok(())
    }

    fn read_stack(&mut self, field: Field, message: &mut Cursor<'_>) -> Result<(), Error> {
        let Some(mut packed) = message.packed(field, LOCATION_ID)? else {
            let id = message.varint(field, LOCATION_ID)?;
            self.begin_run(field.offset);
            return self.push_id(id, field.offset);
        };
        self.begin_run(packed.offset());
        loop {
            self.greatest_row = packed.plain_rows(self.greatest_row, LocationId, &mut self.columns.locations);
            if packed.is_empty() {
                return Ok(());
            }
            let start = packed.offset();
            let id = packed.raw_varint(LOCATION_ID)?;
            self.push_id(id, start)?;
            if start + varint_len(id) != packed.offset() {
                self.begin_run(packed.offset());
            }
        }
    }

    fn begin_run(&mut self, offset: usize) {
        self.runs.push(Run { first: self.columns.locations.len(), offset });
    }

    fn push_id(&mut self, id: u64, offset: usize) -> Result<(), Error> {
        // No location has this one.
        let dangling = || ErrorKind::Dangling { what: LOCATION_ID, id }.at(offset);
        let row = id.checked_sub(1).ok_or_else(dangling)?;
        let narrow = u32::try_from(row).ok().filter(|it| *it < FIRST_WIDE);
        let row = match narrow {
            Some(row) => {
                self.greatest_row = self.greatest_row.max(row);
                row
            }
            None => self.wide.row(id).ok_or_else(dangling)?,
        };
        self.columns.locations.push(LocationId(row));
        Ok(())
    }

    /// Reads one `Label`. Which kind it is shows only in what is not 0; if nothing is, there is no label.
    fn read_label(&mut self, mut message: Cursor<'_>) -> Result<(), Error> {
        let offset = message.offset();
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
        let [key, text, unit] = [key, text, unit].map(|index| {
            u32::try_from(index).unwrap_or_else(|_no_string| {
                self.odd_index.get_or_insert(index);
                u32::MAX
            })
        });
        self.labels.push(RawLabel { key, text, unit, offset, num });
        Ok(())
    }
}

/// Resolving.
impl RawSamples {
    /// The labels resolved, or what is wrong first in the file.
    pub(super) fn check(&self, n_types: usize, locations: &Ids, strings: &Strings) -> Result<Labels, Error> {
        let labels = self.resolve_labels(strings);
        let faults = [self.dangling(locations), labels.as_ref().err().cloned(), self.bad_count(n_types), self.broken()];
        match faults.into_iter().flatten().min_by_key(|it| it.0) {
            Some((_, error)) => Err(error),
            None => Ok(labels.unwrap_or_default()),
        }
    }

    /// The samples, which were [`check`](Self::check)ed.
    pub(super) fn take(&mut self, (labels, label_ends): Labels, locations: &Ids) -> Samples {
        self.resolve_locations(locations);
        let Samples { mut locations, location_ends, mut values, .. } = std::mem::take(&mut self.columns);
        // Room was taken for what the file looked like at first.
        if locations.len() < locations.capacity() / 8 * 7 {
            locations.shrink_to_fit();
        }
        values.shrink_to_fit();
        Samples { locations, location_ends, values, labels, label_ends }
    }

    /// Forgets what was read of a sample that is not whole.
    pub(super) fn drop_partial(&mut self) {
        self.stop = None;
        let n_samples = self.len();
        self.columns.locations.truncate(self.columns.location_ends.last().copied().unwrap_or(0));
        self.labels.truncate(self.columns.label_ends.last().copied().unwrap_or(0));
        self.columns.values.truncate(n_samples * self.n_values().unwrap_or(0));
        self.first = self.first.filter(|_| n_samples != 0);
    }

    /// Every id of a location, once.
    pub(super) fn distinct_ids(&self) -> Vec<u64> {
        /// So many are marked in a list.
        const LISTED: u32 = 64 << 20;
        let rows = || self.columns.locations.iter().filter(|it| it.0 < FIRST_WIDE);
        let mut ids: Vec<u64> = if self.greatest_row < LISTED {
            let mut is_seen = vec![false; self.greatest_row as usize + 1];
            rows().for_each(|it| is_seen.iter_mut().skip(it.index()).take(1).for_each(|it| *it = true));
            (1..).zip(is_seen).filter(|it| it.1).map(|it| it.0).collect()
        } else {
            let ids: BTreeSet<u64> = rows().map(|it| u64::from(it.0) + 1).collect();
            ids.into_iter().collect()
        };
        ids.extend(&self.wide.ids);
        ids
    }

    /// Gives each index of a label's key, text and unit a new one.
    pub(super) fn reindex_labels(&mut self, mut new: impl FnMut(&'static str, u32) -> u32) {
        for label in &mut self.labels {
            label.key = new("label", label.key);
            label.text = new("text", label.text);
            label.unit = new("unit", label.unit);
        }
    }

    fn is_dense(&self, locations: &Ids) -> bool {
        self.columns.locations.is_empty() || (self.wide.ids.is_empty() && locations.are_rows_dense(self.greatest_row))
    }

    fn dangling(&self, locations: &Ids) -> Option<Fault> {
        if self.is_dense(locations) {
            return None;
        }
        let rows = &self.columns.locations;
        let idx = rows.iter().position(|&row| locations.row(self.wide.id(row)).is_none())?;
        let run = self.runs.partition_point(|it| it.first <= idx).checked_sub(1).and_then(|it| self.runs.get(it))?;
        let before = rows.get(run.first..idx).unwrap_or_default();
        let offset = run.offset + before.iter().map(|&row| varint_len(self.wide.id(row))).sum::<usize>();
        let sample = self.columns.location_ends.partition_point(|&end| end <= idx);
        let id = self.wide.id(*rows.get(idx)?);
        Some(((sample, offset), ErrorKind::Dangling { what: LOCATION_ID, id }.at(offset)))
    }

    fn resolve_locations(&mut self, locations: &Ids) {
        if self.is_dense(locations) {
            return;
        }
        for row in &mut self.columns.locations {
            if let Some(found) = locations.row(self.wide.id(*row)) {
                *row = LocationId(found);
            }
        }
    }

    fn resolve_labels(&self, strings: &Strings) -> Result<Labels, Fault> {
        let mut labels = Vec::with_capacity(self.labels.len());
        let mut ends = Vec::with_capacity(self.columns.label_ends.len());
        let mut start = 0;
        for &end in self.columns.label_ends.iter().chain([&self.labels.len()]) {
            for label in self.labels.get(start..end).unwrap_or_default() {
                labels.extend(self.label(label, strings).map_err(|error| ((ends.len(), label.offset), error))?);
            }
            start = end;
            ends.push(labels.len());
        }
        // The last is of a sample that is not whole.
        ends.pop();
        Ok((labels, ends))
    }

    fn label(&self, raw: &RawLabel, strings: &Strings) -> Result<Option<Label>, Error> {
        let RawLabel { key, text, unit, offset, num } = *raw;
        let id = |index: u32, what| {
            let odd = self.odd_index.filter(|_| index == u32::MAX);
            strings.id(odd.unwrap_or(i64::from(index)), what, offset)
        };
        let key = id(key, "label.key")?;
        let text = id(text, "label.str")?;
        let unit = id(unit, "label.num_unit")?;
        if text.index() != 0 {
            return Ok(Some(Label { key, value: LabelValue::Str(text) }));
        }
        let is_number = num != 0 || unit.index() != 0;
        Ok(is_number.then_some(Label { key, value: LabelValue::Num { num, unit } }))
    }

    /// Counts are checked at a sample's end.
    fn bad_count(&self, n_types: usize) -> Option<Fault> {
        let fault = |sample, start, found| {
            let kind = match n_types {
                0 => ErrorKind::NoSampleTypes,
                expected => ErrorKind::ValueCount { sample, found, expected },
            };
            ((sample, usize::MAX), kind.at(start))
        };
        let (first_start, n_values) = self.first?;
        if n_values != n_types || n_types == 0 {
            return Some(fault(0, first_start, n_values));
        }
        match self.stop {
            Some(Stop::Count { start, found }) => Some(fault(self.len(), start, found)),
            _ => None,
        }
    }

    fn broken(&self) -> Option<Fault> {
        match &self.stop {
            Some(Stop::Broken(error)) => Some(((self.len(), error.offset().unwrap_or(usize::MAX)), error.clone())),
            _ => None,
        }
    }
}

impl Wide {
    /// What stands for `id` in the column; `None` when these are used up.
    fn row(&mut self, id: u64) -> Option<u32> {
        let next = u32::try_from(self.ids.len()).ok()?.checked_add(FIRST_WIDE)?;
        let row = *self.positions.entry(id).or_insert(next);
        if row == next {
            self.ids.push(id);
        }
        Some(row)
    }

    /// The id that stands for `row`.
    fn id(&self, row: LocationId) -> u64 {
        let narrow = u64::from(row.0) + 1;
        let position = row.0.checked_sub(FIRST_WIDE);
        position.and_then(|it| self.ids.get(it as usize)).copied().unwrap_or(narrow)
    }
}

/// Whether there is room for `more` items, which is taken if there is not.
///
/// A column that doubles would be there three times over for a moment, and in wasm what it leaves behind is not given
/// back. So it grows to what the file will need if it goes on as it began.
#[inline]
fn room<T>(column: &mut Vec<T>, more: usize, share: Share) -> bool {
    more <= column.capacity() - column.len() || grow(column, more, share)
}

#[cold]
fn grow<T>(column: &mut Vec<T>, more: usize, share: Share) -> bool {
    /// So much of a file is like the rest: a 16th, and no less than this.
    const TELLING: u64 = 256 << 10;
    /// A little more, in 16ths, as no part is quite like another.
    const MARGIN: u128 = 17;
    let expected = u128::from(column.len() as u64) * u128::from(share.total) / u128::from(share.read.max(1));
    let is_told = TELLING.max(share.total / 16) <= share.read && share.read < share.total;
    let expected = if is_told { expected * MARGIN / 16 } else { 0 };
    let least = column.len() + more;
    // By a quarter at least, or a file that changes would be moved with each sample.
    let usual = if is_told { column.len() / 4 } else { column.len() };
    let wanted = usize::try_from(expected).unwrap_or(usize::MAX).clamp(least + usual, least.saturating_mul(64));
    column.try_reserve_exact(wanted - column.len()).is_ok() || column.try_reserve_exact(more).is_ok()
}
