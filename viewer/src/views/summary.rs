//! The profile's own facts: what was profiled, how, and what is not in the file.

use yew::prelude::*;

use crate::page;
use crate::protocol::{Binary, SampleType, Summary};
use crate::state::Action;
use crate::views::props::ViewProps;

#[component]
pub(crate) fn SummaryView(props: &ViewProps) -> Html {
    let summary = &*props.session.summary;
    html! {
        <section class="pane page summary" aria-label="Summary" data-testid="summary">
            <h2 class="summary-title"><bdi>{ &props.session.name }</bdi></h2>
            { alarm("What was lost of the file", "lost", &summary.lost) }
            { alarm("Warnings", "warnings", &summary.warnings) }
            <div class="summary-grid">
                { facts(summary) }
                { sample_types(props) }
                { recording(summary) }
                { binaries(&summary.binaries) }
            </div>
        </section>
    }
}

/// What a reader must not overlook.
fn alarm(title: &'static str, class: &'static str, texts: &[String]) -> Html {
    if texts.is_empty() {
        return Html::default();
    }
    html! {
        <section class={classes!("summary-alarm", class)} aria-label={title} data-testid={class}>
            <h3>{ title }</h3>
            <ul>{ for texts.iter().map(|text| html! { <li>{ text }</li> }) }</ul>
        </section>
    }
}

fn facts(summary: &Summary) -> Html {
    let recorded = recorded(summary.time_nanos).map(|at| ("Recorded", at));
    let duration = summary.duration.clone().map(|it| ("Duration", it));
    let of_time = recorded.into_iter().chain(duration).map(|(label, value)| (label.to_owned(), value));
    let fact = |(label, value): (String, String)| {
        html! { <div class="summary-fact"><dt>{ label }</dt><dd><bdi>{ value }</bdi></dd></div> }
    };
    // The file, then when, then how much.
    let (first, rest) = summary.facts.split_at(summary.facts.iter().take_while(|it| is_identity(&it.0)).count());
    let all = first.iter().cloned().chain(of_time).chain(rest.iter().cloned());
    html! {
        <section class="summary-card" aria-label="Profile">
            <h3>{ "Profile" }</h3>
            <dl data-testid="facts">{ for all.map(fact) }</dl>
            { doc(&summary.doc_url) }
        </section>
    }
}

fn is_identity(label: &str) -> bool {
    matches!(label, "File" | "Build ID")
}

/// Only where there is a page to ask for the reader's clock.
fn recorded(time_nanos: i64) -> Option<String> {
    if cfg!(target_arch = "wasm32") { page::local_time(time_nanos) } else { None }
}

/// A link only if it is one to the web: a profile may say anything.
fn doc(url: &str) -> Html {
    let is_web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    match url {
        "" => Html::default(),
        url if is_web => html! {
            <p class="summary-doc">{ "More at " }
                <a class="link" href={url.to_owned()} target="_blank" rel="noopener noreferrer">{ url }</a>
            </p>
        },
        url => html! { <p class="summary-doc">{ "More at " }<bdi>{ url }</bdi></p> },
    }
}

fn sample_types(props: &ViewProps) -> Html {
    let session = &props.session;
    let row = |(at, it): (usize, &SampleType)| {
        let is_shown = at == session.sample_index;
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::SampleType(at));
        html! {
            <tr class={classes!(is_shown.then_some("chosen"))}>
                <th scope="row">
                    <button type="button" class="link" aria-pressed={is_shown.to_string()} {onclick}>{ &it.kind }</button>
                    if at == session.summary.sample_index { <span class="muted">{ " usual" }</span> }
                </th>
                <td>{ &it.unit }</td>
                <td class="number">{ &it.total }</td>
            </tr>
        }
    };
    html! {
        <section class="summary-card" aria-label="Sample types">
            <h3>{ "Sample types" }</h3>
            <table class="summary-table" data-testid="sample-types">
                <thead><tr><th scope="col">{ "type" }</th><th scope="col">{ "unit" }</th><th scope="col" class="number">{ "total" }</th></tr></thead>
                <tbody>{ for session.summary.sample_types.iter().enumerate().map(row) }</tbody>
            </table>
        </section>
    }
}

