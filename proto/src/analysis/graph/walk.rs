//! Sums over samples that share the roots of their stacks with the one before, as most do.
//!
//! What two samples share is walked once: a frame gathers weight as long as it is on the stack, and counts it when it
//! leaves. The sums are those of [`Builder::add`], which walks every stack from end to end.

use super::build::Builder;
use super::{EdgeIdx, NodeIdx};
use crate::profile::{LocationId, SampleRef};

/// The stack of the last sample, from the root.
#[derive(Debug, Default)]
pub(super) struct Walk {
    levels: Vec<Level>,
    frames: Vec<OnStack>,
    at: At,
}

/// Where a stack has come to.
#[derive(Debug, Clone, Copy, Default)]
struct At {
    /// The last frame that counts.
    parent: Option<NodeIdx>,
    /// Whether there were others since.
    is_residual: bool,
}

/// A location on the stack, and what there was before it.
#[derive(Debug)]
struct Level {
    location: LocationId,
    n_frames: usize,
    before: At,
}

/// A frame on the stack.
#[derive(Debug)]
struct OnStack {
    node: NodeIdx,
    /// Recursion counts once a sample: where it began.
    counts: bool,
    /// The call into it, if that counts and is not below itself.
    call: Option<EdgeIdx>,
    /// Of the samples so far that have the stack up to here.
    weight: i64,
}

impl Builder<'_> {
    /// Adds a sample that has nothing but a value to be summed.
    pub(super) fn add_after_last(&mut self, sample: SampleRef<'_>) {
        let stack = sample.locations.iter().rev();
        let n_shared =
            self.walk.levels.iter().zip(stack.clone()).take_while(|(level, it)| level.location == **it).count();
        self.leave(n_shared);
        stack.skip(n_shared).for_each(|&location| self.enter(location));
        if let Some(top) = self.walk.frames.last_mut() {
            top.weight = top.weight.saturating_add(self.weight.value);
        }
        let At { parent, is_residual } = self.walk.at;
        if let Some(leaf) = parent.filter(|_| !is_residual) {
            self.add_flat(leaf);
        }
    }

    fn enter(&mut self, location: LocationId) {
        let frames = self.frames;
        let n_frames = self.walk.frames.len();
        self.walk.levels.push(Level { location, n_frames, before: self.walk.at });
        let at = frames.at(location);
        for (depth, &frame) in at.iter().enumerate().rev() {
            if self.kept.is_some_and(|it| !it[frame.index()]) {
                self.walk.at.is_residual = true;
                continue;
            }
            let node = NodeIdx(frame.0);
            let At { parent, is_residual } = self.walk.at;
            let caller = parent.filter(|&caller| caller != node && self.wants_calls[frame.index()]);
            let call = caller.and_then(|caller| self.begin_call(caller, node, is_residual, depth + 1 < at.len()));
            let counts = std::mem::replace(&mut self.tallies[node.index()].seen, 1) == 0;
            self.walk.frames.push(OnStack { node, counts, call, weight: 0 });
            self.walk.at = At { parent: Some(node), is_residual: false };
        }
    }

    /// Takes all but the first `n_levels` locations from the stack.
    pub(super) fn leave(&mut self, n_levels: usize) {
        let Some(&Level { n_frames, before, .. }) = self.walk.levels.get(n_levels) else { return };
        while self.walk.frames.len() > n_frames {
            let Some(OnStack { node, counts, call, weight }) = self.walk.frames.pop() else { break };
            if counts {
                let tally = &mut self.tallies[node.index()];
                tally.seen = 0;
                tally.cum = tally.cum.saturating_add(weight);
            }
            if let Some(call) = call {
                self.end_call(call, weight);
            }
            if let Some(below) = self.walk.frames.last_mut() {
                below.weight = below.weight.saturating_add(weight);
            }
        }
        self.walk.levels.truncate(n_levels);
        self.walk.at = before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::frames::{FrameOptions, Frames};
    use crate::analysis::graph::{Calls, Graph, GraphOptions};
    use crate::profile::{FunctionSpec, Line, Profile, ProfileBuilder};

    /// Stacks that recurse, with inlined calls, many of which begin alike.
    fn profile(seed: u64) -> Profile {
        let mut state = seed;
        let mut random = |below: u64| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 33) % below
        };
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        let mut function = |name| builder.function(FunctionSpec { name, ..FunctionSpec::default() });
        let functions = ["a", "b", "c", "d", "e", "f"].map(&mut function);
        let locations: Vec<_> = (0..10_u64)
            .map(|address| {
                let lines: Vec<_> = (0..1 + address % 3).map(|_| usize::try_from(random(6)).unwrap()).collect();
                let lines: Vec<_> =
                    lines.into_iter().map(|it| Line { function: functions[it], line: 0, column: 0 }).collect();
                builder.location(None, address + 1, &lines)
            })
            .collect();
        let mut stack = Vec::new();
        for _ in 0..60 {
            stack.truncate(usize::try_from(random(7)).unwrap());
            stack.extend((0..random(6)).map(|_| locations[usize::try_from(random(10)).unwrap()]));
            let from_leaf: Vec<_> = stack.iter().rev().copied().collect();
            builder.sample(&from_leaf, &[i64::try_from(random(9)).unwrap() - 2], &[]);
        }
        builder.finish()
    }

    fn sums(graph: &Graph) -> String {
        let nodes: Vec<_> = graph.nodes.iter().map(|it| (it.frame, it.sums.flat, it.sums.cum)).collect();
        let mut edges: Vec<_> =
            graph.edges.iter().map(|it| (it.from, it.to, it.weight, it.is_residual, it.is_inline)).collect();
        edges.sort_unstable_by_key(|it| (it.0.0, it.1.0));
        format!("{nodes:?} {edges:?}")
    }

    #[test]
    fn sums_are_those_of_stacks_walked_one_by_one() {
        for seed in 0..60 {
            let profile = profile(seed);
            let frames = Frames::new(&profile, &FrameOptions::default());
            let some: Vec<bool> = (0..frames.len()).map(|it| it != 1 && it != 4).collect();
            for (calls, kept) in
                [(Calls::All, None), (Calls::All, Some(&some[..])), (Calls::IntoInlined, Some(&some[..]))]
            {
                let options = GraphOptions { calls, ..GraphOptions::default() };
                let together = Builder::new(&profile, &frames, &options, kept).graph_of(&profile, &options, None);
                let mut alone = Builder::new(&profile, &frames, &options, kept);
                alone.is_rich = true;
                let alone = alone.graph_of(&profile, &options, None);
                assert_eq!(sums(&together), sums(&alone), "seed {seed}, {calls:?}");
            }
        }
    }
}
