//! The card beside the pointer: one box of the flame graph in full.

use std::rc::Rc;

use yew::prelude::*;

use crate::protocol::Card;

#[derive(PartialEq, Properties)]
pub(crate) struct TooltipProps {
    pub(crate) card: Rc<Card>,
}

#[component]
pub(crate) fn Tooltip(props: &TooltipProps) -> Html {
    let card = &*props.card;
    let kind = match (card.host, card.inlined) {
        (true, _) => Some("host"),
        (false, true) => Some("inlined"),
        (false, false) => None,
    };
    let line = |label: &'static str, value: &str, percent: &str| {
        html! { <tr><th scope="row">{ label }</th><td>{ value }</td><td>{ percent }</td></tr> }
    };
    html! {
        <>
            <p class="card-name">{ &card.name }if let Some(kind) = kind { <span class="card-kind">{ kind }</span> }</p>
            if !card.place.is_empty() { <p class="card-place">{ &card.place }</p> }
            <table>
                <tbody>
                    { line("cum", &card.cum, &card.cum_pct) }
                    { line("flat", &card.flat, &card.flat_pct) }
                    if !card.of_parent.is_empty() { { line("of caller", "", &card.of_parent) } }
                    if let Some((flat, cum)) = &card.everywhere {
                        { line("everywhere cum", &cum.0, &cum.1) }
                        { line("everywhere flat", &flat.0, &flat.1) }
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

    #[test]
    fn tells_all_about_a_box() {
        let card = Card {
            name: "app::fib".to_owned(),
            place: "/src/main.rs:7".to_owned(),
            cum: "0.30s".to_owned(),
            cum_pct: "29.41%".to_owned(),
            inlined: true,
            ..Card::default()
        };
        let html = render::<Tooltip>(move || TooltipProps { card: Rc::new(card) });
        for part in ["app::fib", ">inlined<", "/src/main.rs:7", "<td>0.30s</td><td>29.41%</td>"] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}
