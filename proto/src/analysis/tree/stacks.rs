//! Samples' stacks as paths of steps, from either end.

use super::steps::{Step, Steps};
use crate::profile::{LocationId, Profile};

/// A sample's stack, and its values. 32 bytes of wasm where there is one value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<const N: usize> {
    /// Where in the column of locations it begins; from there it goes on forwards or backwards.
    first: usize,
    n_locations: usize,
    /// See [`Stacks::next_ahead`].
    ahead: [Option<Step>; AHEAD],
    pub(super) values: [i64; N],
}

/// More make paths so large that moving them takes longer than what is saved.
const AHEAD: usize = 4;

impl<const N: usize> Path<N> {
    pub(super) const VOID: Self = Path { first: 0, n_locations: 0, ahead: [None; AHEAD], values: [0; N] };
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
            paths.push(Path { first: if is_root_first { last } else { start }, n_locations, values, ..Path::VOID });
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
    ) -> impl Fn(&Path<N>) -> Option<Step> + Copy + use<'a, N> {
        self.next_or(place, last, move |path| self.head(path, place.n_locations))
    }

    /// The same as [`next`](Self::next), of paths that were asked for all their steps before this one in this way.
    ///
    /// Paths remember their next few locations. Those of many samples lie far apart, and to look at one place of each is
    /// to wait for memory, and for its page's address, once a sample. Who looks at few samples at a time gains nothing.
    pub(super) fn next_ahead<const N: usize>(
        self,
        paths: &mut [Path<N>],
        place: Place,
        last: Option<Step>,
    ) -> impl Fn(&Path<N>) -> Option<Step> + Copy + use<'a, N> {
        let at = place.n_locations % AHEAD;
        if at == 0 {
            paths
                .iter_mut()
                .for_each(|path| path.ahead = std::array::from_fn(|it| self.head(path, place.n_locations + it)));
        }
        self.next_or(place, last, move |path| path.ahead[at])
    }

    /// What comes next, given what does where the last location has no more.
    fn next_or<const N: usize, F: Fn(&Path<N>) -> Option<Step> + Copy>(
        self,
        Place { n_locations, n_steps }: Place,
        last: Option<Step>,
        head: F,
    ) -> impl Fn(&Path<N>) -> Option<Step> + Copy + use<'a, N, F> {
        let may_go_on = last.is_some_and(|it| self.steps.may_go_on(it));
        move |path| {
            let goes_on =
                if may_go_on { self.steps.inner(self.location(path, n_locations - 1), n_steps) } else { None };
            goes_on.or_else(|| head(path))
        }
    }

    /// The first step of a path's location `idx`, if it has so many.
    fn head<const N: usize>(self, path: &Path<N>, idx: usize) -> Option<Step> {
        (idx < path.n_locations).then(|| self.steps.head(self.location(path, idx)))
    }

    fn location<const N: usize>(self, path: &Path<N>, idx: usize) -> LocationId {
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
