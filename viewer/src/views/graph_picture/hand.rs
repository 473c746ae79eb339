//! What pointers, wheel and keys do to the picture.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, EventTarget};
use yew::prelude::*;

use super::shapes::Shapes;
use super::sight::{Change, Sight};

/// The pointers that are down, by their ids.
#[derive(Debug, Default)]
pub(super) struct Touch {
    down: Vec<(i32, (f64, f64))>,
    /// How far they have gone since the first came down.
    way: f64,
}

/// Who moves less than this means a click.
const CLICK: f64 = 5.0;
/// A key's step.
const STEP: f64 = 60.0;
const KEY_ZOOM: f64 = 1.25;

impl Touch {
    fn put(&mut self, id: i32, at: (f64, f64)) {
        if self.down.is_empty() {
            self.way = 0.0;
        }
        self.down.retain(|it| it.0 != id);
        self.down.push((id, at));
    }

    fn lift(&mut self, id: i32) {
        self.down.retain(|it| it.0 != id);
    }

    /// What the picture does as a pointer goes on: with one it moves, with two it also grows with their distance.
    fn go(&mut self, id: i32, to: (f64, f64)) -> Vec<Change> {
        let Some(idx) = self.down.iter().position(|it| it.0 == id) else { return Vec::new() };
        let from = std::mem::replace(&mut self.down[idx].1, to);
        let (x, y) = (to.0 - from.0, to.1 - from.1);
        self.way += x.hypot(y);
        let other = self.down.iter().find(|it| it.0 != id).map(|it| it.1);
        let Some(other) = other else {
            return if self.is_drag() { vec![Change::Pan { x, y }] } else { Vec::new() };
        };
        let distance = |at: (f64, f64)| (at.0 - other.0).hypot(at.1 - other.1).max(1.0);
        let middle = (f64::midpoint(to.0, other.0), f64::midpoint(to.1, other.1));
        vec![Change::Pan { x: x / 2.0, y: y / 2.0 }, Change::Zoom { factor: distance(to) / distance(from), at: middle }]
    }

    /// Whether there was one.
    fn end_drag(&mut self) -> bool {
        let was_drag = self.is_drag();
        self.way = 0.0;
        was_drag
    }

    fn is_drag(&self) -> bool {
        self.way > CLICK
    }
}

/// Handlers of the picture's events.
#[derive(Clone)]
pub(super) struct Hand {
    pub(super) stage: NodeRef,
    pub(super) room: (f64, f64),
    pub(super) shapes: Rc<Shapes>,
    pub(super) touch: Rc<RefCell<Touch>>,
    pub(super) change: Callback<Change>,
    pub(super) select: Callback<usize>,
}

impl Hand {
    pub(super) fn on_down(&self) -> Callback<PointerEvent> {
        let hand = self.clone();
        Callback::from(move |event: PointerEvent| {
            if event.button() == 0 {
                hand.touch.borrow_mut().put(event.pointer_id(), hand.place(&event));
            }
        })
    }

    pub(super) fn on_move(&self) -> Callback<PointerEvent> {
        let hand = self.clone();
        Callback::from(move |event: PointerEvent| {
            if event.pointer_type() == "mouse" && event.buttons() == 0 {
                // The button was let go elsewhere.
                hand.touch.borrow_mut().lift(event.pointer_id());
                return;
            }
            let changes = hand.touch.borrow_mut().go(event.pointer_id(), hand.place(&event));
            if let Some(stage) = hand.stage.cast::<Element>().filter(|_| !changes.is_empty()) {
                // Only now, or a click would be the stage's and not the box's.
                let _captured = stage.set_pointer_capture(event.pointer_id());
            }
            for change in changes {
                hand.change.emit(change);
            }
        })
    }

    pub(super) fn on_up(&self) -> Callback<PointerEvent> {
        let touch = self.touch.clone();
        Callback::from(move |event: PointerEvent| touch.borrow_mut().lift(event.pointer_id()))
    }

    pub(super) fn on_click(&self) -> Callback<MouseEvent> {
        let hand = self.clone();
        Callback::from(move |event: MouseEvent| {
            // It ends here: the next click may come from a screen reader, with no press before it.
            let was_drag = hand.touch.borrow_mut().end_drag();
            if let Some(node) = node_at(&event).filter(|_| !was_drag) {
                hand.select.emit(node);
            }
        })
    }

    pub(super) fn on_wheel(&self) -> Callback<WheelEvent> {
        let hand = self.clone();
        Callback::from(move |event: WheelEvent| {
            event.prevent_default();
            let unit = if event.delta_mode() == WheelEvent::DOM_DELTA_PIXEL { 1.0 } else { 16.0 };
            // Two fingers on a trackpad come as a wheel with Ctrl and small steps.
            let speed = if event.ctrl_key() { 0.01 } else { 0.0015 };
            let factor = (-event.delta_y() * unit * speed).clamp(-1.0, 1.0).exp();
            hand.change.emit(Change::Zoom { factor, at: hand.place(&event) });
        })
    }

