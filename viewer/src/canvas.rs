//! Draws flame graphs: the only file that touches a canvas. It is given boxes in unit space and multiplies once.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::boxes::{ROW_HEIGHT, top_of};
use crate::label;
use crate::protocol::{Flame, FlameBox, Look};

const FONT: &str = "11.5px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
/// Space between a box's edge and its label.
const PADDING: f64 = 4.0;
/// Narrower boxes are drawn without a gap to the next, or a group of them would vanish.
const GAP_FROM: f64 = 3.0;

/// The part of a flame graph in view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) flame: &'a Flame,
    /// CSS pixels.
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) scroll_top: f64,
    /// Device pixels a CSS pixel.
    pub(crate) density: f64,
    pub(crate) dark: bool,
}

/// What is outlined over the boxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outlines {
    /// The box under the pointer; all of its function are outlined.
    pub(crate) hover: Option<u32>,
    /// The function chosen in the table.
    pub(crate) function: Option<u32>,
}

/// Draws all boxes in view with their labels.
pub(crate) fn paint(canvas: &HtmlCanvasElement, scene: &Scene<'_>) {
    let Some(context) = prepare(canvas, scene) else { return };
    let colours = Colours::of(scene.dark);
    let searching = scene.flame.matched.is_some();
    context.set_font(FONT);
    context.set_text_baseline("middle");
    let char_width = context.measure_text("0").map_or(7.0, |metrics| metrics.width());
    let mut brush = Brush { context: &context, fill: String::new() };
    for (b, place) in scene.in_view() {
        brush.fill(&colours.fill(b.look, searching));
        context.fill_rect(place.x, place.y, place.width, place.height);
    }
    for (b, place) in scene.in_view() {
        let Some(name) = b.name.and_then(|name| scene.flame.names.get(name as usize)) else { continue };
        let room = ((place.width - 2.0 * PADDING) / char_width).floor();
        if room >= 1.0
            && let Some(text) = label::fit(name, whole(room))
        {
            brush.fill(colours.text(b.look, searching));
            // Half a pixel lower looks centred: most letters have no descender.
            let (x, y) = (place.x.max(0.0) + PADDING, place.y + place.height / 2.0 + 0.5);
            // Fails only for a lost context, which the next paint finds out by itself.
            let _drawn = context.fill_text(&text, x, y);
        }
    }
}

/// Draws the outlines on a canvas above, so that moving the pointer repaints no box.
pub(crate) fn outline(canvas: &HtmlCanvasElement, scene: &Scene<'_>, outlines: Outlines) {
    let Some(context) = prepare(canvas, scene) else { return };
    let colours = Colours::of(scene.dark);
    let hovered = outlines.hover.and_then(|node| scene.flame.boxes.iter().find(|b| b.node == node));
    let stroke_all = |function: u32, colour: &str, line_width: f64| {
        context.set_stroke_style_str(colour);
        context.set_line_width(line_width);
        for (_, place) in scene.in_view().filter(|(b, _)| b.function == function) {
            let inset = line_width / 2.0;
            let (width, height) = ((place.width - line_width).max(0.5), place.height - line_width);
            context.stroke_rect(place.x + inset, place.y + inset, width, height);
        }
    };
    if let Some(function) = outlines.function {
        stroke_all(function, colours.chosen, 2.0);
    }
    if let Some(hovered) = hovered {
        stroke_all(hovered.function, colours.outline, 1.5);
        if let Some((_, place)) = scene.in_view().find(|(b, _)| b.node == hovered.node) {
            context.set_fill_style_str(colours.veil);
            context.fill_rect(place.x, place.y, place.width, place.height);
        }
    }
}

struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl<'a> Scene<'a> {
    /// The boxes in view, in CSS pixels.
    fn in_view(&self) -> impl Iterator<Item = (&'a FlameBox, Place)> + use<'a> {
        let Scene { width, height, scroll_top, density, .. } = *self;
        // Edges on device pixels keep boxes crisp at any density.
        let snap = move |x: f64| (x * density).round() / density;
        self.flame.boxes.iter().filter_map(move |b| {
            let y = top_of(b.row) - scroll_top;
            if y + ROW_HEIGHT < 0.0 || y > height {
                return None;
            }
            let (left, right) = (f64::from(b.x) * width, (f64::from(b.x) + f64::from(b.width)) * width);
            let gap = if right - left >= GAP_FROM { 1.0 } else { 0.0 };
            let x = snap(left);
            let box_width = (snap(right) - x - gap).max(1.0 / density);
            Some((b, Place { x, y: snap(y), width: box_width, height: ROW_HEIGHT - 1.0 }))
        })
    }
}

/// Skips setting a fill style that is set already: parsing one costs more than a box.
struct Brush<'a> {
    context: &'a CanvasRenderingContext2d,
    fill: String,
}

