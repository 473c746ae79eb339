//! Folded stacks: a line for each, its frames from the root and a value, as Brendan Gregg's flamegraph.pl, inferno,
//! speedscope and many more read them.
//!
//! ```text
//! main;parse;next_token 12
//! main;print 3
//! ```
//!
//! The format has one value a stack and says not what it counts. Labels, addresses, files and lines are dropped; inlined
//! functions are frames of their own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;

use rustc_hash::FxHashMap;

use super::error::{LineError, LineProblem, ReadError, WriteError};
use super::frames::{FrameIds, NO_STACK, name};
use super::{positive, sample_type, text};
use crate::codec::{Limits, plain};
use crate::profile::{FunctionSpec, Line, LocationId, Profile, ProfileBuilder};

/// What values are taken to count when nobody says: a sample type's name and unit.
pub const SAMPLES: (&str, &str) = ("samples", "count");

/// Writes the samples of one sample type, in the profile's order; those of value 0 are left out. A sample without a
/// stack is written as a frame `[no stack]`, since readers drop it otherwise.
///
/// Names are changed where they would be read as something else: `;` becomes `:`, and the last space of `f 12` becomes
/// `_`, as readers take two numbers at a line's end for the two sides of a comparison.
///
/// # Errors
///
/// If a value is negative, there is no such sample type, or `out` takes no more.
pub fn write(out: &mut impl Write, profile: &Profile, sample_index: usize) -> Result<(), WriteError> {
    sample_type(profile, sample_index)?;
    let mut names: Vec<String> = Vec::new();
    let mut ids: FxHashMap<Cow<'_, str>, u32> = FxHashMap::default();
    let frames = FrameIds::new(profile, |spot| {
        *ids.entry(name(profile, spot)).or_insert_with_key(|name| {
            names.push(safe(name));
            // A name or less for each line and location of the profile, which are counted in 32 bits.
            u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
        })
    });
    for sample in profile.samples() {
        let value = positive(profile, sample, sample_index)?;
        if value == 0 {
            continue;
        }
        let mut separator = "";
        for name in frames.stack(sample).filter_map(|it| names.get(it as usize)) {
            write!(out, "{separator}{name}")?;
            separator = ";";
        }
        let nothing = if separator.is_empty() { NO_STACK } else { "" };
        writeln!(out, "{nothing} {value}")?;
    }
    Ok(())
}

/// A name that stays one frame, wherever it is in a line.
fn safe(name: &str) -> String {
    let one_frame = |it: char| match it {
        ';' => ':',
        it if it.is_control() => ' ',
        it => it,
    };
    let mut name: String = name.trim().chars().map(one_frame).collect();
    if let Some((rest, number)) = name.trim().rsplit_once(char::is_whitespace)
        && is_number(number)
    {
        name = format!("{rest}_{number}");
    }
    match name.trim() {
        "" => "<unknown>".to_owned(),
        // inferno passes over lines that begin with these and a space.
        "#" => "#_".to_owned(),
        comment if comment.starts_with("# ") => comment.replacen(' ', "_", 1),
        name => name.to_owned(),
    }
}

/// What readers take for a value: digits, and maybe a point and more of them.
fn is_number(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_digit()) && word.bytes().all(|it| it.is_ascii_digit() || it == b'.')
}

/// Reads folded stacks, gzipped or not, whose values count [`SAMPLES`].
///
/// Blank lines and those that begin with `# ` are passed over; the value may be separated by a tab.
///
/// # Errors
///
/// If a line is no folded stack, there is none at all, or the file is larger than the limit.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Profile, ReadError> {
    Ok(read_text(&text(&plain(bytes, limits)?), SAMPLES)?)
}

/// The same of a text, whose values count `counted`: a sample type's name and unit.
pub(super) fn read_text(text: &str, counted: (&str, &str)) -> Result<Profile, LineError> {
    let mut builder = ProfileBuilder::new(&[counted]);
    let mut locations: HashMap<&str, LocationId> = HashMap::new();
    let mut stack = Vec::new();
    let mut n_lines = 0;
    for (line, text) in lines(text) {
        n_lines = line;
        let (frames, value) = parse(text).map_err(|problem| LineError { line, problem })?;
        stack.clear();
        stack.extend(frames.split(';').map(|name| *locations.entry(name).or_insert_with(|| add(&mut builder, name))));
        stack.reverse();
        builder.sample(&stack, &[value], &[]);
    }
    if n_lines == 0 {
        return Err(LineError { line: 1, problem: LineProblem::Nothing });
    }
    Ok(builder.finish())
}

/// Whether the first line looks so much like a folded stack that all should be.
pub(super) fn begins(text: &str) -> bool {
    lines(text).next().is_some_and(|(_, line)| line.contains(';') && parse(line).is_ok())
}

/// The lines that say something, and their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty() && !line.starts_with("# "))
}

fn parse(line: &str) -> Result<(&str, i64), LineProblem> {
    if line.contains(|it: char| it.is_control() && it != '\t') {
        return Err(LineProblem::NotText);
    }
    let (frames, value) = line.rsplit_once([' ', '\t']).unwrap_or(("", line));
    let found = || value.chars().take(40).collect();
    if value.is_empty() || !value.bytes().all(|it| it.is_ascii_digit()) {
        let is_number = value.parse::<f64>().is_ok();
        return Err(if is_number {
            LineProblem::NotWhole { found: found() }
        } else {
            LineProblem::NoValue { found: found() }
        });
    }
    let frames = frames.trim_end();
    if frames.is_empty() {
        return Err(LineProblem::NoStack);
    }
    let value =
        value.parse().map_err(|_too_large: std::num::ParseIntError| LineProblem::TooLarge { found: found() })?;
    Ok((frames, value))
}

fn add(builder: &mut ProfileBuilder, name: &str) -> LocationId {
    let function = builder.function(FunctionSpec { name, ..FunctionSpec::default() });
    builder.location(None, 0, &[Line { function, line: 0, column: 0 }])
}

#[cfg(test)]
mod tests;
