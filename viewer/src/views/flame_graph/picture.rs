//! The drawn graph: two canvases that follow the newest boxes, with a short motion from zoom to zoom.
//!
//! It lives beside the virtual DOM: pointer and frames reach it without anything being rendered.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::HtmlCanvasElement;
use yew::prelude::*;

use super::milestones;
use crate::boxes::{self, Sheet, hit};
use crate::canvas::{self, Outlines};
use crate::hold;
use crate::motion::{Motion, Span};
use crate::page::{Viewport, set_style};
use crate::protocol::{FileId, Flame, FlameAsk, FlameBox};
use crate::same::Same;
use crate::scene::Scene;

/// The pane that the graph is drawn on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pane {
    pub(super) file: FileId,
    pub(super) viewport: Viewport,
    pub(super) density: f64,
    pub(super) dark: bool,
    pub(super) upward: bool,
}

/// Boxes and what they answer.
pub(super) type Drawn = (FlameAsk, Same<Flame>);

#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) base: NodeRef,
    pub(super) overlay: NodeRef,
    pane: Cell<Pane>,
    shown: RefCell<Option<Drawn>>,
    /// What is shown as soon as the motion is over.
    next: RefCell<Option<Drawn>>,
    /// What of the boxes is in view when nothing moves: all, or the box that one zooms to, until its own boxes are there.
    span: Cell<Option<Span>>,
    motion: Cell<Option<Motion>>,
    outlines: Cell<Outlines>,
    /// How large the overlay is, while there is nothing on it.
    void: Cell<Option<(f64, f64, f64)>>,
    is_frame_coming: Cell<bool>,
    /// Is told once when a graph is on the screen.
    on_painted: RefCell<Option<Callback<()>>>,
}

impl Picture {
    /// Has `on_painted` called once, as soon as a graph is on the screen.
    pub(super) fn tell_when_painted(&self, on_painted: Callback<()>) {
        *self.on_painted.borrow_mut() = Some(on_painted);
    }

    /// Takes in what is to be drawn, now or after the motion.
    pub(super) fn show(self: &Rc<Self>, drawn: Option<&Drawn>, pane: Pane) {
        let is_same_pane = self.pane.replace(pane) == pane;
        if let Some(drawn) = drawn
            && !self.newest().is_some_and(|(_, flame)| flame == drawn.1)
        {
            self.take(drawn.clone());
        } else if is_same_pane {
            return;
        }
        self.draw_soon();
    }

    /// What was taken in last.
    fn newest(&self) -> Option<Drawn> {
        self.next.borrow().clone().or_else(|| self.shown.borrow().clone())
    }

    fn take(&self, drawn: Drawn) {
        let shown = self.shown.borrow().clone();
        let Some((_, old)) = shown.filter(|(ask, _)| ask.same_graph(&drawn.0)) else {
            self.replace(drawn);
            return;
        };
        let new = &drawn.1;
        if new.zoom == old.zoom && self.motion.get().is_some() && self.next.borrow().is_none() {
            // More of what is moving already.
            *self.shown.borrow_mut() = Some(drawn);
        } else if new.zoom == old.zoom {
            self.replace(drawn);
        } else if let Some(b) = boxes::find(&old.boxes, new.zoom).filter(|b| b.width < 1.0) {
            let is_on_its_way = self.span.get() == Some(Span::of(b));
            if !is_on_its_way {
                self.move_to(Span::of(b));
            }
            match self.motion.get() {
                Some(_) => *self.next.borrow_mut() = Some(drawn),
                None => self.replace(drawn),
            }
        } else if let Some(b) = boxes::find(&new.boxes, old.zoom) {
            // From the box one was in to the whole that it is in.
            let from = Span::of(b);
            self.replace(drawn);
            self.motion.set(motion(from, Span::WHOLE));
        } else {
            self.replace(drawn);
        }
    }

    fn replace(&self, drawn: Drawn) {
        *self.shown.borrow_mut() = Some(drawn);
        *self.next.borrow_mut() = None;
        self.span.set(None);
        self.motion.set(None);
    }

    /// The boxes at hand do until it is over.
    fn move_to(&self, to: Span) {
        self.motion.set(motion(self.span_now(now()), to));
        self.span.set(Some(to));
        if self.motion.get().is_some() {
            hold::begin();
        }
    }

    /// Begins a zoom with the boxes at hand; those that belong there come later.
    pub(super) fn begin_zoom(self: &Rc<Self>, b: &FlameBox) {
        self.move_to(Span::of(b));
        self.draw_soon();
    }

