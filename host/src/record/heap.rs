//! Heap profiles: what is alive, what was allocated, what was alive at the highest moment.

use proto::{LabelSpec, Profile, ProfileBuilder};

use super::trim::Trim;
use super::{Names, Recorder, Run, TRUNCATED};
use crate::heap::probe::Sampled;

/// Which heap profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeapKind {
    /// What is alive; what was allocated stands beside it.
    Heap,
    /// The same, to be shown by what was allocated.
    Allocs,
    /// What was alive when most was.
    Peak,
}

/// What to make a heap profile of.
#[derive(Debug)]
pub struct HeapProfile<'a> {
    /// What was sampled.
    pub sampled: &'a Sampled,
    /// Mean bytes between samples.
    pub rate: u64,
    /// Whether frees are seen; else there are no in-use columns.
    pub has_frees: bool,
    /// Names of the functions that are hooked.
    pub hooked: Vec<&'a str>,
}

impl HeapProfile<'_> {
    /// The rate as profiles state it.
    #[must_use]
    pub fn period(&self) -> i64 {
        i64::try_from(self.rate).unwrap_or(i64::MAX)
    }
}

/// A heap profile as it was counted; [`proto::heap::unsample`] makes the estimate of it. One sample for each stack and
/// size of blocks (SEMANTICS §2).
#[must_use]
pub fn heap_profile(kind: HeapKind, of: &HeapProfile<'_>, names: &mut Names<'_>, run: &Run<'_>) -> Profile {
    const TYPES: [(&str, &str); 4] =
        [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    let n_types = if of.has_frees { TYPES.len() } else { 2 };
    let mut builder = ProfileBuilder::new(&TYPES[..n_types]);
    builder.period("space", "bytes", of.period());
    if kind == HeapKind::Allocs {
        builder.default_sample_type("alloc_space");
    }
    builder.comment(&format!(
        "# wprof {}, {}, one sample in {} bytes, sizes as asked for; hooked: {}",
        env!("CARGO_PKG_VERSION"),
        match kind {
            HeapKind::Heap | HeapKind::Allocs => "blocks allocated, and in use at the end",
            HeapKind::Peak => "blocks allocated, and in use when most bytes were",
        },
        of.rate,
        of.hooked.join(", ")
    ));
    let mut records: Vec<_> = of.sampled.records.iter().collect();
    // A record that has no live block at the peak says nothing there, but its allocations do.
    records.retain(|it| it.record.n_allocs > 0);
    let stacks: Vec<Vec<u32>> = records
        .iter()
        .map(|it| {
            let mut offsets = it.offsets.clone();
            run.map.map_stack(&mut offsets);
            offsets
        })
        .collect();
    let offsets = stacks.iter().flatten().copied();
    names.look_up(offsets.clone());
    let trim = Trim::new(&of.hooked);
    let mut recorder = Recorder::new(builder, names, &offsets, run);
    for (sampled, offsets) in records.iter().zip(&stacks) {
        let n_kept = trim.root_side(offsets.iter().map(|&offset| recorder.names.at(offset)));
        let (offsets, is_cut) = (&offsets[..n_kept], sampled.is_cut && n_kept == offsets.len());
        let (n_left_out, n_inner) = trim.leaf_side(offsets.iter().map(|&offset| recorder.names.at(offset)));
        let mut locations = Vec::with_capacity(offsets.len() + 1);
        for (n, &offset) in offsets.iter().enumerate().skip(n_left_out) {
            let n_inner = if n == n_left_out { n_inner } else { 0 };
            locations.push(recorder.location_without(offset, n_inner));
        }
        if is_cut {
            locations.push(recorder.pseudo(TRUNCATED));
        }
        let record = &sampled.record;
        let n_inuse = if kind == HeapKind::Peak { record.n_at_peak } else { record.n_live() };
        let space = |n: u64| n.saturating_mul(record.size);
        let values = [record.n_allocs, space(record.n_allocs), n_inuse, space(n_inuse)];
        let num = i64::try_from(record.size).unwrap_or(i64::MAX);
        recorder.sample(&locations, &values[..n_types], &[LabelSpec::Num { key: "bytes", num, unit: "" }]);
    }
    recorder.finish()
}
