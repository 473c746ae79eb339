//! What was sampled, before names: stacks of module offsets, aggregated as they come.

use rustc_hash::FxHashMap;

use super::Nanos;
use crate::labels::LabelsId;
use crate::stack::{NodeId, StackTrie};

/// What the guest was doing in its innermost frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leaf {
    /// Running code of its own.
    Guest,
    /// Waiting in a call out of the guest; which one, the instruction at the leaf's offset tells.
    HostCall,
}

/// What tells samples with one stack apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Doing {
    /// In the innermost frame.
    pub leaf: Leaf,
    /// The guest's labels for it.
    pub labels: LabelsId,
}

impl From<Leaf> for Doing {
    fn from(leaf: Leaf) -> Self {
        Self { leaf, labels: LabelsId::NONE }
    }
}

/// What a sample stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Value {
    /// Whole periods of CPU time.
    pub ticks: u64,
    /// CPU time.
    pub cpu: Nanos,
    /// Time as it passes.
    pub wall: Nanos,
}

impl Value {
    fn is_zero(self) -> bool {
        self == Self::default()
    }
}

impl std::ops::AddAssign for Value {
    fn add_assign(&mut self, other: Self) {
        self.ticks = self.ticks.saturating_add(other.ticks);
        self.cpu = self.cpu.saturating_add(other.cpu);
        self.wall = self.wall.saturating_add(other.wall);
    }
}

/// One distinct stack and what fell on it.
#[derive(Debug, PartialEq, Eq)]
pub struct StackSample {
    /// Places in code, innermost frame first: byte offsets in the module's file.
    pub offsets: Vec<u32>,
    /// Whether frames beyond [`MAX_FRAMES`](crate::stack::MAX_FRAMES) were left out at the root side.
    pub truncated: bool,
    /// What the innermost frame was doing.
    pub leaf: Leaf,
    /// The labels that the guest had set.
    pub labels: LabelsId,
    /// Its share.
    pub value: Value,
}

/// Every sample of a run.
#[derive(Debug, Default)]
pub struct RawSamples {
    stacks: StackTrie,
    /// What fell on each stack without labels, by [`Leaf`].
    values: Vec<[Value; 2]>,
    /// What fell on stacks with labels.
    labelled: FxHashMap<(NodeId, Doing), Value>,
    /// Where the last sample ended, and how; `None` before the first.
    last_sample: Option<(NodeId, Doing)>,
    /// The same of the last that has used the CPU.
    last_running: Option<(NodeId, Doing)>,
    /// What belongs to no stack: it passed where none could be captured.
    lost: Value,
    n_captures: u64,
    capture_nanos: u64,
}

impl RawSamples {
    /// Adds to a stack given innermost frame first. Frames past [`MAX_FRAMES`] are cut.
    ///
    /// [`MAX_FRAMES`]: crate::stack::MAX_FRAMES
    pub fn record(&mut self, offsets: &[u32], doing: impl Into<Doing>, value: Value) {
        self.record_cut(offsets, false, doing.into(), value);
    }

    /// The same for a stack of which frames at the root side may have been cut already.
    pub fn record_cut(&mut self, offsets: &[u32], is_cut: bool, doing: Doing, value: Value) {
        let stack = self.stacks.add_cut(offsets, is_cut);
        self.add(stack, doing, value);
        self.last_sample = Some((stack, doing));
        if value.cpu > 0 {
            self.last_running = self.last_sample;
        }
    }

    fn add(&mut self, stack: NodeId, doing: Doing, value: Value) {
        if doing.labels != LabelsId::NONE {
            *self.labelled.entry((stack, doing)).or_default() += value;
            return;
        }
        if self.values.len() < self.stacks.n_ids() {
            self.values.resize(self.stacks.n_ids(), Default::default());
        }
        if let Some(own) = self.values.get_mut(stack.index()) {
            own[doing.leaf as usize] += value;
        }
    }

    /// Adds to the stack that was recorded last.
    pub fn record_more(&mut self, value: Value) {
        match self.last_sample {
            Some((stack, doing)) => self.add(stack, doing, value),
            None => self.lost += value,
        }
    }

    /// Counts what has no stack.
    pub fn record_lost(&mut self, value: Value) {
        self.lost += value;
    }

