//! Dialogs over the page: files, filters, options, saving, keys.

mod dialog;
mod files;
mod filters;
mod help;
mod menu;
mod options;

use std::rc::Rc;

use yew::prelude::*;

use crate::link::Source;
use crate::page;
use crate::protocol::FileId;
use crate::route::Route;
use crate::same::Same;
use crate::session::Session;
use crate::state::{Action, OpenFile, Overlay, Served, Theme};
use dialog::Dialog;
use files::FilesDialog;
use filters::FiltersDialog;
use help::help;
use menu::menu;
use options::options;

#[derive(PartialEq, Properties)]
pub(crate) struct OverlaysProps {
    pub(crate) overlay: Overlay,
    pub(crate) session: Same<Session>,
    pub(crate) files: Rc<[OpenFile]>,
    pub(crate) served: Rc<[Served]>,
    pub(crate) theme: Theme,
    pub(crate) on_open: Callback<Vec<Source>>,
    pub(crate) on_served: Callback<usize>,
    pub(crate) on_close: Callback<FileId>,
    pub(crate) on_save: Callback<(FileId, Route)>,
    pub(crate) on_recent: Callback<String>,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn Overlays(props: &OverlaysProps) -> Html {
    let OverlaysProps { session, dispatch, .. } = props;
    let (title, content) = match props.overlay {
        Overlay::None => return Html::default(),
        Overlay::Help => ("Keys", help()),
        Overlay::Filters => {
            ("Add a filter", html! { <FiltersDialog session={session.clone()} dispatch={dispatch.clone()} /> })
        }
        Overlay::Options => ("Options", options(session, props.theme, dispatch)),
        Overlay::Menu => ("Save and share", menu(session, page::is_dark(props.theme), dispatch, &props.on_save)),
        Overlay::Files => (
            "Files",
            html! {
                <FilesDialog shown={session.file} base={session.base} files={Rc::clone(&props.files)}
                    served={Rc::clone(&props.served)} on_open={props.on_open.clone()} on_served={props.on_served.clone()}
                    on_close={props.on_close.clone()}
                    on_recent={props.on_recent.clone()} dispatch={dispatch.clone()} />
            },
        ),
    };
    let on_close = dispatch.reform(|()| Action::Overlay(Overlay::None));
    html! { <Dialog key={title} {title} {on_close}>{ content }</Dialog> }
}
