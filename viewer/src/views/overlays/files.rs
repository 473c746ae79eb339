//! The files that are open, those that `wprof view` serves, and a way to more.

use std::rc::Rc;

use yew::prelude::*;

use crate::link::Source;
use crate::protocol::FileId;
use crate::route::View;
use crate::state::{Action, FileStatus, OpenFile, Overlay, Served};
use crate::views::recent_files::RecentFiles;
use crate::views::toolbar::PickFile;

#[derive(PartialEq, Properties)]
pub(crate) struct FilesDialogProps {
    pub(crate) shown: FileId,
    pub(crate) base: Option<FileId>,
    pub(crate) files: Rc<[OpenFile]>,
    pub(crate) served: Rc<[Served]>,
    pub(crate) on_open: Callback<Vec<Source>>,
    pub(crate) on_served: Callback<usize>,
    pub(crate) on_close: Callback<FileId>,
    pub(crate) on_recent: Callback<String>,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn FilesDialog(props: &FilesDialogProps) -> Html {
    let is_open = |name: &str| props.files.iter().any(|file| file.name == name);
    let others = props.served.iter().enumerate().filter(|(_, served)| served.live || !is_open(&served.name));
    let is_live = props.served.iter().any(|served| served.live);
    let others: Vec<Html> = others.map(|(at, served)| served_row(props, at, served)).collect();
    html! {
        <div class="files">
            <ul class="file-list">{ for props.files.iter().map(|file| row(props, file)) }</ul>
            if !others.is_empty() {
                <h3>{ if is_live { "Of the running guest" } else { "Served by wprof view" } }</h3>
                <ul class="file-list">{ for others }</ul>
            }
            <p class="files-more">
                <PickFile class="button primary" label="Open files…" on_files={props.on_open.clone()} />
                <PickFile class="button" label="Open a folder…" folder=true on_files={props.on_open.clone()} />
            </p>
            <RecentFiles on_recent={props.on_recent.clone()} />
            <p class="filter-hint">{ "Or drop them anywhere. A module or sources dropped beside a profile tell more about it; of two profiles dropped together the older is the base of a diff." }</p>
        </div>
    }
}

fn row(props: &FilesDialogProps, file: &OpenFile) -> Html {
    let FilesDialogProps { dispatch, shown, .. } = props;
    let id = file.id;
    let close = props.on_close.reform(move |_: MouseEvent| id);
    let show = dispatch.reform(move |_: MouseEvent| Action::ShowFile(id));
    let compare = {
        let (dispatch, name) = (dispatch.clone(), file.name.to_string());
        move |_: MouseEvent| {
            dispatch.emit(Action::Base(Some(id), Some(name.clone())));
            dispatch.emit(Action::View(View::Diff));
            dispatch.emit(Action::Overlay(Overlay::None));
        }
    };
    let is_shown = id == *shown;
    let (status, actions) = match &file.status {
        FileStatus::Profile(summary) => {
            let types = summary.sample_types.iter().map(|it| it.kind.as_str()).collect::<Vec<_>>().join(", ");
            let actions = if is_shown {
                html! { <span class="file-here">{ "on show" }</span> }
            } else {
                html! {
                    <>
                        <button type="button" class="button" onclick={show} data-testid="show-file">{ "Show" }</button>
                        <button type="button" class="button" onclick={compare} data-testid="compare-file"
                            title="The base of a diff with what is on show">{ "Compare" }</button>
                    </>
                }
            };
            (types, actions)
        }
        FileStatus::Loading(_) => ("being read".to_owned(), Html::default()),
        FileStatus::Attached(what) => (what.to_string(), Html::default()),
        FileStatus::Failed(failure) => (format!("{}: {}", failure.title, failure.detail), Html::default()),
    };
    let is_base = props.base == Some(id);
    html! {
        <li class={classes!("file-row", is_shown.then_some("here"))}>
            <div class="file-text">
                <span class="file-row-name"><bdi>{ &file.name }</bdi></span>
                <span class="file-status">{ status }if is_base { { " · base of the diff" } }</span>
            </div>
            { actions }
            <button type="button" class="button icon-button" onclick={close} aria-label={format!("Close {}", file.name)}>{ "×" }</button>
        </li>
    }
}

fn served_row(props: &FilesDialogProps, at: usize, served: &Served) -> Html {
    let open = props.on_served.reform(move |_: MouseEvent| at);
    html! {
        <li class="file-row">
            <div class="file-text"><span class="file-row-name"><bdi>{ &served.name }</bdi></span></div>
            <button type="button" class="button" onclick={open} data-testid="open-served">{ if served.live { "Take" } else { "Open" } }</button>
        </li>
    }
}
