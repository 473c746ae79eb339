//! The page's address: the state behind `#`, kept in step with what is on show, and `?url=`.

use std::cell::RefCell;

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsValue;
use yew::prelude::*;

use crate::route::{Route, View};
use crate::state::Action;

/// The route that the address names.
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

/// How long the address lags behind typing, scrolling and walking through rows, in milliseconds: browsers refuse changes
/// beyond 200 in ten seconds.
const LAG: u32 = 250;
/// How long behind a step: the browser is busy with a new address for about a frame, and the view comes first.
const STEP_LAG: u32 = 80;

thread_local! {
    static UNWRITTEN: RefCell<Option<Unwritten>> = const { RefCell::new(None) };
}

/// What the address will say soon.
struct Unwritten {
    /// With whether it is a step; until it is written.
    route: Option<(Route, bool)>,
    _timer: Timeout,
}

/// Writes what is to be written now.
fn settle() {
    // The timer stays: it may be the one that calls.
    let unwritten = UNWRITTEN.with_borrow_mut(|it| it.as_mut().and_then(|it| it.route.take()));
    if let Some((route, is_step)) = unwritten {
        write(&route, is_step);
    }
}

/// The page's address with all that is on show behind the `#`.
pub(crate) fn whole() -> String {
    settle();
    web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default()
}

/// Writes `route` behind the `#`: as a step of the browser's history or in place of the last.
fn write(route: &Route, is_step: bool) {
    let Some(history) = web_sys::window().and_then(|window| window.history().ok()) else { return };
    let hash = route.to_hash();
    // An empty `#` still takes away what was there.
    let url = if hash.is_empty() { path() } else { format!("#{hash}") };
    let write = if is_step { web_sys::History::push_state_with_url } else { web_sys::History::replace_state_with_url };
    // Fails in pages that may not change their address, such as those from disk in some browsers; they work without.
    let _written = write(&history, &JsValue::NULL, "", Some(&url));
}

fn is_written(route: &Route) -> bool {
    let hash = web_sys::window().and_then(|window| window.location().hash().ok());
    hash.is_some_and(|hash| hash.trim_start_matches('#') == route.to_hash())
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

/// Keeps the address in step with what is on show, and what is on show with the address. A step that one may want to take
/// back is a step of the browser's history; typing and scrolling are not.
#[hook]
pub(crate) fn use_address(route: Option<&Route>, dispatch: &Callback<Action>) {
    let before = use_mut_ref(|| None::<Route>);
    use_effect_with(route.cloned(), move |route| {
        let Some(route) = route else { return };
        let before = before.replace(Some(route.clone()));
        // Where the address was there first, as by going back, what it was to say before must not be written over it.
        let unwritten = UNWRITTEN.take().and_then(|it| it.route);
        if is_written(route) {
            return;
        }
        let is_step = before.is_some_and(|before| is_step(&before, route));
        let was_step = unwritten.as_ref().is_some_and(|(_, was_step)| *was_step);
        if is_step && let Some((from, _)) = unwritten {
            write(&from, was_step);
        }
        let timer = Timeout::new(if is_step { STEP_LAG } else { LAG }, settle);
        UNWRITTEN.replace(Some(Unwritten { route: Some((route.clone(), is_step || was_step)), _timer: timer }));
    });
    let dispatch = dispatch.clone();
    use_effect_with((), move |()| {
        let go = move || dispatch.emit(Action::Route(Box::new(self::route())));
        let changed = web_sys::window().map(|window| {
            let go = go.clone();
            EventListener::new(&window, "popstate", move |_| go())
        });
        // Asked for only now, as of what was changed before nobody heard.
        if self::route() != Route::default() {
            go();
        }
        move || drop(changed)
    });
}
