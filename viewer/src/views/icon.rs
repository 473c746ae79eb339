//! wprof's sign, drawn in the page: a saved page has no file beside it.

use yew::prelude::*;

pub(crate) fn icon(class: &'static str, size: u32) -> Html {
    let size = size.to_string();
    html! {
        <svg {class} width={size.clone()} height={size} viewBox="0 0 32 32" role="img" aria-label="wprof">
            <rect width="32" height="32" rx="7" fill="#654ff0" />
            <g fill="#fff">
            <rect x="5" y="6.5" width="22" height="4" rx="1" />
            <rect x="5" y="11.5" width="13" height="4" rx="1" opacity=".9" />
            <rect x="19" y="11.5" width="8" height="4" rx="1" opacity=".65" />
            <rect x="5" y="16.5" width="8" height="4" rx="1" opacity=".8" />
            <rect x="14" y="16.5" width="4" height="4" rx="1" opacity=".55" />
            <rect x="19" y="16.5" width="5" height="4" rx="1" opacity=".45" />
            <rect x="5" y="21.5" width="5" height="4" rx="1" opacity=".7" />
            </g>
        </svg>
    }
}
