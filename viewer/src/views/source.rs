//! The source of the chosen function, each line with its weight; its instructions beside it where the module is open.

use yew::prelude::*;

use crate::protocol::{Code, CodeLine, Offset, Source, SourceFile, SourceLine};
use crate::views::props::ViewProps;
use crate::views::top_table::TopTable;

#[component]
pub(crate) fn SourceView(props: &ViewProps) -> Html {
    html! {
        <>
            <TopTable ..props.clone() />
            <section class="pane source-pane" aria-label="Source" data-testid="source">{ content(props) }</section>
        </>
    }
}

fn content(props: &ViewProps) -> Html {
    let session = &props.session;
    let Some(function) = &session.route.function else {
        return html! { <p class="source-note">{ "Choose a function to see its lines." }</p> };
    };
    let Some(latest) = session.source() else {
        return html! { <p class="source-note" role="status">{ "Adding up the lines…" }</p> };
    };
    let Source { is_found, files, code } = latest.reply;
    let busy = (!latest.is_current).then_some("true");
    html! {
        <div class="source-scroller" tabindex="0" aria-busy={busy}>
            <h2 class="source-function"><bdi>{ function }</bdi></h2>
            if !is_found { <p class="source-note">{ "No sample on show has this function." }</p> }
            if *is_found && files.is_empty() {
                <p class="source-note">{ "The profile knows no source lines of this function. Drop the module it was made of, with debug information, to find them." }</p>
            }
            { for files.iter().map(file) }
            { for code.iter().map(instructions) }
        </div>
    }
}

fn file(file: &SourceFile) -> Html {
    let hint = "Only lines with weight are listed: drop the source file, or start wprof view with --source_path.";
    html! {
        <section class="source-file">
            <h3 class="source-path"><bdi>{ &file.path }</bdi></h3>
            <p class="source-sum">
                { format!("{} flat, {} cum, {} of total", or_0(&file.flat), or_0(&file.cum), file.cum_pct) }
            </p>
            if file.text_of.is_none() { <p class="source-note">{ hint }</p> }
            <table class="source-table">
                <thead>
                    <tr>
                        <th scope="col" class="number">{ "flat" }</th>
                        <th scope="col" class="number">{ "cum" }</th>
                        <th scope="col" class="number">{ "line" }</th>
                        <th scope="col">{ if file.text_of.is_some() { "source" } else { "where in the binary" } }</th>
                    </tr>
                </thead>
                <tbody>{ for file.lines.iter().map(line) }</tbody>
            </table>
        </section>
    }
}

fn line(line: &SourceLine) -> Html {
    let number = if line.number > 0 { line.number.to_string() } else { "?".to_owned() };
    let is_cold = line.flat.is_empty() && line.cum.is_empty();
    html! {
        <tr class={classes!("source-line", is_cold.then_some("cold"))}>
            <td class="number">{ &line.flat }</td>
            <td class="number">{ heat(line.heat) }{ &line.cum }</td>
            <td class="number line-number">{ number }</td>
            <td class="source-text">
                if !line.text.is_empty() { <code>{ &line.text }</code> }
                { offsets(&line.offsets, line.text.is_empty()) }
            </td>
        </tr>
    }
}

/// The line's places in the binary; folded where there is a text to read.
fn offsets(offsets: &[Offset], is_open: bool) -> Html {
    let place = |it: &Offset| {
        html! { <li><code>{ &it.address }</code>{ format!(" {} flat, {} cum", or_0(&it.flat), or_0(&it.cum)) }</li> }
    };
    match offsets {
        [] => Html::default(),
        _ if is_open => html! { <ul class="offsets">{ for offsets.iter().map(place) }</ul> },
        _ => html! {
            <details class="offsets-fold">
                <summary>{ format!("{} offset{}", offsets.len(), if offsets.len() == 1 { "" } else { "s" }) }</summary>
                <ul class="offsets">{ for offsets.iter().map(place) }</ul>
            </details>
        },
    }
}

fn instructions(code: &Code) -> Html {
    let line = |it: &CodeLine| {
        let is_cold = it.flat.is_empty() && it.cum.is_empty();
        let indent = "  ".repeat(it.depth as usize);
        html! {
            <tr class={classes!("source-line", is_cold.then_some("cold"))}>
                <td class="number">{ &it.flat }</td>
                <td class="number">{ heat(it.heat) }{ &it.cum }</td>
                <td class="number line-number">{ &it.address }</td>
                <td class="source-text"><code>{ indent }{ &it.text }</code>
                    if !it.place.is_empty() { <span class="code-place">{ ";; " }{ &it.place }</span> }
                </td>
            </tr>
        }
    };
    html! {
        <section class="source-file">
            <h3 class="source-path"><bdi>{ &code.function }</bdi>{ " in " }<bdi>{ &code.module }</bdi></h3>
            <table class="source-table" data-testid="code">
                <thead>
                    <tr>
                        <th scope="col" class="number">{ "flat" }</th>
                        <th scope="col" class="number">{ "cum" }</th>
                        <th scope="col" class="number">{ "offset" }</th>
                        <th scope="col">{ "instruction" }</th>
                    </tr>
                </thead>
                <tbody>{ for code.lines.iter().map(line) }</tbody>
            </table>
        </section>
    }
}

/// A bar as long as the share; SVG, because the page's policy forbids `style` attributes.
fn heat(share: f32) -> Html {
    if share <= 0.0 {
        return Html::default();
    }
    let width = format!("{:.1}%", share * 100.0);
    html! { <svg class="bar" aria-hidden="true"><rect {width} height="100%" /></svg> }
}

fn or_0(text: &str) -> &str {
    if text.is_empty() { "0" } else { text }
}
