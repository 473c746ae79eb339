//! From a graph to shapes: how large its texts are, where the layout puts them, and the paths to draw.

use std::fmt::Write;

use super::{Edge, Graph, Node};
use crate::label;
use crate::layered::{Drawing, Link, NodeBox, Options, Point, Route, lay_out};

/// Of the mono fonts in the style sheet, a little more than the widest.
const CHAR_WIDTH: f64 = 0.605;
const LINE_HEIGHT: f64 = 1.2;
/// The smallest font, and what the greatest flat adds to it. pprof's smallest of 8 cannot be read.
const FONT_SIZE: (f64, f64) = (11.0, 13.0);
pub(super) const LABEL_FONT_SIZE: f64 = 11.0;
/// Longer lines are shortened; names come broken where their parts end.
const MAX_CHARS: usize = 34;
const PADDING: (f64, f64) = (7.0, 5.0);

/// A graph, laid out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shapes {
    pub(super) boxes: Vec<Shape>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) size: (f64, f64),
    /// The box with the greatest cum.
    pub(super) heaviest: Option<usize>,
}

/// A node's box and what is written in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) lines: Vec<String>,
    pub(super) font_size: f64,
    pub(super) centre: Point,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Shape {
    fn new(node: &Node) -> Shape {
        let lines = lines(node);
        // By the root of the share, so that the area grows with it.
        let share = if node.is_tag { 0.0 } else { node.flat_share.clamp(0.0, 1.0) };
        let font_size = FONT_SIZE.0 + (FONT_SIZE.1 * share.sqrt()).ceil();
        let (width, height) = text_size(&lines, font_size);
        let (width, height) = (width + 2.0 * PADDING.0, height + 2.0 * PADDING.1);
        Shape { lines, font_size, width, height, centre: Point::default() }
    }

    /// The lines with the height of their baselines over the box's top.
    pub(super) fn baselines(&self) -> impl Iterator<Item = (f64, &str)> {
        let top = self.centre.y - self.height / 2.0 + PADDING.1;
        let step = self.font_size * LINE_HEIGHT;
        let baselines = (0_u32..).map(move |line| top + f64::from(line) * step + self.font_size * 0.95);
        baselines.zip(self.lines.iter().map(String::as_str))
    }
}

/// An edge's line, its head and its label.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Arrow {
    pub(super) line: String,
    pub(super) head: String,
    pub(super) width: f64,
    pub(super) label: Vec<String>,
    pub(super) label_at: Option<Point>,
}

impl Arrow {
    fn new(edge: &Edge, route: &Route) -> Arrow {
        // pprof's: from 1 to 6, in whole steps.
        let width = 1.0 + (edge.share.abs() * 5.0).min(5.0).floor();
        let (line, head) = paths(route, 5.0 + 1.5 * width);
        Arrow { line, head, width, label: edge_label(edge), label_at: route.label_at }
    }

    /// The label's lines with their baselines.
    pub(super) fn baselines(&self) -> impl Iterator<Item = (Point, &str)> {
        let (_, height) = text_size(&self.label, LABEL_FONT_SIZE);
        let step = LABEL_FONT_SIZE * LINE_HEIGHT;
        let lines = (0_u32..).zip(&self.label);
        self.label_at.into_iter().flat_map(move |at| {
            let baseline = move |line: u32| at.y - height / 2.0 + f64::from(line) * step + LABEL_FONT_SIZE * 0.95;
            lines.clone().map(move |(line, text)| (Point { x: at.x, y: baseline(line) }, text.as_str()))
        })
    }
}

impl Shapes {
    pub(super) fn new(graph: &Graph) -> Shapes {
        let mut boxes: Vec<Shape> = graph.nodes.iter().map(Shape::new).collect();
        let sizes: Vec<NodeBox> = boxes.iter().map(|it| NodeBox { width: it.width, height: it.height }).collect();
        let links: Vec<Link> = graph.edges.iter().map(|it| link(graph, it)).collect();
        let Drawing { nodes, links, width, height } = lay_out(&sizes, &links, &Options::default());
        for (shape, at) in boxes.iter_mut().zip(nodes) {
            shape.centre = at;
        }
        let cum = |it: &usize| graph.nodes[*it].cum_share.abs();
        Shapes {
            boxes,
            arrows: graph.edges.iter().zip(&links).map(|(edge, route)| Arrow::new(edge, route)).collect(),
            size: (width, height),
            heaviest: (0..graph.nodes.len()).rev().max_by(|a, b| cum(a).total_cmp(&cum(b))),
        }
    }
}

