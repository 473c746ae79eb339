//! A layered drawing of a directed graph, as Graphviz's dot makes it: places for boxes, curves for links, room for labels.
//!
//! Pure arithmetic, always with the same outcome. The steps are those of Gansner, Koutsofios, North and Vo, "A Technique for
//! Drawing Directed Graphs": cycles are broken, boxes ranked, ranks ordered, coordinates found, curves drawn.

mod acyclic;
mod layers;
mod order;
mod place;
mod route;
mod simplex;
#[cfg(test)]
mod tests;

use layers::Layers;

/// A box to be placed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NodeBox {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// An arrow between two boxes, by their indexes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Link {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// How much it should be short, straight and point down; 1 is little, 100 is much.
    pub(crate) weight: f64,
    /// Width and height of its label.
    pub(crate) label: Option<(f64, f64)>,
}

/// Distances between what is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Options {
    /// Between neighbouring boxes.
    pub(crate) node_gap: f64,
    /// Between boxes and the ends of a short link without a label.
    pub(crate) rank_gap: f64,
    /// Between a curve and what it passes.
    pub(crate) edge_gap: f64,
    /// Between a curve and its label.
    pub(crate) label_gap: f64,
}

impl Default for Options {
    fn default() -> Self {
        Options { node_gap: 18.0, rank_gap: 36.0, edge_gap: 10.0, label_gap: 4.0 }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Point {
    fn moved(self, by: Point) -> Point {
        Point { x: self.x + by.x, y: self.y + by.y }
    }
}

/// Where everything is; it begins at 0, 0 and grows to the right and down.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Drawing {
    /// The boxes' centres.
    pub(crate) nodes: Vec<Point>,
    /// One for each link.
    pub(crate) links: Vec<Route>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// The way of a link, from the border of one box to that of the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Route {
    /// Cubic Bézier curves, one after the other: a first point, then three for each curve.
    pub(crate) points: Vec<Point>,
    /// The unit vector in which it arrives.
    pub(crate) arrow: Point,
    /// The label's centre.
    pub(crate) label_at: Option<Point>,
    /// It points up, as else there would be a cycle.
    pub(crate) is_reversed: bool,
}

/// Places all boxes and links.
///
/// Links of which an end is no box are not drawn: their routes have no points.
pub(crate) fn lay_out(nodes: &[NodeBox], links: &[Link], options: &Options) -> Drawing {
    let parts = components(nodes.len(), links);
    let drawings: Vec<(Part, Drawing)> = parts
        .into_iter()
        .map(|part| {
            let (nodes, links) = part.of(nodes, links);
            let drawing = lay_out_connected(&nodes, &links, options);
            (part, drawing)
        })
        .collect();
    pack(nodes.len(), links.len(), drawings, options)
}

fn lay_out_connected(nodes: &[NodeBox], links: &[Link], options: &Options) -> Drawing {
    let is_reversed = acyclic::reversed(nodes.len(), links);
    let mut layers = Layers::new(nodes, links, &is_reversed, options);
    order::reduce_crossings(&mut layers);
    let places = place::places(&layers, options);
    let mut drawing = Drawing {
        nodes: (0..nodes.len()).map(|it| places.centre(&layers, it)).collect(),
        links: route::routes(nodes, links, &layers, &places, options),
        ..Drawing::default()
    };
    drawing.fit(nodes, links);
    drawing
}

impl Drawing {
    /// Moves all so that it begins at 0, 0, and finds how large it is.
    fn fit(&mut self, nodes: &[NodeBox], links: &[Link]) {
        let boxes = self.nodes.iter().zip(nodes).map(|(&at, it)| (at, it.width, it.height));
        let labels = self.links.iter().zip(links).filter_map(|(route, link)| {
            let (width, height) = link.label?;
            Some((route.label_at?, width, height))
        });
        let bends = self.links.iter().flat_map(|it| &it.points).map(|&at| (at, 0.0, 0.0));
        let none = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        let [left, top, right, bottom] =
            boxes.chain(labels).chain(bends).fold(none, |[left, top, right, bottom], (at, width, height)| {
                [
                    left.min(at.x - width / 2.0),
                    top.min(at.y - height / 2.0),
                    right.max(at.x + width / 2.0),
                    bottom.max(at.y + height / 2.0),
                ]
            });
        self.shift(Point { x: -left, y: -top });
        (self.width, self.height) = (right - left, bottom - top);
    }

