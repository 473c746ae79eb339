//! Heap profiles in text: gperftools', Go's, and growth and fragmentation profiles, which look the same.
//!
//! `heap profile: IN_USE: BYTES [ALLOCATED: BYTES] @ KIND/RATE`, then rows with a stack in place of the kind.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::draft::{Draft, Leaf};
use super::lines::{Lines, contains, is_map_title};
use super::numbers::{addresses, decimal};
use super::{Reading, Refusal, pattern};
use crate::codec::error::{Error, Format};
use crate::heap::estimate;

static TITLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"heap profile: *(\d+): *(\d+) *\[ *(\d+): *(\d+) *\] *@ *(heap[_a-z0-9]*)/?(\d*)"));
static EXACT_TITLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"heap profile: *\d+: *\d+ *\[ *\d+: *\d+ *\] @ (?:growth|fragmentation)"));
static ROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"(-?\d+): *(-?\d+) *\[ *(\d+): *(\d+) *\] @([ x0-9a-f]*)"));

/// What the title says of all rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heap {
    /// One block in about so many bytes was sampled.
    pub(super) period: i64,
    /// Rows are of what was sampled, not estimates of all.
    pub(super) is_sampled: bool,
    /// Rows also tell what was allocated; otherwise that repeats what is in use, or is left at 0.
    pub(super) has_alloc: bool,
}

/// A count of blocks and their bytes, as digits.
type Pair<'a> = [&'a [u8]; 2];

impl Heap {
    pub(super) fn draft(self) -> Draft {
        let mut draft = Draft::new(if self.has_alloc {
            // What readers show first is the last.
            &[
                ("alloc_objects", "count"),
                ("alloc_space", "bytes"),
                ("inuse_objects", "count"),
                ("inuse_space", "bytes"),
            ]
        } else {
            &[("objects", "count"), ("space", "bytes")]
        });
        draft.header().period("space", "bytes", self.period);
        draft
    }

    /// The values of a row, and the size of its blocks.
    pub(super) fn row(self, inuse: Pair<'_>, alloc: Pair<'_>, lines: &Lines<'_>) -> Result<(Vec<i64>, i64), Error> {
        let mut values = Vec::with_capacity(4);
        let mut block_size = 0;
        let pairs = if self.has_alloc { &[alloc, inuse][..] } else { &[inuse] };
        for [count, bytes] in pairs {
            let number = |digits| decimal(digits).ok_or_else(|| lines.expected("numbers of 63 bits"));
            let (mut count, mut bytes) = (number(count)?, number(bytes)?);
            if count == 0 && bytes != 0 {
                return Err(lines.expected("no bytes where there are no blocks"));
            }
            if count != 0 {
                block_size = bytes.wrapping_div(count);
                if self.is_sampled {
                    (count, bytes) = estimate(count, bytes, self.period);
                }
            }
            values.extend([count, bytes]);
        }
        Ok((values, block_size))
    }
}

/// Whether totals of blocks allocated say something beside those of blocks in use.
pub(super) fn has_alloc(inuse: Pair<'_>, alloc: Pair<'_>) -> bool {
    alloc.iter().zip(&inuse).any(|(alloc, inuse)| alloc != inuse && *alloc != b"0")
}

pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut lines = Lines::new(bytes, Format::Heap);
    lines.advance();
    let heap = read_title(&lines)?;
    let mut draft = heap.draft();
    let mut stack = Vec::new();
    while lines.skip_comments() && !is_map_title(lines.line()) {
        let (_, [in_use, in_use_bytes, alloc, alloc_bytes, frames]) = (ROW.captures(lines.line()))
            .map(|it| it.extract())
            .ok_or_else(|| lines.expected("COUNT: BYTES [COUNT: BYTES] @ 0xADDRESS 0xADDRESS …"))?;
        let (values, block_size) = heap.row([in_use, in_use_bytes], [alloc, alloc_bytes], &lines)?;
        addresses(frames, &mut stack).ok_or_else(|| lines.expected("addresses of 64 bits"))?;
        draft.push_blocks(stack.drain(..).map(|it| it.wrapping_sub(1)), &values, block_size);
    }
    Ok(draft.finish(&mut lines, Leaf::Once)?)
}

fn read_title(lines: &Lines<'_>) -> Result<Heap, Refusal> {
    let expected = "heap profile: COUNT: BYTES [COUNT: BYTES] @ heap/RATE, heap_v2/RATE, heapprofile, growth or such";
    let title = lines.line();
    let Some((_, [in_use, in_use_bytes, alloc, alloc_bytes, kind, rate])) =
        TITLE.captures(title).map(|it| it.extract())
    else {
        if EXACT_TITLE.is_match(title) {
            return Ok(Heap { period: 1, is_sampled: false, has_alloc: false });
        }
        let is_meant = contains(title, b"heap profile:");
        return Err(Refusal::Unrecognized(is_meant.then(|| lines.expected(expected))));
    };
    let no_rate = || Refusal::Unrecognized(Some(lines.expected("a rate of 63 bits")));
    let rate = if rate.is_empty() { 0 } else { decimal(rate).ok_or_else(no_rate)? };
    let (period, is_sampled) = match kind {
        b"heapz_v2" | b"heap_v2" => (rate, true),
        b"heapprofile" => (1, false),
        // Go writes twice its rate, which readers halve: for history's sake.
        b"heap" => (rate / 2, true),
        _ => return Err(Refusal::Unrecognized(Some(lines.expected(expected)))),
    };
    Ok(Heap { period, is_sampled, has_alloc: has_alloc([in_use, in_use_bytes], [alloc, alloc_bytes]) })
}
