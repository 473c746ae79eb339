//! speedscope's JSON to a profile: its profiles become sample types, or threads.

mod file;
mod plan;

use serde_json::Number;

use crate::codec::{Limits, plain};
use crate::formats::{JsonError, ReadError};
use crate::profile::{FunctionSpec, LabelSpec, Line, LocationId, Profile, ProfileBuilder};
use file::{Event, File, Frame, RawProfile};
use plan::{Plan, Target};

/// Reads a speedscope file, gzipped or not.
///
/// The profiles of a file that [`write`](fn@super::write) wrote are the sample types of one profile. Those of any other
/// are threads: profiles of one quantity (time, bytes or a mere count) add up, and each sample has a label `thread` if
/// there are several. Times are kept in the file's unit if they are whole numbers, and else in nanoseconds. Time in
/// which no frame is open is left out.
///
/// # Errors
///
/// If it is no such file, or one that contradicts itself, or larger than the limit.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Profile, ReadError> {
    let json = plain(bytes, limits)?;
    let file: File<'_> = serde_json::from_slice(&json).map_err(|error| JsonError::Syntax(error.to_string()))?;
    Ok(read_file(&file, limits.max_inflated)?)
}

fn read_file(file: &File<'_>, limit: u64) -> Result<Profile, JsonError> {
    let Plan { sample_types, targets } = Plan::of(file);
    let types: Vec<(&str, &str)> = sample_types.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
    let mut builder = ProfileBuilder::new(&types);
    if file.is_ours() {
        let shown = file.active_profile_index.and_then(|it| types.get(it));
        builder.default_sample_type(shown.map_or("", |it| it.0));
    }
    let mut reader = Reader {
        frames: file.shared.frames.iter().map(|it| location(&mut builder, it)).collect(),
        builder,
        n_frames_left: limit / size_of::<LocationId>() as u64,
        limit,
        values: vec![0; types.len()],
        stack: Vec::new(),
    };
    let are_threads = !file.is_ours() && 1 < file.profiles.len();
    for (number, (profile, target)) in file.profiles.iter().zip(targets).enumerate() {
        let thread = profile.name.as_deref().filter(|_| are_threads).unwrap_or("");
        let part = Part { number, profile, target, thread };
        match profile.r#type.as_ref() {
            "sampled" => reader.read_sampled(part)?,
            "evented" => reader.read_evented(part)?,
            found => return Err(JsonError::Type { profile: number, found: found.to_owned() }),
        }
    }
    Ok(reader.builder.finish())
}

fn location(builder: &mut ProfileBuilder, frame: &Frame<'_>) -> LocationId {
    let filename = frame.file.as_deref().unwrap_or("");
    let function = builder.function(FunctionSpec { name: &frame.name, filename, ..FunctionSpec::default() });
    let [line, column] = [&frame.line, &frame.col].map(|it| it.as_ref().and_then(Number::as_i64).unwrap_or(0));
    builder.location(None, 0, &[Line { function, line, column }])
}

/// One of the file's profiles.
#[derive(Clone, Copy)]
struct Part<'a> {
    number: usize,
    profile: &'a RawProfile<'a>,
    target: Target,
    /// The label; empty for none.
    thread: &'a str,
}

struct Reader {
    builder: ProfileBuilder,
    /// The locations of the file's frames.
    frames: Vec<LocationId>,
    /// Calls that nest unfold to stacks of the square of the file's size at worst, so these are counted.
    n_frames_left: u64,
    limit: u64,
    /// Scratch: a sample's values, and its stack from the leaf.
    values: Vec<i64>,
    stack: Vec<LocationId>,
}

