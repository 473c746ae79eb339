//! Pictures that leave the page: what a view draws, as SVG, whose names stay text, or as PNG.

mod flame;
mod graph;

use js_sys::Array;
use web_sys::{Blob, BlobPropertyBag, Element};

use crate::page;
use crate::route::View;
use crate::session::Session;

/// The kinds of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Svg,
    Png,
}

/// What there is to save on a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Picture {
    /// The main flame graph.
    Flame,
    CallGraph,
}

impl Picture {
    pub(crate) fn of(view: View) -> Option<Picture> {
        match view {
            View::Both | View::Flame | View::Diff => Some(Picture::Flame),
            View::Graph => Some(Picture::CallGraph),
            View::Top | View::Sandwich | View::Tree | View::Source | View::Tags | View::Summary => None,
        }
    }

    pub(crate) fn formats(self) -> &'static [Format] {
        match self {
            Picture::Flame => &[Format::Svg, Format::Png],
            Picture::CallGraph => &[Format::Svg],
        }
    }
}

/// Has the browser save what is drawn, under the profile's name; nothing if it is not drawn yet.
pub(crate) fn save(session: &Session, dark: bool, format: Format) {
    let name = session.name.to_string();
    match (Picture::of(session.route.view), format) {
        (None, _) => {}
        (Some(Picture::Flame), Format::Svg) => download_svg(flame::svg(session, dark, width()), &name),
        (Some(Picture::Flame), Format::Png) => flame::png(session, dark, width(), move |blob| {
            if let Some(blob) = blob {
                page::download(&blob, &format!("{name}.png"));
            }
        }),
        (Some(Picture::CallGraph), _) => download_svg(graph::svg(&name), &name),
    }
}

/// Of the flame graph on show, in CSS pixels.
fn width() -> f64 {
    find(".flame-scroller").map_or(0, |it| it.client_width()).into()
}

fn find(selector: &str) -> Option<Element> {
    web_sys::window()?.document()?.query_selector(selector).ok()?
}

fn download_svg(svg: Option<String>, name: &str) {
    let options = BlobPropertyBag::new();
    options.set_type("image/svg+xml");
    let blob = svg.map(|svg| Blob::new_with_str_sequence_and_options(&Array::of1(&svg.into()), &options));
    if let Some(Ok(blob)) = blob {
        page::download(&blob, &format!("{name}.svg"));
    }
}

/// Names are text, never markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().map(xml_letter) {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// XML 1.0 has no place for control characters at all: <https://www.w3.org/TR/xml/#charsets>.
fn xml_letter(letter: char) -> char {
    match letter {
        '\t' | '\n' | '\r' => ' ',
        letter if letter < ' ' || matches!(letter, '\u{fffe}' | '\u{ffff}') => '\u{fffd}',
        letter => letter,
    }
}
