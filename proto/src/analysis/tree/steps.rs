//! What each location adds to a path, as numbers in the order in which siblings are told apart.

use std::num::NonZeroU32;

use super::super::frames::{FrameId, Frames};
use crate::profile::LocationId;

/// A frame, and whether it is inlined into the one before: what a node is under its parent.
///
/// Ordered by name, and plain before inlined: the order of siblings of one weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step(NonZeroU32);

impl Step {
    /// The root's, which is never looked at.
    pub(super) const VOID: Step = Step(NonZeroU32::MIN);

    fn new(rank: usize, is_inlined: bool) -> Self {
        let idx = u32::try_from(2 * rank + usize::from(is_inlined)).ok();
        // A frame takes more than 50 bytes, so that 2³¹ of them fit no memory of this use.
        #[expect(clippy::expect_used, reason = "as said above")]
        Step(idx.and_then(|it| NonZeroU32::MIN.checked_add(it)).expect("fewer than 2^31 frames"))
    }

    /// The position among all steps that there can be.
    pub(super) fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    pub(super) fn is_inlined(self) -> bool {
        self.index() % 2 == 1
    }

    fn rank(self) -> usize {
        self.index() / 2
    }
}

/// The steps of every location.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    /// Of each location, the first and how many more there are.
    heads: Vec<(Step, u32)>,
    /// Those of all locations, the first with them.
    all: Vec<Step>,
    starts: Vec<usize>,
    /// By step: whether there is a location that has more steps after it.
    goes_on: Vec<bool>,
    /// The frames, by the rank of their names.
    by_rank: Vec<FrameId>,
}

impl Steps {
    /// Root first, a location's outermost frame comes first; else its innermost.
    pub(super) fn new(frames: &Frames, n_locations: usize, is_root_first: bool) -> Self {
        let by_rank = by_rank(frames);
        let mut ranks = vec![0; by_rank.len()];
        by_rank.iter().enumerate().for_each(|(rank, it)| ranks[it.index()] = rank);
        let goes_on = vec![false; 2 * by_rank.len()];
        let mut steps = Steps { heads: Vec::new(), all: Vec::new(), starts: Vec::new(), goes_on, by_rank };
        for location in (0..).map(LocationId).take(n_locations) {
            let start = steps.all.len();
            steps.starts.push(start);
            let at = frames.at(location);
            let outermost = at.len() - 1;
            steps.all.extend(at.iter().enumerate().map(|(idx, it)| Step::new(ranks[it.index()], idx != outermost)));
            if is_root_first {
                steps.all[start..].reverse();
            }
            steps.all[start..start + outermost].iter().for_each(|it| steps.goes_on[it.index()] = true);
            steps.heads.push((steps.all[start], u32::try_from(outermost).unwrap_or(u32::MAX)));
        }
        steps
    }

    /// How many different steps there can be.
    pub(super) fn n_steps(&self) -> usize {
        2 * self.by_rank.len()
    }

    /// A location's first step.
    pub(super) fn head(&self, location: LocationId) -> Step {
        self.heads[location.index()].0
    }

    /// A location's step `idx`, from 1 on, if it has so many.
    pub(super) fn inner(&self, location: LocationId, idx: usize) -> Option<Step> {
        let n_inner = self.heads[location.index()].1 as usize;
        (idx <= n_inner).then(|| self.all[self.starts[location.index()] + idx])
    }

    /// Whether a location may have more steps after this one.
    pub(super) fn may_go_on(&self, step: Step) -> bool {
        self.goes_on[step.index()]
    }

    /// The frame of a step. Without any frames there is only the root's, which is of none.
    pub(super) fn frame(&self, step: Step) -> FrameId {
        self.by_rank.get(step.rank()).copied().unwrap_or(FrameId(0))
    }
}

/// The frames in the order of their names.
fn by_rank(frames: &Frames) -> Vec<FrameId> {
    let mut named: Vec<(String, FrameId)> = frames.ids().map(|it| (frames.get(it).label(), it)).collect();
    named.sort_unstable();
    named.into_iter().map(|(_, it)| it).collect()
}
