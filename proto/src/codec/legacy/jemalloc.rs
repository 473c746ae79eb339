//! jemalloc's heap text, which pprof does not read; its own jeprof does.
//!
//! `heap_v2/RATE`, totals, then for each stack `@ 0x… 0x…` and lines of blocks sampled: `t*:` in all threads, and `t0:`,
//! `t1:`… in each, which are passed over, as they add up to the first. Estimates are those of heap profiles in pprof's
//! format, as jeprof makes them, and so are the sample types.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::draft::Leaf;
use super::heap::{Heap, has_alloc};
use super::lines::{Lines, is_map_title};
use super::numbers::{addresses, decimal};
use super::{Reading, Refusal, pattern};
use crate::codec::error::{Error, Format};

static TITLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\Aheap_v2/(\d+)\s*\z"));
/// After the counts of a thread its name may stand.
static ROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A\s*t(\*|\d+): *(\d+): *(\d+) *\[ *(\d+): *(\d+) *\]"));

/// One `t…:` line.
struct Row<'a> {
    is_total: bool,
    inuse: [&'a [u8]; 2],
    alloc: [&'a [u8]; 2],
}

fn row<'a>(lines: &Lines<'a>) -> Result<Row<'a>, Error> {
    let (_, [thread, inuse, inuse_bytes, alloc, alloc_bytes]) = (ROW.captures(lines.line()))
        .map(|it| it.extract())
        .ok_or_else(|| lines.expected("@ 0xADDRESS 0xADDRESS …, or tTHREAD: COUNT: BYTES [COUNT: BYTES]"))?;
    Ok(Row { is_total: thread == b"*", inuse: [inuse, inuse_bytes], alloc: [alloc, alloc_bytes] })
}

pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut lines = Lines::new(bytes, Format::Jemalloc);
    lines.advance();
    let Some((_, [rate])) = TITLE.captures(lines.line()).map(|it| it.extract()) else {
        return Err(Refusal::Unrecognized(None));
    };
    let period = decimal(rate).ok_or_else(|| lines.expected("a rate of 63 bits"))?;
    let has_alloc = read_totals(&mut lines)?;
    let heap = Heap { period, is_sampled: true, has_alloc };
    let mut draft = heap.draft();
    let mut stack = Vec::new();
    // Here the line is the first stack, the map's title, or past the end.
    while !lines.line().is_empty() && !is_map_title(lines.line()) {
        if let Some(frames) = lines.trimmed().strip_prefix(b"@") {
            stack.clear();
            addresses(frames, &mut stack).ok_or_else(|| lines.expected("addresses of 64 bits"))?;
        } else {
            let row = row(&lines)?;
            if row.is_total {
                let (values, block_size) = heap.row(row.inuse, row.alloc, &lines)?;
                draft.push_blocks(stack.iter().map(|it| it.wrapping_sub(1)), &values, block_size);
            }
        }
        lines.skip_comments();
    }
    Ok(draft.finish(&mut lines, Leaf::Once)?)
}

/// Reads the totals of all threads and of each, up to the first stack.
fn read_totals(lines: &mut Lines<'_>) -> Result<bool, Error> {
    let mut is_accumulated = false;
    while lines.skip_comments() && !lines.trimmed().starts_with(b"@") && !is_map_title(lines.line()) {
        let row = row(lines)?;
        if row.is_total {
            is_accumulated = has_alloc(row.inuse, row.alloc);
        }
    }
    Ok(is_accumulated)
}
