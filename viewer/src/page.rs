//! Small dealings with the browser: theme, stored choices, sizes that follow an element, styles set from code.

use gloo::events::EventListener;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, ErrorEvent, HtmlElement, ResizeObserver, Storage};
use yew::prelude::*;

use crate::keys::Focus;
use crate::state::Theme;

const THEME_KEY: &str = "wprof-theme";

const SYSTEM_DARK: &str = "(prefers-color-scheme: dark)";

/// A panic of the page leaves nothing that could be clicked; at least say so. The style sheet shows the words.
///
/// Small bundles have no words for panics, and no hooks: there a panic is an error of the page's script.
pub(crate) fn own_up_to_panics() {
    yew::set_custom_panic_hook(Box::new(|info| own_up(&info.to_string())));
    if let Some(window) = web_sys::window() {
        let on_error = EventListener::new(&window, "error", |event| {
            // Others, as of a loop of ResizeObservers, leave the viewer as it was.
            let traps = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).filter(|it| it.contains("RuntimeError"));
            if let Some(message) = traps {
                own_up(&message);
            }
        });
        // It listens as long as the page is there.
        on_error.forget();
    }
}

fn own_up(message: &str) {
    if let Some(body) = web_sys::window().and_then(|window| window.document()?.body())
        && !body.has_attribute("data-panicked")
    {
        let _shown =
            body.set_attribute("data-panicked", &format!("wprof's viewer stopped, reload the page. {message}"));
    }
}

/// The theme chosen on an earlier visit.
pub(crate) fn stored_theme() -> Theme {
    let stored = storage().and_then(|storage| storage.get_item(THEME_KEY).ok()?);
    Theme::from_name(&stored.unwrap_or_default())
}

/// Puts `theme` in force and remembers it.
pub(crate) fn apply_theme(theme: Theme) {
    if let Some(root) = root() {
        let _set = root.set_attribute("data-theme", theme.name());
    }
    // Without storage (private windows) the choice lasts as long as the page.
    let _stored = storage().map(|storage| storage.set_item(THEME_KEY, theme.name()));
}

/// Whether the page is dark, chosen or by the system's wish.
pub(crate) fn is_dark(theme: Theme) -> bool {
    match theme {
        Theme::Light => false,
        Theme::Dark => true,
        Theme::System => web_sys::window()
            .and_then(|window| window.match_media(SYSTEM_DARK).ok()?)
            .is_some_and(|query| query.matches()),
    }
}

/// Notes a moment for whoever measures the page: drop, first paint, complete.
pub(crate) fn mark(name: &str) {
    if let Some(performance) = web_sys::window().and_then(|window| window.performance()) {
        // Fails only for names that browsers reserve.
        let _marked = performance.mark(name);
    }
}

/// Puts `text` into the clipboard, and says whether there is one: pages that are not served securely have none.
pub(crate) fn copy_text(text: &str) -> bool {
    let Some(navigator) = web_sys::window().map(|window| window.navigator()) else { return false };
    let clipboard = js_sys::Reflect::get(&navigator, &"clipboard".into());
    if !clipboard.is_ok_and(|clipboard| clipboard.is_object()) {
        return false;
    }
    let written = navigator.clipboard().write_text(text);
    wasm_bindgen_futures::spawn_local(async move {
        // The reader may forbid it.
        let _copied = wasm_bindgen_futures::JsFuture::from(written).await;
    });
    true
}

/// Hands a file to the reader, as browsers do downloads.
pub(crate) fn download(blob: &web_sys::Blob, name: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    let link =
        document.and_then(|document| document.create_element("a").ok()?.dyn_into::<web_sys::HtmlAnchorElement>().ok());
    if let (Some(link), Ok(address)) = (link, web_sys::Url::create_object_url_with_blob(blob)) {
        link.set_href(&address);
        link.set_download(name);
        link.click();
        // The browser has its own hold of it by now.
        let _revoked = web_sys::Url::revoke_object_url(&address);
    }
}

