//! What can be done with a box: a menu at the pointer, and a row of the same on the card of a touched one.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::export::Format;
use crate::page::{copy_text, set_style};
use crate::protocol::{Filter, FilterKind};
use crate::route::View;
use crate::session::FlameSlot;
use crate::state::Action;

/// The box that the actions are about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Subject {
    pub(super) slot: FlameSlot,
    pub(super) node: u32,
    /// Unknown for a moment where the box shows none; the root has none that filters could match.
    pub(super) name: Option<AttrValue>,
    /// From the root to the box, a name a line, once it is known.
    pub(super) stack: Option<AttrValue>,
}

/// An entry: what it is called, and what it does.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    label: &'static str,
    hint: &'static str,
    deed: Deed,
}

#[derive(Clone, Debug, PartialEq)]
enum Deed {
    Do(Action),
    Copy(AttrValue),
    Save(Format),
}

fn entries(subject: &Subject) -> Vec<Entry> {
    let zoom = Entry { label: "Zoom in", hint: "Enter", deed: Deed::Do(Action::Zoom(subject.slot, subject.node)) };
    let mut entries = vec![zoom];
    if let Some(name) = subject.name.as_ref().filter(|_| subject.node != 0) {
        let filter = |kind| Deed::Do(Action::AddFilter(Filter::exactly(kind, name)));
        let open = |view| Deed::Do(Action::Open(view, name.to_string()));
        let mut add = |label, hint, deed| entries.push(Entry { label, hint, deed });
        add("Focus", "only its samples", filter(FilterKind::Focus));
        add("Ignore", "without its samples", filter(FilterKind::Ignore));
        add("Hide", "its time is its callers'", filter(FilterKind::Hide));
        add("Show from here", "cut what is above", filter(FilterKind::ShowFrom));
        add("Callers & callees", "sandwich", open(View::Sandwich));
        add("Source", "lines", open(View::Source));
        add("Copy name", "", Deed::Copy(name.clone()));
    }
    if let Some(stack) = &subject.stack {
        entries.push(Entry { label: "Copy stack", hint: "", deed: Deed::Copy(stack.clone()) });
    }
    entries
}

/// What can be done with the whole graph.
fn pictures() -> [Entry; 2] {
    [("Save as SVG", Format::Svg), ("Save as PNG", Format::Png)].map(|(label, format)| Entry {
        label,
        hint: "",
        deed: Deed::Save(format),
    })
}

fn act(deed: &Deed, dispatch: &Callback<Action>, on_save: &Callback<Format>) {
    match deed {
        Deed::Save(format) => on_save.emit(*format),
        Deed::Do(action) => dispatch.emit(action.clone()),
        Deed::Copy(text) => {
            let _copied = copy_text(text);
        }
    }
}

#[derive(Debug, PartialEq, Properties)]
pub(super) struct MenuProps {
    pub(super) subject: Subject,
    /// Pixels of the window.
    pub(super) at: (f64, f64),
    pub(super) on_close: Callback<()>,
    pub(super) on_save: Callback<Format>,
    pub(super) dispatch: Callback<Action>,
}

/// The menu of a box.
#[component]
pub(super) fn Menu(props: &MenuProps) -> Html {
    let menu = use_node_ref();
    let mut entries = entries(&props.subject);
    if props.subject.slot == FlameSlot::Main {
        entries.extend(pictures());
    }
    use_effect_with((props.at, entries.len()), {
        let menu = menu.clone();
        move |&(at, _)| {
            place(&menu, at);
            focus(&menu, Step::To(0));
        }
    });
    let onkeydown = {
        let (menu, on_close) = (menu.clone(), props.on_close.clone());
        move |event: KeyboardEvent| {
            event.stop_propagation();
            let step = match event.key().as_str() {
                "ArrowDown" => Some(Step::By(1)),
                "ArrowUp" => Some(Step::By(-1)),
                "Home" => Some(Step::To(0)),
                "End" => Some(Step::To(-1)),
                "Escape" | "Tab" => {
                    event.prevent_default();
                    on_close.emit(());
                    None
                }
                _ => None,
            };
            if let Some(step) = step {
                event.prevent_default();
                focus(&menu, step);
            }
        }
    };
    let item = |entry: &Entry| {
        let (deed, dispatch, on_close) = (entry.deed.clone(), props.dispatch.clone(), props.on_close.clone());
        let on_save = props.on_save.clone();
        let onclick = move |_: MouseEvent| {
            on_close.emit(());
            act(&deed, &dispatch, &on_save);
        };
        html! {
            <button type="button" role="menuitem" tabindex="-1" {onclick}>
                <span>{ entry.label }</span><span class="menu-hint">{ entry.hint }</span>
            </button>
        }
    };
    let close = props.on_close.clone();
    let close_by_menu_key = props.on_close.clone();
    let oncontextmenu = move |event: MouseEvent| {
        event.prevent_default();
        close_by_menu_key.emit(());
    };
    let title = props.subject.name.clone().unwrap_or_else(|| "This box".into());
    html! {
        <>
            <div class="flame-menu-veil" onclick={move |_: MouseEvent| close.emit(())} {oncontextmenu}></div>
            <div ref={menu} class="flame-menu" role="menu" aria-label={title.clone()} data-testid="flame-menu" {onkeydown}>
                <p class="flame-menu-title" role="presentation">{ title }</p>
                { for entries.iter().map(item) }
            </div>
        </>
    }
}

