//! What is known of each function besides its values: name, place, colour. Numbers them for page and worker.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use proto::analysis::{FrameId, FrameOptions, Frames};
use proto::{Function, LocationId, Profile};

use crate::label;
use crate::protocol::{HOST, Look};

/// All functions of a profile, by name.
#[derive(Debug)]
pub(super) struct Catalog {
    profile: Rc<Profile>,
    known: Vec<Known>,
    by_name: HashMap<Rc<str>, u32>,
    /// The function of each frame. Frames are numbered alike whenever the same profile is asked with the same options.
    of_frame: Vec<u32>,
}

/// A function, and the line of a location where it was met first.
#[derive(Debug)]
struct Known {
    name: Rc<str>,
    /// Of most functions nobody asks for it.
    look: OnceCell<Look>,
    location: LocationId,
    line: usize,
}

/// All about a function.
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
    pub(super) fn new(profile: Rc<Profile>, options: &FrameOptions) -> Catalog {
        let frames = Frames::new(&profile, options);
        let (known, by_name, of_frame) = (Vec::new(), HashMap::new(), vec![u32::MAX; frames.len()]);
        let mut catalog = Catalog { profile, known, by_name, of_frame };
        for location in catalog.profile.location_ids() {
            for (line, &frame) in frames.at(location).iter().enumerate() {
                if catalog.of_frame.get(frame.index()) == Some(&u32::MAX) {
                    catalog.add(frame, frames.get(frame).label().into(), location, line);
                }
            }
        }
        catalog
    }

    fn add(&mut self, frame: FrameId, name: Rc<str>, location: LocationId, line: usize) {
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let function = *self.by_name.entry(Rc::clone(&name)).or_insert(next);
        if function == next {
            self.known.push(Known { name, look: OnceCell::new(), location, line });
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

    pub(super) fn name(&self, function: u32) -> Option<&str> {
        self.get(function).map(|it| &*it.name)
    }

    pub(super) fn look(&self, function: u32) -> Option<Look> {
        self.get(function).map(|it| self.look_at(it))
    }

    pub(super) fn look_of(&self, name: &str) -> Option<Look> {
        self.look(self.function(name)?)
    }

    /// What its colour stands for.
    pub(super) fn package(&self, function: u32) -> Option<&str> {
        self.get(function).map(|it| self.package_of(it))
    }

    /// All about it: for the one that is looked at.
    pub(super) fn entry(&self, function: u32) -> Option<Entry> {
        let known = self.get(function)?;
        let binary = self.binary(known);
        let (place, module) = match self.source(known) {
            Some((function, _)) if function.filename.index() == 0 => (binary.to_owned(), ""),
            Some((function, line)) => {
                let file = self.profile.string(function.filename);
                let line = if function.start_line > 0 { function.start_line } else { line };
                (if line > 0 { format!("{file}:{line}") } else { file.to_owned() }, binary)
            }
            None => (binary.to_owned(), ""),
        };
        let package = self.package_of(known).to_owned();
        Some(Entry {
            name: known.name.to_string(),
            place,
            module: module.to_owned(),
            package,
            look: self.look_at(known),
        })
    }

    fn look_at(&self, known: &Known) -> Look {
        *known.look.get_or_init(|| match self.binary(known) {
            HOST => Look::host(),
            _ => Look::guest(label::hue(self.package_of(known))),
        })
    }

    fn get(&self, function: u32) -> Option<&Known> {
        self.known.get(function as usize)
    }

    fn binary(&self, known: &Known) -> &str {
        let mapping = self.profile.location(known.location).mapping;
        mapping.map_or("", |mapping| self.profile.string(self.profile.mapping(mapping).filename))
    }

    /// The function as the profile has it, and the line.
    fn source(&self, known: &Known) -> Option<(&Function, i64)> {
        let line = self.profile.lines(known.location).get(known.line)?;
        Some((self.profile.function(line.function), line.line))
    }

    fn package_of<'a>(&'a self, known: &'a Known) -> &'a str {
        if self.binary(known) == HOST {
            return "host";
        }
        let file = self.source(known).map_or("", |(function, _)| self.profile.string(function.filename));
        label::package(&known.name, file)
    }
}