    /// Counts what passed since the last sample when no further one can be taken, as the guest is gone. Up to one tick
    /// was under way at that sample and goes with it; more than that belongs to stacks that nobody saw.
    pub fn record_tail(&mut self, tail: Value, period: Nanos) {
        let Some((stack, doing)) = self.last_running.or(self.last_sample) else {
            // Less than a tick of a guest that was never seen is no sample.
            if tail.ticks > 0 || tail.wall > period {
                self.lost += tail;
            }
            return;
        };
        let most = period.saturating_mul(2);
        let ticks = tail.ticks.min(1);
        // What nobody saw has the CPU time of its ticks.
        let unseen = (tail.ticks - ticks).saturating_mul(period);
        let own = Value { ticks, cpu: tail.cpu.saturating_sub(unseen).min(most), wall: tail.wall.min(most) };
        self.add(stack, doing, own);
        self.lost += Value { ticks: tail.ticks - own.ticks, cpu: tail.cpu - own.cpu, wall: tail.wall - own.wall };
    }

    /// Adds what another guest thread has used.
    pub fn add_all(&mut self, other: &Self) {
        for stack in other.stacks() {
            let doing = Doing { leaf: stack.leaf, labels: stack.labels };
            self.record_cut(&stack.offsets, stack.truncated, doing, stack.value);
        }
        self.lost += other.lost;
        self.n_captures += other.n_captures;
        self.capture_nanos += other.capture_nanos;
    }

    /// Notes what one capture cost, for the bench.
    pub fn note_capture(&mut self, nanos: u64) {
        self.n_captures += 1;
        self.capture_nanos += nanos;
    }

    /// The same samples with other frames: `place` says what each becomes, and leaves it out with `None`.
    #[must_use]
    pub fn with_places(&self, place: impl Fn(u32) -> Option<u32>) -> Self {
        let mut samples =
            Self { lost: self.lost, n_captures: self.n_captures, capture_nanos: self.capture_nanos, ..Self::default() };
        for stack in self.stacks() {
            let offsets: Vec<u32> = stack.offsets.iter().filter_map(|&offset| place(offset)).collect();
            let doing = Doing { leaf: stack.leaf, labels: stack.labels };
            samples.record_cut(&offsets, stack.truncated, doing, stack.value);
        }
        samples
    }

