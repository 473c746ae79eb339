//! The samples of one node, sorted by the step that comes next.

use std::cmp::Reverse;

use super::steps::Step;

/// A sample's stack, and its value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Path {
    /// Where in the column of locations it begins; from there it goes on forwards or backwards.
    pub(super) first: usize,
    pub(super) n_locations: usize,
    pub(super) value: i64,
}

/// Some samples of a node: those that end there, or those of one child.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// `None`: they end.
    pub(super) step: Option<Step>,
    pub(super) sum: i64,
    pub(super) n_paths: usize,
    /// Where its next sample goes, or, of few, comes from.
    at: usize,
}

/// Parts samples, again and again in the same memory.
#[derive(Debug)]
pub(super) struct Splitter {
    /// By step, and at last for those that end: which part that is. Void between calls.
    part_of: Vec<u32>,
    /// Of each path the part, or, of few, its next step and position.
    steps: Vec<(Option<Step>, u32)>,
    parts: Vec<Part>,
    sorted: Vec<Path>,
}

const VOID: u32 = u32::MAX;
/// Up to so many samples sorting is faster than counting.
const FEW: usize = 64;

impl Splitter {
    pub(super) fn new(n_steps: usize) -> Self {
        Splitter { part_of: vec![VOID; n_steps + 1], steps: Vec::new(), parts: Vec::new(), sorted: Vec::new() }
    }

    /// Sorts `paths` by part: those that end first, then children by weight, then name. The parts are in that order.
    pub(super) fn split(&mut self, paths: &mut [Path], next: impl Fn(Path) -> Option<Step>) -> &[Part] {
        self.steps.clear();
        self.parts.clear();
        self.sorted.clear();
        if paths.len() <= FEW {
            self.split_few(paths, next)
        } else {
            self.split_many(paths, next)
        }
        paths.copy_from_slice(&self.sorted);
        &self.parts
    }

    fn split_few(&mut self, paths: &[Path], next: impl Fn(Path) -> Option<Step>) {
        self.steps.extend((0..).zip(paths).map(|(idx, &path)| (next(path), idx)));
        self.steps.sort_unstable();
        for (at, &(step, idx)) in self.steps.iter().enumerate() {
            let value = paths[idx as usize].value;
            match self.parts.last_mut() {
                Some(part) if part.step == step => part.add(value),
                _ => self.parts.push(Part { step, sum: value, n_paths: 1, at }),
            }
        }
        self.parts.sort_unstable_by_key(Part::order);
        for part in &self.parts {
            let its = &self.steps[part.at..part.at + part.n_paths];
            self.sorted.extend(its.iter().map(|&(_, idx)| paths[idx as usize]));
        }
    }

    fn split_many(&mut self, paths: &[Path], next: impl Fn(Path) -> Option<Step>) {
        let end = self.part_of.len() - 1;
        for &path in paths {
            let step = next(path);
            let part = &mut self.part_of[step.map_or(end, Step::index)];
            if *part == VOID {
                // There are no more parts than steps, which are numbered in u32.
                *part = u32::try_from(self.parts.len()).unwrap_or(VOID);
                self.parts.push(Part { step, sum: 0, n_paths: 0, at: 0 });
            }
            self.parts[*part as usize].add(path.value);
            self.steps.push((step, 0));
        }
        self.parts.sort_unstable_by_key(Part::order);
        let mut at = 0;
        for (idx, part) in (0..).zip(&mut self.parts) {
            self.part_of[part.step.map_or(end, Step::index)] = idx;
            part.at = at;
            at += part.n_paths;
        }
        self.sorted.resize(paths.len(), Path::default());
        for (&path, &(step, _)) in paths.iter().zip(&self.steps) {
            let part = &mut self.parts[self.part_of[step.map_or(end, Step::index)] as usize];
            self.sorted[part.at] = path;
            part.at += 1;
        }
        self.parts.iter().for_each(|it| self.part_of[it.step.map_or(end, Step::index)] = VOID);
    }
}

impl Part {
    fn add(&mut self, value: i64) {
        self.sum = self.sum.saturating_add(value);
        self.n_paths += 1;
    }

    fn order(&self) -> impl Ord + use<> {
        (self.step.is_some(), Reverse(self.sum.saturating_abs()), self.step)
    }
}
