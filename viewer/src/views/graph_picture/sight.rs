//! Which part of a drawing is seen, and how large: zoom and pan as arithmetic.

use std::rc::Rc;

use yew::Reducible;

/// A point of the drawing is seen at `scale` times its place, and from there `x` to the right and `y` down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sight {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) scale: f64,
}

/// Width and height, in pixels of the page or of a drawing.
pub(super) type Size = (f64, f64);

/// A whole drawing is no smaller at first; else its heaviest box is shown.
const READABLE: f64 = 0.45;
/// In pixels of the page, around a whole drawing.
const MARGIN: f64 = 12.0;

impl Sight {
    /// All of the drawing, in the middle, and not larger than twice its size.
    pub(super) fn whole(drawing: Size, stage: Size) -> Sight {
        let fits = |length: f64, room: f64| (room - 2.0 * MARGIN).max(1.0) / length.max(1.0);
        let scale = fits(drawing.0, stage.0).min(fits(drawing.1, stage.1)).clamp(LEAST, 2.0);
        Sight { x: (stage.0 - drawing.0 * scale) / 2.0, y: (stage.1 - drawing.1 * scale) / 2.0, scale }
    }

    /// All of the drawing if it can be read then, else what is around `heaviest`, as near to the top as the drawing goes.
    pub(super) fn opening(drawing: Size, heaviest: (f64, f64), stage: Size) -> Sight {
        let whole = Sight::whole(drawing, stage);
        if whole.scale >= READABLE || stage.0 <= 0.0 {
            return whole;
        }
        let scale = READABLE.max(0.7);
        let along = |at: f64, length: f64, room: f64, share: f64| {
            let (first, last) = (MARGIN, room - MARGIN - length * scale);
            if last > first { (first + last) / 2.0 } else { (room * share - at * scale).clamp(last, first) }
        };
        Sight { x: along(heaviest.0, drawing.0, stage.0, 0.5), y: along(heaviest.1, drawing.1, stage.1, 0.25), scale }
    }

    /// Nearer or further, so that what is at `at` of the page stays there.
    pub(super) fn zoomed(self, factor: f64, at: (f64, f64)) -> Sight {
        let scale = (self.scale * factor).clamp(LEAST, MOST);
        let ratio = scale / self.scale;
        Sight { x: at.0 - (at.0 - self.x) * ratio, y: at.1 - (at.1 - self.y) * ratio, scale }
    }

    pub(super) fn panned(self, x: f64, y: f64) -> Sight {
        Sight { x: self.x + x, y: self.y + y, ..self }
    }

    /// Moved as little as shows a box with this centre and size.
    pub(super) fn showing(self, centre: (f64, f64), size: Size, stage: Size) -> Sight {
        let missing = |from: f64, at: f64, length: f64, room: f64| {
            let (first, last) = (from + (at - length / 2.0) * self.scale, from + (at + length / 2.0) * self.scale);
            if first < MARGIN { MARGIN - first } else { (room - MARGIN - last).min(0.0) }
        };
        self.panned(missing(self.x, centre.0, size.0, stage.0), missing(self.y, centre.1, size.1, stage.1))
    }

    /// As SVG's `transform`.
    pub(super) fn transform(self) -> String {
        format!("translate({:.2} {:.2}) scale({:.4})", self.x, self.y, self.scale)
    }
}

/// So small that the largest drawing fits, and so large that the smallest print can be read.
const LEAST: f64 = 0.01;
const MOST: f64 = 10.0;

/// The sight the reader has chosen; before that, the opening.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Chosen(pub(super) Option<Sight>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    Zoom { factor: f64, at: (f64, f64) },
    Pan { x: f64, y: f64 },
    Show { centre: (f64, f64), size: Size, stage: Size },
    To(Sight),
    Reset,
}

/// A change, and what it changes where nothing was chosen. Several may come before the page is drawn again.
impl Reducible for Chosen {
    type Action = (Change, Sight);

    fn reduce(self: Rc<Self>, (change, opening): (Change, Sight)) -> Rc<Self> {
        let sight = self.0.unwrap_or(opening);
        Rc::new(Chosen(match change {
            Change::Zoom { factor, at } => Some(sight.zoomed(factor, at)),
            Change::Pan { x, y } => Some(sight.panned(x, y)),
            Change::Show { centre, size, stage } => Some(sight.showing(centre, size, stage)),
            Change::To(sight) => Some(sight),
            Change::Reset => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_drawing_is_in_the_middle() {
        let sight = Sight::whole((976.0, 100.0), (1000.0, 500.0));
        assert_eq!(sight, Sight { x: 12.0, y: 200.0, scale: 1.0 });
        assert_eq!(Sight::whole((10.0, 10.0), (3840.0, 2160.0)).scale, 2.0);
        assert!(Sight::whole((0.0, 0.0), (0.0, 0.0)).scale > 0.0);
    }

    #[test]
    fn what_could_not_be_read_opens_at_the_heaviest_box() {
        let sight = Sight::opening((3000.0, 3000.0), (1500.0, 900.0), (360.0, 640.0));
        assert!((1500.0 * sight.scale + sight.x - 180.0).abs() < 1e-9, "{sight:?}");
        let at_the_edge = Sight::opening((3000.0, 3000.0), (40.0, 20.0), (360.0, 640.0));
        assert_eq!((at_the_edge.x, at_the_edge.y), (12.0, 12.0), "nothing is beyond the edge");
        assert_eq!(
            Sight::opening((300.0, 300.0), (40.0, 20.0), (360.0, 640.0)),
            Sight::whole((300.0, 300.0), (360.0, 640.0))
        );
    }

    #[test]
    fn zoom_keeps_what_is_under_the_pointer() {
        let sight = Sight { x: 30.0, y: -10.0, scale: 0.5 };
        let zoomed = sight.zoomed(3.0, (100.0, 200.0));
        let place = |it: Sight| ((100.0 - it.x) / it.scale, (200.0 - it.y) / it.scale);
        assert_eq!(zoomed.scale, 1.5);
        assert!((place(sight).0 - place(zoomed).0).abs() < 1e-9 && (place(sight).1 - place(zoomed).1).abs() < 1e-9);
        assert_eq!(sight.zoomed(1e9, (0.0, 0.0)).scale, MOST);
    }

    #[test]
    fn a_box_out_of_sight_is_brought_in() {
        let sight = Sight { x: 0.0, y: 0.0, scale: 1.0 };
        let check = |centre: (f64, f64), expected: (f64, f64)| {
            let shown = sight.showing(centre, (40.0, 20.0), (400.0, 300.0));
            assert_eq!((shown.x, shown.y), expected, "{centre:?}");
        };
        check((200.0, 100.0), (0.0, 0.0));
        check((0.0, 100.0), (32.0, 0.0));
        check((500.0, 400.0), (-132.0, -122.0));
    }

    #[test]
    fn changes_add_up() {
        let opening = Sight { x: 5.0, y: 5.0, scale: 1.0 };
        let pan = Change::Pan { x: 1.0, y: 2.0 };
        let moved = Rc::new(Chosen::default()).reduce((pan, opening)).reduce((pan, opening));
        assert_eq!(moved.0, Some(Sight { x: 7.0, y: 9.0, scale: 1.0 }));
        assert_eq!(moved.reduce((Change::Reset, opening)).0, None);
    }
}
