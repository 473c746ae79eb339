//! Files of earlier visits, and the reader's consent to keep them.

use std::rc::Rc;

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::recent::{self, Recent};

#[derive(PartialEq, Properties)]
pub(crate) struct RecentFilesProps {
    pub(crate) on_recent: Callback<String>,
}

#[component]
pub(crate) fn RecentFiles(props: &RecentFilesProps) -> Html {
    let is_agreed = use_state_eq(|| false);
    use_effect_with((), {
        let is_agreed = is_agreed.setter();
        move |()| is_agreed.set(recent::is_agreed())
    });
    let files = use_state(Rc::<[Recent]>::default);
    use_effect_with(*is_agreed, {
        let files = files.setter();
        move |_| {
            wasm_bindgen_futures::spawn_local(async move { files.set(recent::list().await) });
        }
    });
    let onchange = {
        let is_agreed = is_agreed.setter();
        move |event: Event| {
            let yes = event.target_dyn_into::<HtmlInputElement>().is_some_and(|it| it.checked());
            let is_agreed = is_agreed.clone();
            wasm_bindgen_futures::spawn_local(async move {
                recent::agree(yes).await;
                is_agreed.set(yes);
            });
        }
    };
    let row = |file: &Recent| {
        let name = file.name.clone();
        let onclick = props.on_recent.reform(move |_: MouseEvent| name.clone());
        html! {
            <li><button type="button" class="link" {onclick}><bdi>{ &file.name }</bdi></button></li>
        }
    };
    html! {
        <section class="recent" aria-label="Recent files">
            if *is_agreed && !files.is_empty() { <ul class="recent-list">{ for files.iter().map(row) }</ul> }
            <label class="recent-consent">
                <input type="checkbox" checked={*is_agreed} {onchange} data-testid="remember" />
                { "Keep the files that I open in this browser, to open them again" }
            </label>
        </section>
    }
}
