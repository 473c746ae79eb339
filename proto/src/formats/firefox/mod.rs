//! The Firefox Profiler's own file format, the *processed profile*: <https://profiler.firefox.com> opens it.
//!
//! Written by hand, as of the crate fxprof-processed-profile only a small part would be used (it has no shared tables and
//! no weights beyond 32 bits). The format is described in the profiler's `src/types/profile.ts`; this is its version 61,
//! the first with all tables shared by the threads in which every column is documented. The profiler brings older
//! versions up to date when it opens them.

mod columns;
mod tables;

use std::io::{self, Write};

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{WriteError, sample_type};
use crate::profile::Profile;
use crate::units;
use columns::{Column, Table};
use tables::Tables;

const VERSION: u32 = 61;

/// Writes all sample types, each as a thread of its own, and has the one of `shown` selected first.
///
/// A thread's samples have weights: milliseconds where the unit is one of time, bytes where it is one of bytes, and else
/// counts. Frames have lines, columns and addresses, inlined ones too, and a category by where they are: in WebAssembly
/// or native code, inlined, or in the host.
///
/// A profile does not say when its samples were taken. On the profiler's time line they lie one behind the other, each
/// as long as it weighs, or where there is no time among the sample types, for one interval; so there is no CPU usage,
/// which is that in such a time, and nothing to learn from their order. Labels are dropped.
///
/// # Errors
///
/// If there is no sample type `shown`, or `out` takes no more.
pub fn write(out: &mut impl Write, profile: &Profile, shown: usize) -> Result<(), WriteError> {
    sample_type(profile, shown)?;
    let tables = Tables::new(profile);
    let document = Document { profile, tables: &tables, times: times(profile), shown };
    serde_json::to_writer(&mut *out, &document).map_err(io::Error::from)?;
    Ok(writeln!(out)?)
}

struct Document<'a> {
    profile: &'a Profile,
    tables: &'a Tables,
    /// When each sample begins, in milliseconds, and the end of the last.
    times: Vec<f64>,
    shown: usize,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let n_types = self.profile.sample_types().len();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("meta", &self.meta())?;
        map.serialize_entry("libs", &self.tables.libs)?;
        map.serialize_entry("pages", &[(); 0])?;
        map.serialize_entry("shared", &self.tables)?;
        map.serialize_entry(
            "threads",
            &Threads((0..n_types).map(|it| Thread { document: self, sample_index: it }).collect()),
        )?;
        map.end()
    }
}

impl Document<'_> {
    fn meta(&self) -> Value {
        let profile = self.profile;
        json!({
            "version": 30,
            "preprocessedProfileVersion": VERSION,
            "interval": interval(profile),
            "startTime": milliseconds(profile.time_nanos()),
            "processType": 0,
            "product": program(profile),
            "importedFrom": "wprof",
            "stackwalk": 1,
            "debug": false,
            "symbolicated": true,
            "symbolicationNotSupported": true,
            "usesOnlyOneStackType": true,
            "sourceCodeIsNotOnSearchfox": true,
            "keepProfileThreadOrder": true,
            "categories": tables::categories(),
            "markerSchema": [],
            "extensions": { "length": 0, "id": [], "name": [], "baseURL": [] },
            "initialVisibleThreads": (0..profile.sample_types().len()).collect::<Vec<_>>(),
            "initialSelectedThreads": [self.shown],
        })
    }

    fn end(&self) -> f64 {
        self.times.last().copied().unwrap_or(0.0)
    }
}

struct Threads<'a>(Vec<Thread<'a>>);

impl Serialize for Threads<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

/// A sample type.
struct Thread<'a> {
    document: &'a Document<'a>,
    sample_index: usize,
}

