//! Java's heap and contention profiles in text, and the table of names that these and its CPU profiles end with.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::draft::{Draft, Names};
use super::lines::{Lines, contains, text, trim};
use super::numbers::{addresses, any_base, decimal, hex};
use super::{Reading, Refusal, pattern};
use crate::codec::error::{Error, Format};
use crate::heap::estimate;

static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| pattern(r"([\w ]+)=([\w ]+)"));
static ROW: LazyLock<Regex> = LazyLock::new(|| pattern(r" *(\d+) +(\d+) +@ +([ x0-9a-f]*)"));

/// The agent samples one block in so many bytes.
const HEAP_RATE: i64 = 512 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Heap,
    Contention,
}

/// The `name = value` lines.
#[derive(Debug, Default)]
struct Attributes {
    /// The unit of the second value; a profile without is none.
    resolution: Option<String>,
    /// One wait in about so many was sampled.
    period: Option<i64>,
    duration_nanos: i64,
}

pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut lines = Lines::new(bytes, Format::Java);
    lines.advance();
    let kind = match lines.trimmed() {
        b"--- heapz 1 ---" => Kind::Heap,
        b"--- contentionz 1 ---" => Kind::Contention,
        _ => return Err(Refusal::Unrecognized(None)),
    };
    let attributes = read_attributes(&mut lines, kind)?;
    let mut draft = attributes.draft(kind);
    read_rows(&mut lines, kind, &attributes, &mut draft)?;
    let names = read_names(lines, &draft)?;
    Ok(draft.finish_named(&names)?)
}

/// Reads up to the first line that is no attribute.
fn read_attributes(lines: &mut Lines<'_>, kind: Kind) -> Result<Attributes, Refusal> {
    let mut attributes = Attributes::default();
    while lines.advance() {
        if lines.trimmed().is_empty() {
            continue;
        }
        let Some((_, [name, value])) = ATTRIBUTE.captures(lines.trimmed()).map(|it| it.extract()) else { break };
        let value = trim(value);
        let number = || any_base(value).ok_or_else(|| lines.expected("a number of 63 bits"));
        let refuse = |expected| Refusal::Unrecognized(Some(lines.expected(expected)));
        match (kind, trim(name)) {
            (_, b"format") if value == b"java" => {}
            (_, b"format") => return Err(refuse("format = java")),
            (_, b"resolution") => attributes.resolution = Some(text(value).into_owned()),
            (Kind::Contention, b"sampling period") => attributes.period = Some(number()?),
            (Kind::Contention, b"ms since reset") => attributes.duration_nanos = number()?.wrapping_mul(1_000_000),
            _ => return Err(refuse("format, resolution, sampling period or ms since reset")),
        }
    }
    Ok(attributes)
}

impl Attributes {
    fn draft(&self, kind: Kind) -> Draft {
        let mut draft = match (kind, &self.resolution) {
            (_, None) => Draft::new(&[]),
            (Kind::Heap, Some(unit)) => Draft::new(&[("inuse_objects", "count"), ("inuse_space", unit)]),
            (Kind::Contention, Some(unit)) => Draft::new(&[("contentions", "count"), ("delay", unit)]),
        };
        if let Some(period) = self.period {
            draft.header().period("contentions", "count", period);
        }
        draft.header().duration_nanos(self.duration_nanos);
        draft
    }
}

/// Reads up to the first line that is no row; the current line is the first.
fn read_rows(lines: &mut Lines<'_>, kind: Kind, attributes: &Attributes, draft: &mut Draft) -> Result<(), Error> {
    let mut stack = Vec::new();
    // As pprof does, a last line that the end of the file may have cut short is left out.
    while lines.is_whole() {
        if let Some((_, [bytes, count, frames])) = ROW.captures(lines.trimmed()).map(|it| it.extract()) {
            if attributes.resolution.is_none() {
                return Err(lines.expected("resolution = UNIT before the first row"));
            }
            addresses(frames, &mut stack).ok_or_else(|| lines.expected("addresses of 64 bits"))?;
            let number = |digits| any_base(digits).ok_or_else(|| lines.expected("numbers of 63 bits"));
            let (count, amount) = (number(count)?, number(bytes)?);
            match kind {
                Kind::Heap if count == 0 => return Err(lines.expected("a count other than 0")),
                Kind::Heap => {
                    let (all, all_bytes) = estimate(count, amount, HEAP_RATE);
                    draft.push_blocks(stack.drain(..), &[all, all_bytes], amount.wrapping_div(count));
                }
                Kind::Contention => {
                    let period = attributes.period.filter(|it| *it != 0).unwrap_or(1);
                    draft.push(stack.drain(..), &[count.wrapping_mul(period), amount.wrapping_mul(period)]);
                }
            }
        } else if !lines.trimmed().is_empty() {
            break;
        }
        lines.advance();
    }
    Ok(())
}

/// Reads the table of names from the current line on: `0xADDRESS FUNCTION (FILE:LINE)`. Only what samples use counts.
pub(super) fn read_names(mut lines: Lines<'_>, draft: &Draft) -> Result<Names, Error> {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^0x([[:xdigit:]]+)\s+(.*)$"));
    let used: HashSet<u64> = draft.stacks.iter().flatten().copied().collect();
    let mut names = Names::default();
    let mut functions = HashMap::new();
    loop {
        if let Some((_, [address, name])) = NAMED.captures(lines.trimmed()).map(|it| it.extract()) {
            let address = hex(address).ok_or_else(|| lines.expected("an address of 64 bits"))?;
            if used.contains(&address) {
                let (function, file, line) = parts(name);
                // A function's first file counts.
                let idx = *functions.entry(function.to_owned()).or_insert_with(|| {
                    names.functions.push((text(function).into_owned(), text(file).into_owned()));
                    names.functions.len() - 1
                });
                names.of_address.insert(address, (idx, line));
            }
        }
        if !lines.advance() {
            return Ok(names);
        }
    }
}

/// Function, file and line of what stands behind an address.
fn parts(name: &[u8]) -> (&[u8], &[u8], i64) {
    static WITH_LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(.*)\s+\((.+):(-?[[:digit:]]+)\)$"));
    static WITH_PATH: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(.*)\s+\((.*)\)$"));
    if let Some((_, [function, file, line])) = WITH_LINE.captures(name).map(|it| it.extract()) {
        return (function, file, decimal(line).filter(|it| 0 < *it).unwrap_or(0));
    }
    if let Some((_, [function, path])) = WITH_PATH.captures(name).map(|it| it.extract()) {
        return (function, base_name(path), 0);
    }
    if contains(name, b"generated stub/JIT") {
        return (b"STUB", b"", 0);
    }
    // The agent's own states, such as GC.
    (name, b"", 0)
}

/// The last part of a path, as Go's `filepath.Base` has it.
fn base_name(path: &[u8]) -> &[u8] {
    let Some(end) = path.iter().rposition(|it| *it != b'/') else { return if path.is_empty() { b"." } else { b"/" } };
    let path = path.get(..=end).unwrap_or_default();
    path.rsplit(|it| *it == b'/').next().unwrap_or_default()
}
