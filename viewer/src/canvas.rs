//! Draws flame graphs: the only file that touches a canvas. It is given a scene and adds colours.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::palette::{Rgb, Theme};
use crate::protocol::{FlameBox, Look};
use crate::scene::{Place, Scene, areas, whole};

const FAMILY: &str = "11.5px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/// What is outlined over the boxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outlines {
    /// The box under the pointer; all of its function are outlined.
    pub(crate) hover: Option<u32>,
    /// The function chosen in the table.
    pub(crate) function: Option<u32>,
}

/// Has the browser find the fonts while nobody waits: that takes longer than to draw a graph.
pub(crate) fn prepare_fonts() {
    let document = web_sys::window().and_then(|window| window.document());
    let canvas =
        document.and_then(|document| document.create_element("canvas").ok()?.dyn_into::<HtmlCanvasElement>().ok());
    if let Some(context) = canvas.as_ref().and_then(context) {
        for slanted in [false, true] {
            context.set_font(&font(slanted));
            // Fails only for a lost context.
            let _drawn = context.fill_text("0", 0.0, 0.0);
            let _width = context.measure_text("0");
        }
    }
}

fn font(slanted: bool) -> String {
    if slanted { format!("italic {FAMILY}") } else { FAMILY.to_owned() }
}

/// Draws all boxes in view with their labels.
pub(crate) fn paint(canvas: &HtmlCanvasElement, scene: &Scene<'_>) {
    let Some(context) = prepare(canvas, scene) else { return };
    let boxes: Vec<(&FlameBox, Place)> = scene.in_view().collect();
    fill(&context, scene, &boxes);
    write(&context, scene, &boxes);
}

fn fill(context: &CanvasRenderingContext2d, scene: &Scene<'_>, boxes: &[(&FlameBox, Place)]) {
    let theme = Theme::of(scene.dark);
    let searching = scene.flame.matched.is_some();
    // Setting a fill costs more than a box: all areas of a look are filled in a row.
    for alike in areas(boxes).chunk_by(|(one, _), (other, _)| one == other) {
        let Some(&(look, _)) = alike.first() else { continue };
        context.set_fill_style_str(&theme.paint(look, searching).fill.hex());
        for (_, place) in alike {
            context.fill_rect(place.x, place.y, place.width, place.height);
        }
    }
    if searching {
        // Nothing but what was found stands out.
        return;
    }
    context.set_fill_style_str(theme.notch);
    for (_, place) in boxes.iter().filter(|(b, place)| b.look.is_inlined() && place.has_notch()) {
        context.fill_rect(place.x, place.y, 2.0, place.height);
    }
}

/// Names; those of inlined frames are slanted.
fn write(context: &CanvasRenderingContext2d, scene: &Scene<'_>, boxes: &[(&FlameBox, Place)]) {
    let theme = Theme::of(scene.dark);
    let searching = scene.flame.matched.is_some();
    context.set_text_baseline("middle");
    for slanted in [false, true] {
        context.set_font(&font(slanted));
        let letter_width = context.measure_text("0").map_or(7.0, |metrics| metrics.width());
        let mut ink: Option<Rgb> = None;
        for (b, place) in boxes.iter().filter(|(b, _)| b.look.is_inlined() == slanted) {
            let Some(label) = scene.label(b, *place, letter_width) else { continue };
            let text = theme.paint(b.look, searching).text;
            if ink.replace(text) != Some(text) {
                context.set_fill_style_str(&text.hex());
            }
            // Fails only for a lost context, which the next paint finds out by itself. Letters of other fonts may be
            // wider than a cell: they are squeezed.
            let _drawn = if label.text.is_ascii() {
                context.fill_text(&label.text, label.x, label.y)
            } else {
                context.fill_text_with_max_width(&label.text, label.x, label.y, label.room)
            };
        }
    }
}

/// Draws the outlines on a canvas above, so that moving the pointer repaints no box.
pub(crate) fn outline(canvas: &HtmlCanvasElement, scene: &Scene<'_>, outlines: Outlines) {
    let Some(context) = prepare(canvas, scene) else { return };
    let theme = Theme::of(scene.dark);
    let hovered = outlines.hover.and_then(|node| scene.flame.boxes.iter().find(|b| b.node == node));
    let stroke_all = |function: u32, colour: Rgb, line_width: f64| {
        context.set_stroke_style_str(&colour.hex());
        context.set_line_width(line_width);
        for (_, place) in scene.in_view().filter(|(b, _)| b.function == function) {
            let inset = line_width / 2.0;
            let (width, height) = ((place.width - line_width).max(0.5), place.height - line_width);
            context.stroke_rect(place.x + inset, place.y + inset, width, height);
        }
    };
    if let Some(function) = outlines.function {
        stroke_all(function, theme.chosen, 2.0);
    }
    if let Some(hovered) = hovered {
        stroke_all(hovered.function, theme.outline, 1.5);
        if let Some((_, place)) = scene.in_view().find(|(b, _)| b.node == hovered.node) {
            context.set_fill_style_str(theme.veil);
            context.fill_rect(place.x, place.y, place.width, place.height);
        }
    }
}

/// Fills what is not covered by boxes, for pictures that leave the page.
pub(crate) fn lay_ground(canvas: &HtmlCanvasElement, dark: bool) {
    let Some(context) = context(canvas) else { return };
    // Behind what is there already.
    let _set = context.set_global_composite_operation("destination-over");
    context.set_fill_style_str(&Theme::of(dark).background.hex());
    context.fill_rect(0.0, 0.0, canvas.width().into(), canvas.height().into());
}

/// The colour of a package in tables beside the graph.
pub(crate) fn swatch(look: Look, dark: bool) -> String {
    Theme::of(dark).paint(look, false).fill.hex()
}

/// Sizes the canvas to its window, no larger however deep the graph, and clears it.
fn prepare(canvas: &HtmlCanvasElement, scene: &Scene<'_>) -> Option<CanvasRenderingContext2d> {
    let size = (whole(scene.width * scene.density), whole(scene.height * scene.density));
    let (width, height) = (u32::try_from(size.0).ok()?, u32::try_from(size.1).ok()?);
    if (canvas.width(), canvas.height()) != (width, height) {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let context = context(canvas)?;
    context.set_transform(scene.density, 0.0, 0.0, scene.density, 0.0, 0.0).ok()?;
    context.clear_rect(0.0, 0.0, scene.width, scene.height);
    Some(context)
}

fn context(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    let context: Option<JsValue> = canvas.get_context("2d").ok()?.map(Into::into);
    context?.dyn_into().ok()
}
