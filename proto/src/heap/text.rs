//! Go's text form of a heap profile (`debug=1`), which pprof reads and people read better.
//!
//! The format is that of runtime/pprof's `writeHeapInternal`; what readers make of it, pprof's `parseHeap`. Every line
//! that the reader should pass over begins with `#`.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::align::write_aligned;
use super::{Columns, Pair};
use crate::profile::{Line, Profile, SampleRef};

/// pprof's reader refuses a file with a line of 64 KiB. No line gets longer than this, its end not counted.
const LONGEST_LINE: usize = 65_000;

/// Writes a raw profile as text: a row for each stack and size, the heaviest in use first; `trailer`, if any, with a line
/// for each key and value; and the mappings, so that readers know which binaries the addresses are of.
///
/// Values are as they were sampled, and readers estimate as [`unsample`](super::unsample) does: `rate` is the same.
/// Frames carry no offset from their function's start, as Go's do, since a profile does not know where functions start.
/// A stack too deep for one line, some 5,000 frames, loses its root's side.
///
/// # Errors
///
/// If `out` takes no more.
pub fn write_text(out: &mut impl Write, raw: &Profile, rate: i64, trailer: &[(String, String)]) -> io::Result<()> {
    let rows = rows(raw);
    // The reader's names for profiles that know no more than blocks in use.
    let is_of_blocks = raw.sample_types().iter().any(|it| ["objects", "grows"].contains(&raw.string(it.kind)));
    write_header(out, &rows, rate, !is_of_blocks)?;
    for row in &rows {
        write_row(out, raw, row)?;
    }
    if !trailer.is_empty() {
        writeln!(out, "\n# wprof.MemStats")?;
    }
    for (key, value) in trailer {
        writeln!(out, "# {} = {}", one_line(key), one_line(value))?;
    }
    write_mappings(out, raw)
}

struct Row<'a> {
    alloc: Counted,
    inuse: Counted,
    sample: SampleRef<'a>,
}

/// A count and the bytes that go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Counted {
    bytes: i64,
    objects: i64,
}

impl Counted {
    fn of(sample: SampleRef<'_>, pair: Option<Pair>) -> Self {
        let counted = |it: Pair| Counted { bytes: sample.values[it.space], objects: sample.values[it.objects] };
        // A reader refuses bytes without blocks, and takes blocks without bytes for nothing.
        pair.map(counted).filter(|it| it.bytes != 0 && it.objects != 0).unwrap_or_default()
    }
}

/// In the order of the file: the most bytes in use first, then the most allocated, then by stack.
fn rows(raw: &Profile) -> Vec<Row<'_>> {
    let columns = Columns::of(raw);
    let row =
        |sample| Row { alloc: Counted::of(sample, columns.alloc), inuse: Counted::of(sample, columns.inuse), sample };
    let is_something = |it: &Row<'_>| [it.alloc, it.inuse] != [Counted::default(); 2];
    let mut rows: Vec<Row<'_>> = raw.samples().map(row).filter(is_something).collect();
    let by_weight = |it: &Row<'_>| Reverse((it.inuse, it.alloc));
    rows.sort_by(|a, b| by_weight(a).cmp(&by_weight(b)).then_with(|| addresses(raw, a).cmp(addresses(raw, b))));
    rows
}

fn addresses<'a>(raw: &'a Profile, row: &Row<'a>) -> impl Iterator<Item = u64> + use<'a> {
    row.sample.locations.iter().map(|&it| raw.location(it).address)
}

