//! What can be saved, printed and shared.

use yew::prelude::*;

use crate::address;
use crate::page;
use crate::protocol::FileId;
use crate::route::Route;
use crate::session::Session;
use crate::state::{Action, Overlay};

pub(super) fn menu(session: &Session, dispatch: &Callback<Action>, on_save: &Callback<(FileId, Route)>) -> Html {
    let entry = |label: &'static str, hint: &'static str, testid: &'static str, act: Callback<()>| {
        let onclick = {
            let dispatch = dispatch.clone();
            move |_: MouseEvent| {
                // The dialog would be in the picture.
                dispatch.emit(Action::Overlay(Overlay::None));
                act.emit(());
            }
        };
        html! {
            <li>
                <button type="button" class="menu-entry" {onclick} data-testid={testid}>
                    <span class="menu-label">{ label }</span><span class="menu-hint">{ hint }</span>
                </button>
            </li>
        }
    };
    let copy = {
        let dispatch = dispatch.clone();
        Callback::from(move |()| {
            page::copy_text(&address::whole());
            dispatch.emit(Action::Notice("The link is in the clipboard. It shows this view of the same file.".into()));
        })
    };
    let save = {
        let (on_save, file, route) = (on_save.clone(), session.file, session.route.clone());
        Callback::from(move |()| on_save.emit((file, route.clone())))
    };
    html! {
        <ul class="menu">
            { entry("Save as one HTML file", "viewer and profile together; opens from disk, offline", "save-html", save) }
            { entry("Copy a link to this view", "filters, zoom and choice with it", "copy-link", copy) }
            { entry("Print", "the view as it is", "print", Callback::from(|()| page::print())) }
        </ul>
    }
}
