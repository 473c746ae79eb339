//! What the whole page listens to: drops, the clipboard, keys.

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, DragEvent, KeyboardEvent};
use yew::prelude::*;

use super::focus_search;
use super::opening::Opener;
use crate::keys::{self, Effect, Focus};
use crate::state::Action;
use crate::{load, page};

/// The whole page takes drops. Browsers open a dropped file themselves unless both events are cancelled.
#[hook]
pub(super) fn use_drops(dispatch: &Callback<Action>, opener: &Opener) {
    let (dispatch, opener) = (dispatch.clone(), opener.clone());
    use_effect_with((), move |()| {
        let over = dispatch.clone();
        let drag_over = listen("dragover", move |event: &DragEvent| {
            if load::carries_files(event) {
                event.prevent_default();
                over.emit(Action::Dragging(true));
            }
        });
        let leave = dispatch.clone();
        let drag_leave = listen("dragleave", move |event: &DragEvent| {
            // Leaving one element for another of the page names the other.
            if event.related_target().is_none() {
                leave.emit(Action::Dragging(false));
            }
        });
        let drop_files = listen("drop", move |event: &DragEvent| {
            event.prevent_default();
            page::mark("wprof-drop");
            dispatch.emit(Action::Dragging(false));
            let (files, opener, compare) = (load::dropped(event), opener.clone(), load::is_on_compare(event));
            wasm_bindgen_futures::spawn_local(async move {
                let files = files.await;
                if compare {
                    opener.compare(files);
                } else {
                    opener.open(files);
                }
            });
        });
        move || drop((drag_over, drag_leave, drop_files))
    });
}

/// A file, or a profile as text, is opened where it is pasted, unless that is a text's place.
#[hook]
pub(super) fn use_paste(opener: &Opener) {
    let opener = opener.clone();
    use_effect_with((), move |()| {
        let paste = listen("paste", move |event: &ClipboardEvent| {
            let is_text = matches!(page::focus(), Focus::Search | Focus::Choice);
            if let Some(data) = event.clipboard_data().filter(|_| !is_text) {
                let pasted = load::pasted(&data);
                if !pasted.is_empty() {
                    event.prevent_default();
                    opener.open(pasted);
                }
            }
        });
        move || drop(paste)
    });
}

#[hook]
pub(super) fn use_keys(dispatch: &Callback<Action>, search: &NodeRef) {
    let (dispatch, search) = (dispatch.clone(), search.clone());
    use_effect_with((), move |()| {
        let key_down = listen("keydown", move |event: &KeyboardEvent| {
            let with_modifier = event.ctrl_key() || event.meta_key() || event.alt_key();
            let effect = keys::effect(&event.key(), event.shift_key(), page::focus());
            let Some(effect) = effect.filter(|_| !with_modifier) else { return };
            event.prevent_default();
            match effect {
                Effect::Do(action) => dispatch.emit(action),
                Effect::FocusSearch => focus_search(&search, true),
                Effect::Blur => focus_search(&search, false),
                Effect::Match(step) => dispatch.emit(Action::MoveCursor(step)),
            }
        });
        move || drop(key_down)
    });
}

fn listen<E: JsCast>(kind: &'static str, heard: impl Fn(&E) + 'static) -> Option<EventListener> {
    let options = EventListenerOptions::enable_prevent_default();
    let window = web_sys::window()?;
    Some(EventListener::new_with_options(&window, kind, options, move |event| {
        if let Some(event) = event.dyn_ref::<E>() {
            heard(event);
        }
    }))
}
