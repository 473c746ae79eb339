//! Waits for locks, in text: Go's block and mutex profiles, and gperftools' contentionz.
//!
//! A title, `name = value` lines, then rows of cycles waited, a count, and a stack.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::draft::{Draft, Leaf};
use super::lines::{Lines, trim};
use super::numbers::{addresses, any_base, decimal};
use super::{Reading, Refusal, pattern};
use crate::codec::error::Format;
use crate::units::{to_f64, truncate};

static ROW: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d+) *(\d+) @([ x0-9a-f]*)"));

/// The `name = value` lines.
#[derive(Debug, Clone, Copy)]
struct Attributes {
    /// Cycles in a second; 0 if delays are in nanoseconds.
    cycles_per_second: i64,
    /// One wait in about so many was sampled.
    period: i64,
    duration_nanos: i64,
}

pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut lines = Lines::new(bytes, Format::Contention);
    lines.advance();
    let titles: [&[u8]; 3] = [b"--- contentionz ", b"--- mutex:", b"--- contention:"];
    if !titles.iter().any(|it| lines.line().starts_with(it)) {
        return Err(Refusal::Unrecognized(None));
    }
    let attributes = read_attributes(&mut lines)?;
    let mut draft = Draft::new(&[("contentions", "count"), ("delay", "nanoseconds")]);
    draft.header().period("contentions", "count", attributes.period);
    draft.header().duration_nanos(attributes.duration_nanos);
    let mut stack = Vec::new();
    // Here the line is the first row, the title of what follows the rows, or past the end.
    while !lines.line().is_empty() && !lines.trimmed().starts_with(b"---") {
        let values = attributes.read_row(&lines, &mut stack)?;
        draft.push(stack.drain(..).map(|it| it.wrapping_sub(1)), &values);
        lines.skip_comments();
    }
    Ok(draft.finish(&mut lines, Leaf::Once)?)
}

/// Reads the lines before the first row. Those of a Java profile, which has the same title, are not recognized.
fn read_attributes(lines: &mut Lines<'_>) -> Result<Attributes, Refusal> {
    let mut attributes = Attributes { cycles_per_second: 0, period: 1, duration_nanos: 0 };
    while lines.skip_comments() && !lines.trimmed().starts_with(b"---") {
        let line = lines.trimmed();
        let Some((name, value)) = line.iter().position(|it| *it == b'=').and_then(|it| line.split_at_checked(it))
        else {
            break;
        };
        let value = trim(value.get(1..).unwrap_or_default());
        let refuse = |expected| Refusal::Unrecognized(Some(lines.expected(expected)));
        let number = || any_base(value).ok_or_else(|| refuse("a number of 63 bits"));
        match trim(name) {
            b"cycles/second" => attributes.cycles_per_second = number()?,
            b"sampling period" => attributes.period = number()?,
            b"ms since reset" => attributes.duration_nanos = number()?.wrapping_mul(1_000_000),
            b"discarded samples" => {}
            b"format" | b"resolution" => return Err(Refusal::Unrecognized(None)),
            _ => return Err(refuse("cycles/second, sampling period, ms since reset or discarded samples")),
        }
    }
    Ok(attributes)
}

impl Attributes {
    /// Count and delay of a row.
    fn read_row(&self, lines: &Lines<'_>, stack: &mut Vec<u64>) -> Result<[i64; 2], Refusal> {
        let expected = || Refusal::Unrecognized(Some(lines.expected("CYCLES COUNT @ 0xADDRESS 0xADDRESS …")));
        let (_, [delay, count, frames]) = ROW.captures(lines.line()).map(|it| it.extract()).ok_or_else(expected)?;
        let number = |digits| decimal(digits).ok_or_else(|| lines.expected("numbers of 63 bits"));
        let (mut delay, mut count) = (number(delay)?, number(count)?);
        if 0 < self.period {
            if 0 < self.cycles_per_second {
                let cycles_per_nanosecond = to_f64(self.cycles_per_second) / 1e9;
                delay = truncate(to_f64(delay) * to_f64(self.period) / cycles_per_nanosecond);
            }
            count = count.wrapping_mul(self.period);
        }
        addresses(frames, stack).ok_or_else(|| lines.expected("addresses of 64 bits"))?;
        Ok([count, delay])
    }
}
