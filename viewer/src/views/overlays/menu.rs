//! What can be saved, printed and shared.

use yew::prelude::*;

use crate::address;
use crate::export::{self, Format, Picture};
use crate::page;
use crate::protocol::FileId;
use crate::route::Route;
use crate::same::Same;
use crate::session::Session;
use crate::state::{Action, Overlay};

pub(super) fn menu(
    session: &Same<Session>,
    dark: bool,
    dispatch: &Callback<Action>,
    on_save: &Callback<(FileId, Route)>,
) -> Html {
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
            let notice = if page::copy_text(&address::whole()) {
                "The link is in the clipboard. It shows this view of the same file."
            } else {
                "This page is not served securely, so the browser gives it no clipboard. Its address is the link."
            };
            dispatch.emit(Action::Notice(notice.into()));
        })
    };
    let save = {
        let (on_save, file, route) = (on_save.clone(), session.file, session.route.clone());
        Callback::from(move |()| on_save.emit((file, route.clone())))
    };
    let picture = |drawn: Picture, format: Format| {
        let (label, hint, testid) = match (drawn, format) {
            (Picture::Flame, Format::Svg) => ("Save the flame graph as SVG", "its names stay text", "save-svg"),
            (Picture::Flame, Format::Png) => ("Save the flame graph as PNG", "twice as dense as the page", "save-png"),
            (Picture::CallGraph, _) => ("Save the call graph as SVG", "all of it, its names stay text", "save-svg"),
        };
        let session = session.clone();
        entry(label, hint, testid, Callback::from(move |()| export::save(&session, dark, format)))
    };
    let pictures = Picture::of(session.route.view)
        .map(|drawn| drawn.formats().iter().map(|&format| picture(drawn, format)).collect::<Html>());
    html! {
        <ul class="menu">
            { entry("Save as one HTML file", "viewer and profile together; opens from disk, offline", "save-html", save) }
            { pictures.unwrap_or_default() }
            { entry("Copy a link to this view", "filters, zoom and choice with it", "copy-link", copy) }
            { entry("Print", "the view as it is", "print", Callback::from(|()| page::print())) }
        </ul>
    }
}
