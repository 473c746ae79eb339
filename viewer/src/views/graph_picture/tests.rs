//! The picture as text.

use super::*;
use crate::views::testing::render;

fn graph() -> Graph {
    let node =
        |name: &'static str, flat: &'static str, cum: Option<&'static str>, flat_share: f64, cum_share: f64| Node {
            name: name.into(),
            lines: name.split('.').map(|it| it.to_owned().into()).collect(),
            flat: flat.into(),
            cum: cum.map(Into::into),
            flat_share,
            cum_share,
            is_tag: false,
        };
    let edge = |from: usize, to: usize, label: &'static str, share: f64| Edge {
        from,
        to,
        label: label.into(),
        share,
        ..Edge::default()
    };
    Graph {
        nodes: vec![
            node("main.main", "0", Some("1s (100%)"), 0.0, 1.0),
            node("main.<img src=x onerror=alert(1)>", "0.60s (60%)", None, 1.0, 0.6),
            node("main.fib", "0.40s (40%)", Some("0.39s (39%)"), 0.7, -0.39),
            Node { is_tag: true, ..node("16B", "", None, 0.0, 0.0) },
        ],
        edges: vec![
            edge(0, 1, "0.60s", 0.6),
            Edge { is_inline: true, is_residual: true, ..edge(0, 2, "0.39s", -0.39) },
            edge(2, 2, "0.20s", 0.2),
            edge(2, 3, "0.40s", 0.4),
        ],
    }
}

fn props() -> GraphPictureProps {
    GraphPictureProps { graph: Rc::new(graph()), selected: Some(2), on_select: Callback::noop() }
}

#[test]
fn draws_boxes_edges_and_labels() {
    let html = render::<GraphPicture>(props);
    for part in [
        ">0 of 1s (100%)</text>",
        ">fib</text>",
        "aria-label=\"main.fib, flat 0.40s (40%), cum 0.39s (39%)\"",
        "font-size=\"24.0\"",
        "heat-10",
        "stroke-width=\"4.0\"",
        ">(inline)</text>",
        "<title>main.main → ",
        "<title>main.main ⇢ main.fib (0.39s, inlined)</title>",
        "aria-label=\"Zoom in\"",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    for (part, n) in
        [("class=\"graph-line\"", 4), ("role=\"img\"", 3), ("residual", 1), ("chosen", 1), ("graph-node", 4)]
    {
        assert_eq!(html.matches(part).count(), n, "{part} in {html}");
    }
    assert_eq!(html.matches("shrinks").count(), 2, "a box and an edge: {html}");
}

#[test]
fn names_are_text() {
    let html = render::<GraphPicture>(props);
    assert!(!html.contains("<img") && html.contains("&lt;img src=x"), "{html}");
}

/// The page's policy forbids them.
#[test]
fn there_are_no_style_attributes() {
    assert!(!render::<GraphPicture>(props).contains("style="));
}

#[test]
fn an_empty_graph_says_so() {
    let html = render::<GraphPicture>(|| GraphPictureProps { graph: Rc::default(), ..props() });
    assert!(html.contains("nothing to draw") && !html.contains("<svg"), "{html}");
}

#[test]
fn colours_are_pprofs_steps() {
    let check = |share: f64, expected: &str| assert_eq!(heat(share).to_string(), expected, "{share}");
    check(0.0, "heat-0");
    check(0.01, "heat-2");
    check(1.0, "heat-10");
    check(7.0, "heat-10");
    check(-0.5, "heat-8 shrinks");
}
