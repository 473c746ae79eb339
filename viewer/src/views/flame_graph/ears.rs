//! What pointer and keys do over the graph.

use std::rc::Rc;

use web_sys::PointerEvent as WebPointerEvent;
use yew::prelude::*;

use super::FlameGraphProps;
use super::pointer::Pointer;
use crate::boxes::Toward;
use crate::canvas::Outlines;
use crate::protocol::FlameBox;
use crate::state::Action;

/// What is heard over the graph, for its handlers.
pub(super) struct Ears<'a> {
    pub(super) props: &'a FlameGraphProps,
    pub(super) pointer: &'a Rc<Pointer>,
}

impl Ears<'_> {
    pub(super) fn press(&self) -> impl Fn(PointerEvent) + 'static {
        let pointer = Rc::clone(self.pointer);
        move |event: PointerEvent| {
            let event: &WebPointerEvent = event.as_ref();
            pointer.is_touch.set(event.pointer_type() == "touch");
            pointer.press(event);
        }
    }

    pub(super) fn release(&self) -> impl Fn(MouseEvent) + 'static {
        let pointer = Rc::clone(self.pointer);
        move |_| pointer.release()
    }

    pub(super) fn point(&self, is_menu_open: bool) -> impl Fn(MouseEvent) + 'static {
        let (slot, hover, outlines) = (self.props.slot, self.props.hover(), self.props.outlines());
        let is_inspected = self.props.session.flame(slot).in_full;
        let (pointer, dispatch) = (Rc::clone(self.pointer), self.props.dispatch.clone());
        move |event: MouseEvent| {
            // Browsers make a move of each touch, too.
            if is_menu_open || pointer.is_touch.get() || pointer.drag(&event) {
                return;
            }
            let node = pointer.box_at(&event).map(|b| b.node);
            pointer.picture.outline(Outlines { hover: node, ..outlines });
            pointer.move_card(event.client_x().into(), event.client_y().into());
            if is_inspected {
                dispatch.emit(Action::Inspect(slot, false));
            }
            if node != hover {
                dispatch.emit(Action::Hover(slot, node));
            }
        }
    }

    pub(super) fn leave(&self, is_menu_open: bool) -> impl Fn(MouseEvent) + 'static {
        let (slot, pointer, dispatch) = (self.props.slot, Rc::clone(self.pointer), self.props.dispatch.clone());
        move |_| {
            if !is_menu_open && !pointer.is_touch.get() {
                pointer.release();
                dispatch.emit(Action::Hover(slot, None));
            }
        }
    }

    /// A click zooms; a touch first shows what it is about.
    pub(super) fn click(&self) -> impl Fn(MouseEvent) + 'static {
        let (slot, hover, dispatch) = (self.props.slot, self.props.hover(), self.props.dispatch.clone());
        let pointer = Rc::clone(self.pointer);
        move |event: MouseEvent| {
            let b = pointer.box_at(&event);
            if pointer.was_drag() {
                return;
            }
            match b {
                Some(b) if pointer.is_touch.get() && hover != Some(b.node) => {
                    pointer.move_card(event.client_x().into(), event.client_y().into());
                    dispatch.emit(Action::Inspect(slot, true));
                    dispatch.emit(Action::Hover(slot, Some(b.node)));
                }
                Some(b) => {
                    pointer.picture.begin_zoom(&b);
                    dispatch.emit(Action::Zoom(slot, b.node));
                }
                None => dispatch.emit(Action::Hover(slot, None)),
            }
        }
    }

    pub(super) fn keys(&self, open_menu: impl Fn(&FlameBox, (f64, f64)) + 'static) -> impl Fn(KeyboardEvent) + 'static {
        let (slot, at, upward) = (self.props.slot, self.props.at(), self.props.is_upward());
        let (pointer, dispatch) = (Rc::clone(self.pointer), self.props.dispatch.clone());
        move |event: KeyboardEvent| {
            if event.ctrl_key() || event.meta_key() || event.alt_key() {
                return;
            }
            let handled = match event.key().as_str() {
                "Enter" => {
                    dispatch.emit(Action::Zoom(slot, at));
                    true
                }
                "m" | "ContextMenu" => pointer.find(at).is_some_and(|b| {
                    let (x, y) = pointer.corner(&b);
                    open_menu(&b, (x.max(0.0) + 12.0, y + 18.0));
                    true
                }),
                key => toward(key, upward).is_some_and(|toward| {
                    if let Some(b) = pointer.walk(at, toward) {
                        pointer.is_touch.set(false);
                        pointer.go_to(&b);
                        dispatch.emit(Action::Inspect(slot, true));
                        dispatch.emit(Action::Hover(slot, Some(b.node)));
                    }
                    true
                }),
            };
            if handled {
                event.prevent_default();
                event.stop_propagation();
            }
        }
    }
}

/// Up is up, wherever the root is.
fn toward(key: &str, upward: bool) -> Option<Toward> {
    match key {
        "ArrowUp" => Some(if upward { Toward::Callee } else { Toward::Caller }),
        "ArrowDown" => Some(if upward { Toward::Caller } else { Toward::Callee }),
        "ArrowLeft" => Some(Toward::Left),
        "ArrowRight" => Some(Toward::Right),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_where_they_point() {
        assert_eq!(toward("ArrowUp", false), Some(Toward::Caller));
        assert_eq!(toward("ArrowUp", true), Some(Toward::Callee));
        assert_eq!(toward("ArrowDown", true), Some(Toward::Caller));
        assert_eq!(toward("ArrowLeft", true), Some(Toward::Left));
        assert_eq!(toward("x", true), None);
    }
}