pub(crate) fn print() {
    let _printed = web_sys::window().map(|window| window.print());
}

/// Names the tab after the file, since several may be open.
pub(crate) fn set_title(file: Option<&str>) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        document.set_title(&file.map_or_else(|| "wprof".to_owned(), |file| format!("{file} · wprof")));
    }
}

/// Device pixels a CSS pixel.
pub(crate) fn density() -> f64 {
    web_sys::window().map_or(1.0, |window| window.device_pixel_ratio()).max(0.5)
}

/// `nanos` since 1970 as the reader's clock and language put it; 0 is no time.
pub(crate) fn local_time(nanos: i64) -> Option<String> {
    if nanos == 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of any plausible date are exact in an f64")]
    let millis = (nanos / 1_000_000) as f64;
    Some(js_sys::Date::new(&millis.into()).to_locale_string("default", &JsValue::UNDEFINED).into())
}

/// Sets a style from code: the page's policy forbids `style` attributes.
pub(crate) fn set_style(node: &NodeRef, property: &str, value: &str) {
    if let Some(element) = node.cast::<HtmlElement>() {
        let _set = element.style().set_property(property, value);
    }
}

/// What has the keyboard's focus.
pub(crate) fn focus() -> Focus {
    let active = web_sys::window().and_then(|window| window.document()?.active_element());
    let Some(active) = active else { return Focus::Page };
    // Dialogs have keys of their own.
    if active.closest("dialog").is_ok_and(|dialog| dialog.is_some()) {
        return Focus::Choice;
    }
    match (active.tag_name().as_str(), active.get_attribute("type").as_deref()) {
        ("INPUT", Some("search")) => Focus::Search,
        ("INPUT" | "SELECT" | "TEXTAREA", _) => Focus::Choice,
        ("BUTTON", _) => Focus::Button,
        _ => Focus::Page,
    }
}

/// What of a scrolling element is in view, in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Viewport {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) scroll_top: f64,
}

/// Follows size and scroll position of `node`; the callback goes to its `onscroll`.
#[hook]
pub(crate) fn use_viewport(node: &NodeRef) -> (Viewport, Callback<Event>) {
    let viewport = use_state_eq(Viewport::default);
    let measure = {
        let (node, viewport) = (node.clone(), viewport.setter());
        Callback::from(move |()| {
            if let Some(element) = node.cast::<Element>() {
                let (width, height) = (element.client_width().into(), element.client_height().into());
                viewport.set(Viewport { width, height, scroll_top: element.scroll_top().into() });
            }
        })
    };
    let (observed, on_resize) = (node.clone(), measure.clone());
    use_effect_with((), move |()| {
        on_resize.emit(());
        let resized = Closure::<dyn Fn()>::new(move || on_resize.emit(()));
        let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
        if let (Some(observer), Some(element)) = (&observer, observed.cast::<Element>()) {
            observer.observe(&element);
        }
        move || {
            if let Some(observer) = observer {
                observer.disconnect();
            }
            drop(resized);
        }
    });
    (*viewport, Callback::from(move |_: Event| measure.emit(())))
}

/// Renders again when the system's colours or the density of the screen change.
#[hook]
pub(crate) fn use_screen_changes() {
    let update = use_force_update();
    let density = density();
    use_effect_with(density.to_bits(), move |_| {
        let queries = [SYSTEM_DARK.to_owned(), format!("(resolution: {density}dppx)")];
        let listeners: Vec<EventListener> = queries
            .iter()
            .filter_map(|query| web_sys::window()?.match_media(query).ok()?)
            .map(|query| {
                let update = update.clone();
                EventListener::new(&query, "change", move |_| update.force_update())
            })
            .collect();
        move || drop(listeners)
    });
}

fn root() -> Option<Element> {
    web_sys::window()?.document()?.document_element()
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