fn write_header(out: &mut impl Write, rows: &[Row<'_>], rate: i64, knows_allocated: bool) -> io::Result<()> {
    let sum = |counted: fn(&Row<'_>) -> Counted| {
        rows.iter().map(counted).fold(Counted::default(), |sum, it| Counted {
            bytes: sum.bytes.saturating_add(it.bytes),
            objects: sum.objects.saturating_add(it.objects),
        })
    };
    let [inuse, mut alloc] = [sum(|it| it.inuse), sum(|it| it.alloc)];
    // Where the two are equal, or nothing was allocated, readers take the file for one of blocks that are in use, and call
    // these otherwise.
    if knows_allocated {
        let mut near = (0..3).map(|more| alloc.bytes.checked_add(more).unwrap_or(i64::MAX - more));
        alloc.bytes = near.find(|it| ![0, inuse.bytes].contains(it)).unwrap_or(alloc.bytes);
    }
    write!(out, "heap profile: ")?;
    write_counts(out, inuse, alloc)?;
    // The first heap profiler gave twice its rate, and readers halve it since.
    writeln!(out, " @ heap/{}", rate.saturating_mul(2))
}

fn write_counts(out: &mut impl Write, inuse: Counted, alloc: Counted) -> io::Result<()> {
    write!(out, "{}: {} [{}: {}]", inuse.objects, inuse.bytes, alloc.objects, alloc.bytes)
}

fn write_row(out: &mut impl Write, raw: &Profile, row: &Row<'_>) -> io::Result<()> {
    write_counts(out, row.inuse, row.alloc)?;
    let stack = stack(raw, row.sample);
    writeln!(out, " @{}", stack.text)?;
    write_frames(out, raw, row.sample, &stack)
}

/// The frames of a row, for people to read, and the empty line that ends it.
pub(crate) fn write_frames(
    out: &mut impl Write,
    raw: &Profile,
    sample: SampleRef<'_>,
    stack: &Stack,
) -> io::Result<()> {
    let mut frames = Vec::new();
    for &id in &sample.locations[..stack.n_locations] {
        let address = format!("{:#x}", raw.location(id).address);
        match raw.lines(id) {
            [] => frames.push(vec!["#".to_owned(), address]),
            lines => frames.extend(lines.iter().map(|line| frame(raw, &address, line))),
        }
    }
    write_aligned(out, &frames)?;
    let n_cut = sample.locations.len() - stack.n_locations;
    if 0 < n_cut {
        writeln!(out, "#\t… and {n_cut} more, which do not fit the line")?;
    }
    writeln!(out)
}

/// A stack as a row has it.
pub(crate) struct Stack {
    /// The addresses, each behind a space.
    pub(crate) text: String,
    /// How many of the sample's locations had room.
    n_locations: usize,
}

/// The addresses as the reader expects them: of the instruction after the call, from all of which it takes 1.
pub(crate) fn stack(raw: &Profile, sample: SampleRef<'_>) -> Stack {
    let mut stack = Stack { text: String::new(), n_locations: 0 };
    for &id in sample.locations {
        let address = format!(" {:#x}", raw.location(id).address.wrapping_add(1));
        if LONGEST_LINE < stack.text.len() + address.len() {
            break;
        }
        stack.text.push_str(&address);
        stack.n_locations += 1;
    }
    stack
}

/// The cells of a frame's line, so far as its parts are known.
fn frame(raw: &Profile, address: &str, line: &Line) -> Vec<String> {
    let function = raw.function(line.function);
    let mut cells = vec!["#".to_owned(), address.to_owned()];
    let [name, file] = [function.name, function.filename].map(|it| one_line(raw.string(it)));
    if !name.is_empty() || !file.is_empty() {
        cells.push(name);
    }
    if !file.is_empty() {
        let mut place = file;
        if line.line != 0 {
            // Writing to a string cannot fail.
            let _ok = write!(place, ":{}", line.line);
        }
        cells.push(place);
    }
    cells
}

/// The binaries, in the form of a memory map that has room for build ids. Their names are in brackets, as of what is
/// no file: pprof would try to read anything else as an executable of the machine's own kind, and complain.
pub(crate) fn write_mappings(out: &mut impl Write, raw: &Profile) -> io::Result<()> {
    let mut mappings = raw.mappings().iter().filter(|it| it.start < it.limit).peekable();
    if mappings.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "\n--- Memory map: ---")?;
    for it in mappings {
        let [name, build_id] = [it.filename, it.build_id].map(|it| one_line(raw.string(it)));
        let name = name.rsplit('/').next().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = name.replace(char::is_whitespace, "_");
        let line = format!("{:08x}-{:08x}: [{name}] (@{:x}) {build_id}", it.start, it.limit, it.offset);
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// `text` without what would end its line or its cell, and not too long for one.
pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = LONGEST_LINE / 4;
    let end = text.floor_char_boundary(LONGEST);
    text[..end].replace(char::is_control, " ")
}
