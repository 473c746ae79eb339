//! What was sampled, before names: stacks of module offsets, aggregated as they come.
//!
//! Stacks are kept in a tree that grows from the root, so a recursion 10,000 deep that is sampled a
//! thousand times costs its frames once, and a long run's memory is bounded by its distinct call paths.

use rustc_hash::FxHashMap;

/// Frames kept of one stack, counted from the leaf. What lies beyond is replaced by a marker at the root
/// (SEMANTICS §0).
pub const MAX_FRAMES: usize = 10_000;

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
    /// Whether frames beyond [`MAX_FRAMES`] were left out at the root side.
    pub truncated: bool,
    /// What the innermost frame was doing.
    pub leaf: Leaf,
    /// Ticks, each worth one sampling period.
    pub ticks: u64,
}

#[derive(Debug)]
struct Node {
    parent: u32,
    offset: u32,
    /// Ticks that ended here, by [`Leaf`].
    ticks: [u64; 2],
}

/// The root of whole stacks, and the root of those that were cut.
const ROOTS: [u32; 2] = [0, 1];

/// Every sample of a run.
#[derive(Debug)]
pub struct RawSamples {
    nodes: Vec<Node>,
    children: FxHashMap<(u32, u32), u32>,
    /// The path of the stack recorded last, root first: neighbours in time share most of theirs.
    last_path: Vec<(u32, u32)>,
    last_root: u32,
    /// Where the last sample ended, and how; `None` before the first.
    last_sample: Option<(u32, Leaf)>,
    /// Ticks that belong to no stack: they passed where none could be captured.
    lost_ticks: u64,
    n_captures: u64,
    capture_nanos: u64,
}

impl Default for RawSamples {
    fn default() -> Self {
        let root = || Node { parent: u32::MAX, offset: 0, ticks: [0; 2] };
        Self {
            nodes: vec![root(), root()],
            children: FxHashMap::default(),
            last_path: Vec::new(),
            last_root: ROOTS[0],
            last_sample: None,
            lost_ticks: 0,
            n_captures: 0,
            capture_nanos: 0,
        }
    }
}

impl RawSamples {
    /// Adds `ticks` to a stack given innermost frame first. Frames past [`MAX_FRAMES`] are cut.
    pub fn record(&mut self, offsets: &[u32], leaf: Leaf, ticks: u64) {
        let kept = &offsets[..offsets.len().min(MAX_FRAMES)];
        let root = ROOTS[usize::from(kept.len() < offsets.len())];
        let shared = if root == self.last_root { self.shared_with_last(kept) } else { 0 };
        self.last_root = root;
        self.last_path.truncate(shared);
        let mut node = self.last_path.last().map_or(root, |&(_, node)| node);
        for &offset in kept.iter().rev().skip(shared) {
            node = self.child(node, offset);
            self.last_path.push((offset, node));
        }
        self.nodes[node as usize].ticks[leaf as usize] += ticks;
        self.last_sample = Some((node, leaf));
    }

    /// Counts ticks that passed since the last sample when no further one can be taken, as the guest is gone. One
    /// of them was under way at that sample (the CPU clock's ticks fall between those of the ticker) and goes
    /// with it; the others belong to stacks that nobody saw.
    pub fn record_tail(&mut self, ticks: u64) {
        let mut lost = ticks;
        if let Some((node, leaf)) = self.last_sample {
            self.nodes[node as usize].ticks[leaf as usize] += ticks.min(1);
            lost = ticks.saturating_sub(1);
        }
        self.lost_ticks += lost;
    }

    /// How many frames from the root the stack has in common with the one before.
    fn shared_with_last(&self, offsets: &[u32]) -> usize {
        offsets.iter().rev().zip(&self.last_path).take_while(|&(offset, (last, _))| offset == last).count()
    }

    fn child(&mut self, parent: u32, offset: u32) -> u32 {
        *self.children.entry((parent, offset)).or_insert_with(|| {
            // 2^32 nodes are 100 GB of tree; past that, samples fall on their caller instead of wrapping round.
            let Ok(node) = u32::try_from(self.nodes.len()) else { return parent };
            self.nodes.push(Node { parent, offset, ticks: [0; 2] });
            node
        })
    }

    /// Notes what one capture cost, for the bench.
    pub fn note_capture(&mut self, nanos: u64) {
        self.n_captures += 1;
        self.capture_nanos += nanos;
    }

    /// Every distinct stack, in the order first seen.
    pub fn stacks(&self) -> impl Iterator<Item = StackSample> + '_ {
        self.nodes.iter().enumerate().flat_map(move |(idx, node)| {
            [Leaf::Guest, Leaf::HostCall].into_iter().filter_map(move |leaf| {
                let ticks = node.ticks[leaf as usize];
                (ticks > 0).then(|| self.stack(idx, leaf, ticks))
            })
        })
    }

    fn stack(&self, mut idx: usize, leaf: Leaf, ticks: u64) -> StackSample {
        let mut offsets = Vec::new();
        while idx >= ROOTS.len() {
            let node = &self.nodes[idx];
            offsets.push(node.offset);
            idx = node.parent as usize;
        }
        StackSample { offsets, truncated: idx == ROOTS[1] as usize, leaf, ticks }
    }

    /// Ticks with a stack.
    #[must_use]
    pub fn n_ticks(&self) -> u64 {
        self.nodes.iter().flat_map(|node| node.ticks).sum()
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
    fn a_stack_past_the_bound_loses_its_root_side_and_says_so() {
        let deep: Vec<u32> = (0..12_000).collect();
        let mut raw = RawSamples::default();
        raw.record(&deep[..MAX_FRAMES], Leaf::Guest, 1);
        raw.record(&deep, Leaf::Guest, 1);
        let stacks: Vec<_> = raw.stacks().collect();
        assert_eq!(stacks.len(), 2);
        assert!(stacks.iter().all(|stack| stack.offsets == deep[..MAX_FRAMES]), "the leaf side is kept");
        assert_eq!(stacks.iter().map(|stack| stack.truncated).collect::<Vec<_>>(), [false, true]);
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