/// wprof and others tell in comments how they sampled, what bias that has, and what they missed.
fn recording(summary: &Summary) -> Html {
    if summary.comments.is_empty() {
        return Html::default();
    }
    let comment = |text: &String| {
        let (label, text) = labelled(text);
        html! { <li>if let Some(label) = label { <strong>{ label }{ ": " }</strong> }{ text }</li> }
    };
    html! {
        <section class="summary-card wide" aria-label="How it was recorded">
            <h3>{ "How it was recorded" }</h3>
            <ul class="summary-comments" data-testid="comments">{ for summary.comments.iter().map(comment) }</ul>
        </section>
    }
}

/// `bias: none is known` has a label, if it is a single word.
fn labelled(comment: &str) -> (Option<&str>, &str) {
    let is_word =
        |label: &str| !label.is_empty() && label.chars().all(|it| it.is_alphanumeric() || it == '_' || it == '-');
    match comment.split_once(": ").filter(|(label, _)| is_word(label)) {
        Some((label, text)) => (Some(label), text),
        None => (None, comment),
    }
}

fn binaries(binaries: &[Binary]) -> Html {
    if binaries.is_empty() {
        return Html::default();
    }
    let or_dash = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let row = |it: &Binary| {
        html! {
            <tr>
                <th scope="row" class="path"><bdi>{ or_dash(&it.file) }</bdi></th>
                <td class="path minor">{ or_dash(&it.build_id) }</td>
                <td class="range minor">{ or_dash(&it.range) }</td>
                <td>{ or_dash(&it.has) }</td>
            </tr>
        }
    };
    html! {
        <section class="summary-card wide" aria-label="Binaries">
            <h3>{ "Binaries" }</h3>
            <table class="summary-table" data-testid="binaries">
                <thead>
                    <tr>
                        <th scope="col">{ "file" }</th><th scope="col" class="minor">{ "build ID" }</th>
                        <th scope="col" class="minor">{ "addresses" }</th><th scope="col">{ "knows" }</th>
                    </tr>
                </thead>
                <tbody>{ for binaries.iter().map(row) }</tbody>
            </table>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::views::testing::{props, render, session};

    fn html(summary: Summary) -> String {
        let mut session = session(&["alloc_space", "inuse_space"], "view=summary");
        session.summary = Rc::new(Summary { sample_types: session.summary.sample_types.clone(), ..summary });
        let props = props(session);
        render::<SummaryView>(move || props)
    }

    #[test]
    fn tells_what_the_profile_says_of_itself() {
        let html = html(Summary {
            facts: vec![("File".to_owned(), "<app>.wasm".to_owned()), ("Period".to_owned(), "512kB space".to_owned())],
            duration: Some("2s".to_owned()),
            comments: vec!["wprof 0.1, hooked: malloc".to_owned(), "bias: none is known".to_owned()],
            binaries: vec![Binary { file: "[host]".to_owned(), has: "functions".to_owned(), ..Binary::default() }],
            lost: vec!["12 samples".to_owned()],
            ..Summary::default()
        });
        let parts =
            ["&lt;app&gt;.wasm", "512kB space", ">2s<", "wprof 0.1, hooked: malloc", "bias: </strong>", "[host]"];
        for part in parts.into_iter().chain(["What was lost", "12 samples", ">inuse_space<"]) {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("Warnings"), "there are none: {html}");
    }

    #[test]
    fn only_addresses_on_the_web_are_links() {
        let check = |url: &str, is_link: bool| {
            let html = html(Summary { doc_url: url.to_owned(), ..Summary::default() });
            assert_eq!(html.contains("<a "), is_link, "{url}: {html}");
            assert_eq!(html.contains("noopener"), is_link, "{url}");
        };
        check("https://example.com/", true);
        check("javascript:alert(1)", false);
        check("", false);
    }
}
