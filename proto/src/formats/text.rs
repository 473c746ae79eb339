//! What Go's `debug=1` pages print: heap, contention (block and mutex) and count profiles (goroutine, threadcreate, custom
//! ones). [`decode`](crate::decode) reads it back, as `go tool pprof` does.
//!
//! Readers see values, addresses and binaries, and labels of a block's size. Names, files and lines are there for people,
//! in comments. What is said of the profile as a whole is dropped.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::{WriteError, positive, sample_type};
use crate::heap::text::{one_line, stack, write_frames, write_mappings, write_text};
use crate::profile::{Label, LabelValue, Profile, SampleRef};

/// The sample types of heap profiles, each count with its bytes.
const ALLOCATED: (&str, &str) = ("alloc_objects", "alloc_space");
const IN_USE: (&str, &str) = ("inuse_objects", "inuse_space");
/// The same of blocks in use, as profiles call it that know no others.
const BLOCKS: (&str, &str) = ("objects", "space");

/// The same of memory that grew.
const GROWN: (&str, &str) = ("grows", "space");

/// Writes all sample types in the form that Go has for them.
///
/// *Heap* profiles hold estimates of all blocks, while Go's text holds what was sampled, from which its readers
/// estimate anew. So the sampling rate is given as 1: then they leave values as they are. Each row's block size, which
/// they divide the bytes by the blocks for, may be one less than the label it comes from.
///
/// *Contention* profiles are written as block profiles; [`write_mutex`] writes those of mutexes.
///
/// # Errors
///
/// If there is no such form for the profile's sample types, as for CPU profiles; if a value is negative; if `out` takes
/// no more.
pub fn write(out: &mut impl Write, profile: &Profile) -> Result<(), WriteError> {
    let n_types = profile.sample_types().len();
    let types = (0..n_types).map(|it| sample_type(profile, it)).collect::<Result<Vec<_>, _>>()?;
    let position = |wanted| types.iter().position(|it| *it == wanted);
    if let Some(pairs) = heap_pairs(&types) {
        return write_heap(out, profile, &pairs);
    }
    if let [(name, "count")] = *types {
        return write_counts(out, profile, name);
    }
    if let (2, Some(count), Some(delay)) =
        (n_types, position(("contentions", "count")), position(("delay", "nanoseconds")))
    {
        writeln!(out, "--- contention:\ncycles/second=1000000000")?;
        return write_contention(out, profile, count, delay);
    }
    let types = types.iter().map(|(kind, unit)| format!("{kind}/{unit}")).collect::<Vec<_>>().join(" and ");
    Err(WriteError::NoTextForm { types })
}

/// Where the count and bytes of allocated blocks, of those in use, or of both are; `None` if there is anything else.
fn heap_pairs(types: &[(&str, &str)]) -> Option<Vec<(usize, usize)>> {
    let position = |wanted| types.iter().position(|it| *it == wanted);
    let pair = |it: &(&'static str, &'static str)| Some((position((it.0, "count"))?, position((it.1, "bytes"))?));
    let pairs = |wanted: &[(&'static str, &'static str)]| wanted.iter().map(pair).collect::<Option<Vec<_>>>();
    let forms = [&[ALLOCATED, IN_USE][..], &[ALLOCATED], &[IN_USE], &[BLOCKS], &[GROWN]];
    forms.into_iter().filter(|it| types.len() == 2 * it.len()).find_map(pairs)
}

/// Writes it if its readers take it as it is.
fn write_heap(out: &mut impl Write, profile: &Profile, pairs: &[(usize, usize)]) -> Result<(), WriteError> {
    for (sample, &(objects, bytes)) in profile.samples().flat_map(|it| pairs.iter().map(move |pair| (it, pair))) {
        let (objects, bytes) = (positive(profile, sample, objects)?, positive(profile, sample, bytes)?);
        if (objects == 0) != (bytes == 0) {
            return Err(WriteError::HalfCounted { objects, bytes });
        }
    }
    Ok(write_text(out, profile, 1, &[])?)
}

/// Writes a profile of contentions and delays as one of mutexes, of which one in `fraction` was kept.
///
/// Its values stand for all of them, so readers are told that every one was kept; what was told otherwise, as by Go, they
/// multiply once more.
///
/// # Errors
///
/// As [`write()`].
pub fn write_mutex(out: &mut impl Write, profile: &Profile, fraction: i64) -> Result<(), WriteError> {
    let position = |kind: &str| profile.sample_types().iter().position(|it| profile.string(it.kind) == kind);
    let (Some(count), Some(delay)) = (position("contentions"), position("delay")) else { return write(out, profile) };
    writeln!(out, "--- mutex:\ncycles/second=1000000000\nsampling period=1")?;
    writeln!(out, "# one in {fraction} was kept, and stands for all of them")?;
    write_contention(out, profile, count, delay)
}

fn write_contention(out: &mut impl Write, profile: &Profile, count: usize, delay: usize) -> Result<(), WriteError> {
    for (delay, count, sample) in
        sorted(profile, |it| Ok((positive(profile, it, delay)?, positive(profile, it, count)?)))?
    {
        let stack = stack(profile, sample);
        writeln!(out, "{delay} {count} @{}", stack.text)?;
        write_frames(out, profile, sample, &stack)?;
    }
    Ok(write_mappings(out, profile)?)
}

fn write_counts(out: &mut impl Write, profile: &Profile, name: &str) -> Result<(), WriteError> {
    let rows = sorted(profile, |it| Ok((positive(profile, it, 0)?, 0)))?;
    let total = rows.iter().fold(0_u64, |sum, it| sum.saturating_add(it.0));
    // A reader takes a name for one word.
    let name = one_line(name).replace(char::is_whitespace, "_");
    writeln!(out, "{name} profile: total {total}")?;
    for (count, _, sample) in rows {
        let stack = stack(profile, sample);
        // A reader refuses a row without addresses; 1 is what it reads as the address 0, which stands for none.
        let addresses = if stack.text.is_empty() { " 0x1" } else { &stack.text };
        writeln!(out, "{count} @{addresses}")?;
        write_labels(out, profile, sample.labels)?;
        write_frames(out, profile, sample, &stack)?;
    }
    Ok(write_mappings(out, profile)?)
}

/// The samples with two of their values, greatest first, as Go sorts them.
fn sorted<'a>(
    profile: &'a Profile,
    values: impl Fn(SampleRef<'a>) -> Result<(u64, u64), WriteError>,
) -> Result<Vec<(u64, u64, SampleRef<'a>)>, WriteError> {
    let row = |it| values(it).map(|(first, second)| (first, second, it));
    let mut rows = profile.samples().map(row).collect::<Result<Vec<_>, _>>()?;
    rows.retain(|it| (it.0, it.1) != (0, 0));
    rows.sort_by_key(|it| Reverse((it.0, it.1)));
    Ok(rows)
}

/// `# labels: {"key":"value"}`, as Go writes those of goroutines: readers take it for a comment.
fn write_labels(out: &mut impl Write, profile: &Profile, labels: &[Label]) -> io::Result<()> {
    let text = |it: &Label| match it.value {
        LabelValue::Str(value) => Some(format!("{:?}:{:?}", profile.string(it.key), profile.string(value))),
        LabelValue::Num { .. } => None,
    };
    let mut texts: Vec<String> = labels.iter().filter_map(text).collect();
    texts.sort_unstable();
    if texts.is_empty() { Ok(()) } else { writeln!(out, "# labels: {{{}}}", one_line(&texts.join(", "))) }
}
