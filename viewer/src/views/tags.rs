//! Labels: what their texts weigh, and their numbers as histograms. A click on a value filters by it.

use yew::prelude::*;

use crate::protocol::{Filter, FilterKind, TagKey, TagValue};
use crate::state::Action;
use crate::views::props::ViewProps;

#[component]
pub(crate) fn TagsView(props: &ViewProps) -> Html {
    let Some(latest) = props.session.tags() else {
        return html! { <section class="pane page"><p class="page-wait" role="status">{ "Counting…" }</p></section> };
    };
    let tags = latest.reply;
    if tags.keys.is_empty() {
        return nothing(props);
    }
    html! {
        <section class={classes!("pane", "page", "tags", (!latest.is_current).then_some("stale"))} aria-label="Labels">
            <p class="page-lead">
                { "What samples are labelled with, and what these samples weigh. Click a value for only its samples, with " }
                <kbd>{ "Shift" }</kbd>{ " for all but them." }
            </p>
            <div class="tag-keys">{ for tags.keys.iter().map(|key| tag_key(props, key)) }</div>
        </section>
    }
}

fn nothing(props: &ViewProps) -> Html {
    let text = if props.session.summary.has_labels {
        "No sample on show has a label: the filters leave those out that have."
    } else {
        "No sample of this profile has a label."
    };
    html! {
        <section class="pane page" aria-label="Labels">
            <div class="page-empty" role="note" data-testid="tags-empty">
                <h2>{ text }</h2>
                <p>
                    { "Labels are texts and numbers that a program or its profiler gives to samples, so that one can tell them \
                       apart: a request, a user, a worker, the size of a block. In Go they come from " }
                    <code>{ "pprof.Do" }</code>{ "; wprof's heap profiles have the size of blocks as " }<code>{ "bytes" }</code>{ "." }
                </p>
            </div>
        </section>
    }
}

fn tag_key(props: &ViewProps, key: &TagKey) -> Html {
    html! {
        <section class="tag-key" aria-label={key.key.clone()} data-testid="tag-key">
            <h2>
                <span class="tag-name">{ &key.key }</span>
                <span class="muted">{ &key.total }{ " · " }{ &key.share }</span>
            </h2>
            if !key.numbers.is_empty() { { numbers(props, key) } }
            if !key.texts.is_empty() { { texts(props, key) } }
        </section>
    }
}

fn texts(props: &ViewProps, key: &TagKey) -> Html {
    html! {
        <>
            <table class="tag-table">
                <thead>{ head("value", None, false) }</thead>
                <tbody>{ for key.texts.iter().map(|value| row(props, value, false, false)) }</tbody>
            </table>
            if key.n_more > 0 { <p class="tag-more">{ format!("and {} lighter ones", key.n_more) }</p> }
        </>
    }
}

/// Ranges from top to bottom, each with its bar: an axis that has room for what it says.
fn numbers(props: &ViewProps, key: &TagKey) -> Html {
    let has_counts = key.count_kind.is_some();
    html! {
        <table class="tag-table histogram" data-testid="histogram">
            <thead>{ head("number", key.count_kind.as_deref(), true) }</thead>
            <tbody>{ for key.numbers.iter().map(|value| row(props, value, has_counts, true)) }</tbody>
        </table>
    }
}

fn head(what: &'static str, count_kind: Option<&str>, is_axis: bool) -> Html {
    html! {
        <tr>
            <th scope="col" class={classes!("tag-value", is_axis.then_some("axis"))}>{ what }</th>
            <th scope="col" class="tag-bar"><span class="visually-hidden">{ "bar" }</span></th>
            <th scope="col" class="number">{ "weight" }</th>
            <th scope="col" class="number">{ "share" }</th>
            if let Some(kind) = count_kind { <th scope="col" class="number minor">{ kind.to_owned() }</th> }
        </tr>
    }
}

fn row(props: &ViewProps, value: &TagValue, has_counts: bool, is_axis: bool) -> Html {
    let is_nothing = value.weight == "0";
    let name = if value.name.is_empty() { "(empty)" } else { value.name.as_str() };
    let label = match &value.focus {
        Some(focus) => {
            let onclick = filter(props, focus);
            html! { <button type="button" class="tag-button" {onclick} title={focus.clone()}><bdi>{ name }</bdi></button> }
        }
        None => html! { <bdi>{ name }</bdi> },
    };
    let width = value.bar.trim_start_matches('-').to_owned();
    html! {
        <tr class={classes!(is_nothing.then_some("nothing"))}>
            <th scope="row" class={classes!("tag-value", is_axis.then_some("axis"))}>{ label }</th>
            <td class="tag-bar" aria-hidden="true">
                <svg width="100%" height="10"><rect {width} height="100%" rx="2" /></svg>
            </td>
            <td class="number">{ &value.weight }</td>
            <td class="number muted">{ &value.share }</td>
            if has_counts { <td class="number minor">{ value.count.clone().unwrap_or_default() }</td> }
        </tr>
    }
}

/// Only these samples; with shift or control all but these.
fn filter(props: &ViewProps, pattern: &str) -> Callback<MouseEvent> {
    let (dispatch, pattern) = (props.dispatch.clone(), pattern.to_owned());
    Callback::from(move |event: MouseEvent| {
        let is_ignored = event.shift_key() || event.ctrl_key() || event.meta_key();
        let kind = if is_ignored { FilterKind::TagIgnore } else { FilterKind::TagFocus };
        dispatch.emit(Action::AddFilter(Filter { kind, pattern: pattern.clone() }));
    })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::protocol::{Ask, Reply, Summary, Tags, TagsAsk};
    use crate::views::testing::{answer, props, render, session};

    fn html(tags: Tags, has_labels: bool) -> String {
        let mut session = session(&["alloc_space"], "view=tags");
        session.summary = Rc::new(Summary { has_labels, ..(*session.summary).clone() });
        answer(&mut session, Ask::Tags(TagsAsk {}), Reply::Tags(tags));
        let props = props(session);
        render::<TagsView>(move || props)
    }

    #[test]
    fn texts_and_numbers_have_weights_and_bars() {
        let value = |name: &str, focus: &str| TagValue {
            name: name.to_owned(),
            weight: "3kB".to_owned(),
            share: "75.00%".to_owned(),
            bar: "50.00%".to_owned(),
            count: Some("12".to_owned()),
            focus: Some(focus.to_owned()),
        };
        let key = TagKey {
            key: "bytes".to_owned(),
            texts: vec![value("<b>ann</b>", "bytes=^ann$")],
            n_more: 4,
            numbers: vec![value("1kB – 2kB", "bytes=1024b:2047b")],
            count_kind: Some("alloc_objects".to_owned()),
            ..TagKey::default()
        };
        let html = html(Tags { keys: vec![key], ..Tags::default() }, true);
        let parts = ["&lt;b&gt;ann", "1kB – 2kB", ">12<", "alloc_objects", "width=\"50.00%\"", "and 4 lighter ones"];
        for part in parts.into_iter().chain(["title=\"bytes=1024b:2047b\"", ">75.00%<"]) {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn without_labels_they_are_explained() {
        let none = html(Tags::default(), false);
        assert!(none.contains("No sample of this profile has a label.") && none.contains("pprof.Do"), "{none}");
        assert!(html(Tags::default(), true).contains("the filters leave those out"));
    }
}
