//! What can be done with a function of a table, or with a whole module: a menu where it was asked for.

use gloo::events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Node};
use yew::prelude::*;

use crate::page::{copy_text, set_style};
use crate::protocol::{Filter, FilterKind};
use crate::route::View;
use crate::state::Action;
use crate::views::grid::Grid;

/// A menu that is open: of which function or module, and where in the window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MenuAt {
    pub(crate) name: String,
    /// Filters match modules by their names, too; the rest is for functions.
    pub(crate) is_module: bool,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl MenuAt {
    /// At the pointer, or below what was pressed by a key.
    pub(crate) fn event(name: &str, event: &MouseEvent) -> MenuAt {
        match (event.client_x(), event.client_y(), event.target_dyn_into::<Element>()) {
            (0, 0, Some(pressed)) => MenuAt::below(name, &pressed),
            (x, y, _) => MenuAt { name: name.to_owned(), is_module: false, x: x.into(), y: y.into() },
        }
    }

    /// Below an element, such as the row that the keyboard is at.
    pub(crate) fn below(name: &str, element: &Element) -> MenuAt {
        let frame = element.get_bounding_client_rect();
        MenuAt { name: name.to_owned(), is_module: false, x: frame.left() + 24.0, y: frame.bottom() }
    }
}

/// The menu of a table or graph, open or not.
pub(crate) struct TableMenu {
    at: UseStateHandle<Option<MenuAt>>,
    scroller: NodeRef,
}

/// A menu for what scrolls there, which gets the focus back when it closes.
#[hook]
pub(crate) fn use_table_menu(scroller: &NodeRef) -> TableMenu {
    TableMenu { at: use_state_eq(|| None::<MenuAt>), scroller: scroller.clone() }
}

impl TableMenu {
    /// Opens it where it is told.
    pub(crate) fn opener(&self) -> Callback<MenuAt> {
        let menu = self.at.setter();
        Callback::from(move |at| menu.set(Some(at)))
    }

    /// Opens it below the row that keys are at; to be kept by what hears them.
    pub(crate) fn row_opener(&self) -> impl Fn(&str, usize) + use<> {
        let menu = self.at.setter();
        move |name, at| {
            let row = web_sys::window().and_then(|it| it.document()?.get_element_by_id(&format!("row-{at}")));
            menu.set(row.map(|row| MenuAt::below(name, &row)));
        }
    }

    pub(crate) fn view(&self, dispatch: &Callback<Action>) -> Html {
        let Some(at) = &*self.at else { return Html::default() };
        let (menu, scroller) = (self.at.setter(), self.scroller.clone());
        let on_close = Callback::from(move |()| {
            menu.set(None);
            Grid::focus(&scroller);
        });
        html! { <RowMenu at={at.clone()} {on_close} dispatch={dispatch.clone()} /> }
    }
}

/// Opens the menu of a function at the pointer.
pub(crate) fn menu_at(name: &str, on_menu: &Callback<MenuAt>) -> impl Fn(MouseEvent) + use<> {
    let (name, on_menu) = (name.to_owned(), on_menu.clone());
    move |event: MouseEvent| {
        event.prevent_default();
        event.stop_propagation();
        on_menu.emit(MenuAt::event(&name, &event));
    }
}

/// The button in a row that opens its menu.
pub(crate) fn more(name: &str, on_menu: &Callback<MenuAt>) -> Html {
    html! {
        <button type="button" class="row-more" tabindex="-1" aria-haspopup="menu" onclick={menu_at(name, on_menu)}
            aria-label={format!("Actions for {name}")} title="Actions (m)">{ "…" }</button>
    }
}

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct RowMenuProps {
    pub(crate) at: MenuAt,
    pub(crate) on_close: Callback<()>,
    pub(crate) dispatch: Callback<Action>,
}

/// What an item does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Add(FilterKind, &'static str, &'static str),
    Show(View, &'static str),
    Copy,
}

/// Those that a module has, too, are first.
const ITEMS: [Item; 7] = [
    Item::Add(FilterKind::Focus, "Focus on it", "Only samples with it"),
    Item::Add(FilterKind::Ignore, "Ignore", "No samples with it"),
    Item::Add(FilterKind::Hide, "Hide", "It counts for its callers"),
    Item::Add(FilterKind::ShowFrom, "Show from here", "What called it is cut off"),
    Item::Show(View::Sandwich, "Callers and callees"),
    Item::Show(View::Source, "Source"),
    Item::Copy,
];

const N_OF_MODULE: usize = 3;

