//! The views, each one click and one key away.

use yew::prelude::*;

use crate::route::View;
use crate::state::Action;

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct TabsProps {
    pub(crate) view: View,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn Tabs(props: &TabsProps) -> Html {
    let tab = |view: View| {
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::View(view));
        let is_here = view == props.view;
        let title = format!("{} ({})", view.title(), view.key());
        html! {
            <button type="button" role="tab" class="tab" aria-selected={is_here.to_string()} aria-controls="view" {onclick} {title}
                data-testid={format!("tab-{}", view.name())}>{ view.title() }</button>
        }
    };
    html! { <nav class="tabs" role="tablist" aria-label="Views">{ for View::ALL.into_iter().map(tab) }</nav> }
}
