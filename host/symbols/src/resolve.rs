//! Gives a profile's addresses the names that a module has for them.

use proto::analysis::base_name;
use proto::analysis::symbolize::{FoundLine, addresses_to_find, symbolize};
use proto::{FunctionSpec, Line, Mapping, MappingId, Profile};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{Frame, Module, Symbolizer, file_offset};

/// The mapping that is a module's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatchedMapping {
    /// Of the profile that was asked about.
    pub mapping: MappingId,
    /// How it is known.
    pub by: MatchedBy,
}

/// What tells that a mapping is a module's; the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchedBy {
    /// It is the same build.
    BuildId,
    /// The profile knows no build, but a file of that name.
    FileName,
    /// The profile knows no build, and there is no other mapping.
    OnlyMapping,
}

/// Why no mapping is a module's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoMapping {
    /// The profile does not say where its addresses belong.
    #[error("the profile names no file that its addresses lie in")]
    NoFiles,
    /// The file is another build. Its names may be right all the same: whoever wants them gives the mapping to
    /// [`resolve`].
    #[error("{file}: build ID mismatch ({found}, but the profile is of {expected})")]
    OtherBuild {
        /// The mapping that it would have been.
        mapping: MappingId,
        /// The mapping's file.
        file: String,
        /// The module's build id.
        found: String,
        /// The profile's.
        expected: String,
    },
    /// The profile is of other files.
    #[error("{file} is none of the files that the profile is of: {}", files.join(", "))]
    OtherFiles {
        /// The module's file.
        file: String,
        /// The profile's.
        files: Vec<String>,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// Addresses that were looked up.
    pub n_addresses: usize,
    /// Those with code of the module there. That all are says little, that few are means that it is another module.
    pub n_in_code: usize,
    /// Those for which the module knows more than the profile did.
    pub n_resolved: usize,
    /// Of these, those that have a source line now.
    pub n_with_lines: usize,
    /// Of these, those where calls are inlined.
    pub n_inlined: usize,
}

/// The mapping that is the module's: the one of its build, else of its file's name, else the only one. `file` is the
/// name under which the module was found; folders do not count.
///
/// # Errors
///
/// If there is none, or if that one is of another build.
pub fn find_mapping(profile: &Profile, module: &Module, file: &str) -> Result<MatchedMapping, NoMapping> {
    let mut used: Vec<MappingId> = profile.locations().iter().filter_map(|it| it.mapping).collect();
    used.sort_unstable();
    used.dedup();
    let build_id = |mapping: &Mapping| profile.string(mapping.build_id);
    let filename = |mapping: &Mapping| profile.string(mapping.filename);
    // A name in brackets is no file.
    let files = used.into_iter().map(|id| (id, profile.mapping(id))).filter(|(_, it)| !filename(it).starts_with('['));
    let files: Vec<(MappingId, &Mapping)> = files.collect();
    let of_build = |(_, it): &&(MappingId, &Mapping)| build_id(it).eq_ignore_ascii_case(module.build_id());
    if let Some(&(mapping, _)) = files.iter().find(of_build) {
        return Ok(MatchedMapping { mapping, by: MatchedBy::BuildId });
    }
    let mut of_name = files.iter().filter(|(_, it)| base_name(filename(it)) == base_name(file));
    let unknown_build = of_name.clone().find(|(_, it)| build_id(it).is_empty());
    let (&(mapping, found), by) = match (unknown_build.or_else(|| of_name.next()), files.as_slice()) {
        (Some(of_name), _) => (of_name, MatchedBy::FileName),
        (None, [only]) => (only, MatchedBy::OnlyMapping),
        (None, []) => return Err(NoMapping::NoFiles),
        (None, _) => {
            let files = files.iter().map(|(_, it)| base_name(filename(it)).to_owned()).collect();
            return Err(NoMapping::OtherFiles { file: file.to_owned(), files });
        }
    };
    if build_id(found).is_empty() {
        return Ok(MatchedMapping { mapping, by });
    }
    let [file, expected] = [base_name(filename(found)), build_id(found)].map(str::to_owned);
    Err(NoMapping::OtherBuild { mapping, file, found: module.build_id().to_owned(), expected })
}

/// The same profile with names, lines and inlined calls for the addresses of `mapping`, as far as the module has them.
/// Without `force` only where it knows more than the profile: a name or a line where there is none.
///
/// A profile of memory has less at some addresses than the module has, as the allocator's own frames are left out; with
/// `force` they come back.
#[must_use]
pub fn resolve(profile: Profile, symbolizer: &Symbolizer<'_>, mapping: MappingId, force: bool) -> (Profile, Resolved) {
    let known = if force { Known::default() } else { Known::read(&profile, mapping) };
    let place = *profile.mapping(mapping);
    let mut resolved = Resolved::default();
    let mut frames: FxHashMap<u64, Vec<Frame>> = FxHashMap::default();
    for address in addresses_to_find(&profile, Some(mapping), true) {
        if known.with_lines.contains(&address) {
            continue;
        }
        resolved.n_addresses += 1;
        let offset = file_offset(&place, address).filter(|&it| symbolizer.function_at(it).is_some());
        let Some(offset) = offset else { continue };
        resolved.n_in_code += 1;
        let found = symbolizer.frames(offset);
        let has_line = found.iter().any(|it| it.line != 0);
        let says_more = has_line || !known.with_names.contains(&address);
        if says_more {
            resolved.n_resolved += 1;
            resolved.n_with_lines += usize::from(has_line);
            resolved.n_inlined += usize::from(1 < found.len());
            frames.insert(address, found);
        }
    }
    let found = frames.iter().map(|(address, frames)| (*address, frames.iter().map(line_of).collect())).collect();
    (symbolize(profile, Some(mapping), &found), resolved)
}

/// Addresses of which a profile knows something.
#[derive(Debug, Default)]
struct Known {
    with_names: FxHashSet<u64>,
    with_lines: FxHashSet<u64>,
}

impl Known {
    fn read(profile: &Profile, mapping: MappingId) -> Self {
        let mut known = Self::default();
        let name = |line: &Line| profile.string(profile.function(line.function).name);
        for (location, id) in profile.locations().iter().zip(profile.location_ids()) {
            let lines = profile.lines(id);
            if location.mapping != Some(mapping) || lines.is_empty() {
                continue;
            }
            if lines.iter().any(|it| it.line != 0) {
                known.with_lines.insert(location.address);
            } else if !lines.iter().all(|it| is_number(name(it))) {
                known.with_names.insert(location.address);
            }
        }
        known
    }
}

/// Whether a name is what [`Symbolizer::frames`] says for want of one.
fn is_number(name: &str) -> bool {
    name.is_empty() || name.starts_with("wasm-function[")
}

fn line_of(frame: &Frame) -> FoundLine<'_> {
    let Frame { name, system_name, file, line, column, start_line } = frame;
    let function = FunctionSpec { name, system_name, filename: file, start_line: i64::from(*start_line) };
    FoundLine { function, line: i64::from(*line), column: i64::from(*column) }
}

#[cfg(test)]
mod tests;
