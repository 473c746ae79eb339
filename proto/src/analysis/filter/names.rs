//! Samples and frames by names: `focus`, `ignore`, `hide` and `show`, as pprof's `FilterSamplesByName` has them.

use regex::Regex;

use super::Part;
use crate::profile::{Line, Location, Profile, Samples};

/// The compiled options.
#[derive(Debug)]
pub(super) struct Patterns {
    pub(super) focus: Option<Regex>,
    pub(super) ignore: Option<Regex>,
    pub(super) hide: Option<Regex>,
    pub(super) show: Option<Regex>,
}

/// What a pattern says of everything that has a name.
pub(super) struct Matches {
    functions: Vec<bool>,
    mappings: Vec<bool>,
}

impl Matches {
    pub(super) fn new(profile: &Profile, pattern: &Regex) -> Self {
        let is_match = |id| pattern.is_match(profile.string(id));
        Matches {
            functions: profile.functions().iter().map(|it| is_match(it.name) || is_match(it.filename)).collect(),
            mappings: profile.mappings().iter().map(|it| is_match(it.filename)).collect(),
        }
    }

    pub(super) fn line(&self, line: &Line) -> bool {
        self.functions[line.function.index()]
    }

    pub(super) fn mapping(&self, location: &Location) -> bool {
        location.mapping.is_some_and(|it| self.mappings[it.index()])
    }

    fn location(&self, location: &Location, lines: &[Line]) -> bool {
        lines.iter().any(|it| self.line(it)) || self.mapping(location)
    }
}

/// What a location does for the samples it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Nothing.
    None,
    /// They are shown.
    Focused,
    /// They are not, whatever else is in them.
    Ignored,
}

pub(super) fn filter(part: &mut Part<'_>, patterns: &Patterns) {
    let Patterns { focus, ignore, hide, show } = patterns;
    if [focus, ignore, hide, show].iter().all(|it| it.is_none()) {
        return;
    }
    let profile = part.profile.as_ref();
    let [focus, ignore, hide, show] =
        [focus, ignore, hide, show].map(|it| it.as_ref().map(|it| Matches::new(profile, it)));
    let roles = roles(profile, focus.as_ref(), ignore.as_ref());
    let any = |role| roles.contains(&role);
    let (any_focused, any_ignored) = (any(Role::Focused), any(Role::Ignored));

    let is_cutting = hide.is_some() || show.is_some();
    let cut = is_cutting.then(|| CutLines::new(profile, hide.as_ref(), show.as_ref()));
    let samples = kept_samples(profile, &roles, cut.as_ref());
    part.set_samples(samples);
    part.warn_unless(focus.is_none() || any_focused, "Focus");
    part.warn_unless(ignore.is_none() || any_ignored, "Ignore");
    if let Some(cut) = cut {
        part.warn_unless(hide.is_none() || cut.any_hidden, "Hide");
        part.warn_unless(show.is_none() || cut.any_shown, "Show");
        let profile = part.profile.to_mut();
        profile.locations = cut.locations;
        profile.lines = cut.lines;
    }
}

fn roles(profile: &Profile, focus: Option<&Matches>, ignore: Option<&Matches>) -> Vec<Role> {
    let role = |location: &Location| {
        let lines = &profile.lines[location.lines()];
        if ignore.is_some_and(|it| it.location(location, lines)) {
            Role::Ignored
        } else if focus.is_none_or(|it| it.location(location, lines)) {
            Role::Focused
        } else {
            Role::None
        }
    };
    profile.locations().iter().map(role).collect()
}

/// The tables without the lines that are not to be seen.
struct CutLines {
    locations: Vec<Location>,
    lines: Vec<Line>,
    /// By location: whether nothing is left of it.
    is_gone: Vec<bool>,
    any_hidden: bool,
    any_shown: bool,
}

impl CutLines {
    fn new(profile: &Profile, hide: Option<&Matches>, show: Option<&Matches>) -> Self {
        let n_locations = profile.locations().len();
        let mut cut = CutLines {
            locations: Vec::with_capacity(n_locations),
            lines: Vec::new(),
            is_gone: Vec::with_capacity(n_locations),
            any_hidden: false,
            any_shown: false,
        };
        for location in profile.locations() {
            let lines = &profile.lines[location.lines()];
            let is_hidden = hide.is_some_and(|it| it.location(location, lines));
            let start = cut.lines.len();
            cut.lines.extend(lines.iter().filter(|it| is_line_kept(location, it, hide, show)));
            let is_empty = cut.lines.len() == start;
            cut.any_hidden |= is_hidden;
            cut.any_shown |= show.is_some() && !is_empty;
            // As pprof has it, `show` takes what has no lines away, even if it matches by its binary.
            cut.is_gone.push(is_empty && (is_hidden || show.is_some()));
            let [lines_start, lines_end] = [start, cut.lines.len()].map(|it| u32::try_from(it).unwrap_or(u32::MAX));
            cut.locations.push(Location { lines_start, lines_end, ..*location });
        }
        cut
    }
}

fn is_line_kept(location: &Location, line: &Line, hide: Option<&Matches>, show: Option<&Matches>) -> bool {
    let is_hidden = hide.is_some_and(|it| it.mapping(location) || it.line(line));
    let is_shown = show.is_none_or(|it| it.mapping(location) || it.line(line));
    !is_hidden && is_shown
}

fn kept_samples(profile: &Profile, roles: &[Role], cut: Option<&CutLines>) -> Samples {
    let mut samples = Samples::default();
    let mut stack = Vec::new();
    for sample in profile.samples() {
        let role = |it: &crate::LocationId| roles[it.index()];
        let is_shown = sample.locations.iter().any(|it| role(it) == Role::Focused)
            && !sample.locations.iter().any(|it| role(it) == Role::Ignored);
        if !is_shown {
            continue;
        }
        stack.clear();
        stack.extend(sample.locations.iter().filter(|it| cut.is_none_or(|cut| !cut.is_gone[it.index()])));
        if !stack.is_empty() {
            samples.push(&stack, sample.values, sample.labels);
        }
    }
    samples
}
