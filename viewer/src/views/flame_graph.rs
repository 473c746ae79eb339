//! The flame graph's pane: a canvas the size of the pane, a scroller above it, breadcrumbs, pointer and keys.

use std::cell::Cell;
use std::rc::Rc;

use web_sys::{Element, HtmlCanvasElement};
use yew::prelude::*;

use crate::boxes::{self, ROW_HEIGHT, Toward, hit, neighbour, row_at, top_of};
use crate::canvas::{self, Outlines, Scene};
use crate::page::{Viewport, density, set_style, use_screen_changes, use_viewport};
use crate::protocol::{Card, Crumb, Flame, FlameBox};
use crate::state::Action;
use crate::views::tooltip::Tooltip;

#[derive(PartialEq, Properties)]
pub(crate) struct FlameGraphProps {
    pub(crate) flame: Option<Rc<Flame>>,
    pub(crate) zoom: u32,
    pub(crate) hover: Option<u32>,
    pub(crate) function: Option<u32>,
    pub(crate) card: Option<Rc<Card>>,
    pub(crate) dark: bool,
    pub(crate) dispatch: Callback<Action>,
}

#[component]
pub(crate) fn FlameGraph(props: &FlameGraphProps) -> Html {
    let (scroller, space, tooltip) = (use_node_ref(), use_node_ref(), use_node_ref());
    let (base, overlay) = (use_node_ref(), use_node_ref());
    let (viewport, onscroll) = use_viewport(&scroller);
    use_screen_changes();
    use_drawing(props, viewport, &base, &overlay);

    use_effect_with(window_of(viewport), {
        let dispatch = props.dispatch.clone();
        move |&(width, first_row, n_rows)| dispatch.emit(Action::FlameWindow { width, first_row, n_rows })
    });
    let (n_rows, zoom_row) = props.flame.as_ref().map_or((0, 0), |flame| (flame.n_rows, flame.zoom_row));
    use_effect_with(n_rows, {
        let space = space.clone();
        move |&n_rows| set_style(&space, "height", &format!("{}px", top_of(n_rows)))
    });
    // A zoomed node far down would be out of sight, below its full-width callers.
    use_effect_with((props.zoom, zoom_row), {
        let scroller = scroller.clone();
        move |&(_, zoom_row)| show_row(&scroller, zoom_row.saturating_sub(2), zoom_row + 8)
    });

    let last_at = use_memo((), |()| Cell::new((0.0, 0.0)));
    let pointer = Pointer { flame: props.flame.clone(), scroller: scroller.clone(), tooltip: tooltip.clone(), last_at };
    // The next card may be larger than the one that was placed.
    use_effect_with(props.card.clone(), {
        let pointer = pointer.clone();
        move |_| pointer.place_card()
    });
    let onmousemove = {
        let (pointer, dispatch, hover) = (pointer.clone(), props.dispatch.clone(), props.hover);
        move |event: MouseEvent| {
            pointer.move_card(f64::from(event.client_x()), f64::from(event.client_y()));
            let node = pointer.box_at(&event).map(|b| b.node);
            if node != hover {
                dispatch.emit(Action::Hover(node));
            }
        }
    };
    let onclick = {
        let (pointer, dispatch) = (pointer.clone(), props.dispatch.clone());
        move |event: MouseEvent| {
            if let Some(b) = pointer.box_at(&event) {
                dispatch.emit(Action::Zoom(b.node));
            }
        }
    };
    let onkeydown = {
        let (dispatch, from) = (props.dispatch.clone(), props.hover.unwrap_or(props.zoom));
        move |event: KeyboardEvent| {
            if event.key() == "Enter" {
                event.stop_propagation();
                dispatch.emit(Action::Zoom(from));
            } else if let Some(b) = toward(&event.key()).and_then(|toward| pointer.walk(from, toward)) {
                event.prevent_default();
                event.stop_propagation();
                pointer.go_to(&b);
                dispatch.emit(Action::Hover(Some(b.node)));
            }
        }
    };
    html! {
        <section class="pane flame-pane" aria-label="Flame graph">
            { breadcrumbs(props) }
            <div class="flame-stage">
                <canvas ref={base} class="flame-canvas" data-testid="flame-canvas" aria-hidden="true"></canvas>
                <canvas ref={overlay} class="flame-canvas" aria-hidden="true"></canvas>
                <div ref={scroller} class="flame-scroller" tabindex="0" role="application" {onscroll} {onmousemove} {onclick} {onkeydown}
                    onmouseleave={props.dispatch.reform(|_: MouseEvent| Action::Hover(None))} data-testid="flame-graph"
                    aria-label="Flame graph: arrow keys go from box to box, Enter zooms, Backspace goes back">
                    <div ref={space} class="flame-space"></div>
                </div>
                if props.flame.is_none() { <p class="flame-wait" role="status">{ "Building the flame graph…" }</p> }
            </div>
            <div ref={tooltip} class={classes!("card", props.card.is_none().then_some("hidden"))} role="status"
                data-testid="card">
                if let Some(card) = &props.card { <Tooltip card={card.clone()} /> }
            </div>
        </section>
    }
}

