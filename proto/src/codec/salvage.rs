//! What can be had of a message that breaks off: the samples that were read whole, with stand-ins for what they refer
//! to and was not read.
//!
//! Most writers put samples before locations, functions and names, so of a file that is cut short these are lost.

use std::collections::HashMap;
use std::fmt;

use super::decode::Decoder;
use super::error::{Error, ErrorKind};
use super::message;
use super::samples::RawSamples;
use super::tables::{RawLocation, Strings, Tables};
use crate::profile::Profile;

/// What a file that is not sound has lost, if samples could be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lost {
    /// Why it cannot be read as it is; its [`offset`](Error::offset) is where it breaks off. How many samples came after
    /// that, nobody knows.
    pub error: Error,
    /// Bytes of the file.
    pub n_bytes: u64,
    /// Bytes that were read of it, inflated.
    pub n_inflated: u64,
    /// Samples that were saved.
    pub n_samples: usize,
    /// Sample types without a name.
    pub n_sample_types: usize,
    /// Locations that samples refer to; each is a frame that says its id.
    pub n_locations: usize,
    /// Functions that locations refer to; each has its id for a name.
    pub n_functions: usize,
    /// Names of functions, and keys and texts of labels, of which only the numbers are known.
    pub n_names: usize,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {} samples were read before that", self.error, self.n_samples)?;
        let parts = [
            (self.n_sample_types, "sample type"),
            (self.n_locations, "location"),
            (self.n_functions, "function"),
            (self.n_names, "name"),
        ];
        let mut separator = "; lost are at least ";
        for (n, what) in parts.iter().filter(|it| it.0 != 0) {
            write!(f, "{separator}{n} {what}{}", if *n == 1 { "" } else { "s" })?;
            separator = ", ";
        }
        Ok(())
    }
}

/// Whether `error` leaves what was read before it as it is. Where two profiles got into one file, ids may be of either.
fn is_harmless(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Gzip { .. }
            | ErrorKind::TooLarge { .. }
            | ErrorKind::NoMemory { .. }
            | ErrorKind::Wire { .. }
            | ErrorKind::CutShort { .. }
            | ErrorKind::LongField { .. }
            | ErrorKind::NoString { .. }
            | ErrorKind::Dangling { .. }
            | ErrorKind::NoSampleTypes
            | ErrorKind::ValueCount { .. }
    )
}

/// The profile of the samples that were read before `error`; `None` if there are none.
pub(super) fn salvage(mut decoder: Decoder, error: &Error) -> Option<(Profile, Lost)> {
    decoder.samples.drop_partial();
    let n_samples = decoder.samples.len();
    let n_values = decoder.samples.n_values()?;
    if !is_harmless(error) || n_values == 0 {
        return None;
    }
    let nothing = Lost {
        error: error.clone(),
        n_bytes: 0,
        n_inflated: 0,
        n_samples,
        n_sample_types: 0,
        n_locations: 0,
        n_functions: 0,
        n_names: 0,
    };
    let lost = mend(&mut decoder.tables, &mut decoder.samples, n_values, nothing);
    decoder.resolve().ok().map(|it| (it, lost))
}

/// Puts something in the place of all that is referred to and not there.
fn mend(tables: &mut Tables, samples: &mut RawSamples, n_values: usize, mut lost: Lost) -> Lost {
    let mut names = Names::new(&mut tables.strings);
    tables.sample_types.resize_with(n_values, Default::default);
    for (number, (it, _)) in (1..).zip(&mut tables.sample_types) {
        if it.r#type == 0 || names.is_lost(it.r#type) {
            it.r#type = names.add(&format!("value {number} (name lost)"));
            lost.n_sample_types += 1;
        }
        names.clear_lost([&mut it.unit]);
    }
    for (it, _) in &mut tables.functions {
        if names.is_lost(it.name) {
            it.name = names.add(&format!("function {} (name lost)", it.id));
            lost.n_names += 1;
        }
        names.clear_lost([&mut it.system_name, &mut it.filename]);
    }
    for (it, _) in &mut tables.mappings {
        names.clear_lost([&mut it.filename, &mut it.build_id]);
    }
    lost.n_names += names.mend_labels(samples);
    names.mend_header(&mut tables.header);
    mend_functions(tables, &mut lost);
    mend_locations(tables, samples, &mut lost);
    lost
}

