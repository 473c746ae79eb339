//! The stacks of a program's threads, in text: `--- threadz N ---`, then a title and a stack for each thread.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::draft::{Draft, Leaf};
use super::lines::{Lines, contains, is_map_title};
use super::numbers::addresses;
use super::{Reading, Refusal, pattern};
use crate::codec::error::{Error, Format};

static TITLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"--- threadz \d+ ---"));
static THREAD: LazyLock<Regex> = LazyLock::new(|| pattern(r"--- Thread [[:xdigit:]]+ \(name: .*/\d+\) stack: ---"));

pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut lines = Lines::new(bytes, Format::Threads);
    lines.skip_comments();
    if TITLE.is_match(lines.line()) {
        while lines.advance() && !is_map_title(lines.line()) && !lines.line().starts_with(b"-") {}
    } else if !THREAD.is_match(lines.line()) {
        return Err(Refusal::Unrecognized(None));
    }
    let mut draft = Draft::new(&[("thread", "count")]);
    draft.header().period("thread", "count", 1);
    let mut stack = Vec::new();
    while !is_map_title(lines.line()) && !lines.trimmed().starts_with(b"---- no stack trace for") {
        if !THREAD.is_match(lines.line()) {
            let expected = "--- Thread ID (name: NAME/ID) stack: ---, or a memory map";
            return Err(Refusal::Unrecognized(Some(lines.expected(expected))));
        }
        if read_stack(&mut lines, &mut stack)? && !stack.is_empty() {
            let callers = stack.iter().skip(1).map(|it| it.wrapping_sub(1));
            draft.push(stack.iter().take(1).copied().chain(callers), &[1]);
        } else if let Some(n_threads) = draft.last_value() {
            *n_threads = n_threads.saturating_add(1);
        }
    }
    Ok(draft.finish(&mut lines, Leaf::MaybeTwice)?)
}

/// Reads up to the next title. Whether the thread has a stack of its own, and not the one of the thread before.
fn read_stack(lines: &mut Lines<'_>, stack: &mut Vec<u64>) -> Result<bool, Error> {
    let mut is_own = true;
    stack.clear();
    while lines.advance() && !lines.trimmed().starts_with(b"---") {
        if contains(lines.line(), b"same as previous thread") {
            is_own = false;
        } else {
            addresses(lines.line(), stack).ok_or_else(|| lines.expected("addresses of 64 bits"))?;
        }
    }
    Ok(is_own)
}
