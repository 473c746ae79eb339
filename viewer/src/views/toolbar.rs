//! The bar above an opened profile: which file, which sample type, its total, search, panes and theme.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::link::Source;
use crate::load;
use crate::protocol::SampleType;
use crate::same::Same;
use crate::session::Session;
use crate::state::{Action, Overlay, Theme};
use crate::views::icon::icon;
use crate::views::picker::Picker;

#[derive(PartialEq, Properties)]
pub(crate) struct ToolbarProps {
    pub(crate) session: Same<Session>,
    /// Profiles that are open.
    pub(crate) n_files: usize,
    pub(crate) theme: Theme,
    pub(crate) overlay: Overlay,
    pub(crate) search: NodeRef,
    /// Takes a running guest's profile again.
    pub(crate) again: Option<Callback<MouseEvent>>,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn Toolbar(props: &ToolbarProps) -> Html {
    let ToolbarProps { session, dispatch, .. } = props;
    let query = session.route.query.clone();
    let on_query = dispatch.reform(|event: InputEvent| {
        Action::Query(event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default().into())
    });
    let (total, part) = session.totals().unwrap_or_default();
    let matched = session.matched();
    html! {
        <header class="toolbar">
            { icon("toolbar-icon", 22) }
            { file_name(props) }
            if let Some(again) = &props.again {
                <button type="button" class="button" onclick={again} title="Take this profile of the running guest again"
                    data-testid="again">{ "Take again" }</button>
            }
            <label class="field">
                <span class="visually-hidden">{ "Sample type" }</span>
                { sample_types(session, dispatch) }
            </label>
            { picker(session, total, dispatch) }
            <span class="totals">
                if let Some(part) = part {
                    <span class="total" data-testid="part" title="Sum over the samples on show">{ part }</span>{ " of " }
                }
                <span class="total" data-testid="total" title="Sum over all samples">{ total }</span>
            </span>
            if let Some(duration) = &session.summary.duration {
                <span class="duration" data-testid="duration" title="How long was profiled">{ "in " }{ duration }</span>
            }
            <span class="spring"></span>
            <label class="search">
                <span class="visually-hidden">{ "Search functions" }</span>
                <input ref={props.search.clone()} type="search" placeholder="Search functions" spellcheck="false"
                    autocomplete="off" value={query.clone()} oninput={on_query} data-testid="search" />
                if query.is_empty() { <kbd aria-hidden="true">{ "/" }</kbd> }
            </label>
            <span class="matched" role="status" data-testid="matched">
                if let Some(matched) = matched { { matched }{ " of total" } }
            </span>
            { overlay_button(props, Overlay::Filters, "+ Filter", "Add a filter (+)", "filters") }
            { overlay_button(props, Overlay::Options, "Options", "What counts as one place", "options") }
            { overlay_button(props, Overlay::Menu, "Save", "Save, print, share", "menu") }
            <ThemeButton theme={props.theme} dispatch={dispatch.clone()} />
            { overlay_button(props, Overlay::Help, "?", "Keys (?)", "help") }
        </header>
    }
}

fn overlay_button(
    props: &ToolbarProps,
    overlay: Overlay,
    label: &'static str,
    title: &'static str,
    testid: &'static str,
) -> Html {
    let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Overlay(overlay));
    let is_open = props.overlay == overlay;
    html! {
        <button type="button" class="button" {onclick} {title} aria-haspopup="dialog" aria-expanded={is_open.to_string()}
            data-testid={testid}>{ label }</button>
    }
}

/// The name; it leads to all files.
fn file_name(props: &ToolbarProps) -> Html {
    let name = &props.session.name;
    let onclick = props.dispatch.reform(|_: MouseEvent| Action::Overlay(Overlay::Files));
    let is_open = props.overlay == Overlay::Files;
    html! {
        <h1 class="file-heading">
            <button type="button" class="file-name" {onclick} title={format!("{name}: open, switch and close files")}
                aria-haspopup="dialog" aria-expanded={is_open.to_string()}>
                <bdi data-testid="file-name">{ name }</bdi>
                if props.n_files > 1 { <span class="file-count">{ format!("+{}", props.n_files - 1) }</span> }
            </button>
        </h1>
    }
}

