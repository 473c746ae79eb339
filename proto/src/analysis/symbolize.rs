//! Puts names to addresses, as something that knows the binary tells them.

use rustc_hash::FxHashMap;

use crate::profile::{Function, FunctionId, FunctionSpec, Line, LocationId, MappingId, Profile};

/// A source line that an address was found to stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoundLine<'a> {
    /// The function.
    pub function: FunctionSpec<'a>,
    /// 1-based; 0 if unknown.
    pub line: i64,
    /// 1-based; 0 if unknown.
    pub column: i64,
}

/// The addresses in a mapping, or outside of all, whose lines are not known; ascending, each once. With `all`, those
/// whose lines are known as well.
#[must_use]
pub fn addresses_to_find(profile: &Profile, mapping: Option<MappingId>, all: bool) -> Vec<u64> {
    let is_wanted = |id: LocationId| all || profile.lines(id).is_empty();
    let mut addresses: Vec<u64> = (profile.locations().iter().zip(profile.location_ids()))
        .filter(|(it, id)| it.mapping == mapping && it.address != 0 && is_wanted(*id))
        .map(|(it, _)| it.address)
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The same profile with what was found: for some addresses of a mapping their lines, innermost first. An address
/// with no lines stays as it was.
#[must_use]
pub fn symbolize<'a>(
    mut profile: Profile,
    mapping: Option<MappingId>,
    found: &FxHashMap<u64, Vec<FoundLine<'a>>>,
) -> Profile {
    let mut functions = FxHashMap::default();
    for idx in 0..profile.locations.len() {
        let location = profile.locations[idx];
        if location.mapping != mapping {
            continue;
        }
        let Some(lines) = found.get(&location.address).filter(|it| !it.is_empty()) else { continue };
        let (Ok(start), Ok(end)) =
            (u32::try_from(profile.lines.len()), u32::try_from(profile.lines.len() + lines.len()))
        else {
            // Lines are numbered in u32. The rest of a profile of that size keeps its addresses.
            break;
        };
        for found in lines {
            let line = line(&mut profile, &mut functions, found);
            profile.lines.push(line);
        }
        let location = &mut profile.locations[idx];
        (location.lines_start, location.lines_end, location.is_folded) = (start, end, false);
    }
    if let Some(mapping) = mapping.and_then(|it| profile.mappings.get_mut(it.index())) {
        let any = |has: fn(&FoundLine<'_>) -> bool| found.values().flatten().any(has);
        mapping.has_functions |= any(|it| !it.function.name.is_empty());
        mapping.has_filenames |= any(|it| !it.function.filename.is_empty());
        mapping.has_line_numbers |= any(|it| it.line != 0);
        mapping.has_inline_frames |= found.values().any(|it| 1 < it.len());
    }
    profile
}

fn line<'a>(
    profile: &mut Profile,
    functions: &mut FxHashMap<FunctionSpec<'a>, FunctionId>,
    found: &FoundLine<'a>,
) -> Line {
    let spec = found.function;
    let function = *functions.entry(spec).or_insert_with(|| {
        let strings = &mut profile.strings;
        profile.functions.push(Function {
            name: strings.intern(spec.name),
            system_name: strings.intern(spec.system_name),
            filename: strings.intern(spec.filename),
            start_line: spec.start_line,
        });
        // Functions are no more than lines, which fit.
        FunctionId(u32::try_from(profile.functions.len() - 1).unwrap_or(u32::MAX))
    });
    Line { function, line: found.line, column: found.column }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MappingSpec, ProfileBuilder};

    fn found(name: &'static str) -> FoundLine<'static> {
        FoundLine { function: FunctionSpec { name, ..FunctionSpec::default() }, line: 3, column: 0 }
    }

    fn names(profile: &Profile) -> Vec<String> {
        let name = |line: &Line| profile.string(profile.function(line.function).name);
        profile.location_ids().map(|it| profile.lines(it).iter().map(name).collect::<Vec<_>>().join(">")).collect()
    }

    #[test]
    fn found_lines_take_the_place_of_addresses() {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        let [ours, other] = [0, 100].map(|start| {
            let spec = MappingSpec { start, limit: start + 100, ..MappingSpec::default() };
            builder.mapping(spec)
        });
        let known = builder.function(FunctionSpec { name: "known", ..FunctionSpec::default() });
        let known = [Line { function: known, line: 1, column: 0 }];
        let locations = [
            builder.location(Some(ours), 8, &[]),
            builder.location(Some(ours), 9, &[]),
            builder.location(Some(ours), 10, &known),
            builder.location(Some(other), 8, &[]),
            builder.location(None, 8, &[]),
            builder.location(Some(ours), 0, &[]),
        ];
        builder.sample(&locations, &[1], &[]);
        let profile = builder.finish();
        assert_eq!(addresses_to_find(&profile, Some(ours), false), [8, 9]);
        assert_eq!(addresses_to_find(&profile, Some(ours), true), [8, 9, 10]);
        assert_eq!(addresses_to_find(&profile, None, false), [8]);

        let map = FxHashMap::from_iter([(8, vec![found("inner"), found("outer")]), (10, vec![found("outer")])]);
        let profile = symbolize(profile, Some(ours), &map);
        assert_eq!(names(&profile), ["inner>outer", "", "outer", "", "", ""]);
        assert_eq!(profile.functions().len(), 3, "each is added once");
        let mapping = profile.mapping(ours);
        assert!(mapping.has_functions && mapping.has_line_numbers && mapping.has_inline_frames);
        assert!(!mapping.has_filenames && !profile.mapping(other).has_functions);
        let profile = symbolize(profile, None, &map);
        assert_eq!(names(&profile)[4], "inner>outer");
    }
}