    fn shift(&mut self, by: Point) {
        let points = self.links.iter_mut().flat_map(|it| it.points.iter_mut().chain(&mut it.label_at));
        for point in self.nodes.iter_mut().chain(points) {
            *point = point.moved(by);
        }
    }
}

/// Boxes that hang together, and the links between them.
#[derive(Clone, Debug, Default)]
struct Part {
    nodes: Vec<usize>,
    links: Vec<usize>,
}

impl Part {
    /// The part as a graph of its own.
    fn of(&self, nodes: &[NodeBox], links: &[Link]) -> (Vec<NodeBox>, Vec<Link>) {
        let own = |node: usize| self.nodes.binary_search(&node).unwrap_or_default();
        let boxes = self.nodes.iter().map(|&it| nodes[it]).collect();
        let links = self.links.iter().map(|&it| links[it]);
        (boxes, links.map(|it| Link { from: own(it.from), to: own(it.to), ..it }).collect())
    }
}

fn components(n_nodes: usize, links: &[Link]) -> Vec<Part> {
    let drawn = |link: &&Link| link.from < n_nodes && link.to < n_nodes;
    let mut neighbours = vec![Vec::new(); n_nodes];
    for link in links.iter().filter(drawn) {
        neighbours[link.from].push(link.to);
        neighbours[link.to].push(link.from);
    }
    let mut part_of = vec![None; n_nodes];
    let mut parts: Vec<Part> = Vec::new();
    for first in 0..n_nodes {
        let mut found = vec![first];
        while let Some(node) = found.pop() {
            if part_of[node].is_none() {
                part_of[node] = Some(parts.len());
                found.extend(&neighbours[node]);
            }
        }
        if part_of[first] == Some(parts.len()) {
            parts.push(Part::default());
        }
    }
    for (node, part) in part_of.iter().enumerate() {
        parts[part.unwrap_or_default()].nodes.push(node);
    }
    for (idx, link) in links.iter().enumerate().filter(|(_, link)| drawn(link)) {
        parts[part_of[link.from].unwrap_or_default()].links.push(idx);
    }
    parts
}

/// Puts the parts side by side, in rows about as wide as a screen is to its height; the tallest first.
fn pack(n_nodes: usize, n_links: usize, mut parts: Vec<(Part, Drawing)>, options: &Options) -> Drawing {
    const SCREEN: f64 = 1.6;
    let gap = 2.0 * options.node_gap;
    parts.sort_by(|(_, a), (_, b)| b.height.total_cmp(&a.height));
    let area: f64 = parts.iter().map(|(_, it)| (it.width + gap) * (it.height + gap)).sum();
    let widest = parts.iter().map(|(_, it)| it.width).fold((SCREEN * area).sqrt(), f64::max);
    let mut whole = Drawing {
        nodes: vec![Point::default(); n_nodes],
        links: vec![Route::default(); n_links],
        ..Drawing::default()
    };
    let mut corner = Point::default();
    for (part, mut drawing) in parts {
        if corner.x > 0.0 && corner.x + drawing.width > widest {
            corner = Point { x: 0.0, y: whole.height + gap };
        }
        drawing.shift(corner);
        whole.width = whole.width.max(corner.x + drawing.width);
        whole.height = whole.height.max(corner.y + drawing.height);
        corner.x += drawing.width + gap;
        for (&idx, at) in part.nodes.iter().zip(drawing.nodes) {
            whole.nodes[idx] = at;
        }
        for (&idx, route) in part.links.iter().zip(drawing.links) {
            whole.links[idx] = route;
        }
    }
    whole
}
