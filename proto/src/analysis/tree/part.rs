//! Stacks to nodes, by sorting: all samples of a node lie in a row, and are parted by the step that comes next.
//!
//! This is a radix sort from the root on, depth first. A node's samples are looked at together, so that what they
//! share is looked at once while it is at hand; a walk from the root for each sample would wait for memory at most of
//! its steps. A node is known whole, and its siblings' order with it, before anything below it.

use super::order::Preorder;
use super::split::{Part, Path, Splitter};
use super::steps::{Step, Steps};
use crate::profile::{LocationId, Profile};

/// All nodes of samples with a value. With `ROOT_FIRST`, paths begin where the stacks' last locations are.
pub(super) fn grow<const ROOT_FIRST: bool>(profile: &Profile, steps: &Steps, sample_index: usize) -> Preorder {
    let paths = paths::<ROOT_FIRST>(profile, sample_index);
    let mut sorter = Sorter {
        stacks: Stacks::<ROOT_FIRST> { locations: &profile.samples.locations, steps },
        splitter: Splitter::new(steps.n_steps()),
        todo: Vec::new(),
        paths,
        preorder: Preorder::default(),
    };
    sorter.run();
    sorter.preorder
}

fn paths<const ROOT_FIRST: bool>(profile: &Profile, sample_index: usize) -> Vec<Path> {
    let mut paths = Vec::with_capacity(profile.n_samples());
    let mut start = 0;
    for sample in profile.samples() {
        let n_locations = sample.locations.len();
        let value = sample.values[sample_index];
        let last = (start + n_locations).saturating_sub(1);
        if value != 0 {
            paths.push(Path { first: if ROOT_FIRST { last } else { start }, n_locations, value });
        }
        start += n_locations;
    }
    paths
}

/// How much of each path is behind, which is the same for all samples of a node: where a location ends shows in its
/// steps, as only the outermost is not inlined.
#[derive(Debug, Clone, Copy)]
struct Place {
    n_locations: usize,
    /// Of the last of those locations.
    n_steps: usize,
    /// Whether it may have more.
    may_go_on: bool,
}

const START: Place = Place { n_locations: 0, n_steps: 0, may_go_on: false };

struct Stacks<'a, const ROOT_FIRST: bool> {
    locations: &'a [LocationId],
    steps: &'a Steps,
}

impl<const ROOT_FIRST: bool> Stacks<'_, ROOT_FIRST> {
    /// The path's next step; `None` at its end.
    #[inline]
    fn next(&self, path: Path, place: Place) -> Option<Step> {
        if place.may_go_on
            && let Some(step) = self.steps.inner(self.location(path, place.n_locations - 1), place.n_steps)
        {
            return Some(step);
        }
        (place.n_locations < path.n_locations).then(|| self.steps.head(self.location(path, place.n_locations)))
    }

    fn location(&self, path: Path, idx: usize) -> LocationId {
        self.locations[if ROOT_FIRST { path.first - idx } else { path.first + idx }]
    }

    /// Where `step`, after the step `last`, leads from `place`.
    fn after(&self, place: Place, last: Option<Step>, step: Step) -> Place {
        // Root first, what is inlined follows what it is inlined into; else it comes before.
        let goes_on = if ROOT_FIRST { step.is_inlined() } else { last.is_some_and(Step::is_inlined) };
        let may_go_on = self.steps.may_go_on(step);
        if goes_on {
            Place { n_steps: place.n_steps + 1, may_go_on, ..place }
        } else {
            Place { n_locations: place.n_locations + 1, n_steps: 1, may_go_on }
        }
    }
}

/// Samples that share a path to a node that is still to be made.
struct Group {
    start: usize,
    end: usize,
    parent: u32,
    step: Step,
    cum: i64,
    /// With `step`.
    place: Place,
}

struct Sorter<'a, const ROOT_FIRST: bool> {
    stacks: Stacks<'a, ROOT_FIRST>,
    splitter: Splitter,
    todo: Vec<Group>,
    paths: Vec<Path>,
    preorder: Preorder,
}

impl<const ROOT_FIRST: bool> Sorter<'_, ROOT_FIRST> {
    fn run(&mut self) {
        let total = self.paths.iter().fold(0_i64, |sum, it| sum.saturating_add(it.value));
        let root = self.preorder.push(0, Step::VOID, total);
        self.descend(root, None, total, START, 0, self.paths.len());
        while let Some(group) = self.todo.pop() {
            let Group { start, end, parent, step, cum, place } = group;
            let node = self.preorder.push(parent, step, cum);
            self.descend(node, Some(step), cum, place, start, end);
        }
    }

    /// Makes the nodes below `node`, which has the samples from `start` to `end`, as far as there is but one; where
    /// they part, the parts are left to do.
    fn descend(&mut self, mut node: u32, mut last: Option<Step>, cum: i64, mut place: Place, start: usize, end: usize) {
        loop {
            let stacks = &self.stacks;
            let mut all = self.paths[start..end].iter().map(|&it| stacks.next(it, place));
            let Some(first) = all.next() else { return };
            if !all.all(|it| it == first) {
                break;
            }
            let Some(step) = first else {
                self.preorder.set_flat(node, cum);
                return;
            };
            node = self.preorder.push(node, step, cum);
            place = stacks.after(place, last, step);
            last = Some(step);
        }
        self.part(node, last, place, start, end);
    }

    fn part(&mut self, node: u32, last: Option<Step>, place: Place, start: usize, end: usize) {
        let stacks = &self.stacks;
        let parts = self.splitter.split(&mut self.paths[start..end], |it| stacks.next(it, place));
        let n_todo = self.todo.len();
        let mut start = start;
        for &Part { step, sum, n_paths, .. } in parts {
            if let Some(step) = step {
                let place = stacks.after(place, last, step);
                self.todo.push(Group { start, end: start + n_paths, parent: node, step, cum: sum, place });
            } else {
                self.preorder.set_flat(node, sum);
            }
            start += n_paths;
        }
        // The first is to be next.
        self.todo[n_todo..].reverse();
    }
}
