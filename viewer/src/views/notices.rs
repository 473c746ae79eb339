//! What is said in passing: one bad file of several, what was lost of a cut one.

use yew::prelude::*;

use crate::state::Action;

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct NoticesProps {
    pub(crate) notices: Vec<AttrValue>,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn Notices(props: &NoticesProps) -> Html {
    let notice = |(at, text): (usize, &AttrValue)| {
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Dismiss(at));
        html! {
            <li class="notice">
                <p>{ text }</p>
                <button type="button" class="step-remove" aria-label="Dismiss" {onclick}>{ "×" }</button>
            </li>
        }
    };
    html! {
        <div class="notices" role="status" data-testid="notices">
            if !props.notices.is_empty() { <ul>{ for props.notices.iter().enumerate().map(notice) }</ul> }
        </div>
    }
}
