//! Label sets that a guest has made: each distinct one is kept once and has a number.
//!
//! A guest makes a set once and then names it by number, so that changing labels costs it no more than a call, and a
//! sampler notes a number.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use wprof_guest::abi::{Code, MAX_LABELS};

/// Bytes of labels that are kept for one guest. Ids of requests are labels too, and a guest may run for long.
const MAX_KEPT: usize = 64 << 20;

/// What a set takes beside its text.
const OVERHEAD: usize = 64;

/// A label set of a guest's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelsId(u32);

impl LabelsId {
    /// No labels.
    pub const NONE: Self = Self(0);

    /// The number that the guest knows it by.
    #[must_use]
    pub fn raw(self) -> u32 {
        self.0
    }

    /// The set with this number, if there is one.
    #[must_use]
    pub fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}

/// Key and value, in the order of the keys, each of which is there once.
pub type Pairs = Vec<(String, String)>;

/// All label sets of a guest.
#[derive(Debug, Default)]
pub struct LabelSets {
    sets: Mutex<Sets>,
    /// How many there are, for who must not wait.
    n_sets: AtomicU32,
}

#[derive(Debug, Default)]
struct Sets {
    /// By number, less 1.
    sets: Vec<Pairs>,
    by_pairs: FxHashMap<Pairs, LabelsId>,
    n_bytes: usize,
}

impl LabelSets {
    fn lock(&self) -> MutexGuard<'_, Sets> {
        // Sets are added whole or not at all.
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A set with more labels, given as a packed list (see [`wprof_guest::abi`]); where a key is there already, the new value
    /// counts (SEMANTICS §5).
    ///
    /// # Errors
    ///
    /// [`Code::BadLabels`], [`Code::Limit`], and [`Code::UnknownHandle`] if there is no such set.
    pub fn with(&self, labels: LabelsId, packed: &[u8]) -> Result<LabelsId, Code> {
        if packed.len() > MAX_LABELS {
            return Err(Code::Limit);
        }
        let added = unpack(packed).ok_or(Code::BadLabels)?;
        let mut sets = self.lock();
        let mut pairs = sets.pairs(labels).ok_or(Code::UnknownHandle)?.to_vec();
        pairs.extend(added);
        // The last of each key is to be kept, so it comes first.
        pairs.reverse();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|later, kept| later.0 == kept.0);
        let labels = sets.intern(pairs)?;
        self.n_sets.fetch_max(labels.0, Ordering::Relaxed);
        Ok(labels)
    }

    /// The labels of a set; `None` if there is no such set.
    #[must_use]
    pub fn pairs(&self, labels: LabelsId) -> Option<Pairs> {
        self.lock().pairs(labels).map(<[_]>::to_vec)
    }

    /// Whether there is such a set. It never waits.
    #[must_use]
    pub fn has(&self, labels: LabelsId) -> bool {
        labels.0 <= self.n_sets.load(Ordering::Relaxed)
    }
}

impl Sets {
    fn pairs(&self, labels: LabelsId) -> Option<&[(String, String)]> {
        match (labels.0 as usize).checked_sub(1) {
            None => Some(&[]),
            Some(idx) => self.sets.get(idx).map(Vec::as_slice),
        }
    }

    fn intern(&mut self, pairs: Pairs) -> Result<LabelsId, Code> {
        if pairs.is_empty() {
            return Ok(LabelsId::NONE);
        }
        if let Some(&known) = self.by_pairs.get(&pairs) {
            return Ok(known);
        }
        let n_bytes: usize = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        // A guest's handles have a sign.
        let raw = i32::try_from(self.sets.len() + 1).ok().and_then(|raw| u32::try_from(raw).ok());
        let raw = raw.filter(|_| n_bytes <= MAX_LABELS).ok_or(Code::Limit)?;
        // It is kept twice.
        let kept = self.n_bytes + 2 * (n_bytes + OVERHEAD * (pairs.len() + 1));
        if kept > MAX_KEPT {
            return Err(Code::Limit);
        }
        self.n_bytes = kept;
        self.sets.push(pairs.clone());
        self.by_pairs.insert(pairs, LabelsId(raw));
        Ok(LabelsId(raw))
    }
}