#[derive(Debug, PartialEq, Properties)]
pub(super) struct ActionRowProps {
    pub(super) subject: Subject,
    pub(super) dispatch: Callback<Action>,
}

/// The same actions as buttons, for fingers.
#[component]
pub(super) fn ActionRow(props: &ActionRowProps) -> Html {
    let button = |entry: &Entry| {
        let (deed, dispatch) = (entry.deed.clone(), props.dispatch.clone());
        html! { <button type="button" class="button" onclick={move |_: MouseEvent| act(&deed, &dispatch, &Callback::noop())}>{ entry.label }</button> }
    };
    html! { <div class="card-actions">{ for entries(&props.subject).iter().map(button) }</div> }
}

#[derive(Clone, Copy)]
enum Step {
    By(i32),
    /// From the end if it is negative.
    To(i32),
}

fn focus(menu: &NodeRef, step: Step) {
    let Some(menu) = menu.cast::<Element>() else { return };
    let Ok(items) = menu.query_selector_all("[role=menuitem]") else { return };
    let items: Vec<HtmlElement> = (0..items.length()).filter_map(|at| items.get(at)?.dyn_into().ok()).collect();
    let active = web_sys::window().and_then(|window| window.document()?.active_element());
    let at = items.iter().position(|item| active.as_ref().is_some_and(|active| active == item.as_ref()));
    let n_items = i32::try_from(items.len()).unwrap_or(i32::MAX).max(1);
    let to = match step {
        Step::By(by) => at.and_then(|at| i32::try_from(at).ok()).map_or(0, |at| at + by),
        Step::To(to) => to,
    };
    let item = usize::try_from(to.rem_euclid(n_items)).ok().and_then(|at| items.get(at));
    // Fails for what is gone already.
    let _focused = item.map(|item| item.focus());
}

/// At the pointer, as far as the window has room.
fn place(menu: &NodeRef, (x, y): (f64, f64)) {
    let (Some(element), Some(window)) = (menu.cast::<Element>(), web_sys::window()) else { return };
    let size = |size: Result<wasm_bindgen::JsValue, _>| size.ok().and_then(|it| it.as_f64()).unwrap_or(0.0);
    let (width, height) = (size(window.inner_width()), size(window.inner_height()));
    let frame = element.get_bounding_client_rect();
    let left = x.min(width - frame.width() - 8.0).max(8.0);
    let top = y.min(height - frame.height() - 8.0).max(8.0);
    set_style(menu, "transform", &format!("translate({left:.0}px, {top:.0}px)"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(subject: &Subject) -> Vec<&'static str> {
        entries(subject).iter().map(|entry| entry.label).collect()
    }

    #[test]
    fn filters_are_for_the_function_alone() {
        let subject = Subject {
            slot: FlameSlot::Main,
            node: 3,
            name: Some("a.(*T).b".into()),
            stack: Some("root\na.(*T).b".into()),
        };
        let entries = entries(&subject);
        let focus = entries.iter().find(|entry| entry.label == "Focus").map(|entry| entry.deed.clone());
        assert_eq!(focus, Some(Deed::Do(Action::AddFilter(Filter::exactly(FilterKind::Focus, "a.(*T).b")))));
        assert_eq!(entries.last().map(|entry| entry.deed.clone()), Some(Deed::Copy("root\na.(*T).b".into())));
    }

    #[test]
    fn the_root_is_no_function() {
        let root = Subject { slot: FlameSlot::Main, node: 0, name: Some("root".into()), stack: None };
        assert_eq!(labels(&root), ["Zoom in"]);
        let nameless = Subject { node: 4, name: None, ..root };
        assert_eq!(labels(&nameless), ["Zoom in"]);
    }
}
