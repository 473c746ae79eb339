//! The card beside the pointer: one box of the flame graph in full.

use std::rc::Rc;

use yew::prelude::*;

use crate::canvas::swatch;
use crate::protocol::Card;

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct TooltipProps {
    pub(crate) card: Rc<Card>,
    pub(crate) dark: bool,
}

#[component]
pub(crate) fn Tooltip(props: &TooltipProps) -> Html {
    let card = &*props.card;
    // What has no package has its file's colour, and the file is said already.
    let is_file = card.place.strip_prefix(&*card.package).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    let line = |label: &'static str, value: &str, percent: &str| {
        html! { <tr><th scope="row">{ label }</th><td>{ value }</td><td>{ percent }</td></tr> }
    };
    let kind = |label: &'static str| html! { <span class="card-kind">{ label }</span> };
    html! {
        <>
            <p class="card-name">
                { &card.name }
                if card.host { { kind("host") } }
                if card.inlined { { kind("inlined") } }
            </p>
            if !card.place.is_empty() { <p class="card-place">{ &card.place }</p> }
            if !card.module.is_empty() { <p class="card-place">{ &card.module }</p> }
            if !card.package.is_empty() && !card.host && !is_file {
                <p class="card-place card-package">
                    <svg class="swatch" width="9" height="9" aria-hidden="true">
                        <rect width="9" height="9" rx="2" fill={swatch(card.look, props.dark)} />
                    </svg>
                    { &card.package }
                </p>
            }
            <table>
                <tbody>
                    if let Some((before, after, change)) = &card.change {
                        { line("before", before, "") }
                        { line("after", after, "") }
                        { line("change", change, "") }
                    } else {
                        { line("cum", &card.cum, &card.cum_pct) }
                        { line("flat", &card.flat, &card.flat_pct) }
                    }
                    if !card.of_parent.is_empty() && card.change.is_none() { { line("of the box above", "", &card.of_parent) } }
                    if let Some((flat, cum)) = &card.everywhere {
                        { line("everywhere, cum", &cum.0, &cum.1) }
                        { line("everywhere, flat", &flat.0, &flat.1) }
                    }
                </tbody>
            </table>
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::render;

    fn html(card: Card) -> String {
        render::<Tooltip>(move || TooltipProps { card: Rc::new(card), dark: false })
    }

    #[test]
    fn tells_all_about_a_box() {
        let html = html(Card {
            name: "app::fib".to_owned(),
            place: "/src/main.rs:7".to_owned(),
            module: "guest.wasm".to_owned(),
            package: "app".to_owned(),
            cum: "0.30s".to_owned(),
            cum_pct: "29.41%".to_owned(),
            inlined: true,
            ..Card::default()
        });
        for part in ["app::fib", ">inlined<", "/src/main.rs:7", "guest.wasm", "<td>0.30s</td><td>29.41%</td>"] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn a_difference_tells_what_was_and_what_is() {
        let change = Some(("1s".to_owned(), "3s".to_owned(), "+2s (+200%)".to_owned()));
        let html = html(Card { name: "app::fib".to_owned(), change, ..Card::default() });
        for part in ["<td>1s</td>", "<td>3s</td>", "<td>+2s (+200%)</td>"] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains(">cum<"), "{html}");
    }

    #[test]
    fn names_are_text() {
        let html = html(Card { name: "<img src=x onerror=alert(1)>".to_owned(), ..Card::default() });
        assert!(html.contains("&lt;img") && !html.contains("<img"), "{html}");
    }
}
