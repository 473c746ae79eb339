//! How a zoom moves: which part of the graph is on show at each moment. Pure; clocks are elsewhere.

use crate::protocol::FlameBox;

/// A part of the graph's width, which the pane shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) x: f64,
    pub(crate) width: f64,
}

impl Span {
    pub(crate) const WHOLE: Span = Span { x: 0.0, width: 1.0 };

    pub(crate) fn of(b: &FlameBox) -> Span {
        Span { x: b.x.into(), width: b.width.into() }
    }

    /// Where `x` of the graph is on show: from 0 to 1, if it is in view.
    pub(crate) fn shown(&self, x: f64) -> f64 {
        (x - self.x) / self.width
    }

    /// What of the graph is shown at `x`.
    pub(crate) fn graph(&self, x: f64) -> f64 {
        self.x + x * self.width
    }
}

/// A zoom under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Motion {
    from: Span,
    to: Span,
    /// Milliseconds of the page's clock.
    since: f64,
}

/// Long enough to see where a box went, too short to wait for.
pub(crate) const MILLIS: u32 = 150;

impl Motion {
    /// None if there is nothing to move.
    pub(crate) fn new(from: Span, to: Span, since: f64) -> Option<Motion> {
        (from != to && from.width > 0.0 && to.width > 0.0).then_some(Motion { from, to, since })
    }

    pub(crate) fn is_over(&self, now: f64) -> bool {
        // A clock that went back ends it, too.
        !(0.0..f64::from(MILLIS)).contains(&(now - self.since))
    }

    /// What is on show at a moment.
    pub(crate) fn at(&self, now: f64) -> Span {
        let Motion { from, to, since } = *self;
        if self.is_over(now) {
            return to;
        }
        // Fast first, so that a click is answered at once.
        let way = 1.0 - (1.0 - (now - since) / f64::from(MILLIS)).powi(3);
        let growth = to.width / from.width;
        if (growth - 1.0).abs() < 1e-9 {
            return Span { x: from.x + (to.x - from.x) * way, width: to.width };
        }
        // By equal factors, or a zoom to a narrow box would seem to happen all at its end. One point of the graph stays
        // where it is on the screen: the one that is there before and after.
        let width = from.width * growth.powf(way);
        let fixed = (from.x * to.width - to.x * from.width) / (to.width - from.width);
        Span { x: fixed - (fixed - from.x) * width / from.width, width }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: Span = Span { x: 0.6, width: 0.01 };

    fn near(one: Span, other: Span) -> bool {
        (one.x - other.x).abs() < 1e-9 && (one.width - other.width).abs() < 1e-9
    }

    #[test]
    fn a_zoom_begins_and_ends_where_it_should() {
        for (from, to) in [(Span::WHOLE, TO), (TO, Span::WHOLE), (Span { x: 0.1, width: 0.01 }, TO)] {
            let motion = Motion::new(from, to, 1000.0).expect("they differ");
            assert!(near(motion.at(1000.0), from), "{:?}", motion.at(1000.0));
            assert!(near(motion.at(1_149.999_999), to), "{:?}", motion.at(1_149.999_999));
            assert_eq!((motion.at(1150.0), motion.is_over(1150.0), motion.is_over(1149.0)), (to, true, false));
            assert!(motion.is_over(999.0), "the clock went back");
        }
    }

    #[test]
    fn nothing_to_move_is_no_motion() {
        assert_eq!(Motion::new(TO, TO, 0.0), None);
        assert_eq!(Motion::new(TO, Span { x: 0.0, width: 0.0 }, 0.0), None);
    }

    #[test]
    fn a_zoom_goes_one_way_and_never_leaves_the_graph() {
        let motion = Motion::new(Span::WHOLE, TO, 0.0).expect("they differ");
        let mut last = Span::WHOLE;
        for span in (1..=15).map(|step| motion.at(f64::from(step) * 10.0)) {
            assert!(span.width < last.width && last.x <= span.x && span.x + span.width <= 1.0 + 1e-9, "{span:?}");
            assert!(span.x <= TO.x && TO.x + TO.width <= span.x + span.width + 1e-9, "the box stays in view: {span:?}");
            last = span;
        }
    }

    #[test]
    fn what_is_shown_is_found_again() {
        assert_eq!((TO.shown(0.6), TO.graph(0.0)), (0.0, 0.6));
        assert!((TO.graph(TO.shown(0.605)) - 0.605).abs() < 1e-12);
    }
}