    /// Outlines a box at once.
    pub(super) fn outline(&self, outlines: Outlines) {
        if self.outlines.replace(outlines) != outlines {
            self.draw_outlines(self.span_now(now()));
        }
    }

    fn span_now(&self, now: f64) -> Span {
        let rest = self.span.get().unwrap_or(Span::WHOLE);
        self.motion.get().map_or(rest, |motion| motion.at(now))
    }

    /// The box at a point of the pane: `x` from 0 to 1, `y` in pixels.
    pub(super) fn hit(&self, x: f64, y: f64) -> Option<FlameBox> {
        let shown = self.shown.borrow();
        let (_, flame) = shown.as_ref()?;
        let row = self.sheet_of(flame).row_at(y + self.pane.get().viewport.scroll_top);
        hit(&flame.boxes, self.span_now(now()).graph(x), row).copied()
    }

    /// The boxes on show.
    pub(super) fn flame(&self) -> Option<Same<Flame>> {
        self.shown.borrow().as_ref().map(|(_, flame)| flame.clone())
    }

    pub(super) fn sheet(&self) -> Sheet {
        self.shown.borrow().as_ref().map_or_else(Sheet::default, |(_, flame)| self.sheet_of(flame))
    }

    fn sheet_of(&self, flame: &Flame) -> Sheet {
        let Pane { viewport, upward, .. } = self.pane.get();
        Sheet { n_rows: flame.n_rows, height: viewport.height, upward }
    }

    fn draw_soon(self: &Rc<Self>) {
        if !self.is_frame_coming.replace(true) {
            let picture = Rc::clone(self);
            on_next_frame(move || {
                picture.is_frame_coming.set(false);
                picture.draw();
            });
        }
    }

    fn draw(self: &Rc<Self>) {
        let now = now();
        if self.motion.get().is_some_and(|motion| motion.is_over(now)) {
            self.motion.set(None);
            let next = self.next.borrow_mut().take();
            if let Some(next) = next {
                self.replace(next);
            }
        }
        let span = self.span_now(now);
        self.with_scene(&self.base, span, canvas::paint);
        self.draw_outlines(span);
        if self.motion.get().is_some() {
            self.draw_soon();
        }
        let Some((_, flame)) = &*self.shown.borrow() else { return };
        if !flame.boxes.is_empty() {
            milestones::drawn(self.pane.get().file, !flame.is_partial);
        }
        if let Some(on_painted) = self.on_painted.take() {
            on_next_frame(move || on_painted.emit(()));
        }
    }

    fn draw_outlines(&self, span: Span) {
        let outlines = self.outlines.get();
        // A canvas that is cleared once more goes the whole way to the screen once more.
        let Pane { viewport, density, .. } = self.pane.get();
        let void = (outlines == Outlines::default()).then_some((viewport.width, viewport.height, density));
        if void.is_some() && self.void.get() == void {
            return;
        }
        self.void.set(void);
        self.with_scene(&self.overlay, span, |canvas, scene| canvas::outline(canvas, scene, outlines));
    }

    fn with_scene(&self, node: &NodeRef, span: Span, act: impl FnOnce(&HtmlCanvasElement, &Scene<'_>)) {
        let Some(canvas) = node.cast::<HtmlCanvasElement>() else { return };
        let shown = self.shown.borrow();
        // Without boxes the canvas is made ready for them.
        let none = Flame::default();
        let flame = shown.as_ref().map_or(&none, |(_, flame)| flame);
        let Pane { viewport: Viewport { width, height, scroll_top }, density, dark, .. } = self.pane.get();
        set_style(node, "width", &format!("{width}px"));
        set_style(node, "height", &format!("{height}px"));
        let sheet = self.sheet_of(flame);
        act(&canvas, &Scene { flame, sheet, span, width, height, scroll_top, density, dark });
    }
}

/// None for those who want nothing to move.
fn motion(from: Span, to: Span) -> Option<Motion> {
    let wants_calm = web_sys::window()
        .and_then(|window| window.match_media("(prefers-reduced-motion: reduce)").ok()?)
        .is_some_and(|query| query.matches());
    if wants_calm { None } else { Motion::new(from, to, now()) }
}

/// Milliseconds of the page's clock.
fn now() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}

/// Has `act` called before the page is painted next.
pub(super) fn on_next_frame(act: impl FnOnce() + 'static) {
    let act = Closure::once_into_js(act);
    if let Some(window) = web_sys::window() {
        // Fails only for what is no function.
        let _handle = window.request_animation_frame(act.unchecked_ref());
    }
}
