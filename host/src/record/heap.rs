//! Heap profiles: what is alive, what was allocated, what was alive at the highest moment.

use proto::{LabelSpec, Profile, ProfileBuilder};

use super::trim::Trim;
use super::{Names, Recorder, Run};
use crate::heap::probe::{Sampled, SampledStack};

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

/// A row of a heap profile, as it was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeapRow {
    /// Offsets in the file that was compiled, innermost first.
    pub offsets: Vec<u32>,
    /// Whether frames were cut at the root side.
    pub is_cut: bool,
    /// Bytes of each block.
    pub size: u64,
    /// Blocks allocated.
    pub n_allocs: u64,
    /// Blocks in use.
    pub n_inuse: u64,
}

impl HeapRow {
    /// The rows of such a profile.
    #[must_use]
    pub fn all(kind: HeapKind, sampled: &Sampled) -> Vec<Self> {
        let row = |it: &SampledStack| {
            let record = it.record;
            let n_inuse = if kind == HeapKind::Peak { record.n_at_peak } else { record.n_live() };
            Self {
                offsets: it.offsets.clone(),
                is_cut: it.is_cut,
                size: record.size,
                n_allocs: record.n_allocs,
                n_inuse,
            }
        };
        sampled.records.iter().map(row).collect()
    }
}

/// What to make a heap profile of.
#[derive(Debug)]
pub struct HeapProfile<'a> {
    /// Its rows. Those without any block are left out.
    pub rows: Vec<HeapRow>,
    /// Mean bytes between samples.
    pub rate: u64,
    /// Whether frees are seen; else there are no in-use columns.
    pub has_frees: bool,
    /// Names of the functions that are hooked.
    pub hooked: Vec<&'a str>,
    /// Why none is, if none is.
    pub nothing: Option<&'a str>,
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
    if let Some(reason) = of.nothing {
        builder.comment(&format!("# no blocks are seen: {reason}"));
    }
    // A row that has no live block at the peak says nothing there, but its allocations do.
    let mut rows: Vec<_> = of.rows.iter().filter(|it| it.n_allocs > 0 || it.n_inuse > 0).cloned().collect();
    for row in &mut rows {
        run.map.map_stack(&mut row.offsets);
    }
    let offsets = rows.iter().flat_map(|it| it.offsets.iter().copied());
    names.look_up(offsets.clone());
    let trim = Trim::new(&of.hooked);
    let mut recorder = Recorder::new(builder, names, &offsets, run);
    for row in &rows {
        let offsets = &row.offsets;
        let n_kept = trim.root_side(offsets.iter().map(|&offset| recorder.names.at(offset)));
        let (offsets, is_cut) = (&offsets[..n_kept], row.is_cut && n_kept == offsets.len());
        let (n_left_out, n_inner) = trim.leaf_side(offsets.iter().map(|&offset| recorder.names.at(offset)));
        let mut locations = Vec::with_capacity(offsets.len() + 1);
        for (n, &offset) in offsets.iter().enumerate().skip(n_left_out) {
            let n_inner = if n == n_left_out { n_inner } else { 0 };
            locations.push(recorder.location_without(offset, n_inner));
        }
        recorder.mark_cut(&mut locations, is_cut);
        let space = |n: u64| n.saturating_mul(row.size);
        let values = [row.n_allocs, space(row.n_allocs), row.n_inuse, space(row.n_inuse)];
        let num = i64::try_from(row.size).unwrap_or(i64::MAX);
        recorder.sample(&locations, &values[..n_types], &[LabelSpec::Num { key: "bytes", num, unit: "" }]);
    }
    recorder.finish()
}
