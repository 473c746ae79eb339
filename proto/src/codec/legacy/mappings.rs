//! Which binary an address lies in, as pprof guesses it from a memory map.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::pattern;

/// An entry of a memory map: code of a file, in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) start: u64,
    pub(super) limit: u64,
    /// Where in the file `start` is.
    pub(super) offset: u64,
    pub(super) file: String,
    pub(super) build_id: String,
}

impl Region {
    fn contains(&self, address: u64) -> bool {
        self.start <= address && address < self.limit
    }

    /// Whether `next` is more of the same file, that the kernel lists on its own.
    fn continues_in(&self, next: &Region) -> bool {
        let differ = |one: &str, other: &str| !one.is_empty() && !other.is_empty() && one != other;
        let next_offset = self.offset.wrapping_add(self.limit.wrapping_sub(self.start));
        !differ(&self.file, &next.file)
            && !differ(&self.build_id, &next.build_id)
            && self.limit == next.start
            && (self.offset == 0 || next.offset == 0 || next_offset == next.offset)
    }

    fn extend(&mut self, next: Region) {
        self.limit = next.limit;
        if !next.file.is_empty() {
            self.file = next.file;
        }
        if !next.build_id.is_empty() {
            self.build_id = next.build_id;
        }
    }

    /// Whether this may be the program itself: no shared library, and nothing that the kernel made up.
    fn may_be_main(&self) -> bool {
        static LIBRARY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\.so$|\.so[._][0-9]+"));
        let file = self.file.replace("(deleted)", "");
        let file = file.trim();
        !file.is_empty() && !file.starts_with('[') && !LIBRARY.is_match(file.as_bytes())
    }
}

/// The regions of a profile, the main binary first.
#[derive(Debug, Default)]
pub(super) struct Mappings {
    pub(super) regions: Vec<Region>,
    /// The regions' numbers by their starts, if no two overlap.
    by_start: Option<Vec<usize>>,
    /// The region over all addresses, where one was needed.
    everything: Option<usize>,
}

impl Mappings {
    /// Those of a memory map, put right: the kernel, and some writers, list one binary in pieces.
    pub(super) fn new(entries: Vec<Region>) -> Self {
        let mut regions: Vec<Region> = Vec::with_capacity(entries.len());
        for next in entries {
            match regions.last_mut().filter(|last| last.continues_in(&next)) {
                Some(last) => last.extend(next),
                None => regions.push(next),
            }
        }
        if let Some(main) = regions.iter().position(Region::may_be_main) {
            regions.swap(0, main);
        }
        if let [huge, next, ..] = regions.as_slice()
            && huge.file.starts_with("/anon_hugepage")
            && huge.limit == next.start
        {
            regions.remove(0);
        }
        // Where Linux loads a program that is not position-independent.
        const USUAL_START: u64 = 0x40_0000;
        if let Some(main) = regions.first_mut()
            && main.start.wrapping_sub(main.offset) == USUAL_START
        {
            main.start = USUAL_START;
            main.offset = 0;
        }
        let mut mappings = Mappings { regions, by_start: None, everything: None };
        mappings.sort();
        mappings
    }

    /// The region of an address; none for address 0, which stands for no address.
    pub(super) fn find(&mut self, address: u64) -> Option<usize> {
        if address == 0 {
            return None;
        }
        self.containing(address).or(self.everything).or_else(|| self.beginning_too_late(address)).or_else(|| {
            self.everything = Some(self.regions.len());
            self.regions.push(Region { limit: u64::MAX, ..Region::default() });
            self.everything
        })
    }

    fn containing(&self, address: u64) -> Option<usize> {
        let contains = |&idx: &usize| self.regions.get(idx).is_some_and(|it| it.contains(address));
        let Some(by_start) = &self.by_start else { return (0..self.regions.len()).find(contains) };
        let n_before = by_start.partition_point(|&idx| self.regions.get(idx).is_some_and(|it| it.start <= address));
        by_start.get(n_before.checked_sub(1)?).copied().filter(contains)
    }