impl Brush<'_> {
    fn fill(&mut self, fill: &str) {
        if self.fill != fill {
            self.context.set_fill_style_str(fill);
            fill.clone_into(&mut self.fill);
        }
    }
}

/// The colour of a package in tables beside the graph.
pub(crate) fn swatch(look: Look, dark: bool) -> String {
    Colours::of(dark).fill(look, false)
}

struct Colours {
    /// Lightness and chroma of guest boxes in oklch, where equal lightness looks equal for every hue.
    guest: (f64, f64),
    guest_ancestor: (f64, f64),
    root: &'static str,
    host: &'static str,
    host_ancestor: &'static str,
    matched: &'static str,
    unmatched: &'static str,
    text: &'static str,
    text_host: &'static str,
    text_matched: &'static str,
    text_unmatched: &'static str,
    outline: &'static str,
    chosen: &'static str,
    veil: &'static str,
}

const LIGHT: Colours = Colours {
    guest: (0.85, 0.085),
    guest_ancestor: (0.93, 0.035),
    root: "#dcdfe6",
    host: "#5d6675",
    host_ancestor: "#7b8494",
    matched: "#f2b400",
    unmatched: "#e9eaee",
    text: "#16181d",
    text_host: "#ffffff",
    text_matched: "#16181d",
    text_unmatched: "#5a5f6a",
    outline: "#16181d",
    chosen: "#1d4ed8",
    veil: "rgb(0 0 0 / 0.08)",
};

const DARK: Colours = Colours {
    guest: (0.45, 0.08),
    guest_ancestor: (0.33, 0.03),
    root: "#3a3e47",
    host: "#aeb6c4",
    host_ancestor: "#8d95a3",
    matched: "#ffd24a",
    unmatched: "#26292f",
    text: "#f4f5f7",
    text_host: "#16181d",
    text_matched: "#16181d",
    text_unmatched: "#a3a8b3",
    outline: "#ffffff",
    chosen: "#8ab4ff",
    veil: "rgb(255 255 255 / 0.14)",
};

impl Colours {
    fn of(dark: bool) -> &'static Colours {
        if dark { &DARK } else { &LIGHT }
    }

    fn fill(&self, look: Look, searching: bool) -> String {
        if searching {
            return if look.is_matched() { self.matched } else { self.unmatched }.to_owned();
        }
        if look.is_root() {
            return self.root.to_owned();
        }
        if look.is_host() {
            return if look.is_ancestor() { self.host_ancestor } else { self.host }.to_owned();
        }
        let (lightness, chroma) = if look.is_ancestor() { self.guest_ancestor } else { self.guest };
        let hue = f64::from(look.hue()) * 360.0 / 256.0;
        format!("oklch({lightness} {chroma} {hue:.0})")
    }

    fn text(&self, look: Look, searching: bool) -> &'static str {
        match (searching, look.is_matched()) {
            (true, true) => self.text_matched,
            (true, false) => self.text_unmatched,
            (false, _) if look.is_host() => self.text_host,
            (false, _) => self.text,
        }
    }
}

/// Sizes the canvas to its window, no larger however deep the graph, and clears it.
fn prepare(canvas: &HtmlCanvasElement, scene: &Scene<'_>) -> Option<CanvasRenderingContext2d> {
    let size = (whole(scene.width * scene.density), whole(scene.height * scene.density));
    let (width, height) = (u32::try_from(size.0).ok()?, u32::try_from(size.1).ok()?);
    if (canvas.width(), canvas.height()) != (width, height) {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let context: Option<JsValue> = canvas.get_context("2d").ok()?.map(Into::into);
    let context = context?.dyn_into::<CanvasRenderingContext2d>().ok()?;
    context.set_transform(scene.density, 0.0, 0.0, scene.density, 0.0, 0.0).ok()?;
    context.clear_rect(0.0, 0.0, scene.width, scene.height);
    Some(context)
}

fn whole(number: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and sizes are small")]
    let whole = number.round() as usize;
    whole
}
