//! Samples' stacks as paths of steps, from either end.

use super::steps::{Step, Steps};
use crate::profile::{LocationId, Profile};

/// A sample's stack, and its values. 16 bytes of wasm where there is one value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<const N: usize> {
    /// Where in the column of locations it begins; from there it goes on forwards or backwards.
    first: usize,
    n_locations: usize,
    pub(super) values: [i64; N],
}

impl<const N: usize> Path<N> {
    pub(super) const VOID: Self = Path { first: 0, n_locations: 0, values: [0; N] };
}

/// The paths of samples with a value. If `is_root_first`, they begin where the stacks' last locations are.
pub(super) fn paths<const N: usize>(
    profile: &Profile,
    sample_indexes: [usize; N],
    is_root_first: bool,
) -> Vec<Path<N>> {
    let mut paths = Vec::with_capacity(profile.n_samples());
    let mut start = 0;
    for sample in profile.samples() {
        let n_locations = sample.locations.len();
        let values = sample_indexes.map(|it| sample.values[it]);
        let last = (start + n_locations).saturating_sub(1);
        if values != [0; N] {
            paths.push(Path { first: if is_root_first { last } else { start }, n_locations, values });
        }
        start += n_locations;
    }
    paths
}

/// `sums` and `values`, one by one.
pub(super) fn add<const N: usize>(sums: &mut [i64; N], values: [i64; N]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum = sum.saturating_add(value));
}

/// The sums of some paths' values.
pub(super) fn sums<'a, const N: usize>(paths: impl Iterator<Item = &'a Path<N>>) -> [i64; N] {
    paths.fold([0; N], |mut sums, it| {
        add(&mut sums, it.values);
        sums
    })
}

/// How much of each path is behind, which is the same for all samples of a node: where a location ends shows in its
/// steps, as only the outermost is not inlined.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    n_locations: usize,
    /// Of the last of those locations.
    n_steps: usize,
}

impl Place {
    pub(super) const START: Place = Place { n_locations: 0, n_steps: 0 };
}

/// What paths are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stacks<'a> {
    locations: &'a [LocationId],
    steps: &'a Steps,
    is_root_first: bool,
}

impl<'a> Stacks<'a> {
    pub(super) fn new(profile: &'a Profile, steps: &'a Steps, is_root_first: bool) -> Self {
        Stacks { locations: &profile.samples.locations, steps, is_root_first }
    }

    /// What comes next on paths that are at `place`, where `last` was the last step: a path's next step, `None` at its
    /// end.
    pub(super) fn next<const N: usize>(
        self,
        place: Place,
        last: Option<Step>,
    ) -> impl Fn(Path<N>) -> Option<Step> + Copy {
        // Whether the last location may have more.
        let may_go_on = last.is_some_and(|it| self.steps.may_go_on(it));
        let Place { n_locations, n_steps } = place;
        move |path| {
            if may_go_on && let Some(step) = self.steps.inner(self.location(path, n_locations - 1), n_steps) {
                return Some(step);
            }
            (n_locations < path.n_locations).then(|| self.steps.head(self.location(path, n_locations)))
        }
    }

    fn location<const N: usize>(self, path: Path<N>, idx: usize) -> LocationId {
        self.locations[if self.is_root_first { path.first - idx } else { path.first + idx }]
    }

    /// Where `step`, after the step `last`, leads from `place`.
    pub(super) fn after(self, place: Place, last: Option<Step>, step: Step) -> Place {
        // Root first, what is inlined follows what it is inlined into; else it comes before.
        let goes_on = if self.is_root_first { step.is_inlined() } else { last.is_some_and(Step::is_inlined) };
        if goes_on {
            Place { n_steps: place.n_steps + 1, ..place }
        } else {
            Place { n_locations: place.n_locations + 1, n_steps: 1 }
        }
    }
}
