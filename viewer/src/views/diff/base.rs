//! What a diff starts from: the bar above it, and the page where nothing is chosen yet.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use super::{DiffProps, change_class};
use crate::protocol::{DiffRows, FileId};
use crate::route::View;
use crate::state::{Action, OpenFile};

/// The base, both totals, and how they are compared.
pub(super) fn bar(props: &DiffProps, rows: Option<&DiffRows>) -> Html {
    let normalize = props.session.route.normalize;
    let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Normalize(!normalize));
    html! {
        <div class="pane-bar diff-bar" role="group" aria-label="What is compared">
            { select(props) }
            <button type="button" class="chip" onclick={swap(props)} data-testid="diff-swap" title="What was after is before, and the other way round">
                { "⇄ Swap" }
            </button>
            <button type="button" class="chip" aria-pressed={normalize.to_string()} {onclick} data-testid="diff-normalize"
                title="Scale this profile so that its total is the base's: shares are compared, not amounts">{ "Same total" }</button>
            if let Some(rows) = rows {
                <span class="diff-totals" data-testid="diff-totals">
                    <span class="muted">{ &rows.before }{ " → " }</span>{ &rows.after }{ " " }
                    <span class={change_class(&rows.change.0)}>{ &rows.change.0 }{ " (" }{ &rows.change.1 }{ ")" }</span>
                </span>
            }
        </div>
    }
}

/// Before a base is chosen.
pub(super) fn choice(props: &DiffProps) -> Html {
    let has_others = others(props).next().is_some();
    html! {
        <section class="pane page" aria-label="Compare">
            <div class="page-empty" data-testid="diff-choice">
                <h2>{ "Compare with what?" }</h2>
                if has_others {
                    <p>{ "Choose the profile to start from: the one before the change." }</p>
                    { select(props) }
                    <p>{ "Or drop another file on this page: a second one is compared with the first at once." }</p>
                } else {
                    <p>{ "Drop another profile on this page: what changed between the two is shown here, as a table and as a red and blue flame graph." }</p>
                }
            </div>
        </section>
    }
}

/// The other profiles that are open.
fn others(props: &DiffProps) -> impl Iterator<Item = &OpenFile> {
    let shown = props.session.file;
    props.files.iter().filter(move |file| file.id != shown && file.is_profile())
}

fn select(props: &DiffProps) -> Html {
    let base = props.session.base;
    let names: Vec<(FileId, AttrValue)> = others(props).map(|file| (file.id, file.name.clone())).collect();
    let option = |(id, name): &(FileId, AttrValue)| {
        html! { <option value={id.0.to_string()} selected={Some(*id) == base}>{ name }</option> }
    };
    let options: Vec<Html> = names.iter().map(option).collect();
    let onchange = props.dispatch.reform(move |event: Event| {
        let value = event.target_dyn_into::<HtmlSelectElement>().map(|select| select.value()).unwrap_or_default();
        let chosen = names.iter().find(|(id, _)| id.0.to_string() == value);
        Action::Base(chosen.map(|(id, _)| *id), chosen.map(|(_, name)| name.to_string()))
    });
    html! {
        <label class="diff-base">
            <span>{ "from" }</span>
            <select {onchange} data-testid="diff-base">
                <option value="" selected={base.is_none()}>{ "no profile" }</option>
                { options }
            </select>
        </label>
    }
}

/// Shows the base, with this profile as its base, and the same filters.
fn swap(props: &DiffProps) -> Callback<MouseEvent> {
    let (session, dispatch) = (props.session.clone(), props.dispatch.clone());
    Callback::from(move |_: MouseEvent| {
        let Some(base) = session.base else { return };
        dispatch.emit(Action::ShowFile(base));
        dispatch.emit(Action::View(View::Diff));
        dispatch.emit(Action::Base(Some(session.file), Some(session.name.to_string())));
        for filter in &session.route.filters {
            dispatch.emit(Action::AddFilter(filter.clone()));
        }
    })
}