/// Reads a packed list; `None` if it breaks off or is not UTF-8.
fn unpack(mut packed: &[u8]) -> Option<Pairs> {
    let mut pairs = Vec::new();
    while !packed.is_empty() {
        let [key, value] = [take_len(&mut packed)?, take_len(&mut packed)?];
        pairs.push((take_text(&mut packed, key)?, take_text(&mut packed, value)?));
    }
    Some(pairs)
}

fn take_len(packed: &mut &[u8]) -> Option<usize> {
    let (len, rest) = packed.split_first_chunk()?;
    *packed = rest;
    usize::try_from(u32::from_le_bytes(*len)).ok()
}

fn take_text(packed: &mut &[u8], len: usize) -> Option<String> {
    let (text, rest) = packed.split_at_checked(len)?;
    *packed = rest;
    std::str::from_utf8(text).ok().map(str::to_owned)
}

/// Writes a packed list.
#[must_use]
pub fn pack(pairs: &[(String, String)]) -> Vec<u8> {
    let mut packed = Vec::new();
    for (key, value) in pairs {
        for text in [key, value] {
            packed.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
        packed.extend(key.bytes().chain(value.bytes()));
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(pairs: &[(&str, &str)]) -> Vec<u8> {
        pack(&pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect::<Vec<_>>())
    }

    #[track_caller]
    fn check(sets: &LabelSets, labels: LabelsId, expected: &[(&str, &str)]) {
        assert_eq!(pack(&sets.pairs(labels).unwrap()), packed(expected));
    }

    #[test]
    fn sets_are_merged_sorted_and_kept_once() {
        let sets = LabelSets::default();
        let outer = sets.with(LabelsId::NONE, &packed(&[("tenant", "a"), ("stage", "outer")])).unwrap();
        check(&sets, outer, &[("stage", "outer"), ("tenant", "a")]);
        let inner = sets.with(outer, &packed(&[("stage", "inner"), ("req", "42")])).unwrap();
        check(&sets, inner, &[("req", "42"), ("stage", "inner"), ("tenant", "a")]);
        check(&sets, outer, &[("stage", "outer"), ("tenant", "a")]);
        let twice = sets.with(LabelsId::NONE, &packed(&[("k", "1"), ("k", "2"), ("", ""), ("k", "3")])).unwrap();
        check(&sets, twice, &[("", ""), ("k", "3")]);
        assert_eq!(sets.with(LabelsId::NONE, &packed(&[("stage", "outer"), ("tenant", "a")])), Ok(outer));
        assert_eq!(sets.with(LabelsId::NONE, &[]), Ok(LabelsId::NONE));
        assert!(sets.has(inner) && sets.has(LabelsId::NONE) && !sets.has(LabelsId(4)));
    }

    #[test]
    fn what_is_no_list_or_too_much_is_refused() {
        let sets = LabelSets::default();
        let good = packed(&[("key", "value")]);
        for len in 1..good.len() {
            assert_eq!(sets.with(LabelsId::NONE, &good[..len]), Err(Code::BadLabels), "{len} bytes");
        }
        let mut not_text = good.clone();
        not_text[9] = 0xff;
        assert_eq!(sets.with(LabelsId::NONE, &not_text), Err(Code::BadLabels));
        assert_eq!(sets.with(LabelsId(9), &good), Err(Code::UnknownHandle));
        assert_eq!(sets.with(LabelsId::NONE, &packed(&[("k", &"v".repeat(10 << 20))])), Err(Code::Limit));
        let most = packed(&[("k", &"v".repeat(MAX_LABELS - 9))]);
        let full = sets.with(LabelsId::NONE, &most).unwrap();
        assert_eq!(sets.with(full, &packed(&[("another", "one")])), Err(Code::Limit), "together they are too many");
    }

    #[test]
    fn endless_sets_do_not_take_endless_memory() {
        let sets = LabelSets::default();
        let value = "v".repeat(60_000);
        let kept = (0..2_000).filter(|n| sets.with(LabelsId::NONE, &packed(&[("id", &format!("{n}{value}"))])).is_ok());
        let n_kept = kept.count();
        assert!((300..600).contains(&n_kept), "{n_kept}");
        assert!(sets.with(LabelsId::NONE, &packed(&[("id", &format!("0{value}"))])).is_ok(), "it is known");
    }
}
