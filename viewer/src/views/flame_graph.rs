//! The flame graph's pane: a canvas the size of the pane, a scroller above it which is also a tree for those who cannot
//! see it, the way to the zoomed box, pointer and keys.

mod actions;
mod bar;
mod ears;
mod milestones;
mod outline;
mod picture;
mod pointer;
mod wheel;

use std::rc::Rc;

use wasm_bindgen::JsCast;
use yew::prelude::*;

use crate::boxes::Sheet;
use crate::canvas::Outlines;
use crate::export;
use crate::page::{Viewport, density, set_style, use_screen_changes, use_viewport};
use crate::protocol::{Card, Flame, FlameBox, Tree};
use crate::same::Same;
use crate::session::{FlameSlot, Session};
use crate::state::Action;
use crate::views::row_menu::use_table_menu;
use crate::views::tooltip::Tooltip;
use actions::{ActionRow, Menu, Subject};
use ears::Ears;
use picture::{Pane, Picture};
use pointer::Pointer;
use wheel::use_wheel;

#[derive(Debug, PartialEq, Properties)]
pub(crate) struct FlameGraphProps {
    pub(crate) session: Same<Session>,
    pub(crate) slot: FlameSlot,
    pub(crate) dark: bool,
    pub(crate) dispatch: Callback<Action>,
}

impl FlameGraphProps {
    fn flame(&self) -> Option<&Same<Flame>> {
        self.session.flame(self.slot).drawn.as_ref().map(|(_, flame)| flame)
    }

    fn zoom(&self) -> u32 {
        self.session.flame(self.slot).zoom_node()
    }

    fn hover(&self) -> Option<u32> {
        self.session.flame(self.slot).hover
    }

    /// The box that keys are about.
    fn at(&self) -> u32 {
        self.hover().unwrap_or(self.zoom())
    }

    /// Callers stand above what they call.
    fn is_upward(&self) -> bool {
        match self.slot {
            FlameSlot::Main => self.session.route.flame.upward,
            FlameSlot::Callers => true,
            FlameSlot::Callees => false,
        }
    }

    fn is_diff(&self) -> bool {
        matches!(self.session.flame_tree(self.slot), Some(Tree::Diff { .. }))
    }

    fn outlines(&self) -> Outlines {
        Outlines { hover: self.hover(), function: self.flame().and_then(|flame| flame.function) }
    }

    /// What to say where there are no boxes, or none but the root.
    fn why_empty(&self) -> Option<String> {
        match (self.flame(), &self.session.answers.refused) {
            (None, Some(why)) => Some(why.clone()),
            (None, None) => Some("Building the flame graph…".to_owned()),
            (Some(flame), _) if flame.n_rows <= 1 && !flame.is_partial => {
                Some("Nothing here has a value of this type.".to_owned())
            }
            (Some(_), _) => None,
        }
    }

    fn card(&self) -> Option<&Card> {
        self.session.current_card().filter(|(of, _)| *of == self.slot).map(|(_, card)| card)
    }
}

/// The menu of a box, and where it is open.
#[derive(Clone, Debug, PartialEq)]
struct Opened {
    node: u32,
    name: Option<AttrValue>,
    at: (f64, f64),
}

