//! The sampled blocks that are alive, and what each place in the guest has allocated and freed.

use rustc_hash::FxHashMap;

use super::gaps::sampling_chance;
use crate::stack::StackId;

/// What one stack has done with blocks of one size, as sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its number: 0 for the first, and so on without gaps.
    pub number: usize,
    /// Where the blocks were allocated.
    pub stack: StackId,
    /// Bytes of each.
    pub size: u64,
    /// Blocks allocated.
    pub n_allocs: u64,
    /// Those of them that were freed.
    pub n_frees: u64,
    /// Blocks alive at the heap's highest moment.
    pub n_at_peak: u64,
}

impl Record {
    /// Blocks alive.
    #[must_use]
    pub fn n_live(&self) -> u64 {
        self.n_allocs - self.n_frees
    }
}

/// A memory, or all of a component's: blocks in different ones may have equal addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Space(usize);

/// A record, and what it was at the peak.
#[derive(Debug)]
struct Entry {
    record: Record,
    /// Bytes that one sampled block stands for.
    weight: u64,
    /// The peak that [`Record::n_at_peak`] is of. An entry that has not changed since a peak has another number, and
    /// its live blocks are those of the peak.
    peak: u32,
}

/// Sampled blocks.
#[derive(Debug, Default)]
pub struct Live {
    rate: u64,
    /// The record of each live block, by the space that it lies in.
    spaces: Vec<FxHashMap<u64, u32>>,
    /// Spaces that are gone.
    unused: Vec<Space>,
    entries: Vec<Entry>,
    by_stack: FxHashMap<(StackId, u64), u32>,
    /// What was looked up last: allocations come in runs.
    last: Option<((StackId, u64), u32)>,
    live_bytes: u64,
    peak_bytes: u64,
    /// The number of the highest moment so far. It is over once the heap has shrunk again.
    peak: u32,
    is_at_peak: bool,
    n_overwritten: u64,
}

impl Live {
    /// Nothing yet, sampled at one in `rate` bytes.
    #[must_use]
    pub fn new(rate: u64) -> Self {
        Self { rate, is_at_peak: true, ..Self::default() }
    }

    /// From now on one block in so many bytes is sampled.
    pub fn set_rate(&mut self, rate: u64) {
        self.rate = rate;
    }

    /// A space without blocks.
    pub fn open(&mut self) -> Space {
        self.unused.pop().unwrap_or_else(|| {
            self.spaces.push(FxHashMap::default());
            Space(self.spaces.len() - 1)
        })
    }

    /// A space is gone, and with it its blocks.
    pub fn close(&mut self, space: Space) {
        for entry in self.spaces.get_mut(space.0).map(std::mem::take).unwrap_or_default().into_values() {
            self.count_free(entry);
        }
        self.unused.push(space);
    }

    /// Notes a sampled block.
    pub fn add(&mut self, (space, block): (Space, u64), stack: StackId, size: u64) {
        let entry = self.entry(stack, size);
        if let Some(old) = self.spaces.get_mut(space.0).and_then(|blocks| blocks.insert(block, entry)) {
            // Nobody told that the block which was here is gone.
            self.n_overwritten += 1;
            self.count_free(old);
        }
        self.count_alloc(entry);
    }

    /// Notes an allocation whose free will not be seen.
    pub fn add_unnamed(&mut self, stack: StackId, size: u64) {
        let entry = self.entry(stack, size);
        self.count_alloc(entry);
    }

    /// Notes that a block is freed; whether it was a sampled one.
    pub fn remove(&mut self, (space, block): (Space, u64)) -> bool {
        let Some(entry) = self.spaces.get_mut(space.0).and_then(|blocks| blocks.remove(&block)) else { return false };
        self.count_free(entry);
        true
    }

