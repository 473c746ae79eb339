//! Go's count profiles in text: goroutine, threadcreate, and a program's own.
//!
//! `NAME profile: total N`, then rows of a count and a stack.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::draft::{Draft, Leaf};
use super::lines::{Lines, text};
use super::numbers::{addresses, any_base};
use super::{Reading, Refusal, pattern};
use crate::codec::error::{Error, Format};

static TITLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A(\S+) profile: total \d+\z"));
static ROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A(\d+) @((?: 0x[0-9a-f]+)+)\z"));

pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut lines = Lines::new(bytes, Format::Count);
    lines.skip_comments();
    let Some((_, [name])) = TITLE.captures(lines.line()).map(|it| it.extract()) else {
        return Err(Refusal::Unrecognized(None));
    };
    let name = text(name);
    let mut draft = Draft::new(&[(&name, "count")]);
    draft.header().period(&name, "count", 1);
    let mut stack = Vec::new();
    while lines.skip_comments() && !lines.line().starts_with(b"---") {
        let count = read_row(&lines, &mut stack)?;
        draft.push(stack.drain(..).map(|it| it.wrapping_sub(1)), &[count]);
    }
    Ok(draft.finish(&mut lines, Leaf::Once)?)
}

fn read_row(lines: &Lines<'_>, stack: &mut Vec<u64>) -> Result<i64, Error> {
    let (_, [count, frames]) = (ROW.captures(lines.line()).map(|it| it.extract()))
        .ok_or_else(|| lines.expected("COUNT @ 0xADDRESS 0xADDRESS …"))?;
    addresses(frames, stack).ok_or_else(|| lines.expected("addresses of 64 bits"))?;
    any_base(count).ok_or_else(|| lines.expected("a count of 63 bits"))
}