    pub(super) fn on_key(&self) -> Callback<KeyboardEvent> {
        let hand = self.clone();
        Callback::from(move |event: KeyboardEvent| {
            let is_plain = !(event.ctrl_key() || event.meta_key() || event.alt_key());
            let chosen = node_at(&event).filter(|_| matches!(event.key().as_str(), "Enter" | " "));
            if let Some(node) = chosen {
                hand.select.emit(node);
            }
            if is_plain && (chosen.is_some() || hand.press(&event.key())) {
                event.prevent_default();
                event.stop_propagation();
            }
        })
    }

    /// Does what a key means; says whether it means anything.
    pub(super) fn press(&self, key: &str) -> bool {
        let change = key_change(key, self.room, self.shapes.size);
        if let Some(change) = change {
            self.change.emit(change);
        }
        change.is_some()
    }

    /// A box that the keyboard has reached comes into view.
    pub(super) fn show_focused(&self, event: &FocusEvent) {
        let by_keyboard = target(event).is_some_and(|it| it.matches(":focus-visible").unwrap_or(false));
        if let Some(shape) = node_at(event).filter(|_| by_keyboard).and_then(|it| self.shapes.boxes.get(it)) {
            let (centre, size) = ((shape.centre.x, shape.centre.y), (shape.width, shape.height));
            self.change.emit(Change::Show { centre, size, stage: self.room });
        }
    }

    /// Where on the stage a pointer is.
    fn place(&self, event: &MouseEvent) -> (f64, f64) {
        let corner = self.stage.cast::<Element>().map(|it| it.get_bounding_client_rect());
        let (left, top) = corner.map_or((0.0, 0.0), |it| (it.left(), it.top()));
        (f64::from(event.client_x()) - left, f64::from(event.client_y()) - top)
    }
}

fn key_change(key: &str, room: (f64, f64), drawing: (f64, f64)) -> Option<Change> {
    let zoom = |factor: f64| Change::Zoom { factor, at: (room.0 / 2.0, room.1 / 2.0) };
    Some(match key {
        // The picture goes the other way than the eye.
        "ArrowLeft" => Change::Pan { x: STEP, y: 0.0 },
        "ArrowRight" => Change::Pan { x: -STEP, y: 0.0 },
        "ArrowUp" => Change::Pan { x: 0.0, y: STEP },
        "ArrowDown" => Change::Pan { x: 0.0, y: -STEP },
        "+" | "=" => zoom(KEY_ZOOM),
        "-" => zoom(1.0 / KEY_ZOOM),
        "0" => Change::To(Sight::whole(drawing, room)),
        _ => return None,
    })
}

/// The node that an event is about.
pub(super) fn node_at(event: &Event) -> Option<usize> {
    let group = target(event)?.closest("[data-node]").ok()??;
    group.get_attribute("data-node")?.parse().ok()
}

fn target(event: &Event) -> Option<Element> {
    event.target().and_then(|it: EventTarget| it.dyn_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pointer_moves_the_picture_once_it_is_no_click() {
        let mut touch = Touch::default();
        touch.put(1, (10.0, 10.0));
        assert_eq!(touch.go(1, (12.0, 10.0)), []);
        assert!(!touch.is_drag());
        assert_eq!(touch.go(1, (20.0, 14.0)), [Change::Pan { x: 8.0, y: 4.0 }]);
        assert!(touch.is_drag());
        touch.lift(1);
        assert_eq!(touch.go(1, (90.0, 90.0)), []);
        assert!(touch.end_drag() && !touch.end_drag());
        touch.put(1, (0.0, 0.0));
        touch.go(1, (9.0, 0.0));
        touch.lift(1);
        touch.put(1, (0.0, 0.0));
        assert!(!touch.is_drag(), "a new press is a click again");
    }

    #[test]
    fn two_pointers_zoom_between_them() {
        let mut touch = Touch::default();
        touch.put(1, (0.0, 0.0));
        touch.put(2, (10.0, 0.0));
        let changes = touch.go(2, (20.0, 0.0));
        assert_eq!(changes, [Change::Pan { x: 5.0, y: 0.0 }, Change::Zoom { factor: 2.0, at: (10.0, 0.0) }]);
    }

    #[test]
    fn keys_move_and_zoom() {
        let change = |key: &str| key_change(key, (100.0, 50.0), (20.0, 20.0));
        assert_eq!(change("ArrowDown"), Some(Change::Pan { x: 0.0, y: -STEP }));
        assert_eq!(change("+"), Some(Change::Zoom { factor: 1.25, at: (50.0, 25.0) }));
        assert_eq!(change("0"), Some(Change::To(Sight::whole((20.0, 20.0), (100.0, 50.0)))));
        assert_eq!(change("a"), None);
    }
}
