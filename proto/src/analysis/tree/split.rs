//! The samples of one node, sorted by the step that comes next.

use std::cmp::Reverse;

use super::stacks::{Path, add};
use super::steps::Step;

/// Some samples of a node: those that end there, or those of one child.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<const N: usize> {
    /// `None`: they end.
    pub(super) step: Option<Step>,
    pub(super) sums: [i64; N],
    pub(super) n_paths: usize,
    /// Where its next sample goes, or, of few, comes from.
    at: usize,
}

/// Parts samples, again and again in the same memory.
#[derive(Debug, Clone)]
pub(super) struct Splitter<const N: usize> {
    /// By step, and at last for those that end: which part that is. Void between calls.
    part_of: Vec<u32>,
    /// Of each path, its next step.
    steps: Vec<Option<Step>>,
    /// Of few paths, those steps with the paths' positions.
    few: Vec<(Option<Step>, u32)>,
    parts: Vec<Part<N>>,
    sorted: Vec<Path<N>>,
}

const VOID: u32 = u32::MAX;
/// Up to so many samples sorting is faster than counting.
const FEW: usize = 24;

impl<const N: usize> Splitter<N> {
    pub(super) fn new(n_steps: usize) -> Self {
        let part_of = vec![VOID; n_steps + 1];
        Splitter { part_of, steps: Vec::new(), few: Vec::new(), parts: Vec::new(), sorted: Vec::new() }
    }

    /// Sorts `paths` by part: those that end first, then children by weight, then name. The parts are in that order.
    pub(super) fn split(&mut self, paths: &mut [Path<N>], next: impl Fn(&Path<N>) -> Option<Step>) -> &[Part<N>] {
        self.parts.clear();
        self.sorted.clear();
        if paths.len() <= FEW {
            self.split_few(paths, next);
        } else {
            self.split_many(paths, next);
        }
        &self.parts
    }

    fn split_few(&mut self, paths: &mut [Path<N>], next: impl Fn(&Path<N>) -> Option<Step>) {
        self.few.clear();
        self.few.extend((0..).zip(&*paths).map(|(idx, path)| (next(path), idx)));
        sort(&mut self.few, |it| *it);
        for (at, &(step, idx)) in self.few.iter().enumerate() {
            let values = paths[idx as usize].values;
            match self.parts.last_mut() {
                Some(part) if part.step == step => part.add(values),
                _ => self.parts.push(Part { step, sums: values, n_paths: 1, at }),
            }
        }
        if self.parts.len() <= 1 {
            return;
        }
        sort(&mut self.parts, Part::order);
        for part in &self.parts {
            let its = &self.few[part.at..part.at + part.n_paths];
            self.sorted.extend(its.iter().map(|&(_, idx)| paths[idx as usize]));
        }
        paths.copy_from_slice(&self.sorted);
    }

    fn split_many(&mut self, paths: &mut [Path<N>], next: impl Fn(&Path<N>) -> Option<Step>) {
        let end = self.part_of.len() - 1;
        // All of them first: a loop that does nothing else waits for many of them at once.
        self.steps.clear();
        self.steps.extend(paths.iter().map(next));
        for (path, &step) in paths.iter().zip(&self.steps) {
            let part = &mut self.part_of[step.map_or(end, Step::index)];
            if *part == VOID {
                // There are no more parts than steps, which are numbered in u32.
                *part = u32::try_from(self.parts.len()).unwrap_or(VOID);
                self.parts.push(Part { step, sums: [0; N], n_paths: 0, at: 0 });
            }
            self.parts[*part as usize].add(path.values);
        }
        if self.parts.len() > 1 {
            self.sort(paths);
        }
        self.parts.iter().for_each(|it| self.part_of[it.step.map_or(end, Step::index)] = VOID);
    }

    /// Sorts the parts, and `paths` by them, in their order within each.
    fn sort(&mut self, paths: &mut [Path<N>]) {
        let end = self.part_of.len() - 1;
        sort(&mut self.parts, Part::order);
        let mut at = 0;
        for (idx, part) in (0..).zip(&mut self.parts) {
            self.part_of[part.step.map_or(end, Step::index)] = idx;
            part.at = at;
            at += part.n_paths;
        }
        self.sorted.resize(paths.len(), Path::VOID);
        for (&path, &step) in paths.iter().zip(&self.steps) {
            let part = &mut self.parts[self.part_of[step.map_or(end, Step::index)] as usize];
            self.sorted[part.at] = path;
            part.at += 1;
        }
        paths.copy_from_slice(&self.sorted);
    }
}

/// Most nodes have a few children only. std for small programs has no way of its own for so few.
fn sort<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    if items.len() > FEW {
        items.sort_unstable_by_key(key);
        return;
    }
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && key(&items[at]) < key(&items[at - 1]) {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
}

impl<const N: usize> Part<N> {
    fn add(&mut self, values: [i64; N]) {
        add(&mut self.sums, values);
        self.n_paths += 1;
    }

    fn order(&self) -> impl Ord + use<N> {
        let weight = self.sums.first().map_or(0, |it| it.saturating_abs());
        (self.step.is_some(), Reverse(weight), self.step)
    }
}