fn link(graph: &Graph, edge: &Edge) -> Link {
    let label = edge_label(edge);
    let is_to_tag = graph.nodes.get(edge.to).is_some_and(|it| it.is_tag);
    // pprof's hints to dot: tags are near what they belong to, heavy calls short.
    let weight = if is_to_tag { 100.0 } else { 1.0 + 99.0 * edge.share.abs().min(1.0) };
    Link { from: edge.from, to: edge.to, weight, label: Some(text_size(&label, LABEL_FONT_SIZE)) }
}

fn edge_label(edge: &Edge) -> Vec<String> {
    let inline = edge.is_inline.then(|| "(inline)".to_owned());
    [edge.label.to_string()].into_iter().chain(inline).collect()
}

/// As in pprof: the name, flat and, where it is another, cum.
fn lines(node: &Node) -> Vec<String> {
    let fit = |line: &str| label::fit(line, MAX_CHARS).unwrap_or_default();
    let mut lines: Vec<String> = node.lines.iter().map(|it| fit(it)).collect();
    match (node.flat.as_str(), node.cum.as_deref()) {
        ("", None) => {}
        (flat, None) => lines.push(flat.to_owned()),
        ("0" | "", Some(cum)) => lines.push(format!("0 of {cum}")),
        (flat, Some(cum)) => lines.extend([flat.to_owned(), format!("of {cum}")]),
    }
    lines
}

/// Width and height of lines in a mono font.
fn text_size(lines: &[String], font_size: f64) -> (f64, f64) {
    let longest = lines.iter().map(|it| it.chars().map(columns).sum()).max().unwrap_or(0_u32);
    let n_lines = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    (f64::from(longest) * CHAR_WIDTH * font_size, f64::from(n_lines) * font_size * LINE_HEIGHT)
}

/// Signs of East Asian writing and pictures are twice as wide.
fn columns(c: char) -> u32 {
    if u32::from(c) < 0x1100 { 1 } else { 2 }
}

/// The line up to its head, and the head.
fn paths(route: &Route, size: f64) -> (String, String) {
    let [ref before @ .., control, tip] = *route.points.as_slice() else { return Default::default() };
    let Point { x, y } = route.arrow;
    // A thick line would show beside the tip.
    let back = |at: Point| Point { x: at.x - x * size, y: at.y - y * size };
    let base = back(tip);
    let mut line = String::new();
    for (idx, point) in before.iter().chain(&[back(control), base]).enumerate() {
        let command = match idx {
            0 => "M",
            1 => " C",
            _ => " ",
        };
        let _written = write!(line, "{command}{:.1} {:.1}", point.x, point.y);
    }
    let half = size * 0.42;
    let (left, right) = ((base.x - y * half, base.y + x * half), (base.x + y * half, base.y - x * half));
    let head = format!("M{:.1} {:.1} L{:.1} {:.1} L{:.1} {:.1} Z", tip.x, tip.y, left.0, left.1, right.0, right.1);
    (line, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_pprofs() {
        let check = |flat: &'static str, cum: Option<&'static str>, expected: &[&str]| {
            let node = Node {
                lines: vec!["main".into(), "fib".into()],
                flat: flat.into(),
                cum: cum.map(Into::into),
                ..Node::default()
            };
            assert_eq!(lines(&node)[2..], *expected, "{flat} {cum:?}");
        };
        check("1s (10%)", None, &["1s (10%)"]);
        check("0", Some("9s (90%)"), &["0 of 9s (90%)"]);
        check("1s (10%)", Some("9s (90%)"), &["1s (10%)", "of 9s (90%)"]);
        check("", None, &[]);
    }

    #[test]
    fn what_has_more_flat_is_written_larger() {
        let size =
            |flat_share: f64, is_tag: bool| Shape::new(&Node { flat_share, is_tag, ..Node::default() }).font_size;
        assert_eq!([0.0, 0.25, 1.0, 7.0].map(|it| size(it, false)), [11.0, 18.0, 24.0, 24.0]);
        assert_eq!(size(1.0, true), 11.0);
    }

    #[test]
    fn long_lines_do_not_make_wide_boxes() {
        let node = Node { lines: vec!["x".repeat(500).into()], ..Node::default() };
        let shape = Shape::new(&node);
        assert!(shape.width < 250.0 && shape.lines[0].ends_with('…'), "{shape:?}");
    }

    #[test]
    fn a_line_ends_where_its_head_begins() {
        let point = |x: f64, y: f64| Point { x, y };
        let points = vec![point(0.0, 0.0), point(0.0, 10.0), point(0.0, 20.0), point(0.0, 30.0)];
        let route = Route { points, arrow: point(0.0, 1.0), ..Route::default() };
        let (line, head) = paths(&route, 10.0);
        assert_eq!(line, "M0.0 0.0 C0.0 10.0 0.0 10.0 0.0 20.0");
        assert_eq!(head, "M0.0 30.0 L-4.2 20.0 L4.2 20.0 Z");
        assert_eq!(paths(&Route::default(), 10.0), Default::default());
    }
}
