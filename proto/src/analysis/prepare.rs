//! What pprof does to a profile before any report: names simplified, dropped frames taken out.

use super::{names, prune};
use crate::profile::{Mapping, MappingId, Profile, StringId};

/// What [`prepare`] leaves undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrepareOptions {
    /// Keep the frames that `drop_frames` would take out.
    pub all_frames: bool,
    /// What functions are called.
    pub names: Names,
}

/// What functions are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Names {
    /// By name; where that is only the system name, or missing, simplified as C++.
    #[default]
    Simplified,
    /// By name.
    AsGiven,
    /// By system name, where there is one.
    System,
}

/// Something a reader of the report should know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The first mapping has neither names nor a file to look them up in.
    #[error("Main binary filename not available.")]
    NoMainBinary,
    /// Part of a filter was taken for a range of numbers, which someone who meant a pattern would not expect.
    #[error("{option}:Interpreted '{text}' as range, not regexp")]
    Range {
        /// The filter.
        option: &'static str,
        /// That part.
        text: String,
    },
    /// A filter fits none of the samples.
    #[error("{option} expression matched no samples")]
    NoMatch {
        /// The filter, as pprof's message spells it.
        option: &'static str,
    },
    /// The numbers of one label come in several units; they are all shown in one.
    #[error("For tag {key} used unit {used}, also encountered unit(s) {}", others.join(", "))]
    LabelUnits {
        /// The label's key.
        key: String,
        /// The unit.
        used: String,
        /// The others.
        others: Vec<String>,
    },
    /// A pattern in the profile is not one; it is not applied.
    #[error("{field} of the profile is ignored: {problem}")]
    BadPattern {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// Makes a decoded profile ready for reports, as pprof does on loading: simplifies names, takes out the frames that the
/// profile asks to drop, and puts locations into a mapping of no name if there is none. Once a profile; analyses take what comes out.
#[must_use]
pub fn prepare(mut profile: Profile, options: &PrepareOptions) -> (Profile, Vec<Warning>) {
    let mut warnings = Vec::new();
    if options.names != Names::AsGiven && lacks_main_binary(&profile) {
        warnings.push(Warning::NoMainBinary);
    }
    add_mapping(&mut profile);
    match options.names {
        Names::Simplified => names::simplify_names(&mut profile),
        Names::AsGiven => {}
        Names::System => names::use_system_names(&mut profile),
    }
    if !options.all_frames {
        prune::drop_frames(&mut profile, &mut warnings);
    }
    (profile, warnings)
}

/// Where a profile has no mappings, all is taken to be in one of no name.
fn add_mapping(profile: &mut Profile) {
    if !profile.mappings.is_empty() {
        return;
    }
    let nothing = StringId::default();
    profile.mappings.push(Mapping {
        start: 0,
        limit: 0,
        offset: 0,
        filename: nothing,
        build_id: nothing,
        has_functions: false,
        has_filenames: false,
        has_line_numbers: false,
        has_inline_frames: false,
    });
    profile.locations.iter_mut().for_each(|it| it.mapping = Some(MappingId(0)));
}

/// Locations of the first mapping, or of none if there are no mappings, for which no names can be had.
fn lacks_main_binary(profile: &Profile) -> bool {
    let Some(main) = profile.mappings().first() else {
        return !profile.locations().is_empty();
    };
    let is_used = || profile.locations().iter().any(|it| it.mapping.is_some_and(|id| id.index() == 0));
    let is_symbolized = main.has_functions || main.has_filenames || main.has_line_numbers;
    !is_symbolized && main.filename.index() == 0 && is_used()
}
