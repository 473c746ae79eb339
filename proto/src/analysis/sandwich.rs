//! A place from both sides: all that leads to it, and all that it leads to, wherever it is called.

use super::frames::{FrameOptions, Frames};
use crate::profile::{Location, LocationId, Profile, Samples};

/// The samples that come through a place, cut there. In both, each counts once, so the totals are the place's cum.
#[derive(Debug, Clone)]
pub struct Sandwich {
    /// Stacks down to the place's occurrence nearest to the root, which is their leaf. For an inverted tree: below its
    /// root there is the place only, and below that its callers.
    pub callers: Profile,
    /// Stacks from the place's occurrence nearest to the leaf on, which is where they begin. In a tree, below its root
    /// there is the place only, and below that its callees.
    ///
    /// What the place calls between two occurrences, if it is recursive, is in neither.
    pub callees: Profile,
}

/// The samples of `profile` that come through the place that reports name `name` if they tell places apart as `frames`
/// says. There may be none. Labels stay, and so do the ids of all that is not the place itself.
#[must_use]
pub fn sandwich(profile: &Profile, name: &str, options: &FrameOptions) -> Sandwich {
    let frames = Frames::new(profile, options);
    let is_place: Vec<bool> = frames.ids().map(|it| frames.get(it).label() == name).collect();
    let at = |id: LocationId| frames.at(id).iter().map(|it| is_place[it.index()]);
    let inner: Vec<Option<usize>> = profile.location_ids().map(|it| at(it).position(|it| it)).collect();
    let outer = |id: LocationId| at(id).rposition(|it| it);
    let outer: Vec<Option<usize>> = profile.location_ids().map(outer).collect();
    // Where inlined functions are not told apart, a location is one frame, whatever lines it has.
    let whole = |id: LocationId| frames.at(id).len() != profile.lines(id).len();
    let is_whole: Vec<bool> = profile.location_ids().map(whole).collect();
    Sandwich { callers: callers(profile, &outer, &is_whole), callees: callees(profile, &inner, &is_whole) }
}

/// `places` has by location the position of the place among its lines.
fn callees(profile: &Profile, places: &[Option<usize>], is_whole: &[bool]) -> Profile {
    let mut samples = Samples::default();
    for sample in profile.samples() {
        if let Some(innermost) = sample.locations.iter().position(|it| places[it.index()].is_some()) {
            samples.push(&sample.locations[..=innermost], sample.values, sample.labels);
        }
    }
    let mut callees = profile.with_samples(samples);
    // A location that the place is in is the first of each stack that has it, so none is cut that is needed whole.
    for ((location, place), is_whole) in callees.locations.iter_mut().zip(places).zip(is_whole) {
        if let (Some(place), false) = (place, is_whole) {
            location.lines_end = location.lines_start + row(place + 1);
        }
    }
    callees
}

fn callers(profile: &Profile, places: &[Option<usize>], is_whole: &[bool]) -> Profile {
    let mut locations = profile.locations.clone();
    // A place that is inlined becomes a location of its own, so that it is the same as where it is not.
    let mut leaves: Vec<Option<LocationId>> = vec![None; places.len()];
    for (idx, (place, is_whole)) in places.iter().zip(is_whole).enumerate() {
        let Location { lines_start, lines_end, .. } = locations[idx];
        let (Some(place), false) = (place, is_whole) else { continue };
        let [start, end] = [*place, place + 1].map(|it| lines_start + row(it));
        if end == lines_end {
            locations[idx].lines_start = start;
        } else {
            leaves[idx] = Some(LocationId(row(locations.len())));
            locations.push(Location { lines_start: start, lines_end: end, ..locations[idx] });
            locations[idx].lines_start = end;
        }
    }
    let mut samples = Samples::default();
    let mut stack = Vec::new();
    for sample in profile.samples() {
        if let Some(outermost) = sample.locations.iter().rposition(|it| places[it.index()].is_some()) {
            stack.clear();
            stack.extend(leaves[sample.locations[outermost].index()]);
            stack.extend_from_slice(&sample.locations[outermost..]);
            samples.push(&stack, sample.values, sample.labels);
        }
    }
    Profile { locations, ..profile.with_samples(samples) }
}

/// Lines and locations were counted in `u32` when they were made; those split here are no more than lines.
fn row(idx: usize) -> u32 {
    u32::try_from(idx).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tree::{CallTree, NodeId, TreeOptions};
    use crate::stacks;

    fn draw(profile: &Profile, inverted: bool) -> Vec<String> {
        let tree = CallTree::new(profile, &TreeOptions { inverted, ..TreeOptions::default() });
        let mut lines = Vec::new();
        let mut todo = vec![NodeId::ROOT];
        while let Some(node) = todo.pop() {
            let indent = ".".repeat(tree.path(node).len() - 1);
            let mark = if tree.is_inlined(node) { " inlined" } else { "" };
            lines.push(format!("{indent}{} {}/{}{mark}", tree.name(node), tree.flat(node), tree.cum(node)));
            todo.extend(tree.children(node).rev());
        }
        lines
    }

    fn check(stacks: &str, name: &str, callers: &[&str], callees: &[&str]) {
        let sandwich = sandwich(&stacks::profile(stacks), name, &FrameOptions::default());
        assert_eq!(draw(&sandwich.callers, true), callers, "callers of {name} in {stacks}");
        assert_eq!(draw(&sandwich.callees, false), callees, "callees of {name} in {stacks}");
    }

    #[test]
    fn a_place_is_seen_from_both_sides() {
        check(
            "main;a;f;x 3\nmain;b;f 2\nmain;c 9\nf;y 1",
            "f",
            &["root 0/6", ".f 1/6", "..a 0/3", "...main 3/3", "..b 0/2", "...main 2/2"],
            &["root 0/6", ".f 2/6", "..x 3/3", "..y 1/1"],
        );
    }

    #[test]
    fn recursion_is_folded() {
        check("main;f;g;f;f;x 3", "f", &["root 0/3", ".f 0/3", "..main 3/3"], &["root 0/3", ".f 0/3", "..x 3/3"]);
    }

    #[test]
    fn a_place_amid_inlined_functions_is_cut_there() {
        let stacks = "main;a>f>x 3\nmain;f 1\nmain;f>f>y;z 2";
        check(
            stacks,
            "f",
            &["root 0/6", ".f 0/6", "..a 0/3", "...main 3/3", "..main 3/3"],
            &["root 0/6", ".f 1/6", "..x 3/3 inlined", "..y 0/2 inlined", "...z 2/2"],
        );
        let folded = FrameOptions { noinlines: true, ..FrameOptions::default() };
        let sandwich = sandwich(&stacks::profile(stacks), "a", &folded);
        let tree = TreeOptions { frames: folded, ..TreeOptions::default() };
        assert_eq!(CallTree::new(&sandwich.callees, &tree).total(), 3);
        assert_eq!(CallTree::new(&sandwich.callers, &tree).total(), 3);
    }

    #[test]
    fn what_is_nowhere_has_no_samples() {
        check("main;a 1", "f", &["root 0/0"], &["root 0/0"]);
    }
}