fn picker(session: &Same<Session>, total: &str, dispatch: &Callback<Action>) -> Html {
    if session.summary.measures.is_empty() {
        return Html::default();
    }
    let weights = session.current_weights().cloned().map(std::rc::Rc::new);
    html! {
        <Picker summary={session.summary.clone()} sample_index={session.sample_index} picked={session.route.picked}
            open={session.picker_open} {weights} total={total.to_owned()} dispatch={dispatch.clone()} />
    }
}

fn sample_types(session: &Session, dispatch: &Callback<Action>) -> Html {
    let on_change = dispatch.reform(|event: Event| Action::SampleType(selected_index(&event)));
    let option = |(at, sample_type): (usize, &SampleType)| {
        html! {
            <option value={at.to_string()} selected={at == session.sample_index}>
                { &sample_type.kind }
            </option>
        }
    };
    html! {
        <select class="sample-type" data-testid="sample-type" onchange={on_change} title="What is counted">
            { for session.summary.sample_types.iter().enumerate().map(option) }
        </select>
    }
}

fn selected_index(event: &Event) -> usize {
    let select = event.target_dyn_into::<HtmlSelectElement>();
    select.and_then(|select| usize::try_from(select.selected_index()).ok()).unwrap_or(0)
}

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct ThemeButtonProps {
    pub(crate) theme: Theme,
    pub(crate) dispatch: Callback<Action>,
}

/// Goes round the themes.
#[component]
pub(crate) fn ThemeButton(props: &ThemeButtonProps) -> Html {
    let next = props.theme.next();
    let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Theme(next));
    let (sign, label) = match props.theme {
        Theme::System => ("◐", "Colours: as the system"),
        Theme::Light => ("☀\u{fe0e}", "Colours: light"),
        Theme::Dark => ("☾\u{fe0e}", "Colours: dark"),
    };
    html! {
        <button type="button" class="button icon-button" data-testid="theme" title={label} aria-label={label} {onclick}>
            { sign }
        </button>
    }
}

#[derive(PartialEq, Properties)]
pub(crate) struct PickFileProps {
    pub(crate) class: &'static str,
    pub(crate) label: &'static str,
    /// A whole folder instead.
    #[prop_or_default]
    pub(crate) folder: bool,
    pub(crate) on_files: Callback<Vec<Source>>,
}

/// A button that opens the file picker: a label around the input, which browsers make focusable by itself.
#[component]
pub(crate) fn PickFile(props: &PickFileProps) -> Html {
    let on_files = props.on_files.clone();
    let onchange = move |event: Event| {
        let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
        on_files.emit(load::picked(input.files()));
        // Or picking the same file again would be no change.
        input.set_value("");
    };
    html! {
        <label class={classes!("pick-file", props.class)}>
            { props.label }
            <input class="visually-hidden" type="file" multiple={true} webkitdirectory={props.folder}
                data-testid={if props.folder { "folder-input" } else { "file-input" }} {onchange} />
        </label>
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::protocol::{FileId, Summary};
    use crate::route::Route;
    use crate::views::testing::render;

    fn props() -> ToolbarProps {
        let sample_type = |kind: &str| SampleType { kind: kind.to_owned(), ..SampleType::default() };
        let summary = Summary {
            sample_types: vec![sample_type("samples"), sample_type("cpu")],
            sample_index: 1,
            duration: Some("2s".to_owned()),
            ..Summary::default()
        };
        ToolbarProps {
            session: Same::new(Session::new(FileId(0), "cpu.prof".into(), Rc::new(summary), Route::default())),
            n_files: 2,
            theme: Theme::System,
            overlay: Overlay::None,
            search: NodeRef::default(),
            again: None,
            dispatch: Callback::noop(),
        }
    }

    #[test]
    fn what_a_running_guest_serves_can_be_taken_again() {
        let live = || ToolbarProps { again: Some(Callback::noop()), ..props() };
        let has_button = |html: &str| html.contains("Take again");
        assert_eq!([render::<Toolbar>(live), render::<Toolbar>(props)].map(|it| has_button(&it)), [true, false]);
    }

    #[test]
    fn shows_file_types_and_duration() {
        let html = render::<Toolbar>(props);
        for part in [">cpu.prof<", ">+1<", ">samples<", "in 2s"] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}