#[component]
pub(crate) fn FlameGraph(props: &FlameGraphProps) -> Html {
    let slot = props.slot;
    let pointer = (*use_memo((), |()| Rc::new(Pointer::default()))).clone();
    let picture = Rc::clone(&pointer.picture);
    let space = use_node_ref();
    let menu = use_state_eq(|| None::<Opened>);
    let module_menu = use_table_menu(&pointer.scroller);
    let (viewport, onscroll) = use_viewport(&pointer.scroller);
    use_screen_changes();
    use_drawing(props, &picture, viewport);
    use_scrolling(props, &pointer, &space, viewport);
    use_wheel(&pointer, slot, &props.dispatch);

    let has_rows = props.session.current_rows().is_some();
    use_effect_with((props.session.file, has_rows), |&(file, has_rows)| {
        if has_rows {
            milestones::rows(file);
        }
    });
    let card = props.card().cloned().map(Rc::new);
    // The last one stays for a moment, which the style sheet has, so that nothing flickers from box to box.
    let last_card = use_mut_ref(|| None::<Rc<Card>>);
    if let Some(card) = &card {
        last_card.replace(Some(Rc::clone(card)));
    }
    // The next card may be larger than the one that was placed.
    use_effect_with((card.clone(), pointer.is_touch.get()), {
        let pointer = Rc::clone(&pointer);
        move |_| pointer.place_card()
    });

    let subject = |node: u32, name: Option<AttrValue>| {
        let card = props.card().filter(|_| props.hover() == Some(node));
        let name = name.or_else(|| card.map(|card| card.name.clone().into()));
        let stack = card.and_then(|card| outline::stack(card, node)).map(Into::into);
        Subject { slot, node, name, stack }
    };
    let on_close = {
        let (menu, pointer, dispatch) = (menu.clone(), Rc::clone(&pointer), props.dispatch.clone());
        Callback::from(move |()| {
            menu.set(None);
            focus(&pointer);
            dispatch.emit(Action::Inspect(slot, false));
        })
    };
    let on_save = {
        let (session, dark) = (props.session.clone(), props.dark);
        Callback::from(move |format| export::save(&session, dark, format))
    };
    let opened_menu = menu.as_ref().map(|Opened { node, name, at }| {
        html! {
            <Menu subject={subject(*node, name.clone())} at={*at} on_close={on_close.clone()} on_save={on_save.clone()}
                dispatch={props.dispatch.clone()} />
        }
    });
    let open_menu = {
        let (menu, pointer, dispatch) = (menu.clone(), Rc::clone(&pointer), props.dispatch.clone());
        move |b: &FlameBox, at: (f64, f64)| {
            dispatch.emit(Action::Hover(slot, Some(b.node)));
            dispatch.emit(Action::Inspect(slot, true));
            menu.set(Some(Opened { node: b.node, name: pointer.name(b).map(Into::into), at }));
        }
    };
    let oncontextmenu = {
        let (pointer, open_menu) = (Rc::clone(&pointer), open_menu.clone());
        move |event: MouseEvent| {
            // A long touch has the card with the same actions.
            if let Some(b) = pointer.box_at(&event) {
                event.prevent_default();
                open_menu(&b, (event.client_x().into(), event.client_y().into()));
            }
        }
    };
    let is_held = pointer.is_touch.get() && card.is_some();
    let hears = Ears { props, pointer: &pointer };
    let (onpointerdown, onmousemove, onclick) = (hears.press(), hears.point(menu.is_some()), hears.click());
    let onkeydown = hears.keys(open_menu);
    let (onmouseleave, onmouseup) = (hears.leave(menu.is_some()), hears.release());
    let at = props.at();
    let name = pointer.find(at).and_then(|b| pointer.name(&b));
    let hidden_card = card.is_none() || menu.is_some();
    html! {
        <section class="pane flame-pane" aria-label={title(slot)}>
            { bar::bar(props) }
            <div class="flame-stage">
                <canvas ref={picture.base.clone()} class="flame-canvas" data-testid="flame-canvas" aria-hidden="true"></canvas>
                <canvas ref={picture.overlay.clone()} class="flame-canvas" aria-hidden="true"></canvas>
                <div ref={pointer.scroller.clone()} class="flame-scroller" tabindex="0" role="tree" aria-label={title(slot)}
                    aria-activedescendant={outline::item_id(slot, at)} aria-description={KEYS}
                    {onscroll} {onpointerdown} {onmousemove} {onmouseup} {onclick} {onkeydown} {oncontextmenu} {onmouseleave}
                    data-testid="flame-graph">
                    <div ref={space} class="flame-space" role="presentation"></div>
                    <div class="visually-hidden" role="group">
                        { outline::items(slot, at, name.as_deref(), card.as_deref()) }
                    </div>
                </div>
                if let Some(why) = props.why_empty() { <p class="flame-wait" role="status">{ why }</p> }
            </div>
            { bar::legend(props, &module_menu.opener()) }
            <div ref={pointer.card.clone()} class={classes!("card", hidden_card.then_some("hidden"), is_held.then_some("held"))}
                data-testid="card">
                if let Some(card) = last_card.borrow().clone() {
                    <Tooltip {card} dark={props.dark} />
                    if is_held {
                        <ActionRow subject={subject(at, None)} dispatch={props.dispatch.clone()} />
                    }
                }
            </div>
            // Always there: of lists that grow Yew would make the graph anew.
            <div class="flame-menu-place">{ opened_menu }{ module_menu.view(&props.dispatch) }</div>
        </section>
    }
}

fn whole(width: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and sizes are small")]
    let width = width as u32;
    width
}

const KEYS: &str = "Arrow keys go from box to box, Enter zooms in, Backspace goes back, M opens the box's menu";

fn title(slot: FlameSlot) -> &'static str {
    match slot {
        FlameSlot::Main => "Flame graph",
        FlameSlot::Callers => "Flame graph of callers",
        FlameSlot::Callees => "Flame graph of callees",
    }
}

/// Boxes are drawn when they, the view or the colours change; outlines also when the pointer moves on.
#[hook]
fn use_drawing(props: &FlameGraphProps, picture: &Rc<Picture>, viewport: Viewport) {
    let pane =
        Pane { file: props.session.file, viewport, density: density(), dark: props.dark, upward: props.is_upward() };
    use_effect_with((pane.file, props.slot), {
        let (picture, dispatch) = (Rc::clone(picture), props.dispatch.clone());
        move |&(_, slot)| picture.tell_when_painted(dispatch.reform(move |()| Action::Painted(slot)))
    });
    let drawn = props.session.flame(props.slot).drawn.clone();
    let flame = drawn.as_ref().map(|(_, flame)| flame.clone());
    use_effect_with((flame, viewport, pane.density.to_bits(), pane.dark, pane.upward, pane.file), {
        let picture = Rc::clone(picture);
        move |_| picture.show(drawn.as_ref(), pane)
    });
    use_effect_with(props.outlines(), {
        let picture = Rc::clone(picture);
        move |&outlines| picture.outline(outlines)
    });
}

