//! The bar above an opened profile: which file, which sample type, its total, search, panes and theme.

use std::rc::Rc;

use web_sys::{File, HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::load;
use crate::page::local_time;
use crate::protocol::Summary;
use crate::state::{Action, Panes, Served, Theme};

#[derive(PartialEq, Properties)]
pub(crate) struct ToolbarProps {
    pub(crate) name: AttrValue,
    pub(crate) summary: Rc<Summary>,
    pub(crate) sample_index: usize,
    pub(crate) total: AttrValue,
    /// What is picked of the total, while something is.
    pub(crate) part: Option<AttrValue>,
    /// Picks samples; nothing where there is nothing to pick by.
    pub(crate) picker: Html,
    pub(crate) query: AttrValue,
    /// What the search matched of the total.
    pub(crate) matched: Option<AttrValue>,
    pub(crate) panes: Panes,
    pub(crate) theme: Theme,
    pub(crate) facts_open: bool,
    pub(crate) served: Rc<[Served]>,
    pub(crate) search: NodeRef,
    pub(crate) dispatch: Callback<Action>,
    pub(crate) on_file: Callback<File>,
    pub(crate) on_served: Callback<usize>,
}

#[component]
pub(crate) fn Toolbar(props: &ToolbarProps) -> Html {
    let ToolbarProps { summary, dispatch, .. } = props;
    let on_query = dispatch.reform(|event: InputEvent| {
        Action::Query(event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default().into())
    });
    let toggle_facts = dispatch.reform(|_: MouseEvent| Action::ToggleFacts);
    html! {
        <header class="toolbar">
            <img class="toolbar-icon" src="./icon.svg" alt="wprof" width="22" height="22" />
            { file_name(props) }
            <label class="field">
                <span class="visually-hidden">{ "Sample type" }</span>
                { sample_types(props) }
            </label>
            { props.picker.clone() }
            <span class="totals">
                if let Some(part) = &props.part {
                    <span class="total" data-testid="part" title="Sum over the samples on show">{ part }</span>{ " of " }
                }
                <span class="total" data-testid="total" title="Sum over all samples">{ &props.total }</span>
            </span>
            if let Some(duration) = &summary.duration {
                <span class="duration" data-testid="duration" title="How long was profiled">{ "in " }{ duration }</span>
            }
            <div class="facts-anchor">
                <button type="button" class="button icon-button" onclick={toggle_facts} aria-label="About this profile"
                    aria-expanded={props.facts_open.to_string()} data-testid="info" title="About this profile (i)">{ "i" }</button>
                if props.facts_open { { facts(summary) } }
            </div>
            <span class="spring"></span>
            <label class="search">
                <span class="visually-hidden">{ "Search functions" }</span>
                <input ref={props.search.clone()} type="search" placeholder="Search functions" spellcheck="false"
                    autocomplete="off" value={&props.query} oninput={on_query} data-testid="search" />
                if props.query.is_empty() { <kbd aria-hidden="true">{ "/" }</kbd> }
            </label>
            <span class="matched" role="status" data-testid="matched">
                if let Some(matched) = &props.matched { { matched }{ " of total" } }
            </span>
            { panes(props.panes, dispatch) }
            <ThemeButton theme={props.theme} dispatch={dispatch.clone()} />
            <PickFile class="button" label="Open…" on_file={props.on_file.clone()} />
        </header>
    }
}

/// The name; with several files behind `wprof view`, a choice of them.
fn file_name(props: &ToolbarProps) -> Html {
    if props.served.len() < 2 {
        return html! { <h1 class="file-name" data-testid="file-name" title={&props.name}>{ &props.name }</h1> };
    }
    let on_change = props.on_served.reform(|event: Event| selected_index(&event));
    let option = |served: &Served| html! { <option selected={props.name == served.name}>{ &served.name }</option> };
    html! {
        <label class="field">
            <span class="visually-hidden">{ "Profile" }</span>
            <select class="file-name" data-testid="file-name" onchange={on_change}>
                { for props.served.iter().map(option) }
            </select>
        </label>
    }
}

fn sample_types(props: &ToolbarProps) -> Html {
    let on_change = props.dispatch.reform(|event: Event| Action::SampleType(selected_index(&event)));
    let option = |(at, sample_type): (usize, &crate::protocol::SampleType)| {
        html! {
            <option value={at.to_string()} selected={at == props.sample_index}>
                { &sample_type.kind }
            </option>
        }
    };
    html! {
        <select class="sample-type" data-testid="sample-type" onchange={on_change} title="What is counted">
            { for props.summary.sample_types.iter().enumerate().map(option) }
        </select>
    }
}

fn selected_index(event: &Event) -> usize {
    let select = event.target_dyn_into::<HtmlSelectElement>();
    select.and_then(|select| usize::try_from(select.selected_index()).ok()).unwrap_or(0)
}

fn facts(summary: &Summary) -> Html {
    let recorded = local_time(summary.time_nanos).map(|time| ("Recorded".to_owned(), time));
    let fact = |(label, value): (String, String)| html! { <div><dt>{ label }</dt><dd>{ value }</dd></div> };
    html! {
        <section class="popover facts" aria-label="About this profile" data-testid="facts">
            <dl>{ for recorded.into_iter().chain(summary.facts.iter().cloned()).map(fact) }</dl>
            if !summary.comments.is_empty() {
                <h2>{ "Comments" }</h2>
                <ul>{ for summary.comments.iter().map(|comment| html! { <li>{ comment }</li> }) }</ul>
            }
        </section>
    }
}

fn panes(current: Panes, dispatch: &Callback<Action>) -> Html {
    let button = |panes: Panes, label: &'static str, title: &'static str| {
        let onclick = dispatch.reform(move |_: MouseEvent| Action::Panes(panes));
        html! {
            <button type="button" {onclick} {title} aria-pressed={(panes == current).to_string()}>{ label }</button>
        }
    };
    html! {
        <div class="segments" role="group" aria-label="Views">
            { button(Panes::Table, "Table", "Table only (1 or t)") }
            { button(Panes::Flame, "Flame graph", "Flame graph only (2 or f)") }
            { button(Panes::Both, "Both", "Table and flame graph (3 or b)") }
        </div>
    }
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

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct PickFileProps {
    pub(crate) class: &'static str,
    pub(crate) label: &'static str,
    pub(crate) on_file: Callback<File>,
}

/// A button that opens the file picker: a label around the input, which browsers make focusable by itself.
#[component]
pub(crate) fn PickFile(props: &PickFileProps) -> Html {
    let on_file = props.on_file.clone();
    let onchange = move |event: Event| {
        let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
        if let Some(file) = load::first(input.files()) {
            on_file.emit(file);
        }
        // Or picking the same file again would be no change.
        input.set_value("");
    };
    html! {
        <label class={classes!("pick-file", props.class)}>
            { props.label }
            <input class="visually-hidden" type="file" data-testid="file-input" {onchange} />
        </label>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::SampleType;
    use crate::views::testing::render;

    fn props() -> ToolbarProps {
        let sample_type = |kind: &str| SampleType { kind: kind.to_owned(), unit: String::new() };
        let summary = Summary {
            sample_types: vec![sample_type("samples"), sample_type("cpu")],
            sample_index: 1,
            duration: Some("2s".to_owned()),
            comments: vec!["sampler: epoch".to_owned()],
            ..Summary::default()
        };
        ToolbarProps {
            name: "cpu.prof".into(),
            summary: Rc::new(summary),
            sample_index: 1,
            total: "1.02s".into(),
            part: Some("0.60s".into()),
            picker: html! { <p>{ "picker" }</p> },
            query: AttrValue::default(),
            matched: None,
            panes: Panes::Both,
            theme: Theme::System,
            facts_open: true,
            served: Rc::from([]),
            search: NodeRef::default(),
            dispatch: Callback::noop(),
            on_file: Callback::noop(),
            on_served: Callback::noop(),
        }
    }

    #[test]
    fn shows_file_types_total_and_comments() {
        let html = render::<Toolbar>(props);
        for part in
            [">cpu.prof<", ">samples<", ">1.02s<", "in 2s", ">0.60s<", "<p>picker</p>", "<li>sampler: epoch</li>"]
        {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn several_served_files_are_a_choice() {
        let served = |name: &'static str| Served { name: name.to_owned(), url: "/api/profiles/0".to_owned() };
        let html =
            render::<Toolbar>(|| ToolbarProps { served: [served("cpu.prof"), served("heap.prof")].into(), ..props() });
        assert!(html.contains("<option selected=\"selected\">cpu.prof<"), "{html}");
        assert!(html.contains(">heap.prof<"), "{html}");
    }
}
