//! Between the pointer's pixels and the boxes: hits, dragging, the card's place, scrolling to a box.

use std::cell::Cell;
use std::rc::Rc;

use web_sys::{Element, MouseEvent};
use yew::NodeRef;

use super::picture::Picture;
use crate::boxes::{self, ROW_HEIGHT, Sheet, Toward, neighbour};
use crate::page::set_style;
use crate::protocol::FlameBox;

/// Less is a trembling hand.
const DRAG_FROM: f64 = 4.0;

#[derive(Debug, Default)]
pub(super) struct Pointer {
    pub(super) picture: Rc<Picture>,
    pub(super) scroller: NodeRef,
    pub(super) card: NodeRef,
    /// Where the card belongs, in pixels of the window.
    last_at: Cell<(f64, f64)>,
    /// Fingers cannot point without touching.
    pub(super) is_touch: Cell<bool>,
    /// Where a button went down, and how far the pane was scrolled.
    held: Cell<Option<(f64, f64)>>,
    has_dragged: Cell<bool>,
}

impl Pointer {
    pub(super) fn box_at(&self, event: &MouseEvent) -> Option<FlameBox> {
        self.box_at_point(event.client_x().into(), event.client_y().into())
    }

    pub(super) fn box_at_point(&self, x: f64, y: f64) -> Option<FlameBox> {
        let element = self.scroller.cast::<Element>()?;
        let frame = element.get_bounding_client_rect();
        self.picture.hit((x - frame.left()) / f64::from(element.client_width()), y - frame.top())
    }

    pub(super) fn find(&self, node: u32) -> Option<FlameBox> {
        boxes::find(&self.picture.flame()?.boxes, node).copied()
    }

    /// The box's name, if it is wide enough to show one.
    pub(super) fn name(&self, b: &FlameBox) -> Option<String> {
        self.picture.flame()?.names.get(b.name? as usize).cloned()
    }

    pub(super) fn walk(&self, from: u32, toward: Toward) -> Option<FlameBox> {
        let flame = self.picture.flame()?;
        let from = boxes::find(&flame.boxes, from)?;
        neighbour(&flame.boxes, from, toward).copied()
    }

    pub(super) fn press(&self, event: &MouseEvent) {
        self.has_dragged.set(false);
        let scroll_top = self.scroller.cast::<Element>().map_or(0.0, |it| it.scroll_top().into());
        self.held.set((event.button() == 0).then(|| (f64::from(event.client_y()), scroll_top)));
    }

    pub(super) fn release(&self) {
        self.held.set(None);
    }

    /// Scrolls with the pointer while its button is down; whether it did.
    pub(super) fn drag(&self, event: &MouseEvent) -> bool {
        let (Some((from, scroll_top)), true) = (self.held.get(), event.buttons() & 1 == 1) else { return false };
        let by = f64::from(event.client_y()) - from;
        if by.abs() >= DRAG_FROM {
            self.has_dragged.set(true);
        }
        if self.has_dragged.get() {
            self.scroll_to(scroll_top - by);
        }
        self.has_dragged.get()
    }

    /// Whether the click that follows was the end of a drag.
    pub(super) fn was_drag(&self) -> bool {
        self.has_dragged.replace(false)
    }

    pub(super) fn scroll_to(&self, top: f64) {
        if let Some(element) = self.scroller.cast::<Element>() {
            #[expect(clippy::cast_possible_truncation, reason = "browsers cap heights far below this")]
            element.set_scroll_top(top as i32);
        }
    }

    /// Scrolls as little as shows the rows from `first` to `last`; where not all fit, the first.
    pub(super) fn show_rows(&self, sheet: Sheet, first: u32, last: u32) {
        let Some(element) = self.scroller.cast::<Element>() else { return };
        let (shown_from, height) = (f64::from(element.scroll_top()), f64::from(element.client_height()));
        let [first, last] = [first, last.min(sheet.n_rows.saturating_sub(1))].map(|row| sheet.top_of(row));
        let (top, bottom) = (first.min(last), first.max(last) + ROW_HEIGHT);
        let wanted = if sheet.upward {
            if bottom > shown_from + height { bottom - height } else { shown_from.min(top).max(bottom - height) }
        } else if top < shown_from {
            top
        } else {
            shown_from.max(bottom - height).min(top)
        };
        self.scroll_to(wanted);
    }

    /// Brings a box that the keyboard reached into view, its card below it.
    pub(super) fn go_to(&self, b: &FlameBox) {
        let sheet = self.picture.sheet();
        self.show_rows(sheet, b.row.saturating_sub(1), b.row + 1);
        let (x, y) = self.corner(b);
        self.move_card(x, y);
    }

    /// The left upper corner of a box, in pixels of the window.
    pub(super) fn corner(&self, b: &FlameBox) -> (f64, f64) {
        let Some(element) = self.scroller.cast::<Element>() else { return (0.0, 0.0) };
        let frame = element.get_bounding_client_rect();
        let x = frame.left() + f64::from(b.x) * frame.width();
        (x, frame.top() + self.picture.sheet().top_of(b.row) - f64::from(element.scroll_top()))
    }

    pub(super) fn move_card(&self, x: f64, y: f64) {
        self.last_at.set((x, y));
        self.place_card();
    }

    /// Right below the pointer, or on its other side where the window ends.
    pub(super) fn place_card(&self) {
        let (x, y) = self.last_at.get();
        let (Some(card), Some(scroller)) = (self.card.cast::<Element>(), self.scroller.cast::<Element>()) else {
            return;
        };
        let (card, page) = (card.get_bounding_client_rect(), scroller.get_bounding_client_rect());
        let left = (x + 14.0).min(page.right() - card.width() - 8.0).max(8.0);
        let below = y + 20.0;
        let top = if below + card.height() > page.bottom() { (y - card.height() - 12.0).max(8.0) } else { below };
        set_style(&self.card, "transform", &format!("translate({left:.0}px, {top:.0}px)"));
    }
}
