//! Where the code of a rewritten file stands in the file that the user knows.

use std::ops::Range;

/// A stretch of code of the rewritten file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its bytes.
    pub new: Range<u32>,
    /// What it was.
    pub origin: Origin,
}

/// What a stretch of code was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The same bytes, which began here.
    Copied(u32),
    /// Put into the function whose body began here.
    PutInto(u32),
    /// Put in the place of the instruction that was here.
    Instead(u32),
    /// Nothing: a function of ours.
    Ours,
}

/// Maps offsets in a rewritten file to offsets in the original. An empty map leaves all as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressMap {
    /// By place, without overlaps.
    segments: Vec<Segment>,
}

impl Segment {
    /// The same stretch in a file that holds the rewritten module at `new` and held the original at `old`.
    #[must_use]
    pub fn shifted(&self, new: u32, old: u32) -> Self {
        let shift = |range: &Range<u32>, by: u32| range.start.saturating_add(by)..range.end.saturating_add(by);
        let origin = match &self.origin {
            Origin::Copied(start) => Origin::Copied(start.saturating_add(old)),
            Origin::PutInto(body) => Origin::PutInto(body.saturating_add(old)),
            Origin::Instead(at) => Origin::Instead(at.saturating_add(old)),
            Origin::Ours => Origin::Ours,
        };
        Self { new: shift(&self.new, new), origin }
    }
}

impl AddressMap {
    /// A map of these stretches.
    #[must_use]
    pub fn new(mut segments: Vec<Segment>) -> Self {
        segments.sort_by_key(|segment| segment.new.start);
        Self { segments }
    }

    /// Maps a stack in place. Code that was put into a function stands for the function's entry; functions of ours go.
    pub fn map_stack(&self, offsets: &mut Vec<u32>) {
        if self.segments.is_empty() {
            return;
        }
        offsets.retain_mut(|offset| {
            let old = self.map(*offset);
            *offset = old.unwrap_or(*offset);
            old.is_some()
        });
    }

    /// Maps one offset; `None` for functions of ours.
    #[must_use]
    pub fn map(&self, offset: u32) -> Option<u32> {
        let Some(segment) = self.segment_at(offset) else { return Some(offset) };
        match &segment.origin {
            Origin::Copied(start) => Some(start + (offset - segment.new.start)),
            Origin::PutInto(at) | Origin::Instead(at) => Some(*at),
            Origin::Ours => None,
        }
    }

    /// Whether the code at an offset stands in the place of an instruction: what it calls is that instruction's work.
    #[must_use]
    pub fn is_instead(&self, offset: u32) -> bool {
        self.segment_at(offset).is_some_and(|segment| matches!(segment.origin, Origin::Instead(_)))
    }

    /// Whether the code at an offset is none of the user's.
    #[must_use]
    pub fn is_ours(&self, offset: u32) -> bool {
        self.segment_at(offset).is_some_and(|segment| matches!(segment.origin, Origin::PutInto(_) | Origin::Ours))
    }

    fn segment_at(&self, offset: u32) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.new.start <= offset);
        self.segments.get(after.checked_sub(1)?).filter(|segment| segment.new.contains(&offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_leads_back_to_where_it_was() {
        let map = AddressMap::new(vec![
            Segment { new: 150..170, origin: Origin::Copied(45) },
            Segment { new: 100..140, origin: Origin::Copied(0) },
            Segment { new: 140..150, origin: Origin::PutInto(41) },
            Segment { new: 170..180, origin: Origin::Ours },
            Segment { new: 180..185, origin: Origin::Instead(60) },
        ]);
        let mut stack = vec![175, 145, 155, 101, 5000];
        map.map_stack(&mut stack);
        assert_eq!(stack, [41, 50, 1, 5000]);
        assert_eq!((map.map(175), map.map(184)), (None, Some(60)));
        assert_eq!([101, 145, 175, 182].map(|offset| map.is_instead(offset)), [false, false, false, true]);
        assert!(!map.is_ours(182), "it is the instruction's work");
        assert_eq!([101, 145, 155, 175, 5000].map(|offset| map.is_ours(offset)), [false, true, false, true, false]);
        assert_eq!(AddressMap::default().map(7), Some(7));
        let moved = Segment { new: 140..150, origin: Origin::PutInto(41) }.shifted(1000, 500);
        assert_eq!(moved, Segment { new: 1140..1150, origin: Origin::PutInto(541) });
    }
}
