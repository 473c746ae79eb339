//! Flame graphs as SVG and PNG.

use std::fmt::Write as _;

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Blob, HtmlCanvasElement};

use super::escape;
use crate::boxes::{ROW_HEIGHT, Sheet, height_of};
use crate::canvas;
use crate::motion::Span;
use crate::palette::Theme;
use crate::protocol::Flame;
use crate::scene::Scene;
use crate::session::{FlameSlot, Session};

/// How a picture looks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PictureOptions {
    dark: bool,
    /// The root is the bottom row.
    upward: bool,
    /// CSS pixels.
    width: f64,
}

/// Of the pictures' font; monospaced fonts differ little, and a label that is a bit too long is squeezed.
const LETTER_WIDTH: f64 = 6.95;
const FONT: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, &quot;DejaVu Sans Mono&quot;, monospace";
/// Browsers draw no larger canvases.
const LARGEST_SIDE: f64 = 32_767.0;

/// The main flame graph on show as SVG, at its zoom; none before it is drawn.
pub(super) fn svg(session: &Session, dark: bool, width: f64) -> Option<String> {
    let (flame, options) = on_show(session, dark, width)?;
    Some(save_svg(flame, &session.name, &options))
}

/// The same as PNG, twice as dense as CSS pixels; `then` gets it once the browser has packed it.
pub(super) fn png(session: &Session, dark: bool, width: f64, then: impl FnOnce(Option<Blob>) + 'static) {
    let canvas = on_show(session, dark, width).and_then(|(flame, options)| draw(flame, &options));
    let Some(canvas) = canvas else { return then(None) };
    let then = Closure::once_into_js(move |blob: Option<Blob>| then(blob));
    // Fails only for pictures from elsewhere, of which there are none.
    let _asked = canvas.to_blob(then.unchecked_ref());
}

fn on_show(session: &Session, dark: bool, width: f64) -> Option<(&Flame, PictureOptions)> {
    let (_, flame) = session.flame(FlameSlot::Main).drawn.as_ref()?;
    Some((flame, PictureOptions { dark, upward: session.route.flame.upward, width }))
}

/// The rows at hand, all of them in view.
fn scene<'a>(flame: &'a Flame, options: &PictureOptions) -> Scene<'a> {
    let PictureOptions { dark, upward, width } = *options;
    let [first, last] = [flame.boxes.first(), flame.boxes.last()].map(|it| it.map_or(0, |b| b.row));
    let height = height_of(last + 1 - first.min(last));
    let sheet = Sheet { n_rows: flame.n_rows.max(last + 1), height, upward };
    let scroll_top = if upward { sheet.top_of(last) } else { sheet.top_of(first) };
    Scene { flame, sheet, span: Span::WHOLE, width, height, scroll_top, density: 2.0, dark }
}

