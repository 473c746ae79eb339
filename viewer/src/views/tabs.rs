//! The views, each one click and one key away.

use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::route::View;
use crate::state::Action;

/// Milliseconds.
const AFTER_LAYOUT: u32 = 50;

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
    let tabs = use_node_ref();
    let here = tabs.clone();
    use_effect_with(props.view, move |_| {
        // Where the tabs lie is known once the page is laid out; to ask before would have it laid out for that.
        let timeout = Timeout::new(AFTER_LAYOUT, move || bring_into_view(&here));
        move || drop(timeout)
    });
    html! { <nav class="tabs" role="tablist" aria-label="Views" ref={tabs}>{ for View::ALL.into_iter().map(tab) }</nav> }
}

/// Narrow pages show a part of the row only.
fn bring_into_view(tabs: &NodeRef) {
    let chosen = |tabs: &HtmlElement| tabs.query_selector("[aria-selected=true]").ok()??.dyn_into::<HtmlElement>().ok();
    if let Some(tabs) = tabs.cast::<HtmlElement>()
        && let Some(tab) = chosen(&tabs)
    {
        let left = tab.offset_left() - tabs.offset_left();
        tabs.set_scroll_left(left - (tabs.client_width() - tab.offset_width()) / 2);
    }
}
