//! Zooming with the wheel and a held Ctrl key, which is also what pinching a touchpad is told as.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, WheelEvent};
use yew::prelude::*;

use super::pointer::Pointer;
use crate::session::FlameSlot;
use crate::state::Action;

/// So much is one step: a notch of most wheels is 100 to 120, a pinch sends many small ones.
const STEP: f64 = 60.0;

/// How far the wheel was turned since the last step, in or out. Pure.
fn step(turned: f64, by: f64) -> (f64, Option<bool>) {
    // Another direction begins anew.
    let turned = if turned * by < 0.0 { by } else { turned + by };
    if turned.abs() < STEP { (turned, None) } else { (0.0, Some(turned < 0.0)) }
}

#[hook]
pub(super) fn use_wheel(pointer: &Rc<Pointer>, slot: FlameSlot, dispatch: &Callback<Action>) {
    let (pointer, dispatch) = (Rc::clone(pointer), dispatch.clone());
    use_effect_with((), move |()| {
        let turned = Cell::new(0.0);
        // Else the browser zooms the page.
        let options = EventListenerOptions::enable_prevent_default();
        let listener = pointer.scroller.cast::<Element>().map(|element| {
            EventListener::new_with_options(&element, "wheel", options, move |event| {
                let Some(event) = event.dyn_ref::<WheelEvent>().filter(|event| event.ctrl_key()) else { return };
                event.prevent_default();
                let (left, zoom) = step(turned.get(), event.delta_y());
                turned.set(left);
                match (zoom, pointer.box_at(event)) {
                    (Some(true), Some(b)) => {
                        pointer.picture.begin_zoom(&b);
                        dispatch.emit(Action::Zoom(slot, b.node));
                    }
                    (Some(false), _) => dispatch.emit(Action::ZoomOut),
                    _ => {}
                }
            })
        });
        move || drop(listener)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_turns_add_up_and_turning_back_begins_anew() {
        assert_eq!(step(0.0, -120.0), (0.0, Some(true)));
        assert_eq!(step(0.0, -30.0), (-30.0, None));
        assert_eq!(step(-30.0, -30.0), (0.0, Some(true)));
        assert_eq!(step(-50.0, 20.0), (20.0, None));
        assert_eq!(step(20.0, 40.0), (0.0, Some(false)));
    }
}
