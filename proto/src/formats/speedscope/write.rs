//! A profile as speedscope's JSON, written as it goes: no part of it is built in memory but the table of frames.

use std::io::Write;

use rustc_hash::FxHashMap;
use serde::{Serialize, Serializer};

use super::{EXPORTER, SCHEMA, UNITS};
use crate::formats::frames::{FrameIds, Spot, name};
use crate::formats::{WriteError, positive, sample_type};
use crate::profile::{Profile, SampleRef, StringId};
use crate::units;

/// Writes all sample types, each as a profile of its own, and has the one of `shown` shown first.
///
/// A frame is a function, with the line it begins on, or, where that is unknown, the first line seen of it. Labels,
/// addresses and what is said of the profile as a whole are dropped; inlined functions are frames of their own.
/// Samples of value 0 are left out. speedscope knows six units and calls all others `none`.
///
/// # Errors
///
/// If a value is negative, which speedscope refuses, there is no sample type `shown`, or `out` takes no more.
pub fn write(out: &mut impl Write, profile: &Profile, shown: usize) -> Result<(), WriteError> {
    sample_type(profile, shown)?;
    let (frames, ids) = frames(profile);
    let n_types = profile.sample_types().len();
    let file = File {
        schema: SCHEMA,
        exporter: EXPORTER,
        active_profile_index: shown,
        shared: Shared { frames },
        profiles: (0..n_types).map(|it| Sampled::new(profile, &ids, it)).collect::<Result<_, _>>()?,
    };
    serde_json::to_writer(&mut *out, &file).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    exporter: &'static str,
    active_profile_index: usize,
    shared: Shared<'a>,
    profiles: Vec<Sampled<'a>>,
}

#[derive(Serialize)]
struct Shared<'a> {
    frames: Vec<Frame<'a>>,
}

#[derive(Serialize)]
struct Frame<'a> {
    name: std::borrow::Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    file: &'a str,
    #[serde(skip_serializing_if = "is_unknown")]
    line: i64,
    #[serde(skip_serializing_if = "is_unknown")]
    col: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_unknown(number: &i64) -> bool {
    *number <= 0
}

/// The functions of a profile: equal name and file are one.
fn frames(profile: &Profile) -> (Vec<Frame<'_>>, FrameIds) {
    let mut frames = Vec::new();
    let mut known: FxHashMap<(StringId, StringId, &str), u32> = FxHashMap::default();
    let ids = FrameIds::new(profile, |spot| {
        *known.entry(key(profile, spot)).or_insert_with(|| {
            frames.push(frame(profile, spot));
            // No more than there are lines and locations in the profile, which are counted in 32 bits.
            u32::try_from(frames.len() - 1).unwrap_or(u32::MAX)
        })
    });
    (frames, ids)
}

fn key<'a>(profile: &'a Profile, spot: Spot<'a>) -> (StringId, StringId, &'a str) {
    let function = spot.line.map(|it| profile.function(it.function));
    let [name, file] = function.map_or_else(<[StringId; 2]>::default, |it| [it.name, it.filename]);
    let binary = if name == StringId::default() { super::super::frames::binary(profile, spot.location) } else { "" };
    (name, file, binary)
}

fn frame<'a>(profile: &'a Profile, spot: Spot<'a>) -> Frame<'a> {
    let name = name(profile, spot);
    let Some(at) = spot.line else { return Frame { name, file: "", line: 0, col: 0 } };
    let function = profile.function(at.function);
    let file = profile.string(function.filename);
    match function.start_line {
        0 => Frame { name, file, line: at.line, col: at.column },
        line => Frame { name, file, line, col: 0 },
    }
}

/// The samples of one sample type.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sampled<'a> {
    r#type: &'static str,
    name: &'a str,
    unit: &'static str,
    /// Not in the schema, which allows it: our name of the unit, where speedscope's does not lead back to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    wprof_unit: Option<&'a str>,
    start_value: u64,
    end_value: u64,
    samples: Stacks<'a>,
    weights: Weights<'a>,
}

impl<'a> Sampled<'a> {
    fn new(profile: &'a Profile, ids: &'a FrameIds, sample_index: usize) -> Result<Self, WriteError> {
        let (name, unit) = sample_type(profile, sample_index)?;
        let mut end_value = 0_u64;
        for sample in profile.samples() {
            end_value = end_value.saturating_add(positive(profile, sample, sample_index)?);
        }
        let theirs = their_unit(unit);
        let is_ours = UNITS.iter().any(|it| (it.0, it.1) == (theirs, unit));
        let weighed = Weighed { profile, sample_index };
        Ok(Sampled {
            r#type: "sampled",
            name,
            unit: theirs,
            wprof_unit: (!is_ours).then_some(unit),
            start_value: 0,
            end_value,
            samples: Stacks { weighed, ids },
            weights: Weights(weighed),
        })
    }
}

fn their_unit(unit: &str) -> &'static str {
    match units::spelling(unit) {
        Some("ns") => "nanoseconds",
        Some("us") => "microseconds",
        Some("ms") => "milliseconds",
        Some("s") => "seconds",
        Some("b") => "bytes",
        _ => "none",
    }
}

/// The samples that have a value.
#[derive(Clone, Copy)]
struct Weighed<'a> {
    profile: &'a Profile,
    sample_index: usize,
}

impl<'a> Weighed<'a> {
    fn samples(self) -> impl Iterator<Item = (SampleRef<'a>, i64)> {
        let value = move |it: SampleRef<'_>| it.values.get(self.sample_index).copied().unwrap_or(0);
        self.profile.samples().map(move |it| (it, value(it))).filter(|it| it.1 != 0)
    }
}

struct Stacks<'a> {
    weighed: Weighed<'a>,
    ids: &'a FrameIds,
}

impl Serialize for Stacks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.weighed.samples().map(|(sample, _)| Stack { sample, ids: self.ids }))
    }
}

struct Stack<'a> {
    sample: SampleRef<'a>,
    ids: &'a FrameIds,
}

impl Serialize for Stack<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ids.stack(self.sample))
    }
}

struct Weights<'a>(Weighed<'a>);

impl Serialize for Weights<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.samples().map(|(_, value)| value))
    }
}
