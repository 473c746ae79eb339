//! What of a flame graph is in view, and where on the pane: for whoever draws it. No pixels are touched here.

use crate::boxes::{ROW_HEIGHT, Sheet, in_rows};
use crate::label;
use crate::motion::Span;
use crate::protocol::{Flame, FlameBox, Look};

/// Space between a box's edge and its label.
const PADDING: f64 = 4.0;
/// Narrower boxes are drawn without a gap to the next, or a group of them would vanish.
const GAP_FROM: f64 = 3.0;
/// Narrower ones have no room for a mark.
const NOTCH_FROM: f64 = 7.0;

/// The part of a flame graph in view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) flame: &'a Flame,
    pub(crate) sheet: Sheet,
    pub(crate) span: Span,
    /// CSS pixels.
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) scroll_top: f64,
    /// Device pixels a CSS pixel.
    pub(crate) density: f64,
    pub(crate) dark: bool,
}

/// A box on the pane, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Place {
    /// Whether an inlined frame's mark fits.
    pub(crate) fn has_notch(&self) -> bool {
        self.width >= NOTCH_FROM
    }
}

/// A box's name as far as it fits, and the room for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Label {
    pub(crate) text: String,
    pub(crate) x: f64,
    /// The middle of the letters.
    pub(crate) y: f64,
    pub(crate) room: f64,
}

impl<'a> Scene<'a> {
    /// The boxes in view, row by row.
    pub(crate) fn in_view(&self) -> impl Iterator<Item = (&'a FlameBox, Place)> + use<'a> {
        let Scene { flame, sheet, span, width, height, scroll_top, density, .. } = *self;
        let (first, n_rows) = sheet.rows_in_view(scroll_top);
        // Edges on device pixels keep boxes crisp at any density.
        let snap = move |x: f64| (x * density).round() / density;
        in_rows(&flame.boxes, first.saturating_sub(1), n_rows + 1).iter().filter_map(move |b| {
            let y = sheet.top_of(b.row) - scroll_top;
            let left = span.shown(b.x.into()) * width;
            let right = span.shown(f64::from(b.x) + f64::from(b.width)) * width;
            if y + ROW_HEIGHT < 0.0 || y > height || right < 0.0 || left > width {
                return None;
            }
            let gap = if right - left >= GAP_FROM { 1.0 } else { 0.0 };
            // Beyond the pane's edges nobody looks, and canvases are exact only for moderate numbers.
            let (x, end) = (snap(left.max(-2.0)), snap(right.min(width + 2.0)));
            let box_width = (end - x - gap).max(1.0 / density);
            Some((b, Place { x, y: snap(y), width: box_width, height: ROW_HEIGHT - 1.0 }))
        })
    }

    /// The name of a box, if some of it fits into letters of that width.
    pub(crate) fn label(&self, b: &FlameBox, place: Place, letter_width: f64) -> Option<Label> {
        let name = self.flame.names.get(b.name? as usize)?;
        let x = place.x.max(0.0) + PADDING;
        let room = (place.x + place.width).min(self.width) - PADDING - x;
        let cells = whole((room / letter_width).floor());
        let text = if cells > 0 { label::fit(name, cells)? } else { return None };
        // Half a pixel lower looks centred: most letters have no descender.
        Some(Label { text, x, y: place.y + place.height / 2.0 + 0.5, room })
    }
}

/// The boxes as areas of one look, sorted by it: neighbours that have no gap between them are one. Thousands of slivers
/// become a few hundred areas, and every look is set once.
pub(crate) fn areas(boxes: &[(&FlameBox, Place)]) -> Vec<(Look, Place)> {
    let mut areas: Vec<(Look, Place)> = Vec::with_capacity(boxes.len());
    let mut is_last_a_sliver = false;
    for &(b, place) in boxes {
        let is_sliver = place.width < GAP_FROM;
        if is_sliver
            && is_last_a_sliver
            && let Some((look, last)) = areas.last_mut()
            && (*look, last.y) == (b.look, place.y)
            && place.x <= last.x + last.width
        {
            last.width = last.width.max(place.x + place.width - last.x);
        } else {
            areas.push((b.look, place));
        }
        is_last_a_sliver = is_sliver;
    }
    areas.sort_unstable_by_key(|(look, _)| *look);
    areas
}

/// A number of pixels or letters.
pub(crate) fn whole(number: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and sizes are small")]
    let whole = number.round() as usize;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flame() -> Flame {
        let root = FlameBox { x: 0.0, width: 1.0, row: 0, node: 0, function: 9, look: Look::root(), name: None };
        let boxes = vec![
            root,
            FlameBox { width: 0.5, row: 1, node: 1, name: Some(0), ..root },
            FlameBox { x: 0.5, width: 0.001, row: 1, node: 2, ..root },
            FlameBox { x: 0.501, width: 0.001, row: 1, node: 3, ..root },
            FlameBox { width: 0.5, row: 40, node: 4, name: Some(0), ..root },
        ];
        Flame { boxes, names: vec!["app::Vec<T>::push".to_owned()], n_rows: 41, ..Flame::default() }
    }

    fn scene(flame: &Flame) -> Scene<'_> {
        Scene {
            flame,
            sheet: Sheet { n_rows: 41, height: 100.0, upward: false },
            span: Span::WHOLE,
            width: 1000.0,
            height: 100.0,
            scroll_top: 0.0,
            density: 2.0,
            dark: false,
        }
    }

