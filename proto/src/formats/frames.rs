//! The frames of stacks, inlined ones among them, as names and as numbers of a table.

use std::borrow::Cow;

use crate::profile::{Line, LocationId, Profile, SampleRef};

/// Where a stack without any frame is said to be, in formats that pass over such samples.
pub(super) const NO_STACK: &str = "[no stack]";

/// A frame of a location.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) location: LocationId,
    /// `None` where only the address is known.
    pub(super) line: Option<&'a Line>,
    /// How many calls were inlined to get here from the location's function.
    pub(super) inline_depth: u32,
}

/// The numbers of the frames that each location stands for.
#[derive(Debug)]
pub(super) struct FrameIds {
    at: Vec<u32>,
    /// Where each location's frames end in `at`; they begin where those before end.
    ends: Vec<usize>,
}

impl FrameIds {
    /// Asks `id` for the number of each frame of `profile`, a location's outermost first.
    pub(super) fn new<'a>(profile: &'a Profile, mut id: impl FnMut(Spot<'a>) -> u32) -> Self {
        let mut ids = FrameIds { at: Vec::new(), ends: Vec::with_capacity(profile.locations().len()) };
        for location in profile.location_ids() {
            let lines = profile.lines(location);
            if lines.is_empty() {
                ids.at.push(id(Spot { location, line: None, inline_depth: 0 }));
            }
            for (inline_depth, line) in (0..).zip(lines.iter().rev()) {
                ids.at.push(id(Spot { location, line: Some(line), inline_depth }));
            }
            ids.ends.push(ids.at.len());
        }
        ids
    }

    /// The frames of a stack, root first.
    pub(super) fn stack(&self, sample: SampleRef<'_>) -> impl Iterator<Item = u32> {
        sample.locations.iter().rev().flat_map(|it| self.of(*it)).copied()
    }

    fn of(&self, location: LocationId) -> &[u32] {
        let end = |idx: usize| self.ends.get(idx).copied();
        let start = location.index().checked_sub(1).and_then(end).unwrap_or(0);
        end(location.index()).and_then(|end| self.at.get(start..end)).unwrap_or_default()
    }
}

/// The frame's function as reports name it, `[binary]` if it has no name, and `<unknown>` if that is unknown, too.
pub(super) fn name<'a>(profile: &'a Profile, spot: Spot<'a>) -> Cow<'a, str> {
    let name = spot.line.map_or("", |it| profile.string(profile.function(it.function).name));
    if !name.is_empty() {
        return name.into();
    }
    match binary(profile, spot.location) {
        "" => "<unknown>".into(),
        binary => format!("[{binary}]").into(),
    }
}

/// The base name of the binary that a location is in, without the brackets of what is no file; may be empty.
pub(super) fn binary(profile: &Profile, location: LocationId) -> &str {
    let path = profile.location(location).mapping.map_or("", |it| profile.string(profile.mapping(it).filename));
    path.rsplit('/').find(|it| !it.is_empty()).unwrap_or("")
}