#[component]
pub(crate) fn RowMenu(props: &RowMenuProps) -> Html {
    let menu = use_node_ref();
    use_effect_with(props.at.clone(), {
        let menu = menu.clone();
        move |at| open(&menu, at)
    });
    use_effect_with((), {
        let (menu, on_close) = (menu.clone(), props.on_close.clone());
        move |()| {
            let pressed = web_sys::window().map(|window| {
                EventListener::new(&window, "pointerdown", move |event| {
                    let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
                    if !menu.get().is_some_and(|menu| menu.contains(target.as_ref())) {
                        on_close.emit(());
                    }
                })
            });
            move || drop(pressed)
        }
    });
    let onkeydown = {
        let (menu, on_close) = (menu.clone(), props.on_close.clone());
        move |event: KeyboardEvent| {
            // Keys are the menu's own while it is open.
            event.stop_propagation();
            match event.key().as_str() {
                "Escape" | "Tab" => {
                    event.prevent_default();
                    on_close.emit(());
                }
                "ArrowDown" => step(&menu, &event, 1),
                "ArrowUp" => step(&menu, &event, -1),
                _ => {}
            }
        }
    };
    let oncontextmenu = |event: MouseEvent| event.prevent_default();
    let n_items = if props.at.is_module { N_OF_MODULE } else { ITEMS.len() };
    html! {
        <div ref={menu} class="popover row-menu" role="menu" aria-label={format!("Actions for {}", props.at.name)}
            {onkeydown} {oncontextmenu} data-testid="row-menu">
            <p class="row-menu-name" role="presentation"><bdi>{ &props.at.name }</bdi></p>
            { for ITEMS.into_iter().take(n_items).map(|it| item(props, it)) }
        </div>
    }
}

fn item(props: &RowMenuProps, item: Item) -> Html {
    let (name, dispatch, on_close) = (props.at.name.clone(), props.dispatch.clone(), props.on_close.clone());
    let onclick = move |_: MouseEvent| {
        match item {
            Item::Add(kind, ..) => dispatch.emit(Action::AddFilter(Filter::exactly(kind, &name))),
            Item::Show(view, _) => dispatch.emit(Action::Open(view, name.clone())),
            Item::Copy => {
                let _copied = copy_text(&name);
            }
        }
        on_close.emit(());
    };
    let (label, hint) = match item {
        Item::Add(_, label, hint) => (label, hint),
        Item::Show(_, label) => (label, ""),
        Item::Copy => ("Copy name", ""),
    };
    html! {
        <button type="button" class="row-menu-item" role="menuitem" tabindex="-1" {onclick}>
            <span>{ label }</span>
            if !hint.is_empty() { <span class="row-menu-hint">{ hint }</span> }
        </button>
    }
}

/// Puts the menu where it was asked for, or as near as the window has room, and gives it the keyboard.
fn open(menu: &NodeRef, at: &MenuAt) {
    let (Some(element), Some(window)) = (menu.cast::<Element>(), web_sys::window()) else { return };
    let size = element.get_bounding_client_rect();
    let side = |side: Result<wasm_bindgen::JsValue, _>| side.ok().and_then(|it| it.as_f64()).unwrap_or(0.0);
    let left = at.x.min(side(window.inner_width()) - size.width() - 8.0).max(8.0);
    let top = at.y.min(side(window.inner_height()) - size.height() - 8.0).max(8.0);
    set_style(menu, "left", &format!("{left:.0}px"));
    set_style(menu, "top", &format!("{top:.0}px"));
    focus(element.query_selector("[role=menuitem]").ok().flatten());
}

/// To the next item, from the last to the first.
fn step(menu: &NodeRef, event: &KeyboardEvent, by: i32) {
    event.prevent_default();
    let Some(menu) = menu.cast::<Element>() else { return };
    let active = web_sys::window().and_then(|window| window.document()?.active_element());
    let active = active.filter(|it| menu.contains(Some(it)) && *it != menu);
    let (neighbour, end) = if by > 0 {
        (active.and_then(|it| it.next_element_sibling()), "[role=menuitem]")
    } else {
        // Above the first is the menu's heading.
        let before = active.and_then(|it| it.previous_element_sibling());
        (before.filter(|it| it.get_attribute("role").as_deref() == Some("menuitem")), "[role=menuitem]:last-child")
    };
    focus(neighbour.or_else(|| menu.query_selector(end).ok().flatten()));
}

fn focus(element: Option<Element>) {
    let _focused = element.and_then(|it| it.dyn_into::<HtmlElement>().ok()).map(|it| it.focus());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::render;

    #[test]
    fn offers_what_can_be_done_with_a_function() {
        let html = |is_module| {
            let at = MenuAt { name: "<img src=x>".to_owned(), is_module, x: 0.0, y: 0.0 };
            render::<RowMenu>(move || RowMenuProps { at, on_close: Callback::noop(), dispatch: Callback::noop() })
        };
        let n_items = |html: &str| html.matches("role=\"menuitem\"").count();
        let of_function = html(false);
        assert_eq!(n_items(&of_function), ITEMS.len(), "{of_function}");
        assert!(of_function.contains("&lt;img src=x&gt;") && !of_function.contains("<img"), "{of_function}");
        let of_module = html(true);
        assert!(n_items(&of_module) == 3 && of_module.contains("Hide") && !of_module.contains("Source"), "{of_module}");
    }
}
