//! The page's address: the state behind `#`, kept in step with what is on show, and `?url=`.

use gloo::events::EventListener;
use wasm_bindgen::JsValue;
use yew::prelude::*;

use crate::route::{Route, View};
use crate::state::Action;

/// The route that the page was opened with.
pub(crate) fn route() -> Route {
    let hash = web_sys::window().and_then(|window| window.location().hash().ok());
    Route::from_hash(&hash.unwrap_or_default())
}

/// The profile that the address names: `?url=` behind the page's own origin. Others' servers are not asked, as the
/// page's policy forbids; `wprof view URL` fetches those.
pub(crate) fn url() -> Option<String> {
    let search = web_sys::window()?.location().search().ok()?;
    web_sys::UrlSearchParams::new_with_str(&search).ok()?.get("url").filter(|url| !url.is_empty())
}

/// Writes `route` behind the `#`. A step that one may want to take back is a step of the browser's history; typing and
/// scrolling are not.
fn write(route: &Route, before: Option<&Route>) {
    let Some(window) = web_sys::window() else { return };
    let (Ok(history), Ok(now)) = (window.history(), window.location().hash()) else { return };
    let hash = route.to_hash();
    if now.trim_start_matches('#') == hash {
        return;
    }
    // An empty `#` still takes away what was there.
    let url = if hash.is_empty() { path() } else { format!("#{hash}") };
    let is_step = before.is_some_and(|before| is_step(before, route));
    let write = if is_step { web_sys::History::push_state_with_url } else { web_sys::History::replace_state_with_url };
    // Fails in pages that may not change their address, such as those from disk in some browsers; they work without.
    let _written = write(&history, &JsValue::NULL, "", Some(&url));
}

fn path() -> String {
    let location = web_sys::window().map(|window| window.location());
    let part = |part: fn(&web_sys::Location) -> Result<String, JsValue>| {
        location.as_ref().and_then(|it| part(it).ok()).unwrap_or_default()
    };
    format!("{}{}", part(web_sys::Location::pathname), part(web_sys::Location::search))
}

/// Whether one would want to go back from `after` to `before`.
fn is_step(before: &Route, after: &Route) -> bool {
    let place = |it: &Route| {
        let Route { view, file, sample_type, filters, picked, granularity, noinlines, flame, base, .. } = it.clone();
        (view, file, sample_type, filters, picked, granularity, noinlines, flame, base)
    };
    // The function that a view is about is a place to go back to; one that is only outlined is not.
    let is_about_function = matches!(after.view, View::Sandwich | View::Source);
    place(before) != place(after) || (is_about_function && before.function != after.function)
}

/// Keeps the address in step with what is on show, and what is on show with the address.
#[hook]
pub(crate) fn use_address(route: Option<&Route>, dispatch: &Callback<Action>) {
    let before = use_mut_ref(|| None::<Route>);
    use_effect_with(route.cloned(), move |route| {
        if let Some(route) = route {
            write(route, before.borrow().as_ref());
            *before.borrow_mut() = Some(route.clone());
        }
    });
    let dispatch = dispatch.clone();
    use_effect_with((), move |()| {
        let changed = web_sys::window().map(|window| {
            EventListener::new(&window, "popstate", move |_| dispatch.emit(Action::Route(Box::new(self::route()))))
        });
        move || drop(changed)
    });
}