/// The strings that are there, and those that stand for others.
struct Names<'a> {
    strings: &'a mut Strings,
    /// How many there are of the file.
    n_read: usize,
}

impl<'a> Names<'a> {
    fn new(strings: &'a mut Strings) -> Self {
        if strings.len() == 0 {
            strings.add("");
        }
        Names { n_read: strings.len(), strings }
    }

    fn is_lost(&self, index: i64) -> bool {
        usize::try_from(index).map_or(true, |it| self.n_read <= it)
    }

    /// The index of a string of ours; not to be asked about after.
    fn add(&mut self, text: &str) -> i64 {
        self.strings.add(text)
    }

    /// Makes lost ones of `indexes` empty.
    fn clear_lost<const N: usize>(&self, indexes: [&mut i64; N]) {
        indexes.into_iter().filter(|it| self.is_lost(**it)).for_each(|it| *it = 0);
    }

    /// Labels keep their lost keys and texts apart. Returns how many there are.
    fn mend_labels(&mut self, samples: &mut RawSamples) -> usize {
        let mut found: HashMap<(&str, u32), u32> = HashMap::new();
        samples.reindex_labels(|what, index| {
            if !self.is_lost(i64::from(index)) {
                return index;
            }
            let add = || match what {
                "unit" => 0,
                _ => u32::try_from(self.strings.add(&format!("{what} {index} (name lost)"))).unwrap_or(0),
            };
            *found.entry((what, index)).or_insert_with(add)
        });
        found.keys().filter(|it| it.0 != "unit").count()
    }

    fn mend_header(&self, header: &mut super::tables::RawHeader) {
        header.comments.retain(|it| !self.is_lost(it.0));
        header.period_type = header.period_type.take().filter(|it| !self.is_lost(it.0.r#type));
        if let Some((period_type, _)) = &mut header.period_type {
            self.clear_lost([&mut period_type.unit]);
        }
        let others =
            [&mut header.default_sample_type, &mut header.doc_url, &mut header.drop_frames, &mut header.keep_frames];
        self.clear_lost(others.map(|it| &mut it.0));
    }
}

/// The functions of lines.
fn mend_functions(tables: &mut Tables, lost: &mut Lost) {
    // A location that was not read whole may have left some.
    tables.lines.truncate(tables.locations.last().map_or(0, |it| it.0.lines_end));
    let mut lines = std::mem::take(&mut tables.lines);
    for line in lines.iter_mut().filter(|it| it.function_id == 0) {
        line.function_id = fresh_id(tables);
    }
    for id in lines.iter().map(|it| it.function_id) {
        if tables.function_ids.row(id).is_none() {
            add_function(tables, id, &format!("function {id} (name lost)"));
            lost.n_functions += 1;
        }
    }
    tables.lines = lines;
}

/// The locations of samples, and the mappings of locations.
fn mend_locations(tables: &mut Tables, samples: &RawSamples, lost: &mut Lost) {
    for (location, _) in &mut tables.locations {
        if tables.mapping_ids.row(location.mapping_id).is_none() {
            location.mapping_id = 0;
        }
    }
    for id in samples.distinct_ids() {
        if tables.location_ids.row(id).is_some() || tables.location_ids.push(id, 0).is_err() {
            continue;
        }
        let function_id = fresh_id(tables);
        add_function(tables, function_id, &format!("location {id} (name lost)"));
        tables.lines.push(message::Line { function_id, line: 0, column: 0 });
        let lines_end = tables.lines.len();
        tables.locations.push((RawLocation { lines_end, ..RawLocation::default() }, 0));
        lost.n_locations += 1;
    }
}

/// An id that no function has.
fn fresh_id(tables: &Tables) -> u64 {
    let mut id = u64::MAX - tables.functions.len() as u64;
    while tables.function_ids.row(id).is_some() {
        id -= 1;
    }
    id
}

fn add_function(tables: &mut Tables, id: u64, name: &str) {
    let name = tables.strings.add(name);
    if tables.function_ids.push(id, 0).is_ok() {
        tables.functions.push((message::Function { id, name, ..Default::default() }, 0));
    }
}
