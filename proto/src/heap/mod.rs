//! Heap profiles: from the blocks that were seen to an estimate of all of them, and Go's text form.
//!
//! A *raw* profile is what a sampler counted: values of `alloc_objects` and `alloc_space`, and, where frees are seen, of
//! `inuse_objects` and `inuse_space`, a sample for each stack and block size. [`unsample`] makes of it the profile that
//! goes to a pprof file; [`write_text`] writes it as it is, since readers of the text unsample on their own.

mod align;
pub(crate) mod text;

pub use text::write_text;

use crate::profile::{Profile, Samples};
use crate::units::{to_f64, truncate};

/// Where a profile keeps the count and the bytes of blocks allocated and of blocks not yet freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    alloc: Option<Pair>,
    inuse: Option<Pair>,
}

/// The columns of a count and of the bytes that go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    objects: usize,
    space: usize,
}

impl Columns {
    fn of(profile: &Profile) -> Self {
        let column = |kind: &str| profile.sample_types().iter().position(|it| profile.string(it.kind) == kind);
        let pair = |objects, space| Some(Pair { objects: column(objects)?, space: column(space)? });
        // Readers of old files, which have in-use values alone, call them objects and space; memory grows and does not shrink.
        let alone = || pair("objects", "space").or_else(|| pair("grows", "space"));
        let inuse = pair("inuse_objects", "inuse_space").or_else(alone);
        Columns { alloc: pair("alloc_objects", "alloc_space"), inuse }
    }

    fn pairs(self) -> impl Iterator<Item = Pair> {
        [self.alloc, self.inuse].into_iter().flatten()
    }
}

/// The estimate of all blocks, of a raw profile whose blocks were sampled once in `rate` bytes on average.
///
/// What was allocated and what is in use are estimated apart, each from its own count and bytes. At a rate of 1 or less
/// every block was seen, and values stay. Samples without any value go; tables, labels and what is said of the profile
/// as a whole are as they were.
#[must_use]
pub fn unsample(raw: &Profile, rate: i64) -> Profile {
    let columns = Columns::of(raw);
    let mut samples = Samples::default();
    let mut values = Vec::with_capacity(raw.sample_types().len());
    for sample in raw.samples() {
        values.clear();
        values.extend_from_slice(sample.values);
        for Pair { objects, space } in columns.pairs() {
            (values[objects], values[space]) = estimate(values[objects], values[space], rate);
        }
        if values.iter().any(|it| *it != 0) {
            samples.push(sample.locations, &values, sample.labels);
        }
    }
    raw.with_samples(samples)
}

/// How many blocks there were, and their bytes, if `count` of them, `bytes` together and each the same size, were seen.
///
/// A block of n bytes is seen with probability 1 − e^(−n / rate). Both numbers are cut, and not multiples of each
/// other, as in Go's runtime/pprof and in pprof's reader of the text form, whose results these are to equal.
pub(crate) fn estimate(count: i64, bytes: i64, rate: i64) -> (i64, i64) {
    if count == 0 || bytes == 0 {
        return (0, 0);
    }
    if rate <= 1 {
        return (count, bytes);
    }
    let [count, bytes, rate] = [count, bytes, rate].map(to_f64);
    let scale = 1.0 / (1.0 - (-(bytes / count) / rate).exp());
    (truncate(count * scale), truncate(bytes * scale))
}

#[cfg(test)]
mod tests;
