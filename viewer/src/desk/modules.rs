//! Modules that were dropped beside profiles: names, lines and inlined calls for addresses, and functions as WAT.

use std::rc::Rc;

use proto::analysis::{PrepareOptions, address_weights, prepare};
use proto::{MappingId, Profile};
use symbols::{Kind, Listing, MatchedBy, Module, Resolved, find_mapping, resolve, weights_in_file};

use super::lines::share;
use super::subject::Subject;
use crate::protocol::{Code, CodeLine, FileId, Source};

/// Functions that another one was inlined into may be many; so many of them are shown.
const MOST_FUNCTIONS: usize = 3;

/// The modules that are open.
#[derive(Debug, Default)]
pub(super) struct Modules(Vec<(FileId, Rc<OpenModule>)>);

#[derive(Debug)]
struct OpenModule {
    name: String,
    module: Module,
}

impl Modules {
    /// Reads a module; the answer is what it is.
    pub(super) fn add(&mut self, id: FileId, name: &str, bytes: Vec<u8>) -> Result<String, String> {
        let module = Module::parse(bytes).map_err(|error| error.to_string())?;
        let kind = match module.kind() {
            Kind::Core => "module",
            Kind::Component => "component",
        };
        let has = match (module.has_names(), module.has_dwarf()) {
            (true, true) => "with names and lines",
            (true, false) => "with names",
            (false, true) => "with lines",
            (false, false) => "without names or lines",
        };
        self.0.push((id, Rc::new(OpenModule { name: name.to_owned(), module })));
        Ok(format!("{kind} {has}"))
    }

    pub(super) fn close(&mut self, id: FileId) {
        self.0.retain(|(other, _)| *other != id);
    }

    /// The profile with all that the modules know of it, and what that was; `None` if it is nothing.
    pub(super) fn resolved(&self, profile: &Profile) -> Option<(Profile, Vec<String>)> {
        let mut known: Option<Profile> = None;
        let mut said = Vec::new();
        for (_, open) in &self.0 {
            let (more, told) = open.resolved(known.as_ref().unwrap_or(profile));
            said.push(format!("{}: {told}", open.name));
            known = more.or(known);
        }
        known.map(|profile| (profile, said))
    }

    /// The same of the module that came last, for a profile that the others have been asked about.
    pub(super) fn resolved_by_last(&self, profile: &Profile) -> (Option<Profile>, Option<String>) {
        let last = self.0.last().map(|(_, open)| open.resolved(profile));
        last.map_or((None, None), |(known, told)| (known, Some(told)))
    }

    /// The module of a mapping.
    fn of_mapping(&self, profile: &Profile, mapping: MappingId) -> Option<&OpenModule> {
        let is_its = |open: &OpenModule| {
            find_mapping(profile, &open.module, &open.name).is_ok_and(|found| found.mapping == mapping)
        };
        self.0.iter().map(|(_, open)| &**open).find(|open| is_its(open))
    }
}

impl OpenModule {
    /// The profile with what this module knows of it, if that is anything, and what it was, or why nothing.
    fn resolved(&self, profile: &Profile) -> (Option<Profile>, String) {
        let found = match find_mapping(profile, &self.module, &self.name) {
            Ok(found) => found,
            Err(why) => return (None, why.to_string()),
        };
        let (more, resolved) = resolve(profile.clone(), &self.module.symbolizer(), found.mapping, false);
        let known = (resolved.n_resolved > 0).then(|| prepare(more, &PrepareOptions::default()).0);
        (known, told(&resolved, found.by))
    }
}

fn told(resolved: &Resolved, by: MatchedBy) -> String {
    let Resolved { n_addresses, n_in_code, n_resolved, n_with_lines, .. } = *resolved;
    let by = match by {
        MatchedBy::BuildId => "the profile's build",
        MatchedBy::FileName => "by its name the profile's, which tells no build",
        MatchedBy::OnlyMapping => "taken for the profile's only file",
    };
    if n_addresses == 0 {
        return format!("{by}; the profile knew all of it already");
    }
    format!("{by}; {n_resolved} of {n_addresses} addresses named, {n_with_lines} with lines, {n_in_code} in its code")
}

impl Subject {
    /// Adds the instructions of a function to its lines: its own, or else those of functions that it was inlined into.
    pub(super) fn add_code(&self, function: &str, source: &mut Source, modules: &Modules) {
        let profile = &*self.profile;
        let has_function = |location| {
            profile.lines(location).iter().any(|line| profile.string(profile.function(line.function).name) == function)
        };
        let locations = profile.location_ids().filter(|&it| has_function(it)).map(|it| profile.location(it));
        let mut places: Vec<(MappingId, u64)> = locations.filter_map(|it| Some((it.mapping?, it.address))).collect();
        places.sort_unstable();
        for places in places.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(mapping, _)) = places.first() else { continue };
            let Some(open) = modules.of_mapping(profile, mapping) else { continue };
            let weights = address_weights(profile, Some(mapping), self.sample_index(), false);
            let weights = weights_in_file(profile.mapping(mapping), &weights);
            let offsets = places.iter().filter_map(|it| symbols::file_offset(profile.mapping(mapping), it.1));
            let offsets: Vec<u32> = offsets.collect();
            let Ok(mut listings) = open.module.listings(&offsets) else { continue };
            let cum = |it: &Listing| it.weights(&weights).0.cum.saturating_abs();
            listings.sort_by_key(|it| (it.function.name != function, std::cmp::Reverse(cum(it))));
            let codes = listings.iter().take(MOST_FUNCTIONS).map(|it| self.code(it, &open.name, &weights));
            source.code.extend(codes);
        }
    }

    fn code(
        &self,
        listing: &Listing,
        module: &str,
        weights: &std::collections::BTreeMap<u32, proto::analysis::graph::Sums>,
    ) -> Code {
        let (whole, sums) = listing.weights(weights);
        let most = whole.cum.saturating_abs().max(1);
        let mut last_place = String::new();
        let lines = listing.instructions.iter().zip(sums).map(|(instruction, sums)| {
            let place = instruction.source.as_ref().map(|it| format!("{}:{}", it.file, it.line)).unwrap_or_default();
            let is_new = !place.is_empty() && place != last_place;
            if is_new {
                last_place.clone_from(&place);
            }
            CodeLine {
                address: format!("{:#x}", instruction.offset),
                flat: self.column(sums.flat),
                cum: self.column(sums.cum),
                heat: share(sums.cum, most),
                depth: u32::try_from(instruction.depth).unwrap_or(0).min(40),
                text: instruction.text.clone(),
                place: if is_new { place } else { String::new() },
            }
        });
        Code { module: module.to_owned(), function: listing.function.name.clone(), lines: lines.collect() }
    }
}
