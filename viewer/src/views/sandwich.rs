//! A function between what called it and what it called: flame graphs of both, and the direct neighbours as `wprof peek`
//! prints them.

use yew::prelude::*;

use crate::protocol::{Ask, Neighbour, Sandwich, SandwichAsk};
use crate::route::View;
use crate::session::{FlameSlot, Session};
use crate::state::Action;
use crate::views::flame_graph::FlameGraph;
use crate::views::grid::bar;
use crate::views::name::{NameStyle, colour, letters, name, use_query};
use crate::views::props::ViewProps;
use crate::views::row_menu::{MenuAt, RowMenu};
use crate::views::top_table::TopTable;

#[component]
pub(crate) fn SandwichView(props: &ViewProps) -> Html {
    let ViewProps { session, dark, dispatch } = props;
    let menu = use_state_eq(|| None::<MenuAt>);
    let Some(function) = &session.route.function else { return choice(props) };
    let sandwich = found(session);
    let is_gone = sandwich.is_some_and(|it| !it.is_found);
    let graph = |slot: FlameSlot| {
        html! { <FlameGraph session={session.clone()} {slot} dark={*dark} dispatch={dispatch.clone()} /> }
    };
    let on_menu = Callback::from({
        let menu = menu.clone();
        move |at| menu.set(Some(at))
    });
    let on_close = Callback::from({
        let menu = menu.clone();
        move |()| menu.set(None)
    });
    html! {
        <section class="pane sandwich-pane" aria-label="Callers and callees">
            { head(props, function, sandwich, &on_menu) }
            if is_gone {
                <p class="table-empty" role="note">{ "No sample on show has this function: filters, or another sample type, leave it out." }</p>
            } else {
                <div class="sandwich-body">
                    <Neighbours ..props.clone() />
                    <div class="sandwich-graphs">
                        { graph(FlameSlot::Callers) }
                        <p class="sandwich-between">
                            { colour(sandwich.map(|it| it.look).unwrap_or_default(), *dark) }
                            <span class="full"><bdi dir="ltr">{ letters(function, None) }</bdi></span>
                        </p>
                        { graph(FlameSlot::Callees) }
                    </div>
                </div>
            }
            if let Some(at) = &*menu { <RowMenu at={at.clone()} {on_close} dispatch={dispatch.clone()} /> }
        </section>
    }
}

/// The answer about the chosen function, if it is there.
fn found(session: &Session) -> Option<&Sandwich> {
    let asked = Ask::Sandwich(SandwichAsk { function: session.route.function.clone()? });
    let latest = session.sandwich().filter(|latest| *latest.asked == asked && latest.is_current)?;
    Some(latest.reply)
}

/// The direct callers above the direct callees.
#[component]
fn Neighbours(props: &ViewProps) -> Html {
    let sandwich = found(&props.session);
    let query = use_query(&props.session.route.query);
    let style = NameStyle { dark: props.dark, query: (*query).as_ref() };
    html! {
        <div class="neighbours">
            { neighbours("Called by", "callers", sandwich.map(|it| &it.callers[..]), props, style) }
            { neighbours("Calls", "callees", sandwich.map(|it| &it.callees[..]), props, style) }
        </div>
    }
}

/// Before a function is chosen: all of them.
fn choice(props: &ViewProps) -> Html {
    html! {
        <section class="pane" aria-label="Choose a function">
            <p class="pane-hint" role="note">
                <strong>{ "Choose a function" }</strong>
                { " to see what called it and what it called. " }
                <span class="pane-hint-more">{ "Search above, or " }<kbd>{ "↑" }</kbd>{ " " }<kbd>{ "↓" }</kbd>{ " and " }
                <kbd>{ "Enter" }</kbd>{ "." }</span>
            </p>
            <TopTable ..props.clone() />
        </section>
    }
}

