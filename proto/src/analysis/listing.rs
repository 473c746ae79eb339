//! The weight of each source line of some functions: pprof's `list`, without the source.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use regex::Regex;

use super::frames::{Frame, FrameOptions, Frames, Granularity};
use super::graph::{Calls, Graph, GraphOptions, Order, Sums, TrimOptions, trimmed};
use crate::profile::Profile;

/// How many lines around those with weight are shown.
const MARGIN: i64 = 5;

/// What to list, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ListingOptions {
    /// Which of a sample's values; see [`sample_index`](super::sample_index).
    pub sample_index: usize,
    /// Averages: values divided by the first value, a count. (pprof's `list` prints the sums beside an average total.)
    pub mean: bool,
    /// Leave out places with negative values, as differences have.
    pub drop_negative: bool,
    /// Count inlined functions as part of the function they were inlined into.
    pub noinlines: bool,
    /// Tell columns of a line apart: one that recurs in another column of a line counts twice in the line's cum.
    pub show_columns: bool,
    /// Path prefixes to take off file names, separated by `:`; may be empty.
    pub trim_path: String,
    /// Folders that sources are looked for in, separated by `:`; see [`trim_source`](super::trim_source).
    pub source_path: String,
}

/// Why there is nothing to list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListingError {
    /// The text is no pattern.
    #[error("parsing argument regexp {pattern}: {problem}")]
    BadPattern {
        /// As it was given.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No function with weight has such a name.
    #[error("no matches found for regexp: {pattern}")]
    NoMatch {
        /// As it was given.
        pattern: String,
    },
}

/// A function, in all files that have code of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFunction {
    /// Its name; empty for places whose function is not known.
    pub name: String,
    /// By path; empty if the profile knows none.
    pub files: Vec<ListedFile>,
}

/// The part of a function that is in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Trimmed and cleaned.
    pub path: String,
    /// The sum over all lines. As pprof has it, a sample counts in cum once for each line that it passes, so
    /// recursion through two lines counts twice.
    pub sum: LineWeight,
    /// The lines to show, 1-based: from where the function begins to a little past the last with weight.
    pub shown: RangeInclusive<i64>,
    /// The lines that have weight. Line 0 is one that is not known.
    pub lines: BTreeMap<i64, LineWeight>,
}

/// What was measured in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineWeight {
    /// The value of samples whose leaf is here.
    pub flat: i64,
    /// The value of samples that pass here, each once however often it does.
    pub cum: i64,
}

/// The functions of `profile` whose names match `pattern`, by name, with the weight of their lines.
/// [`prepare`](super::prepare) the profile first.
///
/// # Errors
///
/// If `pattern` is none, or no function with weight has such a name.
///
/// # Panics
///
/// If `options.sample_index` is not below the number of sample types and there are samples.
pub fn listing(
    profile: &Profile,
    pattern: &str,
    options: &ListingOptions,
) -> Result<Vec<ListedFunction>, ListingError> {
    let regex = Regex::new(pattern).map_err(|err| {
        let (pattern, problem) = (pattern.to_owned(), err.to_string());
        ListingError::BadPattern { pattern, problem }
    })?;
    let frames = Frames::new(profile, &options.frames(Granularity::Lines));
    let graph = options.graph(profile, &frames);
    let mut functions: BTreeMap<&str, BTreeMap<&str, Vec<Place<'_>>>> = BTreeMap::new();
    for node in graph.shown().iter().map(|&it| graph.node(it)) {
        let place = Place { frame: frames.get(node.frame), sums: node.sums };
        if !regex.is_match(place.frame.name) {
            continue;
        }
        let files = functions.entry(place.frame.name).or_default();
        if !place.frame.file.is_empty() {
            files.entry(place.frame.file).or_default().push(place);
        }
    }
    if functions.is_empty() {
        return Err(ListingError::NoMatch { pattern: pattern.to_owned() });
    }
    let functions = functions.into_iter().map(|(name, files)| ListedFunction {
        name: name.to_owned(),
        files: files.into_iter().map(|(path, places)| listed_file(path, &places)).collect(),
    });
    Ok(functions.collect())
}

/// An address that has code of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineAddress {
    /// The path of the binary; may be empty.
    pub binary: String,
    /// In wasm, the offset in the file.
    pub address: u64,
    /// What was measured there.
    pub weight: LineWeight,
}

/// By address and binary.
type SumsByAddress<'a> = BTreeMap<(u64, &'a str), Sums>;

/// Where the code of a function's lines is, as far as it has weight: by file, as in [`ListedFile::path`], and line, its
/// addresses in order. `function` is the whole name.
///
/// # Panics
///
/// If `options.sample_index` is not below the number of sample types and there are samples.
#[must_use]
pub fn line_addresses(
    profile: &Profile,
    function: &str,
    options: &ListingOptions,
) -> BTreeMap<(String, i64), Vec<LineAddress>> {
    let frames = Frames::new(profile, &options.frames(Granularity::Addresses));
    let graph = options.graph(profile, &frames);
    let mut lines: BTreeMap<(&str, i64), SumsByAddress<'_>> = BTreeMap::new();
    for node in graph.shown().iter().map(|&it| graph.node(it)) {
        let Frame { name, file, binary, line, address, .. } = frames.get(node.frame);
        if name == function {
            lines.entry((file, line)).or_default().entry((address, binary)).or_default().add(&node.sums);
        }
    }
    let address = |((address, binary), sums): ((u64, &str), Sums)| LineAddress {
        binary: binary.to_owned(),
        address,
        weight: sums.weight(),
    };
    let line = |((file, line), addresses): ((&str, i64), SumsByAddress<'_>)| {
        ((file.to_owned(), line), addresses.into_iter().map(address).collect())
    };
    lines.into_iter().map(line).collect()
}

impl ListingOptions {
    fn graph(&self, profile: &Profile, frames: &Frames) -> Graph {
        let &ListingOptions { sample_index, mean, drop_negative, .. } = self;
        let graph =
            GraphOptions { sample_index, mean, drop_negative, calls: Calls::IntoInlined, ..GraphOptions::default() };
        trimmed(profile, frames, &graph, &TrimOptions::NOTHING, Order::Flat).graph
    }

    /// What counts as one place; for pprof, of a listing, a line.
    fn frames(&self, granularity: Granularity) -> FrameOptions {
        let ListingOptions { noinlines, show_columns, trim_path, source_path, .. } = self.clone();
        FrameOptions { granularity, noinlines, show_columns, trim_path, source_path, binaries: true }
    }
}

/// A line of a function.
struct Place<'a> {
    frame: Frame<'a>,
    sums: Sums,
}

fn listed_file(path: &str, places: &[Place<'_>]) -> ListedFile {
    let mut lines: BTreeMap<i64, Sums> = BTreeMap::new();
    let mut sum = Sums::default();
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    for place in places {
        let Frame { line, start_line, .. } = place.frame;
        first = first.min(if start_line == 0 { line.saturating_sub(MARGIN) } else { start_line });
        last = last.max(line.saturating_add(MARGIN));
        lines.entry(line).or_default().add(&place.sums);
        sum.add(&place.sums);
    }
    ListedFile {
        path: path.to_owned(),
        sum: sum.weight(),
        shown: first.max(1)..=last,
        lines: lines.into_iter().map(|(line, sums)| (line, sums.weight())).collect(),
    }
}

impl Sums {
    /// What they come to.
    #[must_use]
    pub fn weight(self) -> LineWeight {
        LineWeight { flat: self.flat_value(), cum: self.cum_value() }
    }
}

#[cfg(test)]
mod tests;
