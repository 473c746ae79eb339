//! What was sampled, before names: stacks of module offsets, aggregated as they come.

use crate::stack::{NodeId, StackTrie};

/// What the guest was doing in its innermost frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leaf {
    /// Running code of its own.
    Guest,
    /// Waiting in a call out of the guest; which one, the instruction at the leaf's offset tells.
    HostCall,
}

/// One distinct stack and how many ticks fell on it.
#[derive(Debug, PartialEq, Eq)]
pub struct StackSample {
    /// Byte offsets in the module's file, innermost frame first.
    pub offsets: Vec<u32>,
    /// Whether frames beyond [`MAX_FRAMES`](crate::stack::MAX_FRAMES) were left out at the root side.
    pub truncated: bool,
    /// What the innermost frame was doing.
    pub leaf: Leaf,
    /// Ticks, each worth one sampling period.
    pub ticks: u64,
}

/// Every sample of a run.
#[derive(Debug, Default)]
pub struct RawSamples {
    stacks: StackTrie,
    /// Ticks that ended at each stack, by [`Leaf`].
    ticks: Vec<[u64; 2]>,
    /// Where the last sample ended, and how; `None` before the first.
    last_sample: Option<(NodeId, Leaf)>,
    /// Ticks that belong to no stack: they passed where none could be captured.
    lost_ticks: u64,
    n_captures: u64,
    capture_nanos: u64,
}

impl RawSamples {
    /// Adds `ticks` to a stack given innermost frame first. Frames past [`MAX_FRAMES`] are cut.
    ///
    /// [`MAX_FRAMES`]: crate::stack::MAX_FRAMES
    pub fn record(&mut self, offsets: &[u32], leaf: Leaf, ticks: u64) {
        let stack = self.stacks.add(offsets);
        self.add_ticks(stack, leaf, ticks);
        self.last_sample = Some((stack, leaf));
    }

    fn add_ticks(&mut self, stack: NodeId, leaf: Leaf, ticks: u64) {
        if self.ticks.len() < self.stacks.n_ids() {
            self.ticks.resize(self.stacks.n_ids(), [0; 2]);
        }
        if let Some(own) = self.ticks.get_mut(stack.index()) {
            own[leaf as usize] += ticks;
        }
    }

    /// Counts ticks that passed since the last sample when no further one can be taken, as the guest is gone. One
    /// of them was under way at that sample (the CPU clock's ticks fall between those of the ticker) and goes
    /// with it; the others belong to stacks that nobody saw.
    pub fn record_tail(&mut self, ticks: u64) {
        let mut lost = ticks;
        if let Some((stack, leaf)) = self.last_sample {
            self.add_ticks(stack, leaf, ticks.min(1));
            lost = ticks.saturating_sub(1);
        }
        self.lost_ticks += lost;
    }

    /// Notes what one capture cost, for the bench.
    pub fn note_capture(&mut self, nanos: u64) {
        self.n_captures += 1;
        self.capture_nanos += nanos;
    }

    /// Every distinct stack, in the order first seen.
    pub fn stacks(&self) -> impl Iterator<Item = StackSample> + '_ {
        self.stacks.ids().zip(&self.ticks).flat_map(move |(id, by_leaf)| {
            [Leaf::Guest, Leaf::HostCall].into_iter().filter_map(move |leaf| {
                let ticks = by_leaf[leaf as usize];
                (ticks > 0).then(|| {
                    let (offsets, truncated) = self.stacks.frames(id);
                    StackSample { offsets, truncated, leaf, ticks }
                })
            })
        })
    }

    /// Ticks with a stack.
    #[must_use]
    pub fn n_ticks(&self) -> u64 {
        self.ticks.iter().flatten().sum()
    }

    /// Ticks without one.
    #[must_use]
    pub fn n_lost(&self) -> u64 {
        self.lost_ticks
    }

    /// How many times a stack was captured, and the nanoseconds that took in all.
    #[must_use]
    pub fn capture_cost(&self) -> (u64, u64) {
        (self.n_captures, self.capture_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(offsets: &[u32], leaf: Leaf, ticks: u64) -> StackSample {
        StackSample { offsets: offsets.to_vec(), truncated: false, leaf, ticks }
    }

    #[test]
    fn equal_stacks_add_up_and_others_stay_apart() {
        let mut raw = RawSamples::default();
        raw.record(&[3, 2, 1], Leaf::Guest, 1);
        raw.record(&[4, 2, 1], Leaf::Guest, 2);
        raw.record(&[3, 2, 1], Leaf::Guest, 5);
        raw.record(&[3, 2, 1], Leaf::HostCall, 7);
        raw.record(&[2, 1], Leaf::Guest, 11);
        raw.record(&[1, 2, 1], Leaf::Guest, 13);
        let mut stacks: Vec<_> = raw.stacks().collect();
        stacks.sort_by_key(|stack| stack.ticks);
        assert_eq!(
            stacks,
            [
                sample(&[4, 2, 1], Leaf::Guest, 2),
                sample(&[3, 2, 1], Leaf::Guest, 6),
                sample(&[3, 2, 1], Leaf::HostCall, 7),
                sample(&[2, 1], Leaf::Guest, 11),
                sample(&[1, 2, 1], Leaf::Guest, 13),
            ]
        );
        assert_eq!(raw.n_ticks(), 39);
    }

    #[test]
    fn the_tail_of_a_run_loses_no_tick_from_the_total() {
        let mut raw = RawSamples::default();
        raw.record_tail(2);
        assert_eq!((raw.n_ticks(), raw.n_lost()), (0, 2));
        raw.record(&[2, 1], Leaf::HostCall, 1);
        raw.record_tail(3);
        assert_eq!((raw.n_ticks(), raw.n_lost()), (2, 4));
        assert_eq!(raw.stacks().collect::<Vec<_>>(), [sample(&[2, 1], Leaf::HostCall, 2)]);
    }

    #[test]
    fn an_empty_stack_is_kept_for_the_total() {
        let mut raw = RawSamples::default();
        raw.record(&[], Leaf::Guest, 3);
        assert_eq!(raw.stacks().collect::<Vec<_>>(), [sample(&[], Leaf::Guest, 3)]);
    }
}