    /// Every record, in the order first seen.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.entries.iter().map(|entry| {
            let n_at_peak = if self.is_saved(entry) { entry.record.n_at_peak } else { entry.record.n_live() };
            Record { n_at_peak, ..entry.record }
        })
    }

    /// How many blocks were allocated where a live one was thought to be: frees that were not seen.
    #[must_use]
    pub fn n_overwritten(&self) -> u64 {
        self.n_overwritten
    }

    fn entry(&mut self, stack: StackId, size: u64) -> u32 {
        let key = (stack, size);
        if let Some((last, entry)) = self.last
            && last == key
        {
            return entry;
        }
        let entry = *self.by_stack.entry(key).or_insert_with(|| {
            let entry = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
            let number = self.entries.len();
            let record = Record { number, stack, size, n_allocs: 0, n_frees: 0, n_at_peak: 0 };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and far below 2^64")]
            let weight = (size as f64 / sampling_chance(size, self.rate)).round() as u64;
            self.entries.push(Entry { record, weight, peak: self.peak });
            entry
        });
        self.last = Some((key, entry));
        entry
    }

    fn count_alloc(&mut self, entry: u32) {
        self.save_peak(entry);
        let Some(entry) = self.entries.get_mut(entry as usize) else { return };
        entry.record.n_allocs += 1;
        self.live_bytes += entry.weight;
        if self.live_bytes > self.peak_bytes {
            self.peak_bytes = self.live_bytes;
            self.is_at_peak = true;
        }
    }

    fn count_free(&mut self, entry: u32) {
        if self.is_at_peak {
            self.is_at_peak = false;
            self.peak = self.peak.wrapping_add(1);
        }
        self.save_peak(entry);
        let Some(entry) = self.entries.get_mut(entry as usize) else { return };
        entry.record.n_frees += 1;
        self.live_bytes = self.live_bytes.saturating_sub(entry.weight);
    }

    /// Keeps what an entry was at the peak, before its first change since.
    fn save_peak(&mut self, entry: u32) {
        let (peak, is_at_peak) = (self.peak, self.is_at_peak);
        if let Some(entry) = self.entries.get_mut(entry as usize)
            && !is_at_peak
            && entry.peak != peak
        {
            entry.record.n_at_peak = entry.record.n_live();
            entry.peak = peak;
        }
    }

    fn is_saved(&self, entry: &Entry) -> bool {
        !self.is_at_peak && entry.peak == self.peak
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::StackTrie;

    fn stacks<const N: usize>() -> [StackId; N] {
        let mut trie = StackTrie::default();
        std::array::from_fn(|n| StackId::of_captured(trie.add(&[u32::try_from(n).unwrap()])))
    }

    fn counts(live: &Live) -> Vec<(u64, u64, u64)> {
        live.records().map(|it| (it.n_allocs, it.n_live(), it.n_at_peak)).collect()
    }

    #[test]
    fn blocks_come_and_go() {
        let [a, b] = stacks();
        let mut live = Live::new(1);
        let space = live.open();
        live.add((space, 16), a, 10);
        live.add((space, 32), a, 10);
        live.add((space, 48), a, 20);
        live.add((space, 64), b, 10);
        assert!(live.remove((space, 32)));
        assert!(!live.remove((space, 32)), "freed already");
        assert!(!live.remove((space, 80)), "never seen");
        assert_eq!(counts(&live), [(2, 1, 2), (1, 1, 1), (1, 1, 1)]);
        live.add((space, 64), a, 10);
        assert_eq!(counts(&live), [(3, 2, 2), (1, 1, 1), (1, 0, 1)], "the block at 64 was freed unseen");
        assert_eq!(live.n_overwritten(), 1);
    }

    #[test]
    fn the_peak_is_the_highest_moment_and_not_the_sum_of_each_ones_highest() {
        let [a, b, c] = stacks();
        let mut live = Live::new(1);
        let space = live.open();
        live.add((space, 1), a, 100);
        live.add((space, 2), b, 50);
        live.remove((space, 1));
        live.add((space, 3), c, 20);
        assert_eq!(counts(&live), [(1, 0, 1), (1, 1, 1), (1, 1, 0)], "150 bytes: a and b");
        live.add((space, 4), c, 200);
        assert_eq!(counts(&live), [(1, 0, 0), (1, 1, 1), (1, 1, 1), (1, 1, 1)], "270 bytes: b and c");
        for block in 2..5 {
            live.remove((space, block));
        }
        assert_eq!(counts(&live), [(1, 0, 0), (1, 0, 1), (1, 0, 1), (1, 0, 1)]);
        live.add((space, 5), a, 270);
        assert_eq!(counts(&live)[1], (1, 0, 1), "as high as before is no new peak");
        live.add((space, 6), a, 100);
        assert_eq!(counts(&live), [(2, 1, 1), (1, 0, 0), (1, 0, 0), (1, 0, 0), (1, 1, 1)], "370 bytes: a alone");
    }

    #[test]
    fn equal_addresses_in_different_spaces_are_different_blocks_and_go_with_their_space() {
        let [a] = stacks();
        let mut live = Live::new(1);
        let [one, other] = [live.open(), live.open()];
        live.add((one, 16), a, 10);
        live.add((other, 16), a, 10);
        live.add((other, 32), a, 10);
        assert_eq!((counts(&live), live.n_overwritten()), (vec![(3, 3, 3)], 0));
        live.close(other);
        assert_eq!(counts(&live), [(3, 1, 3)]);
        let again = live.open();
        assert_eq!(again, other);
        assert!(!live.remove((again, 16)), "what was there is gone");
        assert!(live.remove((one, 16)));
    }
}