impl Reader {
    fn read_sampled(&mut self, part: Part<'_>) -> Result<(), JsonError> {
        let RawProfile { samples, weights, .. } = part.profile;
        if samples.len() != weights.len() {
            return Err(JsonError::Weights { profile: part.number, samples: samples.len(), weights: weights.len() });
        }
        for (idx, (stack, weight)) in samples.iter().zip(weights).enumerate() {
            let value = part.target.value(weight).ok_or_else(|| part.bad_value("sample", idx, weight))?;
            self.stack.clear();
            for &frame in stack.iter().rev() {
                let location = self.frame(part, "sample", idx, frame)?;
                self.stack.push(location);
            }
            self.add(part, value)?;
        }
        Ok(())
    }

    fn read_evented(&mut self, part: Part<'_>) -> Result<(), JsonError> {
        // The frames that are open, from the root: their numbers, and their locations.
        let mut open: Vec<(u32, LocationId)> = Vec::new();
        let mut last = None;
        for (idx, event) in part.profile.events.iter().enumerate() {
            let now = part.since_start(&event.at).ok_or_else(|| part.bad_value("event", idx, &event.at))?;
            let elapsed = now.checked_sub(last.unwrap_or(now)).filter(|it| 0 <= *it);
            let out_of_order = || JsonError::Order { profile: part.number, idx, at: event.at.to_string() };
            self.add_open(part, &open, elapsed.ok_or_else(out_of_order)?)?;
            last = Some(now);
            self.apply(part, idx, event, &mut open)?;
        }
        // What is left open is so until the end.
        let end = part.profile.end_value.as_ref().and_then(|it| part.since_start(it));
        let rest = end.zip(last).and_then(|(end, last)| end.checked_sub(last)).filter(|it| 0 < *it);
        self.add_open(part, &open, rest.unwrap_or(0))
    }

    fn apply(
        &mut self,
        part: Part<'_>,
        idx: usize,
        event: &Event<'_>,
        open: &mut Vec<(u32, LocationId)>,
    ) -> Result<(), JsonError> {
        let profile = part.number;
        match event.r#type.as_ref() {
            "O" => open.push((event.frame, self.frame(part, "event", idx, event.frame)?)),
            "C" if open.last().is_some_and(|it| it.0 == event.frame) => drop(open.pop()),
            "C" => return Err(JsonError::Nesting { profile, idx, frame: event.frame }),
            found => return Err(JsonError::Event { profile, idx, found: found.to_owned() }),
        }
        Ok(())
    }

    fn add_open(&mut self, part: Part<'_>, open: &[(u32, LocationId)], value: i64) -> Result<(), JsonError> {
        if open.is_empty() || value == 0 {
            return Ok(());
        }
        self.stack.clear();
        self.stack.extend(open.iter().rev().map(|it| it.1));
        self.add(part, value)
    }

    /// Adds a sample on the scratch stack.
    fn add(&mut self, part: Part<'_>, value: i64) -> Result<(), JsonError> {
        if value == 0 {
            return Ok(());
        }
        let left = self.n_frames_left.checked_sub(self.stack.len() as u64);
        self.n_frames_left = left.ok_or(JsonError::TooLarge { limit: self.limit })?;
        self.values.fill(0);
        if let Some(own) = self.values.get_mut(part.target.sample_index) {
            *own = value;
        }
        let thread = LabelSpec::Str { key: "thread", value: part.thread };
        self.builder.sample(&self.stack, &self.values, &[thread]);
        Ok(())
    }

    fn frame(&self, part: Part<'_>, what: &'static str, idx: usize, frame: u32) -> Result<LocationId, JsonError> {
        let len = self.frames.len();
        let no_frame = || JsonError::NoFrame { profile: part.number, what, idx, frame, len };
        self.frames.get(frame as usize).copied().ok_or_else(no_frame)
    }
}

impl Part<'_> {
    fn since_start(&self, at: &Number) -> Option<i64> {
        self.target.since(self.profile.start_value.as_ref(), at)
    }

    #[cold]
    fn bad_value(&self, what: &'static str, idx: usize, found: &Number) -> JsonError {
        let unit = self.profile.unit.as_deref().unwrap_or("none").to_owned();
        JsonError::Value { profile: self.number, what, idx, found: found.to_string(), unit }
    }
}
