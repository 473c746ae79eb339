//! The weight of each source line of some functions: pprof's `list`, without the source.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use regex::Regex;
use rustc_hash::FxHashMap;

use super::paths;
use crate::profile::{FunctionId, Line, LocationId, Profile, StringId};

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
    let mut places = Places::new(profile, &regex, options);
    places.add_samples(profile, options);
    let mut functions: BTreeMap<&str, BTreeMap<&str, Vec<&Place>>> = BTreeMap::new();
    for place in places.places.iter().filter(|it| it.is_shown(options.drop_negative)) {
        let files = functions.entry(profile.string(place.key.name)).or_default();
        let path = places.paths[place.key.path].as_str();
        if !path.is_empty() {
            files.entry(path).or_default().push(place);
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

fn listed_file(path: &str, places: &[&Place]) -> ListedFile {
    let mut lines: BTreeMap<i64, Sums> = BTreeMap::new();
    let mut sum = Sums::default();
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    for place in places {
        let Key { line, start_line, .. } = place.key;
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

/// What pprof counts as one place of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    name: StringId,
    /// Index into [`Places::paths`].
    path: usize,
    binary: StringId,
    start_line: i64,
    line: i64,
    column: i64,
}

#[derive(Debug)]
struct Place {
    key: Key,
    sums: Sums,
    /// The last sample that counted here, plus one: recursion counts once a sample.
    last_sample: usize,
}

/// Weight that is still being summed: an average is divided last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    flat: i64,
    cum: i64,
    /// For averages: what to divide by.
    flat_count: i64,
    cum_count: i64,
}

/// The places of the functions that match.
struct Places {
    places: Vec<Place>,
    paths: Vec<String>,
    /// Those of each location, innermost first; `None` for a function that does not match.
    at: Vec<Option<usize>>,
    /// Where each location's end in `at`.
    ends: Vec<usize>,
}

impl Places {
    fn new(profile: &Profile, regex: &Regex, options: &ListingOptions) -> Self {
        let matches_nothing = regex.is_match("");
        let is_wanted: Vec<bool> =
            profile.functions().iter().map(|it| regex.is_match(profile.string(it.name))).collect();
        let mut finder = Finder::new(profile, options);
        let (mut at, mut ends) = (Vec::new(), Vec::with_capacity(profile.locations().len()));
        for (location, id) in profile.locations().iter().zip(profile.location_ids()) {
            let binary = location.mapping.map_or(StringId::default(), |it| profile.mapping(it).filename);
            let lines = profile.lines(id);
            if lines.is_empty() {
                at.push(matches_nothing.then(|| finder.unknown(binary)));
            }
            let outermost = lines.len().saturating_sub(1);
            let lines = lines.get(if options.noinlines { outermost } else { 0 }..).unwrap_or_default();
            at.extend(lines.iter().map(|it| is_wanted[it.function.index()].then(|| finder.place(it, binary))));
            ends.push(at.len());
        }
        let Finder { places, paths, .. } = finder;
        Places { places, paths, at, ends }
    }

    fn add_samples(&mut self, profile: &Profile, options: &ListingOptions) {
        let Places { places, at, ends, .. } = self;
        let at = |location: LocationId| {
            let idx = location.index();
            let start = if idx == 0 { 0 } else { ends[idx - 1] };
            &at[start..ends[idx]]
        };
        for (idx, sample) in profile.samples().enumerate() {
            let value = sample.values[options.sample_index];
            let count = if options.mean { sample.values[0] } else { 0 };
            if value == 0 && count == 0 {
                continue;
            }
            for place in sample.locations.iter().flat_map(|&it| at(it)).flatten() {
                places[*place].pass(idx + 1, value, count);
            }
            if let Some(Some(leaf)) = sample.locations.first().and_then(|&it| at(it).first()) {
                places[*leaf].sums.end(value, count);
            }
        }
    }
}

/// Numbers places as they come.
struct Finder<'a> {
    profile: &'a Profile,
    options: &'a ListingOptions,
    places: Vec<Place>,
    paths: Vec<String>,
    place_ids: FxHashMap<Key, usize>,
    path_ids: FxHashMap<String, usize>,
    /// The path of each function that was asked for.
    by_function: FxHashMap<FunctionId, usize>,
}

impl<'a> Finder<'a> {
    fn new(profile: &'a Profile, options: &'a ListingOptions) -> Self {
        let (place_ids, by_function) = (FxHashMap::default(), FxHashMap::default());
        // The first path is that of a place without one.
        let path_ids = FxHashMap::from_iter([(String::new(), 0)]);
        Finder { profile, options, places: Vec::new(), paths: vec![String::new()], place_ids, path_ids, by_function }
    }

    fn unknown(&mut self, binary: StringId) -> usize {
        self.intern(Key { name: StringId::default(), path: 0, binary, start_line: 0, line: 0, column: 0 })
    }

    fn place(&mut self, line: &Line, binary: StringId) -> usize {
        let function = self.profile.function(line.function);
        let path = self.path(line.function);
        let column = if self.options.show_columns { line.column } else { 0 };
        let (name, start_line, line) = (function.name, function.start_line, line.line);
        self.intern(Key { name, path, binary, start_line, line, column })
    }

    fn intern(&mut self, key: Key) -> usize {
        let places = &mut self.places;
        *self.place_ids.entry(key).or_insert_with(|| {
            places.push(Place { key, sums: Sums::default(), last_sample: 0 });
            places.len() - 1
        })
    }

    fn path(&mut self, function: FunctionId) -> usize {
        if let Some(&path) = self.by_function.get(&function) {
            return path;
        }
        let given = self.profile.string(self.profile.function(function).filename);
        let ListingOptions { trim_path, source_path, .. } = self.options;
        let path = paths::clean(paths::trim_source(given, trim_path, source_path));
        let paths = &mut self.paths;
        let id = *self.path_ids.entry(path).or_insert_with_key(|path| {
            paths.push(path.clone());
            paths.len() - 1
        });
        self.by_function.insert(function, id);
        id
    }
}

impl Place {
    fn pass(&mut self, stamp: usize, value: i64, count: i64) {
        if self.last_sample != stamp {
            self.last_sample = stamp;
            self.sums.pass(value, count);
        }
    }

    fn is_shown(&self, drop_negative: bool) -> bool {
        let Sums { flat, cum, .. } = self.sums;
        let is_negative = flat < 0 || (flat == 0 && cum < 0);
        (flat != 0 || cum != 0) && !(drop_negative && is_negative)
    }
}

impl Sums {
    pub(super) fn end(&mut self, value: i64, count: i64) {
        self.flat = self.flat.saturating_add(value);
        self.flat_count = self.flat_count.saturating_add(count);
    }

    pub(super) fn pass(&mut self, value: i64, count: i64) {
        self.cum = self.cum.saturating_add(value);
        self.cum_count = self.cum_count.saturating_add(count);
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Sums) {
        self.end(other.flat, other.flat_count);
        self.pass(other.cum, other.cum_count);
    }

    /// What they come to.
    #[must_use]
    pub fn weight(self) -> LineWeight {
        LineWeight { flat: super::per(self.flat, self.flat_count), cum: super::per(self.cum, self.cum_count) }
    }
}

#[cfg(test)]
mod tests;
