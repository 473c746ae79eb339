//! The host's half: hears what the guest rings.

use super::{ARM_ANSWERS, MAX_ANSWERS, MAX_INSTANCES, word};

/// The longest mean that an instance can be told, in bytes.
const MAX_MEAN: u64 = word::mask(word::BLOCK_BITS);

/// What a bell of the guest's has said. Lives in the store's data, where the limiter finds it.
#[derive(Debug)]
pub struct Bell {
    mean: u64,
    seed: u64,
    n_instances: u64,
    /// The first word of two: size and hook.
    begun: Option<(i64, i32)>,
    event: Option<Event>,
    /// What the guest is told when it asks, lowest bit first, and how many of them are left.
    answers: u128,
    n_answers: u32,
}

/// A wrapper's call of `on_alloc`. Blocks of different core instances have different numbers: the instance's number is
/// in the upper 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The block, or the goroutine.
    pub block: i64,
    /// Bytes asked for.
    pub size: i64,
    /// Hook number, with its flags.
    pub hook: i32,
}

impl Bell {
    /// Instances are told to take a sample every `mean` bytes on average, 1 for every block, and get random numbers
    /// from this seed.
    #[must_use]
    pub fn new(mean: u64, seed: u64) -> Self {
        let mean = mean.clamp(1, MAX_MEAN);
        Self { mean, seed, n_instances: 0, begun: None, event: None, answers: 0, n_answers: 0 }
    }

    /// A table wants to grow, says the limiter: what to say to that. `None` if it is no bell that rings, and other
    /// limits hold. This must be asked before them, as they may end a guest that wants too much. `free` is called for
    /// blocks that are freed, and says whether they were sampled.
    ///
    /// What was heard of an allocation is there to be taken with [`Bell::take`] when the store's call hook says that
    /// the host returns to the guest, whose stack can be seen then.
    pub fn ring(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
        free: impl FnOnce(i64) -> bool,
    ) -> Option<bool> {
        if maximum.and_then(|max| u64::try_from(max).ok()) != Some(MAX_ANSWERS) {
            return None;
        }
        let grow_by = u64::try_from(desired.checked_sub(current)?).ok()?;
        if grow_by & word::RING != 0 {
            self.hear(grow_by, free);
            return Some(false);
        }
        if grow_by != 1 || self.n_answers == 0 {
            return None;
        }
        let answer = self.answers & 1 != 0;
        self.answers >>= 1;
        self.n_answers -= 1;
        Some(answer && maximum.is_some_and(|max| desired <= max))
    }

    /// Whether the guest has told of an allocation that was not taken yet.
    #[must_use]
    pub fn has_event(&self) -> bool {
        self.event.is_some()
    }

    /// The allocation that the guest has told of, if it has.
    pub fn take(&mut self) -> Option<Event> {
        self.event.take()
    }

    fn hear(&mut self, word: u64, free: impl FnOnce(i64) -> bool) {
        let field = |at: u32, bits: u32| word >> at & word::mask(bits);
        let block = field(0, word::KIND_SHIFT).cast_signed();
        if word & word::SMALL_ALLOC == word::SMALL_ALLOC && field(word::KIND_SHIFT, 2) == 0 {
            let instance_at = word::SMALL_BLOCK_BITS + word::SMALL_SIZE_BITS;
            let instance = field(instance_at, word::SMALL_INSTANCE_BITS);
            let block = field(0, word::SMALL_BLOCK_BITS) | instance << word::BLOCK_BITS;
            let size = field(word::SMALL_BLOCK_BITS, word::SMALL_SIZE_BITS).cast_signed();
            let hook = field(instance_at + word::SMALL_INSTANCE_BITS, word::SMALL_HOOK_BITS);
            self.event = Some(Event { block: block.cast_signed(), size, hook: hook_number(hook) });
            return;
        }
        match word & (word::RING | 3 << word::KIND_SHIFT) {
            word::ALLOC => {
                let hook = field(word::SIZE_BITS, word::HOOK_BITS);
                self.begun = Some((field(0, word::SIZE_BITS).cast_signed(), hook_number(hook)));
            }
            word::BLOCK => self.event = self.begun.take().map(|(size, hook)| Event { block, size, hook }),
            word::FREE => {
                let was_sampled = free(block);
                self.answer(u128::from(was_sampled), 1);
            }
            _ => self.arm(),
        }
    }

    fn arm(&mut self) {
        // Instances beyond the last number share it. So many come to nothing in practice.
        let instance = self.n_instances.min(MAX_INSTANCES - 1);
        self.n_instances += 1;
        let seed = scramble(self.seed.wrapping_add(instance)).max(1);
        let rest = instance << word::BLOCK_BITS | self.mean;
        let bits = u128::from(seed) << 64 | u128::from(rest);
        self.answer(bits.reverse_bits(), ARM_ANSWERS);
    }

    fn answer(&mut self, answers: u128, n_answers: u32) {
        (self.answers, self.n_answers) = (answers, n_answers);
    }
}

/// A hook's number and flags, which stand beside each other in a word.
fn hook_number(bits: u64) -> i32 {
    let number_bits = word::HOOK_BITS - 3;
    let bits = i32::try_from(bits & word::mask(word::HOOK_BITS)).unwrap_or(0);
    let number = bits & ((1 << number_bits) - 1);
    number | (bits ^ number) << word::FLAG_SHIFT
}

/// Spreads neighbouring seeds (Steele, Lea and Flood's SplitMix64).
fn scramble(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
