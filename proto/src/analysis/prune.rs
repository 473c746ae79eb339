//! `drop_frames`: leaves out frames that the profile's writer called noise, with all that they call.

use regex::Regex;

use super::Warning;
use crate::profile::{Profile, Samples};

/// What a location loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Nothing.
    No,
    /// Its inner lines; it stays, as the leaf.
    Inner,
    /// All lines; it goes.
    All,
}

/// Takes matching frames, and those below, off every stack. A stack of nothing but such frames stays as it is.
///
/// A pattern that does not compile is passed over, with a warning.
pub(super) fn drop_frames(profile: &mut Profile, warnings: &mut Vec<Warning>) {
    if profile.drop_frames().is_empty() {
        return;
    }
    let mut compile = |field, pattern: &str| match Regex::new(&format!("^(?:{pattern})$")) {
        Ok(regex) => Some(regex),
        Err(err) => {
            warnings.push(Warning::BadPattern { field, problem: err.to_string() });
            None
        }
    };
    let Some(drop) = compile("drop_frames", profile.drop_frames()) else { return };
    let keep = match profile.keep_frames() {
        "" => None,
        pattern => match compile("keep_frames", pattern) {
            Some(keep) => Some(keep),
            None => return,
        },
    };
    let is_dropped: Vec<bool> = (profile.functions.iter())
        .map(|it| {
            let name = without_parameters(profile.string(it.name));
            !name.is_empty() && drop.is_match(name) && !keep.as_ref().is_some_and(|keep| keep.is_match(name))
        })
        .collect();
    let cuts = cut_locations(profile, &is_dropped);
    if cuts.iter().any(|&it| it != Cut::No) {
        profile.samples = cut_samples(profile, &cuts);
    }
}

/// Finds each location's outermost line that is dropped, and takes it and the lines inside it away.
fn cut_locations(profile: &mut Profile, is_dropped: &[bool]) -> Vec<Cut> {
    let lines = &profile.lines;
    let cut = |location: &mut crate::Location| {
        let own = &lines[location.lines()];
        match own.iter().rposition(|it| is_dropped[it.function.index()]) {
            None => Cut::No,
            Some(idx) if idx + 1 == own.len() => Cut::All,
            Some(idx) => {
                // Cannot run past lines_end, which is a u32 as well.
                location.lines_start += u32::try_from(idx + 1).unwrap_or(0);
                Cut::Inner
            }
        }
    };
    profile.locations.iter_mut().map(cut).collect()
}

fn cut_samples(profile: &Profile, cuts: &[Cut]) -> Samples {
    let mut samples = Samples::default();
    for sample in profile.samples() {
        // From the root. Frames before the first that stays are the only ones there are to show, so they stay, too.
        let mut found_user = false;
        let mut start = 0;
        for (idx, location) in sample.locations.iter().enumerate().rev() {
            let cut = cuts[location.index()];
            if cut == Cut::No {
                found_user = true;
            } else if found_user {
                start = if cut == Cut::All { idx + 1 } else { idx };
                break;
            }
        }
        samples.push(&sample.locations[start..], sample.values, sample.labels);
    }
    samples
}

/// A name without its parameter list, as the pattern expects it: cut at the first `(` that is not part of a name.
pub(super) fn without_parameters(name: &str) -> &str {
    const NAMES: [&str; 2] = ["(anonymous namespace)", "operator()"];
    // PowerPC's functions begin with a dot.
    let name = name.strip_prefix('.').unwrap_or(name);
    let mut pos = 0;
    while let Some(rest) = name.get(pos..).filter(|it| !it.is_empty()) {
        if let Some(skipped) = NAMES.iter().find(|it| rest.starts_with(**it)) {
            pos += skipped.len();
        } else if rest.starts_with('(') {
            return &name[..pos];
        } else {
            pos += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::top::{TopOptions, top};
    use crate::analysis::{PrepareOptions, prepare};
    use crate::{ProfileBuilder, stacks};

    fn profile(stacks: &str, drop: &str, keep: &str) -> Profile {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        stacks::add(&mut builder, stacks);
        builder.frame_patterns(drop, keep);
        builder.finish()
    }

    fn check(stacks: &str, drop: &str, keep: &str, expected: &[&str]) {
        let (profile, warnings) = prepare(profile(stacks, drop, keep), &PrepareOptions::default());
        assert_eq!(warnings.iter().filter(|it| **it != Warning::NoMainBinary).count(), 0, "{warnings:?}");
        let rows = top(&profile, &TopOptions::default()).rows;
        let rows: Vec<String> = rows.iter().map(|it| format!("{} {} {}", it.flat, it.cum, it.name)).collect();
        assert_eq!(rows, expected, "{stacks} without {drop}");
    }

    #[test]
    fn the_matched_frame_and_all_below_go() {
        check("main;malloc;grow 3", "malloc", "", &["3 3 main"]);
        check("main;malloc;main2;malloc 3", "malloc", "", &["3 3 main"]);
        check("main;malloc_usable 3", "malloc", "", &["3 3 malloc_usable", "0 3 main"]);
        check("main;malloc;grow 3", "malloc|grow", "malloc", &["3 3 malloc", "0 3 main"]);
        check("main;malloc(unsigned int);grow 3", "malloc", "", &["3 3 main"]);
    }

    #[test]
    fn a_stack_keeps_frames_above_which_nothing_stays() {
        check("malloc;grow 3", "malloc", "", &["3 3 grow", "0 3 malloc"]);
        check("malloc;main;malloc 3", "malloc", "", &["3 3 main", "0 3 malloc"]);
    }

    #[test]
    fn inlined_frames_go_alone() {
        check("main>malloc>grow 3", "malloc", "", &["3 3 main"]);
    }

    #[test]
    fn a_pattern_that_is_none_is_reported() {
        let (kept, warnings) = prepare(profile("main;malloc 3", "(", ""), &PrepareOptions::default());
        assert_eq!(kept.sample(0).locations.len(), 2);
        let bad = warnings.iter().any(|it| matches!(it, Warning::BadPattern { field: "drop_frames", .. }));
        assert!(bad, "{warnings:?}");
        let all_frames = PrepareOptions { all_frames: true, ..PrepareOptions::default() };
        let (kept, _) = prepare(profile("main;malloc 3", "malloc", ""), &all_frames);
        assert_eq!(kept.sample(0).locations.len(), 2);
    }

    #[test]
    fn names_are_cut_at_their_parameters() {
        let cases = [
            ("main", "main"),
            (".main(int)", "main"),
            ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
            ("a::operator()(b)", "a::operator()"),
            ("κ(x)", "κ"),
        ];
        for (name, expected) in cases {
            assert_eq!(without_parameters(name), expected, "{name}");
        }
    }
}