/// Gives the scroller its height, asks for what is in view, and brings the zoomed box into it.
#[hook]
fn use_scrolling(props: &FlameGraphProps, pointer: &Rc<Pointer>, space: &NodeRef, viewport: Viewport) {
    let slot = props.slot;
    let (n_rows, zoom_row) = props.flame().map_or((0, 0), |flame| (flame.n_rows, flame.zoom_row));
    let sheet = Sheet { n_rows, height: viewport.height, upward: props.is_upward() };
    let width = whole(viewport.width);
    let (first_row, n_in_view) = sheet.rows_in_view(viewport.scroll_top);
    use_effect_with((width, first_row, n_in_view), {
        let dispatch = props.dispatch.clone();
        move |&(width, first_row, n_rows)| dispatch.emit(Action::FlameWindow { slot, width, first_row, n_rows })
    });
    let last = use_mut_ref(|| (0.0, 0.0));
    use_effect_with((sheet.full_height().to_bits(), sheet.height.to_bits(), sheet.upward), {
        let (space, pointer) = (space.clone(), Rc::clone(pointer));
        move |_| {
            set_style(&space, "height", &format!("{}px", sheet.full_height()));
            let (full_height, height) = last.replace((sheet.full_height(), sheet.height));
            // Where the root is below, more rows come in above: what is in view stays, counted from the root.
            if sheet.upward {
                pointer.scroll_to(viewport.scroll_top + sheet.full_height() - full_height - (sheet.height - height));
            }
        }
    });
    // A zoomed node far down would be out of sight, below its full-width callers.
    use_effect_with((props.zoom(), zoom_row, sheet.upward), {
        let pointer = Rc::clone(pointer);
        move |&(_, zoom_row, _)| pointer.show_rows(sheet, zoom_row.saturating_sub(2), zoom_row + 8)
    });
}

fn focus(pointer: &Pointer) {
    if let Some(element) =
        pointer.scroller.cast::<web_sys::Element>().and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok())
    {
        let _focused = element.focus();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Answer, Ask, FileId, FlameBox, Key, Look, Question, Reply, Summary};
    use crate::route::{Route, View};
    use crate::views::testing::render;

    fn session(answer: Option<Reply>) -> Session {
        let route = Route { view: View::Flame, ..Route::default() };
        let mut session = Session::new(FileId(1), "cpu.prof".into(), Rc::new(Summary::default()), route);
        session.reduce(Action::FlameWindow { slot: FlameSlot::Main, width: 800, first_row: 0, n_rows: 30 });
        if let (Some(reply), Some(flame)) = (answer, session.flame_ask(FlameSlot::Main)) {
            let question = Question { about: session.about(), ask: Ask::Flame(flame) };
            session.answered(Answer::Reply(Box::new(question), Box::new(reply)));
        }
        session
    }

    fn props(answer: Option<Reply>) -> FlameGraphProps {
        let session = Same::new(session(answer));
        FlameGraphProps { session, slot: FlameSlot::Main, dark: false, dispatch: Callback::noop() }
    }

    #[component]
    fn Around(props: &FlameGraphProps) -> Html {
        html! { <>{ bar::bar(props) }{ bar::legend(props, &Callback::noop()) }</> }
    }

    fn flame(n_rows: u32) -> Flame {
        let root = FlameBox { x: 0.0, width: 1.0, row: 0, node: 0, function: 9, look: Look::root(), name: Some(0) };
        Flame { boxes: vec![root], names: vec!["root".to_owned()], n_rows, ..Flame::default() }
    }

    #[test]
    fn a_pane_without_boxes_says_why() {
        let check = |answer, expected: Option<&str>| assert_eq!(props(answer).why_empty().as_deref(), expected);
        check(None, Some("Building the flame graph…"));
        check(Some(Reply::Refused("The base has no cpu.".to_owned())), Some("The base has no cpu."));
        check(Some(Reply::Flame(flame(1))), Some("Nothing here has a value of this type."));
        check(Some(Reply::Flame(Flame { is_partial: true, ..flame(1) })), None);
        check(Some(Reply::Flame(flame(2))), None);
    }

    #[test]
    fn switches_and_legend_are_around_the_graph() {
        let key = Key { package: "<b>app</b>/core".to_owned(), look: Look::guest(3), share: "12.3%".to_owned() };
        let host = Key { package: "host".to_owned(), look: Look::host(), share: "2.9%".to_owned() };
        let flame = Flame { legend: vec![key, host], ..flame(2) };
        let html = render::<Around>(|| props(Some(Reply::Flame(flame))));
        for testid in ["flame-invert", "flame-upward", "flame-order", "breadcrumbs", "flame-legend", "legend-host"] {
            assert!(html.contains(&format!(r#"data-testid="{testid}""#)), "{testid} in {html}");
        }
        assert_eq!(html.matches(r#"aria-pressed="false""#).count(), 3);
        assert_eq!(html.matches(r#"aria-haspopup="menu""#).count(), 1, "only of the host");
        assert!(html.contains("12.3%") && html.contains("&lt;/b&gt;/core") && !html.contains("<b>"), "{html}");
    }
}
