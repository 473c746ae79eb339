//! The breadcrumb of filters: each step says what it does, and can be undone.

use yew::prelude::*;

use crate::protocol::Filter;
use crate::same::Same;
use crate::session::Session;
use crate::state::{Action, Overlay};

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct StepsProps {
    pub(crate) session: Same<Session>,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn Steps(props: &StepsProps) -> Html {
    let StepsProps { session, dispatch } = props;
    let filters = &session.route.filters;
    if filters.is_empty() && session.answers.refused.is_none() {
        return Html::default();
    }
    let step = |(at, filter): (usize, &Filter)| {
        let remove = dispatch.reform(move |_: MouseEvent| Action::RemoveFilter(at));
        let name = filter.shown();
        html! {
            <li class="step" data-testid="step" title={filter.kind.explanation()}>
                <span class="step-kind">{ filter.kind.option() }</span>{ " " }
                <span class="step-pattern"><bdi>{ &name }</bdi></span>
                <button type="button" class="step-remove" onclick={remove}
                    aria-label={format!("Undo {} {name}", filter.kind.option())}>{ "×" }</button>
            </li>
        }
    };
    let clear = dispatch.reform(|_: MouseEvent| Action::ClearFilters);
    let add = dispatch.reform(|_: MouseEvent| Action::Overlay(Overlay::Filters));
    html! {
        <nav class="steps" aria-label="Filters" data-testid="steps">
            <ol>{ for filters.iter().enumerate().map(step) }</ol>
            <button type="button" class="link" onclick={add} title="Add a filter (+)">{ "Add" }</button>
            if filters.len() > 1 { <button type="button" class="link" onclick={clear}>{ "Undo all" }</button> }
            if let Some(why) = &session.answers.refused { <p class="steps-refused" role="alert">{ why }</p> }
        </nav>
    }
}
