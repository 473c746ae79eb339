//! Stacks to nodes, by sorting: all samples of a node lie in a row, and are parted by the step that comes next.
//!
//! This is a radix sort from the root on, depth first. A node's samples are looked at together, so that what they
//! share is looked at once while it is at hand; a walk from the root for each sample would wait for memory at most of
//! its steps. A node is known whole, and its siblings' order with it, before anything below it.

use super::order::Preorder;
use super::split::{Part, Splitter};
use super::stacks::{Path, Place, Stacks, paths, sums};
use super::steps::{Step, Steps};
use crate::profile::Profile;

/// All nodes of samples with a value. If `is_root_first`, paths begin where the stacks' last locations are.
pub(super) fn grow(profile: &Profile, steps: &Steps, sample_index: usize, is_root_first: bool) -> Preorder {
    let mut sorter = Sorter {
        stacks: Stacks::new(profile, steps, is_root_first),
        splitter: Splitter::new(steps.n_steps()),
        todo: Vec::new(),
        paths: paths(profile, [sample_index], is_root_first),
        preorder: Preorder::default(),
    };
    sorter.run();
    sorter.preorder
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

struct Sorter<'a> {
    stacks: Stacks<'a>,
    splitter: Splitter<1>,
    todo: Vec<Group>,
    paths: Vec<Path<1>>,
    preorder: Preorder,
}

impl Sorter<'_> {
    fn run(&mut self) {
        let [total] = sums(self.paths.iter());
        let root = self.preorder.push(0, Step::VOID, total);
        self.descend(root, None, total, Place::START, 0, self.paths.len());
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
            let stacks = self.stacks;
            let mut all = self.paths[start..end].iter().map(stacks.next(place, last));
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
        let stacks = self.stacks;
        let parts = self.splitter.split(&mut self.paths[start..end], stacks.next(place, last));
        let n_todo = self.todo.len();
        let mut start = start;
        for &Part { step, sums: [cum], n_paths, .. } in parts {
            if let Some(step) = step {
                let place = stacks.after(place, last, step);
                self.todo.push(Group { start, end: start + n_paths, parent: node, step, cum, place });
            } else {
                self.preorder.set_flat(node, cum);
            }
            start += n_paths;
        }
        // The first is to be next.
        self.todo[n_todo..].reverse();
    }
}
