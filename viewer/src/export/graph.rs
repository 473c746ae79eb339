//! The call graph as SVG: what the page draws, with the looks that its style sheet gives it written beside each shape.

use wasm_bindgen::JsCast;
use web_sys::{Element, Node, SvgGraphicsElement, XmlSerializer};

use super::{find, xml_letter};
use crate::palette;

/// What the style sheet says of shapes and texts, and what goes without saying.
const LOOKS: [(&str, &str); 6] = [
    ("fill", ""),
    ("stroke", "none"),
    ("stroke-width", "1px"),
    ("stroke-dasharray", "none"),
    ("text-anchor", "start"),
    ("paint-order", "normal"),
];

/// What only the page has a use for.
const OF_THE_PAGE: [&str; 5] = ["class", "tabindex", "data-node", "aria-current", "aria-hidden"];

/// Around the graph.
const MARGIN: f32 = 8.0;

/// The call graph on show, whole; none before it is drawn.
pub(super) fn svg(name: &str) -> Option<String> {
    let shown = find("svg.graph")?;
    let copy = shown.clone_node_with_deep(true).ok()?.dyn_into::<Element>().ok()?;
    for (shape, copy) in parts(&shown).zip(parts(&copy)) {
        if !matches!(shape.tag_name().as_str(), "g" | "title") {
            paint(&shape, &copy)?;
        }
        for attribute in OF_THE_PAGE {
            copy.remove_attribute(attribute).ok()?;
        }
    }
    copy.remove_attribute("class").ok()?;
    // Where it is moved and zoomed to is the page's matter.
    copy.first_element_child()?.remove_attribute("transform").ok()?;
    let bounds = shown.first_element_child()?.dyn_into::<SvgGraphicsElement>().ok()?.get_b_box().ok()?;
    let [x, y] = [bounds.x(), bounds.y()].map(|it| it - MARGIN);
    let [width, height] = [bounds.width(), bounds.height()].map(|it| it + 2.0 * MARGIN);
    let place = [("x", x), ("y", y), ("width", width), ("height", height)].map(|(name, it)| (name, it.to_string()));
    set(&copy, &place[2..])?;
    set(&copy, &[("viewBox", format!("{x} {y} {width} {height}")), ("font-family", look(&shown, "font-family")?)])?;
    let ground = put_first("rect", &copy)?;
    set(&ground, &place)?;
    set(&ground, &[("fill", look(&shown.parent_element()?, "background-color")?)])?;
    put_first("title", &copy)?.set_text_content(Some(&format!("Call graph of {name}")));
    let svg = XmlSerializer::new().ok()?.serialize_to_string(copy.unchecked_ref::<Node>()).ok()?;
    Some(svg.chars().map(xml_letter).collect())
}

/// All elements in it, in order.
fn parts(svg: &Element) -> impl Iterator<Item = Element> + use<> {
    let parts = svg.query_selector_all("*").ok();
    let n_parts = parts.as_ref().map_or(0, web_sys::NodeList::length);
    (0..n_parts).filter_map(move |at| parts.as_ref()?.item(at)?.dyn_into::<Element>().ok())
}

fn put_first(tag: &str, svg: &Element) -> Option<Element> {
    let element = svg.owner_document()?.create_element_ns(svg.namespace_uri().as_deref(), tag).ok()?;
    svg.insert_before(&element, svg.first_child().as_ref()).ok()?;
    Some(element)
}

fn set(element: &Element, attributes: &[(&str, String)]) -> Option<()> {
    attributes.iter().try_for_each(|(name, value)| element.set_attribute(name, value).ok())
}

/// Gives the copy the looks of the shape.
fn paint(shape: &Element, copy: &Element) -> Option<()> {
    let looks = LOOKS.into_iter().map(|(name, usual)| Some((name, look(shape, name).filter(|look| look != usual)?)));
    set(copy, &looks.flatten().collect::<Vec<_>>())
}

/// What the style sheet makes of a property.
fn look(element: &Element, property: &str) -> Option<String> {
    let look = web_sys::window()?.get_computed_style(element).ok()??.get_property_value(property).ok()?;
    Some(plain(&look).unwrap_or(look))
}

/// A mixed colour as programs know it that know no newer CSS.
fn plain(colour: &str) -> Option<String> {
    let numbers = colour.strip_prefix("oklab(")?.strip_suffix(')')?;
    let mut numbers = numbers.split(' ').map_while(|it| it.parse::<f64>().ok());
    Some(palette::oklab(numbers.next()?, numbers.next()?, numbers.next()?).hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_colours_are_written_so_that_all_programs_know_them() {
        let check = |colour: &str, expected: Option<&str>| assert_eq!(plain(colour).as_deref(), expected, "{colour}");
        check("oklab(1 0 0)", Some("#ffffff"));
        check("oklab(0.627955 0.224863 0.125846)", Some("#ff0000"));
        check("rgb(1, 2, 3)", None);
        check("none", None);
        check("oklab(none 0 0)", None);
    }
}