/// Boxes are drawn when they, the view or the colours change; outlines also when the pointer moves on.
#[hook]
fn use_drawing(props: &FlameGraphProps, viewport: Viewport, base: &NodeRef, overlay: &NodeRef) {
    let density = density();
    let scene = (props.flame.clone(), viewport, density.to_bits(), props.dark);
    let draw =
        move |node: &NodeRef, flame: &Option<Rc<Flame>>, dark: bool, paint: &dyn Fn(&HtmlCanvasElement, &Scene<'_>)| {
            let (Some(canvas), Some(flame)) = (node.cast::<HtmlCanvasElement>(), flame.as_deref()) else { return };
            let Viewport { width, height, scroll_top } = viewport;
            set_style(node, "width", &format!("{width}px"));
            set_style(node, "height", &format!("{height}px"));
            paint(&canvas, &Scene { flame, width, height, scroll_top, density, dark });
        };
    use_effect_with(scene.clone(), {
        let base = base.clone();
        move |(flame, _, _, dark)| draw(&base, flame, *dark, &canvas::paint)
    });
    let outlines = Outlines { hover: props.hover, function: props.function };
    use_effect_with((scene, outlines), {
        let overlay = overlay.clone();
        move |((flame, _, _, dark), outlines)| {
            draw(&overlay, flame, *dark, &|canvas, scene| canvas::outline(canvas, scene, *outlines));
        }
    });
}

/// Width and rows in view, whole.
fn window_of(viewport: Viewport) -> (u32, u32, u32) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and sizes are small")]
    let width = viewport.width as u32;
    (width, row_at(viewport.scroll_top), row_at(viewport.height) + 1)
}

fn toward(key: &str) -> Option<Toward> {
    match key {
        "ArrowUp" => Some(Toward::Caller),
        "ArrowDown" => Some(Toward::Callee),
        "ArrowLeft" => Some(Toward::Left),
        "ArrowRight" => Some(Toward::Right),
        _ => None,
    }
}

/// Scrolls as little as shows the rows from `first` to `last`.
fn show_row(scroller: &NodeRef, first: u32, last: u32) {
    let Some(element) = scroller.cast::<Element>() else { return };
    let (top, bottom) = (top_of(first), top_of(last) + ROW_HEIGHT);
    let (shown_from, height) = (f64::from(element.scroll_top()), f64::from(element.client_height()));
    let wanted = if top < shown_from { top } else { shown_from.max(bottom - height) };
    #[expect(clippy::cast_possible_truncation, reason = "browsers cap heights far below this")]
    element.set_scroll_top(wanted as i32);
}

/// Goes between the pointer's pixels and the boxes.
#[derive(Clone)]
struct Pointer {
    flame: Option<Rc<Flame>>,
    scroller: NodeRef,
    tooltip: NodeRef,
    /// Where the card belongs, in pixels of the window.
    last_at: Rc<Cell<(f64, f64)>>,
}

impl Pointer {
    fn box_at(&self, event: &MouseEvent) -> Option<FlameBox> {
        let element = self.scroller.cast::<Element>()?;
        let frame = element.get_bounding_client_rect();
        let x = (f64::from(event.client_x()) - frame.left()) / f64::from(element.client_width());
        let y = f64::from(event.client_y()) - frame.top() + f64::from(element.scroll_top());
        hit(&self.flame.as_ref()?.boxes, x, row_at(y)).copied()
    }

    fn walk(&self, from: u32, toward: Toward) -> Option<FlameBox> {
        let flame = self.flame.as_ref()?;
        let from = boxes::find(&flame.boxes, from)?;
        neighbour(&flame.boxes, from, toward).copied()
    }

    /// Brings a box that the keyboard reached into view, its card below it.
    fn go_to(&self, b: &FlameBox) {
        show_row(&self.scroller, b.row.saturating_sub(1), b.row + 1);
        let Some(element) = self.scroller.cast::<Element>() else { return };
        let frame = element.get_bounding_client_rect();
        let x = frame.left() + f64::from(b.x) * frame.width();
        let y = frame.top() + top_of(b.row) - f64::from(element.scroll_top());
        self.move_card(x, y);
    }

    fn move_card(&self, x: f64, y: f64) {
        self.last_at.set((x, y));
        self.place_card();
    }

    /// Right below the pointer, or on its other side where the window ends.
    fn place_card(&self) {
        let (x, y) = self.last_at.get();
        let (Some(card), Some(scroller)) = (self.tooltip.cast::<Element>(), self.scroller.cast::<Element>()) else {
            return;
        };
        let (card, page) = (card.get_bounding_client_rect(), scroller.get_bounding_client_rect());
        let left = (x + 14.0).min(page.right() - card.width() - 8.0).max(8.0);
        let below = y + 18.0;
        let top = if below + card.height() > page.bottom() { (y - card.height() - 12.0).max(8.0) } else { below };
        set_style(&self.tooltip, "transform", &format!("translate({left:.0}px, {top:.0}px)"));
    }
}

/// The way from the root to the zoomed box; in deep stacks the middle is left out.
fn breadcrumbs(props: &FlameGraphProps) -> Html {
    let trail = props.flame.as_ref().map_or(&[][..], |flame| &flame.trail);
    let crumb = |crumb: &Crumb| {
        let node = crumb.node;
        let onclick = props.dispatch.reform(move |_: MouseEvent| Action::Zoom(node));
        let here = (node == props.zoom).then_some("location");
        html! {
            <li><button type="button" class="link" title={crumb.name.clone()} aria-current={here} {onclick}>{ &crumb.name }</button></li>
        }
    };
    let n_elided = props.flame.as_ref().map_or(0, |flame| flame.n_elided);
    let (head, tail) = trail.split_at(usize::from(!trail.is_empty()));
    html! {
        <nav class="breadcrumbs" aria-label="Zoomed to" data-testid="breadcrumbs">
            <ol>
                { for head.iter().map(crumb) }
                if n_elided > 0 { <li class="elided">{ format!("{n_elided} more") }</li> }
                { for tail.iter().map(crumb) }
            </ol>
            if trail.len() > 1 {
                <button type="button" class="link" data-testid="zoom-reset" title="Back to the whole graph (Esc)"
                    onclick={props.dispatch.reform(|_: MouseEvent| Action::Zoom(0))}>{ "Reset" }</button>
            }
        </nav>
    }
}
