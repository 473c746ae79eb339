//! Boxes of a flame graph, and how they are packed into words to cross between worker and page.

use serde::{Deserialize, Serialize};

/// One box in unit space: the zoomed node spans 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FlameBox {
    pub(crate) x: f32,
    pub(crate) width: f32,
    pub(crate) row: u32,
    pub(crate) node: u32,
    /// Equal for all boxes of one function name.
    pub(crate) function: u32,
    pub(crate) look: Look,
    /// Index into [`Flame::names`](super::Flame); `None` where no letter would fit.
    pub(crate) name: Option<u32>,
}

/// How a box is painted, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Look(u32);

impl Look {
    /// A function of the guest; `hue` is what its package's name comes to.
    pub(crate) fn guest(hue: u8) -> Look {
        Look(u32::from(hue))
    }

    /// All together: no function.
    pub(crate) fn root() -> Look {
        Look(0x800)
    }

    /// A function outside the guest.
    pub(crate) fn host() -> Look {
        Look(0x100)
    }

    /// Found by the search.
    pub(crate) fn matched(self, yes: bool) -> Look {
        Look(if yes { self.0 | 0x200 } else { self.0 })
    }

    /// Above the zoomed node: wider than shown.
    pub(crate) fn ancestor(self) -> Look {
        Look(self.0 | 0x400)
    }

    /// Inlined into the box above.
    pub(crate) fn inlined(self, yes: bool) -> Look {
        Look(if yes { self.0 | 0x1000 } else { self.0 })
    }

    /// In a diff: how much it grew, from -100, which is gone, to 100, which is new.
    pub(crate) fn changed(self, percent: i8) -> Look {
        let [change] = percent.to_le_bytes();
        Look(self.0 & 0xff00_ffff | 0x2000 | u32::from(change) << 16)
    }

    pub(crate) fn hue(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    pub(crate) fn is_host(self) -> bool {
        self.0 & 0x100 != 0
    }

    pub(crate) fn is_root(self) -> bool {
        self.0 & 0x800 != 0
    }

    pub(crate) fn is_matched(self) -> bool {
        self.0 & 0x200 != 0
    }

    pub(crate) fn is_ancestor(self) -> bool {
        self.0 & 0x400 != 0
    }

    pub(crate) fn is_inlined(self) -> bool {
        self.0 & 0x1000 != 0
    }

    pub(crate) fn change(self) -> Option<i8> {
        let [_, _, change, _] = self.0.to_le_bytes();
        (self.0 & 0x2000 != 0).then(|| i8::from_le_bytes([change]))
    }
}

const WORDS: usize = 7;
const NO_NAME: u32 = u32::MAX;

/// Boxes as words, to be transferred.
pub(crate) fn pack(boxes: &[FlameBox]) -> Vec<u32> {
    boxes
        .iter()
        .flat_map(|b| {
            [b.x.to_bits(), b.width.to_bits(), b.row, b.node, b.function, b.look.0, b.name.unwrap_or(NO_NAME)]
        })
        .collect()
}

/// The boxes that [`pack`] packed.
pub(crate) fn unpack(words: &[u32]) -> Vec<FlameBox> {
    let (boxes, _) = words.as_chunks::<WORDS>();
    boxes
        .iter()
        .map(|&[x, width, row, node, function, look, name]| FlameBox {
            x: f32::from_bits(x),
            width: f32::from_bits(width),
            row,
            node,
            function,
            look: Look(look),
            name: (name != NO_NAME).then_some(name),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_survive_packing() {
        let look = Look::guest(200).matched(true).ancestor();
        let named = FlameBox { x: 0.25, width: 0.5, row: 3, node: 7, function: 2, look, name: Some(1) };
        let boxes = [named, FlameBox { look: Look::host(), name: None, ..named }];
        assert_eq!(unpack(&pack(&boxes)), boxes);
        assert_eq!((look.hue(), look.is_host(), look.is_matched(), look.is_ancestor()), (200, false, true, true));
    }

    #[test]
    fn a_look_holds_all_at_once() {
        let look = Look::guest(7).inlined(true).changed(-100).matched(true);
        assert_eq!((look.hue(), look.is_inlined(), look.change(), look.is_matched()), (7, true, Some(-100), true));
        assert_eq!((look.changed(25).change(), look.is_ancestor()), (Some(25), false));
        assert_eq!(Look::guest(7).change(), None);
    }
}
