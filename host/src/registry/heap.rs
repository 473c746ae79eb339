//! Heap profiles, and what their text says of the heap as a whole.

use proto::Profile;
use proto::analysis::sample_index;

use super::Registry;
use crate::heap::grow::GrownStacks;
use crate::heap::prepare::Prepared;
use crate::heap::probe::{Probe, Sampled};
use crate::record::{self, HeapKind, HeapProfile, HeapRow};
use crate::stats;

/// What is known of a guest's allocator before it runs.
#[derive(Debug, Clone, Default)]
pub struct HeapFacts {
    /// Mean bytes between samples.
    pub rate: u64,
    /// Names of the functions that are hooked.
    pub hooked: Vec<String>,
    /// Why frees are not seen, if they are not.
    pub no_frees: Option<String>,
    /// Why nothing is hooked, if nothing is.
    pub nothing: Option<String>,
}

impl HeapFacts {
    /// What preparing a file has found out, of which one block in `rate` bytes is sampled.
    #[must_use]
    pub fn of(prepared: &Prepared, rate: u64) -> Self {
        Self {
            rate,
            hooked: prepared.hooked_names().into_iter().map(str::to_owned).collect(),
            no_frees: prepared.no_frees.clone(),
            nothing: prepared.nothing.clone(),
        }
    }
}

impl Registry {
    /// A heap profile: the estimate of all blocks.
    #[must_use]
    pub fn heap(&self, kind: HeapKind) -> Profile {
        let (raw, rate) = self.raw_heap(kind);
        proto::heap::unsample(&raw, rate)
    }

    /// The same as it was counted, and the bytes between samples.
    #[must_use]
    pub fn raw_heap(&self, kind: HeapKind) -> (Profile, i64) {
        let sampled = self.handle().heap.as_ref().map(Probe::sampled).unwrap_or_default();
        self.raw_heap_of(kind, &sampled)
    }

    /// The same of what was sampled.
    #[must_use]
    pub fn raw_heap_of(&self, kind: HeapKind, sampled: &Sampled) -> (Profile, i64) {
        self.raw_heap_rows(kind, HeapRow::all(kind, sampled))
    }

    /// The same of these rows.
    #[must_use]
    pub fn raw_heap_rows(&self, kind: HeapKind, rows: Vec<HeapRow>) -> (Profile, i64) {
        let facts = &self.module().heap;
        let of = HeapProfile {
            rows,
            // The guest may have set another.
            rate: self.handle().heap.as_ref().map_or(facts.rate, Probe::rate),
            has_frees: facts.no_frees.is_none(),
            hooked: facts.hooked.iter().map(String::as_str).collect(),
            nothing: facts.nothing.as_deref(),
        };
        (self.record_now(|names, run| record::heap_profile(kind, &of, names, run)), of.period())
    }

    /// What Go's text form says at its end: those of its keys that have a meaning here.
    #[must_use]
    pub fn heap_trailer(&self, raw: &Profile, rate: i64, grown: &GrownStacks) -> Vec<(String, String)> {
        let heap = proto::heap::unsample(raw, rate);
        let has_frees = self.module().heap.no_frees.is_none();
        let total = |kind| total(&heap, kind);
        let memory = grown.initial.bytes + grown.stacks.iter().map(|(.., grown)| grown.bytes).sum::<u64>();
        let mut trailer = Vec::new();
        let mut add = |key: &str, value: String| trailer.push((key.to_owned(), value));
        if has_frees {
            add("Alloc", total("inuse_space").to_string());
        }
        add("TotalAlloc", total("alloc_space").to_string());
        add("Mallocs", total("alloc_objects").to_string());
        if has_frees {
            add("Frees", (total("alloc_objects") - total("inuse_objects")).to_string());
            add("HeapObjects", total("inuse_objects").to_string());
        }
        add("HeapSys", memory.to_string());
        if let Some(bytes) = stats::peak_rss() {
            add("MaxRSS", bytes.to_string());
        }
        trailer
    }
}

/// The sum of a column; 0 for one that the profile has not.
#[must_use]
pub(crate) fn total(profile: &Profile, kind: &str) -> i64 {
    sample_index(profile, Some(kind)).map_or(0, |index| proto::analysis::total(profile, index, false))
}