    /// The region whose file would begin before the address, had its writer not left out the first piece. It begins
    /// there from now on.
    fn beginning_too_late(&mut self, address: u64) -> Option<usize> {
        let begins_too_late =
            |it: &Region| it.offset != 0 && it.start.wrapping_sub(it.offset) <= address && address < it.start;
        let idx = self.regions.iter().position(begins_too_late)?;
        let region = self.regions.get_mut(idx)?;
        region.start = region.start.wrapping_sub(region.offset);
        region.offset = 0;
        self.sort();
        Some(idx)
    }

    fn sort(&mut self) {
        let mut by_start: Vec<(u64, u64, usize)> =
            self.regions.iter().zip(0..).map(|(it, idx)| (it.start, it.limit, idx)).collect();
        by_start.sort_unstable();
        let is_disjoint = by_start.is_sorted_by(|before, after| before.1 <= after.0 && before.0 < after.0);
        self.by_start = is_disjoint.then(|| by_start.into_iter().map(|it| it.2).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(start: u64, limit: u64, offset: u64, file: &str) -> Region {
        Region { start, limit, offset, file: file.into(), build_id: String::new() }
    }

    fn check(map: &[(u64, u64, u64, &str)], expected: &[(u64, u64, u64, &str)]) {
        let regions = |map: &[(u64, u64, u64, &str)]| map.iter().map(|it| region(it.0, it.1, it.2, it.3)).collect();
        let expected: Vec<Region> = regions(expected);
        assert_eq!(Mappings::new(regions(map)).regions, expected);
    }

    #[test]
    fn pieces_are_joined_and_the_main_binary_is_first() {
        check(&[(10, 20, 0, "/a"), (20, 30, 0, "/a")], &[(10, 30, 0, "/a")]);
        check(&[(10, 20, 5, "/a"), (20, 30, 15, "")], &[(10, 30, 5, "/a")]);
        let apart = [(10, 20, 5, "/a"), (20, 30, 16, "/a"), (31, 40, 26, "/a")];
        check(&apart, &apart);
        check(
            &[(1, 2, 0, "[vdso]"), (3, 4, 0, "/b.so.6"), (5, 6, 0, "/main (deleted)")],
            &[(5, 6, 0, "/main (deleted)"), (3, 4, 0, "/b.so.6"), (1, 2, 0, "[vdso]")],
        );
        check(&[(0x40_5000, 0x50_0000, 0x5000, "/main")], &[(0x40_0000, 0x50_0000, 0, "/main")]);
        check(&[(1, 2, 0, "/anon_hugepage"), (2, 5, 0, "/main")], &[(2, 5, 0, "/main")]);
    }

    #[test]
    fn addresses_find_their_region() {
        let overlapping = [region(10, 30, 0, "/a"), region(20, 40, 0, "/b")];
        let late = [region(100, 200, 0, "/a"), region(0x3000, 0x4000, 0x1000, "/late.so")];
        for (regions, address, expected) in [
            (&overlapping[..], 0, None),
            (&overlapping, 25, Some(0)),
            (&overlapping, 30, Some(1)),
            (&overlapping, 40, Some(2)),
            (&late, 99, Some(2)),
            (&late, 100, Some(0)),
            (&late, 200, Some(2)),
            (&late, 0x3fff, Some(1)),
            (&late, 0x2000, Some(1)),
            (&late, 0x1fff, Some(2)),
            (&late, u64::MAX, Some(2)),
            (&[], 1, Some(0)),
        ] {
            assert_eq!(Mappings::new(regions.to_vec()).find(address), expected, "{address:#x}");
        }
    }

    #[test]
    fn a_region_that_began_too_late_begins_earlier_from_then_on() {
        let mut mappings = Mappings::new(vec![region(0x3000, 0x4000, 0x1000, "/late.so")]);
        assert_eq!(mappings.find(0x2800), Some(0));
        assert_eq!(mappings.regions, [region(0x2000, 0x4000, 0, "/late.so")]);
        assert_eq!([mappings.find(0x2000), mappings.find(1), mappings.find(5)], [Some(0), Some(1), Some(1)]);
    }
}