    /// Every frame, as often as a call path has it.
    pub fn places(&self) -> impl Iterator<Item = u32> + '_ {
        self.stacks.all_frames()
    }

    /// Every distinct stack, in the order first seen; those with labels after the others.
    pub fn stacks(&self) -> impl Iterator<Item = StackSample> + '_ {
        let plain = self.stacks.ids().zip(&self.values).flat_map(|(id, by_leaf)| {
            [Leaf::Guest, Leaf::HostCall].map(|leaf| (id, Doing::from(leaf), by_leaf[leaf as usize]))
        });
        let mut labelled: Vec<_> = self.labelled.iter().map(|(&(id, doing), &value)| (id, doing, value)).collect();
        labelled.sort_unstable_by_key(|&(id, doing, _)| (id.index(), doing.labels, doing.leaf as usize));
        plain.chain(labelled).filter(|(.., value)| !value.is_zero()).map(|(id, Doing { leaf, labels }, value)| {
            let (offsets, truncated) = self.stacks.frames(id);
            StackSample { offsets, truncated, leaf, labels, value }
        })
    }

    /// All that has a stack.
    #[must_use]
    pub fn total(&self) -> Value {
        let mut total = Value::default();
        for &value in self.values.iter().flatten().chain(self.labelled.values()) {
            total += value;
        }
        total
    }

    /// All that has none.
    #[must_use]
    pub fn lost(&self) -> Value {
        self.lost
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

    fn value(ticks: u64) -> Value {
        Value { ticks, cpu: ticks * 10, wall: ticks * 11 }
    }

    fn sample(offsets: &[u32], leaf: Leaf, ticks: u64) -> StackSample {
        StackSample { offsets: offsets.to_vec(), truncated: false, leaf, labels: LabelsId::NONE, value: value(ticks) }
    }

    #[test]
    fn equal_stacks_add_up_and_others_stay_apart() {
        let mut raw = RawSamples::default();
        for (offsets, leaf, ticks) in [
            (&[3, 2, 1][..], Leaf::Guest, 1),
            (&[4, 2, 1], Leaf::Guest, 2),
            (&[3, 2, 1], Leaf::Guest, 5),
            (&[3, 2, 1], Leaf::HostCall, 7),
            (&[2, 1], Leaf::Guest, 11),
            (&[1, 2, 1], Leaf::Guest, 13),
        ] {
            raw.record(offsets, leaf, value(ticks));
        }
        let mut stacks: Vec<_> = raw.stacks().collect();
        stacks.sort_by_key(|stack| stack.value.ticks);
        let expected = [
            sample(&[4, 2, 1], Leaf::Guest, 2),
            sample(&[3, 2, 1], Leaf::Guest, 6),
            sample(&[3, 2, 1], Leaf::HostCall, 7),
            sample(&[2, 1], Leaf::Guest, 11),
            sample(&[1, 2, 1], Leaf::Guest, 13),
        ];
        assert_eq!(stacks, expected);
        assert_eq!(raw.total(), value(39));
        // Frame 4 is left out, and 3 becomes 4.
        let moved = raw.with_places(|place| (place != 4).then_some(place + u32::from(place == 3)));
        let mut stacks: Vec<_> = moved.stacks().collect();
        stacks.sort_by_key(|stack| stack.value.ticks);
        assert_eq!(stacks[0], sample(&[4, 2, 1], Leaf::Guest, 6));
        assert_eq!(stacks[2], sample(&[2, 1], Leaf::Guest, 13), "11 and 2");
        assert_eq!(moved.total(), value(39));
    }

    #[test]
    fn labels_tell_equal_stacks_apart() {
        let mut raw = RawSamples::default();
        let with = |labels| Doing { leaf: Leaf::Guest, labels };
        let [a, b] = [LabelsId::from_raw(1), LabelsId::from_raw(2)];
        raw.record(&[2, 1], with(b), value(1));
        raw.record(&[2, 1], Leaf::Guest, value(2));
        raw.record(&[2, 1], with(a), value(3));
        raw.record(&[2, 1], with(b), value(5));
        raw.record_more(value(7));
        raw.record_tail(value(1), 10);
        let moved = raw.with_places(|place| Some(place + 1));
        for (raw, offsets) in [(&raw, [2, 1]), (&moved, [3, 2])] {
            let expected = [(LabelsId::NONE, 2), (a, 3), (b, 14)]
                .map(|(labels, ticks)| StackSample { labels, ..sample(&offsets, Leaf::Guest, ticks) });
            assert_eq!(raw.stacks().collect::<Vec<_>>(), expected);
            assert_eq!(raw.total(), value(19));
        }
    }

    #[test]
    fn threads_add_up() {
        let labelled = Doing { leaf: Leaf::Guest, labels: LabelsId::from_raw(1) };
        let mut all = RawSamples::default();
        for n in [1, 10] {
            let mut one = RawSamples::default();
            one.record(&[2, 1], Leaf::Guest, value(n));
            one.record(&[2, 1], labelled, value(2 * n));
            one.record(&[3, 1], Leaf::HostCall, value(3 * n));
            one.record_lost(value(4 * n));
            all.add_all(&one);
        }
        assert_eq!(all.stacks().map(|it| it.value).collect::<Vec<_>>(), [value(11), value(33), value(22)]);
        assert_eq!(all.lost(), value(44));
    }

    #[test]
    fn the_tail_of_a_run_loses_nothing_from_the_total() {
        let mut raw = RawSamples::default();
        raw.record_tail(value(0), 10);
        raw.record_tail(value(2), 10);
        assert_eq!((raw.total(), raw.lost()), (value(0), value(2)));
        raw.record(&[2, 1], Leaf::HostCall, value(1));
        raw.record_tail(Value { ticks: 3, cpu: 35, wall: 40 }, 10);
        let with_tail = Value { ticks: 2, cpu: 25, wall: 31 };
        assert_eq!((raw.total(), raw.lost()), (with_tail, Value { ticks: 4, cpu: 40, wall: 42 }));
        assert_eq!(raw.stacks().map(|it| it.value).collect::<Vec<_>>(), [with_tail]);
    }

    /// Nothing in a profile may count as a sample and stand for no time.
    #[test]
    fn ticks_that_nobody_saw_keep_their_time() {
        let mut raw = RawSamples::default();
        raw.record(&[1], Leaf::Guest, value(1));
        raw.record_tail(Value { ticks: 2, cpu: 20, wall: 20 }, 10);
        assert_eq!(raw.lost(), Value { ticks: 1, cpu: 10, wall: 0 });
    }

    #[test]
    fn an_empty_stack_is_kept_for_the_total() {
        let mut raw = RawSamples::default();
        raw.record(&[], Leaf::Guest, value(3));
        assert_eq!(raw.stacks().collect::<Vec<_>>(), [sample(&[], Leaf::Guest, 3)]);
    }

    #[test]
    fn a_cut_stack_stays_cut() {
        let deep: Vec<u32> = (0..11_000).collect();
        let mut raw = RawSamples::default();
        raw.record(&deep, Leaf::Guest, value(1));
        let moved = raw.with_places(|place| (place % 2 == 0).then_some(place));
        assert_eq!(moved.stacks().map(|it| it.truncated).collect::<Vec<_>>(), [true]);
    }
}