    fn nodes(scene: &Scene<'_>) -> Vec<u32> {
        scene.in_view().map(|(b, _)| b.node).collect()
    }

    #[test]
    fn only_what_is_in_view_is_drawn() {
        let flame = flame();
        let all = scene(&flame);
        assert_eq!(nodes(&all), [0, 1, 2, 3]);
        assert_eq!(nodes(&Scene { scroll_top: 700.0, ..all }), [4]);
        assert_eq!(nodes(&Scene { span: Span { x: 0.501, width: 0.001 }, ..all }), [0, 2, 3]);
        let upward = Scene { sheet: Sheet { upward: true, ..all.sheet }, ..all };
        assert_eq!(nodes(&upward), [4]);
        assert_eq!(nodes(&Scene { scroll_top: 41.0 * ROW_HEIGHT - 100.0, ..upward }), [0, 1, 2, 3]);
    }

    #[test]
    fn boxes_lie_on_device_pixels_and_none_vanishes() {
        let flame = flame();
        let places: Vec<Place> = scene(&flame).in_view().map(|(_, place)| place).collect();
        for Place { x, y, width, .. } in &places {
            assert!((x * 2.0).fract() == 0.0 && (y * 2.0).fract() == 0.0 && *width >= 0.5, "{places:?}");
        }
        let last = Scene { density: 1.0, width: 100.0, ..scene(&flame) };
        assert!(last.in_view().all(|(_, place)| place.width >= 1.0));
    }

    #[test]
    fn slivers_side_by_side_are_one_area() {
        let b = |look| FlameBox { x: 0.0, width: 1.0, row: 0, node: 0, function: 9, look, name: None };
        let (one, other) = (b(Look::guest(1)), b(Look::guest(2)));
        let place = |x, y, width| Place { x, y, width, height: 17.0 };
        let boxes = [
            (&one, place(0.0, 0.0, 2.0)),
            (&one, place(2.0, 0.0, 1.0)),
            (&one, place(2.5, 0.0, 1.0)),
            (&other, place(3.5, 0.0, 1.0)),
            (&one, place(4.5, 0.0, 1.0)),
            (&one, place(6.0, 0.0, 1.0)),
            (&one, place(7.0, 0.0, 40.0)),
            (&one, place(48.0, 0.0, 1.0)),
            (&one, place(49.0, 18.0, 1.0)),
        ];
        let areas = areas(&boxes);
        let mut shown: Vec<(f64, f64, f64)> = areas.iter().map(|(_, it)| (it.y, it.x, it.width)).collect();
        shown.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
        let first_row = [(0.0, 3.5), (3.5, 1.0), (4.5, 1.0), (6.0, 1.0), (7.0, 40.0), (48.0, 1.0)];
        let expected: Vec<_> =
            first_row.into_iter().map(|(x, width)| (0.0, x, width)).chain([(18.0, 49.0, 1.0)]).collect();
        assert_eq!(shown, expected);
        assert!(areas.is_sorted_by_key(|(look, _)| *look));
    }

    #[test]
    fn names_stay_in_their_boxes() {
        let flame = flame();
        for width in [30.0, 60.0, 100.0, 200.0, 400.0] {
            let scene = Scene { width, ..scene(&flame) };
            let labels = scene.in_view().filter_map(|(b, place)| Some((scene.label(b, place, 7.0)?, place)));
            for (label, place) in labels {
                let end = label.x + 7.0 * f64::from(u8::try_from(label::cells(&label.text)).expect("a short name"));
                assert!(end <= place.x + place.width - PADDING + 0.01, "{} in {place:?}", label.text);
            }
        }
        let zoomed = Scene { span: Span { x: 0.2, width: 0.1 }, width: 300.0, ..scene(&flame) };
        let (b, place) = zoomed.in_view().nth(1).expect("the box");
        let label = zoomed.label(b, place, 7.0).expect("room");
        assert!(label.x >= 0.0 && label.x + label.room <= 300.0, "{label:?} of a box wider than the pane");
    }
}
