//! A ring of words between a signal handler, which writes records, and a thread, which reads them.
//!
//! Neither waits for the other. A record that finds no room is not written, and that is counted by whoever wanted to.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The ring. One thread at a time writes, one reads.
#[derive(Debug)]
pub(super) struct Ring {
    words: Box<[AtomicU64]>,
    /// Words ever written, and ever read; they may wrap.
    written: AtomicUsize,
    read: AtomicUsize,
}

/// A record that is being written. Nobody sees it before [`Record::commit`].
#[derive(Debug)]
pub(super) struct Record<'a> {
    ring: &'a Ring,
    start: usize,
    end: usize,
    /// The first place that still holds what has not been read.
    limit: usize,
    is_whole: bool,
}

impl Ring {
    /// A ring of so many words, rounded up to a power of two.
    pub(super) fn new(n_words: usize) -> Self {
        let words = (0..n_words.next_power_of_two()).map(|_| AtomicU64::new(0)).collect();
        Self { words, written: AtomicUsize::new(0), read: AtomicUsize::new(0) }
    }

    fn slot(&self, at: usize) -> Option<&AtomicU64> {
        // The length is a power of two, so wrapping counts stay right.
        self.words.get(at & self.words.len().wrapping_sub(1))
    }

    /// Begins a record. Safe in a signal handler, as are all methods of [`Record`].
    pub(super) fn begin(&self) -> Record<'_> {
        let start = self.written.load(Ordering::Relaxed);
        let limit = self.read.load(Ordering::Acquire).wrapping_add(self.words.len());
        // The first word is the record's length.
        let mut record = Record { ring: self, start, end: start, limit, is_whole: true };
        record.push(0);
        record
    }

    /// Gives each record that waits to `see`, as its words after the length. `record` is room for them.
    pub(super) fn drain(&self, record: &mut Vec<u64>, mut see: impl FnMut(&[u64])) {
        let mut at = self.read.load(Ordering::Relaxed);
        let word = |at: usize| self.slot(at).map_or(0, |word| word.load(Ordering::Relaxed));
        while at != self.written.load(Ordering::Acquire) {
            let len = usize::try_from(word(at)).unwrap_or_default().clamp(1, self.words.len());
            record.clear();
            record.extend((1..len).map(|idx| word(at.wrapping_add(idx))));
            see(record);
            at = at.wrapping_add(len);
            self.read.store(at, Ordering::Release);
        }
    }
}

impl Record<'_> {
    /// Appends a word; false if there is no room, and then there will be no record.
    pub(super) fn push(&mut self, word: u64) -> bool {
        self.is_whole = self.is_whole && self.end != self.limit;
        if self.is_whole
            && let Some(slot) = self.ring.slot(self.end)
        {
            slot.store(word, Ordering::Relaxed);
            self.end = self.end.wrapping_add(1);
        }
        self.is_whole
    }

    /// Takes back all words but so many of the first.
    pub(super) fn truncate(&mut self, len: usize) {
        let end = self.start.wrapping_add(1).wrapping_add(len);
        if self.is_whole && end.wrapping_sub(self.start) < self.end.wrapping_sub(self.start) {
            self.end = end;
        }
    }

    /// Changes a word that was pushed.
    pub(super) fn set(&mut self, idx: usize, word: u64) {
        if self.is_whole
            && let Some(slot) = self.ring.slot(self.start.wrapping_add(1).wrapping_add(idx))
        {
            slot.store(word, Ordering::Relaxed);
        }
    }

    /// Hands it to the reader; false if it has not found room.
    pub(super) fn commit(self) -> bool {
        if self.is_whole
            && let Some(slot) = self.ring.slot(self.start)
        {
            slot.store(self.end.wrapping_sub(self.start) as u64, Ordering::Relaxed);
            self.ring.written.store(self.end, Ordering::Release);
        }
        self.is_whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(ring: &Ring) -> Vec<Vec<u64>> {
        let mut all = Vec::new();
        ring.drain(&mut Vec::new(), |record| all.push(record.to_vec()));
        all
    }

    fn write(ring: &Ring, words: &[u64]) -> bool {
        let mut record = ring.begin();
        for &word in words {
            record.push(word);
        }
        record.commit()
    }

    #[test]
    fn records_come_out_as_they_went_in_round_and_round() {
        let ring = Ring::new(16);
        for n in 0..100_u64 {
            assert!(write(&ring, &[n, n + 1]) && write(&ring, &[]) && write(&ring, &[7]));
            assert_eq!(drained(&ring), [vec![n, n + 1], vec![], vec![7]]);
        }
    }

    #[test]
    fn what_finds_no_room_is_left_out_whole() {
        let ring = Ring::new(8);
        assert!(write(&ring, &[1, 2, 3]));
        assert!(!write(&ring, &[4, 5, 6, 7]), "five words into four");
        assert!(write(&ring, &[4, 5, 6]), "four fit");
        assert!(!write(&ring, &[]));
        assert_eq!(drained(&ring), [vec![1, 2, 3], vec![4, 5, 6]]);
        assert!(write(&ring, &[8]));
        let mut record = ring.begin();
        record.push(1);
        record.push(2);
        record.push(3);
        record.truncate(1);
        record.truncate(5);
        record.set(0, 9);
        assert!(record.commit());
        assert_eq!(drained(&ring), [vec![8], vec![9]]);
    }

    #[test]
    fn a_reader_on_another_thread_sees_every_record_whole() {
        let ring = Ring::new(64);
        let (mut n_lost, mut seen) = (0_u64, Vec::new());
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                (0..200_000_u64).zip((0..9).cycle()).filter(|&(n, len)| !write(&ring, &vec![n; len])).count()
            });
            while !writer.is_finished() {
                ring.drain(&mut Vec::new(), |record| seen.push(record.to_vec()));
            }
            n_lost = writer.join().unwrap() as u64;
        });
        seen.extend(drained(&ring));
        assert_eq!(seen.len() as u64 + n_lost, 200_000);
        for record in seen.iter().filter(|record| !record.is_empty()) {
            assert!(record.iter().all(|&word| word == record[0]) && record[0] % 9 == record.len() as u64, "{record:?}");
        }
    }
}
