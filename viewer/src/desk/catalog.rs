//! What is known of each function besides its values: name, place, colour. Numbers them for page and worker.

use std::collections::HashMap;

use proto::analysis::{FrameId, FrameOptions, Frames};
use proto::{LocationId, Profile};

use crate::label;
use crate::protocol::Look;

/// pprof calls what runs outside the guest by names in brackets; wprof's is this.
const HOST: &str = "[host]";

/// All functions of a profile, by name.
#[derive(Debug)]
pub(super) struct Catalog {
    entries: Vec<Entry>,
    by_name: HashMap<String, u32>,
    /// The entry of each frame. Frames are numbered alike whenever the same profile is asked with the same options.
    of_frame: Vec<u32>,
}

/// A function.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) name: String,
    /// `file:line`, the binary, or nothing.
    pub(super) place: String,
    /// The binary, where `place` is something else.
    pub(super) module: String,
    /// What its colour stands for.
    pub(super) package: String,
    pub(super) look: Look,
}

impl Catalog {
    pub(super) fn new(profile: &Profile, options: &FrameOptions) -> Catalog {
        let frames = Frames::new(profile, options);
        let mut catalog =
            Catalog { entries: Vec::new(), by_name: HashMap::new(), of_frame: vec![u32::MAX; frames.len()] };
        for location in profile.location_ids() {
            for (line, &frame) in frames.at(location).iter().enumerate() {
                if catalog.of_frame.get(frame.index()) == Some(&u32::MAX) {
                    let found = entry(profile, location, line, frames.get(frame).label());
                    catalog.add(frame, found);
                }
            }
        }
        catalog
    }

    fn add(&mut self, frame: FrameId, entry: Entry) {
        let next = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let function = *self.by_name.entry(entry.name.clone()).or_insert(next);
        if function == next {
            self.entries.push(entry);
        }
        if let Some(of_frame) = self.of_frame.get_mut(frame.index()) {
            *of_frame = function;
        }
    }

    /// The number of the function of that name.
    pub(super) fn function(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    pub(super) fn of_frame(&self, frame: FrameId) -> u32 {
        self.of_frame.get(frame.index()).copied().unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, function: u32) -> Option<&Entry> {
        self.entries.get(function as usize)
    }
}

/// Describes the function at `line` of a location, where it was met first.
fn entry(profile: &Profile, id: LocationId, line: usize, name: String) -> Entry {
    let binary = profile.location(id).mapping.map_or("", |mapping| profile.string(profile.mapping(mapping).filename));
    let lines = profile.lines(id);
    let source = lines.get(line).map(|line| (profile.function(line.function), line.line));
    let (file, place, module) = match source {
        Some((function, _)) if function.filename.index() == 0 => ("", binary.to_owned(), ""),
        Some((function, line)) => {
            let file = profile.string(function.filename);
            let line = if function.start_line > 0 { function.start_line } else { line };
            (file, if line > 0 { format!("{file}:{line}") } else { file.to_owned() }, binary)
        }
        None => ("", binary.to_owned(), ""),
    };
    let (look, package) = if binary == HOST {
        (Look::host(), "host")
    } else {
        let package = label::package(&name, file);
        (Look::guest(label::hue(package)), package)
    };
    Entry { place, module: module.to_owned(), package: package.to_owned(), look, name }
}