/// The boxes at hand as SVG, with a name for those who cannot see it, and each box's name as its title.
fn save_svg(flame: &Flame, title: &str, options: &PictureOptions) -> String {
    let scene = scene(flame, options);
    let theme = Theme::of(scene.dark);
    let searching = flame.matched.is_some();
    let (width, height) = (scene.width, scene.height.max(ROW_HEIGHT));
    let title = escape(title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"{FONT}\" font-size=\"11.5\">\n<title>Flame graph of {title}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        theme.background.hex()
    );
    for (b, place) in scene.in_view() {
        let paint = theme.paint(b.look, searching);
        let name = b.name.and_then(|at| flame.names.get(at as usize));
        // Writing to a string cannot fail.
        let _box = write!(
            svg,
            "<g><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
            place.x,
            place.y,
            place.width,
            place.height,
            paint.fill.hex()
        );
        if b.look.is_inlined() && place.has_notch() {
            let _notch = write!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"2\" height=\"{}\" fill-opacity=\"0.4\"/>",
                place.x, place.y, place.height
            );
        }
        if let Some(name) = name {
            let _title = write!(svg, "<title>{}</title>", escape(name));
        }
        if let Some(label) = scene.label(b, place, LETTER_WIDTH) {
            let style = if b.look.is_inlined() { " font-style=\"italic\"" } else { "" };
            let _text = write!(
                svg,
                "<text x=\"{}\" y=\"{}\" fill=\"{}\"{style}>{}</text>",
                label.x,
                label.y + 3.5,
                paint.text.hex(),
                escape(&label.text)
            );
        }
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(flame: &Flame, options: &PictureOptions) -> Option<HtmlCanvasElement> {
    let scene = scene(flame, options);
    let canvas = web_sys::window()?.document()?.create_element("canvas").ok()?.dyn_into::<HtmlCanvasElement>().ok()?;
    let density = (LARGEST_SIDE / scene.height.max(scene.width)).min(scene.density);
    canvas::paint(&canvas, &Scene { density, ..scene });
    canvas::lay_ground(&canvas, options.dark);
    Some(canvas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{FlameBox, Look};

    fn flame() -> Flame {
        let root = FlameBox { x: 0.0, width: 1.0, row: 0, node: 0, function: 9, look: Look::root(), name: Some(0) };
        let boxes = vec![
            root,
            FlameBox { width: 0.5, row: 1, node: 1, look: Look::guest(3).inlined(true), name: Some(1), ..root },
            FlameBox { x: 0.5, width: 0.25, row: 1, node: 2, look: Look::host(), name: None, ..root },
        ];
        let names = vec!["root".to_owned(), "<img src=x onerror='alert(\"1\")'>&\u{1}".to_owned()];
        Flame { boxes, names, n_rows: 2, ..Flame::default() }
    }

    const OPTIONS: PictureOptions = PictureOptions { dark: false, upward: false, width: 1000.0 };

    #[test]
    fn names_are_text() {
        let svg = save_svg(&flame(), "a<b>.prof", &OPTIONS);
        assert!(svg.contains("Flame graph of a&lt;b&gt;.prof"), "{svg}");
        assert!(svg.contains("&lt;img src=x onerror=&#39;alert(&quot;1&quot;)&#39;&gt;&amp;\u{fffd}"), "{svg}");
        assert!(!svg.contains("<img"), "{svg}");
    }

    #[test]
    fn a_picture_has_all_boxes_in_their_colours() {
        let svg = save_svg(&flame(), "cpu", &OPTIONS);
        assert_eq!(svg.matches("<g>").count(), 3);
        assert_eq!(svg.matches("</g>").count(), 3);
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" height=\"36\""), "{svg}");
        let theme = Theme::of(false);
        for look in [Look::root(), Look::guest(3), Look::host()] {
            let fill = theme.paint(look, false).fill.hex();
            assert!(svg.contains(&format!("fill=\"{fill}\"")), "{fill} in {svg}");
        }
        assert!(svg.contains("font-style=\"italic\""), "{svg}");
        let dark = save_svg(&flame(), "cpu", &PictureOptions { dark: true, ..OPTIONS });
        assert!(dark.contains(&Theme::of(true).background.hex()), "{dark}");
    }

    #[test]
    fn the_root_is_where_it_is_in_the_page() {
        let y_of_root = |upward| {
            let svg = save_svg(&flame(), "cpu", &PictureOptions { upward, ..OPTIONS });
            let root = svg.lines().find(|line| line.contains("<title>root</title>")).expect("the root").to_owned();
            root.split("y=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned)
        };
        assert_eq!(y_of_root(false).as_deref(), Some("0"));
        assert_eq!(y_of_root(true).as_deref(), Some("18"));
    }

    #[test]
    fn rows_out_of_reach_leave_no_gap() {
        let mut flame = flame();
        flame.boxes.iter_mut().for_each(|b| b.row += 100);
        flame.n_rows = 300;
        let svg = save_svg(&flame, "cpu", &OPTIONS);
        assert!(svg.contains("height=\"36\"") && svg.matches("<g>").count() == 3, "{svg}");
    }
}
