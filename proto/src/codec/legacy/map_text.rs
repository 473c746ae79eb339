//! The memory map at the end of a text: lines as in `/proc/PID/maps`, or shorter.

use std::sync::LazyLock;

use regex::bytes::{Captures, Regex};

use super::lines::{Lines, text, trim};
use super::mappings::Region;
use super::pattern;

/// `START-END PERMISSIONS OFFSET DEVICE INODE FILE`, as Linux writes it.
static LINUX: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x) ^ \s* (?:0x)? (?<start> [[:xdigit:]]+ ) [\s-]? \s* (?:0x)? (?<end> [[:xdigit:]]+ ) :?
        (?: \s+ (?<permissions> [-rwxp]+ ) )? (?: \s+ (?<offset> [[:xdigit:]]+ ) )?
        \s+ [[:xdigit:]]+ : [[:xdigit:]]+ \s+ [[:digit:]]+ (?: \s+ (?<file> \S+ ) )? (?<build_id> ){0}",
    )
});

/// `START-END PERMISSIONS FILE (@OFFSET) BUILD_ID`, where all after the range may be left out.
static BRIEF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x) ^ \s* (?:0x)? (?<start> [[:xdigit:]]+ ) [\s-]? \s* (?:0x)? (?<end> [[:xdigit:]]+ ) :?
        (?: \s+ (?<permissions> [-rwxp]+ ) )? (?: \s+ (?<file> \S+ ) )?
        (?: \s+ \(@ (?<offset> [[:xdigit:]]+ ) \) )? (?: \s+ (?<build_id> [[:xdigit:]]+ ) )?",
    )
});

/// What a log writes before a message: `FILE:LINE] `.
static LOG_PREFIX: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[^\[\]]+:[0-9]+\]\s"));

/// A longer line is none of a map. (pprof reads no longer lines at all.)
const LONGEST_LINE: usize = 64 << 10;

/// Reads what follows the line that `lines` is at. Lines that are no entry are passed over; those of the form
/// `name=value` say what `$name` stands for from there on.
pub(super) fn read(lines: &mut Lines<'_>) -> Vec<Region> {
    let mut regions = Vec::new();
    let mut variables = Variables::default();
    while lines.advance() {
        let line = lines.line();
        let line = LOG_PREFIX.find(line).and_then(|it| line.get(it.end()..)).unwrap_or(line);
        let Some(line) = variables.replace(line) else { continue };
        match entry(&line) {
            Some(Entry::Region(region)) => regions.push(region),
            Some(Entry::Data) => {}
            None => variables.define(&line),
        }
    }
    regions
}

enum Entry {
    Region(Region),
    /// Memory that is not executable.
    Data,
}

fn entry(line: &[u8]) -> Option<Entry> {
    let parts = LINUX.captures(line).or_else(|| BRIEF.captures(line))?;
    let part = |name| part(&parts, name);
    if part("permissions").is_some_and(|it| !it.contains(&b'x')) {
        return Some(Entry::Data);
    }
    let number = |name| part(name).map_or(Some(0), super::numbers::hex);
    let name = |name| text(part(name).unwrap_or_default()).into_owned();
    Some(Entry::Region(Region {
        start: number("start")?,
        limit: number("end")?,
        offset: number("offset")?,
        file: name("file"),
        build_id: name("build_id"),
    }))
}

fn part<'a>(parts: &Captures<'a>, name: &str) -> Option<&'a [u8]> {
    parts.name(name).map(|it| it.as_bytes())
}

/// What `$name` stands for.
#[derive(Default)]
struct Variables(Vec<(Vec<u8>, Vec<u8>)>);

impl Variables {
    /// Maps define one or two; many more would make reading slow.
    const MOST: usize = 100;

    fn define(&mut self, line: &[u8]) {
        let Some(at) = line.iter().position(|it| *it == b'=') else { return };
        if let Some((name, value)) = line.split_at_checked(at)
            && self.0.len() < Self::MOST
        {
            let value = value.get(1..).unwrap_or_default();
            self.0.push(([b"$", trim(name)].concat(), trim(value).to_owned()));
        }
    }

    /// The line with their values in their places; `None` if it is too long for an entry.
    fn replace(&self, mut line: &[u8]) -> Option<Vec<u8>> {
        let mut replaced = Vec::new();
        while let Some((&first, rest)) = line.split_first() {
            let variable = self.0.iter().filter(|_| first == b'$').find(|it| line.starts_with(&it.0));
            if let Some((name, value)) = variable {
                replaced.extend_from_slice(value);
                line = line.get(name.len()..)?;
            } else {
                replaced.push(first);
                line = rest;
            }
            if LONGEST_LINE < replaced.len() {
                return None;
            }
        }
        Some(replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::Lines;
    use super::*;
    use crate::codec::error::Format;

    fn check(map: &str, expected: &[&str]) {
        let regions = read(&mut Lines::new(map.as_bytes(), Format::Heap));
        let found: Vec<String> = (regions.iter())
            .map(|Region { start, limit, offset, file, build_id }| {
                format!("{start:x}-{limit:x} {offset:x} {file} {build_id}").trim_end().to_owned()
            })
            .collect();
        assert_eq!(found, expected, "{map}");
    }

    #[test]
    fn entries_of_every_form() {
        check("7f0000-7f1000 r-xp 00001000 fe:00 325 /lib/libc.so.6", &["7f0000-7f1000 1000 /lib/libc.so.6"]);
        check("  00400000-00fcb000: /home/main", &["400000-fcb000 0 /home/main"]);
        check(
            "0x40000-0x80000 /path/to/binary      (@FF00)            abc123456",
            &["40000-80000 ff00 /path/to/binary abc123456"],
        );
        check("40000-80000 r-xp /bin/it (@1f)\r\n", &["40000-80000 1f /bin/it"]);
        check("40000 80000", &["40000-80000 0"]);
        check(
            "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0      [vsyscall]",
            &["ffffffffff600000-ffffffffff601000 0 [vsyscall]"],
        );
        check("I1120 12:00:00.1 7 log.cc:99] 400000-500000: /bin/it", &["400000-500000 0 /bin/it"]);
    }

    #[test]
    fn lines_that_are_no_code_are_passed_over() {
        check("7f0000-7f1000 rw-p 00001000 fe:00 325 /lib/libc.so.6\n7f2000-7f3000 r--p 0 0:0 1 /x", &[]);
        check("nothing here\n\n# or here\n1ffffffffffffffff-2 r-xp 0 0:0 0 /too/large", &[]);
        check(&format!("400000-500000 {}", "x".repeat(LONGEST_LINE)), &[]);
    }

    #[test]
    fn variables_stand_for_their_values() {
        let map =
            "build=/srv/out\n dir = $build/bin\nbuild=/never\n400000-500000: $dir/main\n600000-700000: $other/$build";
        check(map, &["400000-500000 0 /srv/out/bin/main", "600000-700000 0 $other//srv/out"]);
        // They double in length at each line, but for the bound.
        let bomb: String = (1..200).map(|n| format!("x{n}=$x{}$x{}\n", n - 1, n - 1)).collect();
        check(&format!("x0=eightpad\n{bomb}400000-500000: $x0"), &["400000-500000 0 eightpad"]);
    }
}