fn head(props: &ViewProps, function: &str, sandwich: Option<&Sandwich>, on_menu: &Callback<MenuAt>) -> Html {
    let back = props.dispatch.reform(|_: MouseEvent| Action::Function(None));
    let menu = {
        let (name, on_menu) = (function.to_owned(), on_menu.clone());
        move |event: MouseEvent| on_menu.emit(MenuAt::event(&name, &event))
    };
    let value = |label: &'static str, value: &str, share: &str| {
        html! { <div class="fact"><dt>{ label }</dt><dd>{ value.to_owned() }{ " " }<span class="muted">{ share.to_owned() }</span></dd></div> }
    };
    html! {
        <header class="sandwich-head">
            <button type="button" class="button" onclick={back} data-testid="sandwich-back">{ "‹ All functions" }</button>
            <h2 class="sandwich-name" title={function.to_owned()} data-testid="sandwich-name">
                <bdi>{ function.to_owned() }</bdi>
            </h2>
            <button type="button" class="button icon-button" aria-haspopup="menu" onclick={menu}
                aria-label={format!("Actions for {function}")}>{ "…" }</button>
            if let Some(sandwich) = sandwich.filter(|it| it.is_found) {
                <dl class="sandwich-facts" data-testid="sandwich-facts">
                    { value("flat", &sandwich.flat, &sandwich.flat_pct) }
                    { value("cum", &sandwich.cum, &sandwich.cum_pct) }
                </dl>
                if !sandwich.place.is_empty() { <p class="sandwich-place"><bdi>{ &sandwich.place }</bdi></p> }
            }
        </header>
    }
}

fn neighbours(
    title: &'static str,
    testid: &'static str,
    neighbours: Option<&[Neighbour]>,
    props: &ViewProps,
    style: NameStyle<'_>,
) -> Html {
    let row = |it: &Neighbour| {
        let function = it.name.clone();
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Open(View::Sandwich, function.clone()));
        html! {
            <tr>
                <td class="cell">{ &it.weight }</td>
                <td class="cell share">{ bar(&it.share) }{ &it.share }</td>
                <td class="cell name">
                    <button type="button" class="name-button" title={it.name.clone()} {onclick}>
                        { name(&it.name, it.look, &it.marker, style) }
                    </button>
                </td>
            </tr>
        }
    };
    let nobody = if testid == "callers" { "Nothing: stacks begin with it." } else { "Nothing: stacks end with it." };
    html! {
        <div class="neighbour-table">
            <table data-testid={testid}>
                <caption>{ title }</caption>
                <thead>
                    <tr>
                        <th scope="col" class="cell" title="Of the samples that have this call">{ "weight" }</th>
                        <th scope="col" class="cell share" title="Of the function's cum">{ "share" }</th>
                        <th scope="col" class="cell name">{ "name" }</th>
                    </tr>
                </thead>
                <tbody>{ for neighbours.unwrap_or_default().iter().map(row) }</tbody>
            </table>
            if neighbours.is_some_and(<[_]>::is_empty) { <p class="table-empty">{ nobody }</p> }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Reply, Rows};
    use crate::views::testing::{answer, props, render, session};

    fn html(session: Session) -> String {
        let props = props(session);
        render::<SandwichView>(move || props)
    }

    fn with(function: &str, sandwich: Sandwich) -> Session {
        let mut session = session(&["cpu"], "view=sandwich&function=app::log");
        answer(&mut session, Ask::Sandwich(SandwichAsk { function: function.to_owned() }), Reply::Sandwich(sandwich));
        session
    }

    #[test]
    fn neighbours_are_on_both_sides() {
        let neighbour = |name: &str| Neighbour {
            name: name.to_owned(),
            weight: "4ms".to_owned(),
            share: "40.00%".to_owned(),
            marker: "(inline)".to_owned(),
            ..Neighbour::default()
        };
        let sandwich = Sandwich {
            is_found: true,
            cum: "10ms".to_owned(),
            callers: vec![neighbour("main")],
            callees: Vec::new(),
            ..Sandwich::default()
        };
        let props = props(with("app::log", sandwich));
        let html = render::<Neighbours>(move || props);
        for part in [">4ms<", ">40.00%<", "main", "(inline)", "stacks end with it"] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("stacks begin with it"), "{html}");
    }

    #[test]
    fn the_answer_for_another_function_is_not_shown() {
        let sandwich = || Sandwich { is_found: true, ..Sandwich::default() };
        assert_eq!(found(&with("main", sandwich())), None);
        assert_eq!(found(&with("app::log", sandwich())), Some(&sandwich()));
    }

    #[test]
    fn a_function_that_filters_leave_out_is_said_to_be_gone() {
        assert!(html(with("app::log", Sandwich::default())).contains("No sample on show has this function"));
    }

    #[test]
    fn without_a_function_there_are_all() {
        let mut session = session(&["cpu"], "view=sandwich");
        let ask = Ask::Rows(session.rows_ask());
        answer(&mut session, ask, Reply::Rows(Rows::default()));
        let html = html(session);
        assert!(html.contains("Choose a function") && html.contains("top-table"), "{html}");
    }
}