impl Serialize for Thread<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document { profile, times, .. } = self.document;
        let (kind, unit) = sample_type(profile, self.sample_index).unwrap_or_default();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", kind)?;
        map.serialize_entry("isMainThread", &(self.sample_index == 0))?;
        map.serialize_entry("processName", program(profile))?;
        map.serialize_entry("processType", "default")?;
        map.serialize_entry("pid", "0")?;
        map.serialize_entry("tid", &self.sample_index)?;
        map.serialize_entry("processStartupTime", &0)?;
        map.serialize_entry("processShutdownTime", &self.document.end())?;
        map.serialize_entry("registerTime", &0)?;
        map.serialize_entry("unregisterTime", &())?;
        map.serialize_entry("pausedRanges", &[(); 0])?;
        map.serialize_entry("markers", &Table::empty(&["data", "name", "startTime", "endTime", "phase", "category"]))?;
        map.serialize_entry("samples", &self.samples(unit, times))?;
        map.end()
    }
}

impl Thread<'_> {
    fn samples(&self, unit: &str, times: &[f64]) -> Table {
        let Document { profile, tables, .. } = self.document;
        let value = |idx: usize| profile.sample(idx).values.get(self.sample_index).copied().unwrap_or(0);
        let weighed: Vec<(usize, i64)> =
            (0..profile.n_samples()).map(|idx| (idx, value(idx))).filter(|it| it.1 != 0).collect();
        let (weight_type, weights) = match units::spelling(unit) {
            Some("ns" | "us" | "ms" | "s" | "hour") => {
                ("tracing-ms", Column::Floats(weighed.iter().map(|it| scaled(it.1, unit, "ms")).collect()))
            }
            Some(size) if units::are_compatible(size, "bytes") => {
                ("bytes", Column::Floats(weighed.iter().map(|it| scaled(it.1, unit, "B")).collect()))
            }
            _ => ("samples", Column::Numbers(weighed.iter().map(|it| it.1).collect())),
        };
        let at = |idx: usize| times.get(idx).copied().unwrap_or(0.0);
        let mut samples = Table::new(weighed.len());
        samples.column("stack", Column::Rows(weighed.iter().map(|it| tables.stack_of(it.0)).collect()));
        samples.column("time", Column::Floats(weighed.iter().map(|it| at(it.0)).collect()));
        samples.column("weight", weights);
        samples.field("weightType", weight_type.into());
        samples
    }
}

/// When each sample begins, if one follows the other, and when the last ends.
fn times(profile: &Profile) -> Vec<f64> {
    let is_time = |it: &str| units::are_compatible(it, "nanoseconds");
    let types = profile.sample_types();
    let time = types.iter().rposition(|it| is_time(profile.string(it.unit)));
    let interval = interval(profile);
    let length = |idx: usize| -> f64 {
        let Some((column, unit)) = time.and_then(|it| Some((it, profile.string(types.get(it)?.unit)))) else {
            return interval;
        };
        scaled(profile.sample(idx).values.get(column).copied().unwrap_or(0), unit, "ms").abs()
    };
    let mut now = 0.0;
    let begin = |idx: usize| {
        let begin = now;
        now += if idx < profile.n_samples() { length(idx) } else { 0.0 };
        begin
    };
    (0..=profile.n_samples()).map(begin).collect()
}

/// What one sample stands for, in milliseconds; 1 if that is no time.
fn interval(profile: &Profile) -> f64 {
    let unit = profile.period_type().map_or("", |it| profile.string(it.unit));
    let is_time = units::are_compatible(unit, "nanoseconds") && 0 < profile.period();
    if is_time { scaled(profile.period(), unit, "ms") } else { 1.0 }
}

fn scaled(value: i64, from: &str, to: &str) -> f64 {
    units::scale(value, from, to).0
}

fn milliseconds(nanos: i64) -> f64 {
    scaled(nanos, "ns", "ms")
}

/// The main binary's name.
fn program(profile: &Profile) -> &str {
    let path = profile.mappings().first().map_or("", |it| profile.string(it.filename));
    path.rsplit('/').find(|it| !it.is_empty()).unwrap_or("profile")
}

#[cfg(test)]
mod tests;
