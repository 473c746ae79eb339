//! What a context was asked for last: so many answers, and no more, as a label may be a request's id.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::context::Context;
use super::set::LabelSet;
use crate::lock::TryLock;

/// Answers that are remembered.
pub(super) const N_KEPT: usize = 8;

/// The contexts that one context gave for the labels that were added to it.
///
/// Threads that meet here do not wait: whoever comes second has to make its context anew.
pub(super) struct Memo(TryLock<Kept>);

struct Kept {
    answers: Vec<Answer>,
    /// The one that is forgotten next, when all are there.
    oldest: usize,
}

struct Answer {
    /// In the order in which they were given.
    added: Box<[[Box<str>; 2]]>,
    context: Context,
}

impl Memo {
    pub(super) const fn new() -> Self {
        Self(TryLock::new(Kept { answers: Vec::new(), oldest: 0 }))
    }

    /// The context that these labels gave, if it is remembered.
    #[inline]
    pub(super) fn find(&self, labels: LabelSet<'_>) -> Option<Context> {
        let find = |kept: &mut Kept| -> Option<Context> {
            kept.answers.iter().find(|answer| answer.is_for(labels)).map(|answer| answer.context.clone())
        };
        self.0.try_with(find).flatten()
    }

    /// Remembers it, in place of the oldest.
    #[cold]
    pub(super) fn keep(&self, labels: LabelSet<'_>, context: &Context) {
        let added = labels.pairs.iter().map(|pair| pair.map(Box::from)).collect();
        let answer = Answer { added, context: context.clone() };
        // The one that it replaces is dropped here, and not under the lock, as it may hold many more.
        let _forgotten = self.0.try_with(|kept| kept.replace(answer));
    }
}

impl Kept {
    fn replace(&mut self, answer: Answer) -> Option<Answer> {
        if self.answers.len() < N_KEPT {
            self.answers.push(answer);
            return None;
        }
        let oldest = self.answers.get_mut(self.oldest)?;
        self.oldest = (self.oldest + 1) % N_KEPT;
        Some(mem::replace(oldest, answer))
    }
}

impl Answer {
    fn is_for(&self, labels: LabelSet<'_>) -> bool {
        let is_same = |(added, asked): (&[Box<str>; 2], &[&str; 2])| {
            is_same(added[1].as_bytes(), asked[1].as_bytes()) && is_same(added[0].as_bytes(), asked[0].as_bytes())
        };
        self.added.len() == labels.pairs.len() && self.added.iter().zip(labels.pairs).all(is_same)
    }
}

/// Whether two texts are the same. Labels are short, and a call of `memcmp`, which in WASI's C library goes byte by byte, was
/// a third of what labels cost.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // Pieces of one size, the last of which overlaps the one before.
    match one.len() {
        0..2 => one.first() == other.first(),
        2..4 => one.first_chunk::<2>() == other.first_chunk() && one.last_chunk::<2>() == other.last_chunk(),
        4..8 => one.first_chunk::<4>() == other.first_chunk() && one.last_chunk::<4>() == other.last_chunk(),
        8..64 => one.as_chunks::<8>().0 == other.as_chunks().0 && one.last_chunk::<8>() == other.last_chunk(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn texts_are_the_same_if_all_their_bytes_are() {
        let text: [u8; 80] = core::array::from_fn(|at| b"abcdefghijklmn"[at % 14]);
        for len in 0..text.len() {
            let one = &text[..len];
            assert!(is_same(one, one));
            assert!(!is_same(one, &text[..len + 1]));
            for at in 0..len {
                let mut other = text;
                other[at] ^= 0x20;
                assert!(!is_same(one, &other[..len]), "{at} of {len}");
            }
        }
    }
}
