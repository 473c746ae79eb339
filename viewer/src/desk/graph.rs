//! The flame graph for one sample type: the boxes in view, the way to the zoomed node, and what a search matched.

use std::collections::HashMap;

use proto::analysis::flame::{FlameLayout, FlameOptions, Matches, Query, Rect, layout, search};
use proto::analysis::tree::{CallTree, NodeId, TreeOptions};
use proto::units::Percent;

use super::Desk;
use super::catalog::Catalog;
use super::shown::Shown;
use crate::protocol::{Card, Crumb, Flame, FlameBox, FlameQuestion, Look};

/// Boxes narrower than this are not sent, in CSS pixels: at two device pixels each it is the least there is to see.
const LEAST_PIXELS: f64 = 0.5;
/// Narrower boxes get no name: no three letters fit.
const NAMED_FROM_PIXELS: f64 = 22.0;
/// The way to a node is told by the root and the last few nodes; the way to a deep one would fill the page.
const CRUMBS: usize = 6;

/// A call tree, with the layout and the search last asked for.
#[derive(Debug)]
pub(super) struct Graph {
    tree: CallTree,
    /// What percentages are of.
    total: i64,
    layout: Option<(NodeId, u32, FlameLayout)>,
    matches: Option<(String, Matches)>,
}

impl Graph {
    fn new(shown: &Shown, sample_index: usize) -> Graph {
        let tree = CallTree::new(shown.profile(), &TreeOptions { sample_index, ..TreeOptions::default() });
        Graph { tree, total: shown.total(sample_index), layout: None, matches: None }
    }

    /// Node numbers come from the page; one that is none means the root.
    fn node(&self, number: u32) -> NodeId {
        self.tree.nodes().nth(number as usize).unwrap_or(NodeId::ROOT)
    }

    fn lay_out(&mut self, zoom: NodeId, width: u32) {
        if self.layout.as_ref().is_none_or(|(of, at, _)| (*of, *at) != (zoom, width)) {
            let min_width = LEAST_PIXELS / f64::from(width.max(1));
            self.layout = Some((zoom, width, layout(&self.tree, &FlameOptions { zoom, min_width })));
        }
    }

    fn search(&mut self, text: &str) {
        if self.matches.as_ref().is_none_or(|(of, _)| of != text) {
            let query = Query::new(text);
            self.matches = query.map(|query| (text.to_owned(), search(&self.tree, &query)));
        }
    }

    fn flame(&mut self, question: &FlameQuestion, catalog: &Catalog) -> Flame {
        let zoom = self.node(question.zoom);
        self.lay_out(zoom, question.width);
        self.search(&question.query);
        let path = self.tree.path(zoom);
        let zoom_row = u32::try_from(path.len()).unwrap_or(u32::MAX) - 1;
        let mut names = Names::new(catalog);
        let mut boxes = Vec::new();
        let layout = self.layout.as_ref().map(|(.., layout)| layout);
        for rect in layout.map_or(&[][..], |layout| rows_of(layout, question.first_row, question.n_rows)) {
            let name_fits = rect.width * f64::from(question.width) >= NAMED_FROM_PIXELS;
            boxes.push(self.flame_box(rect, zoom_row, catalog, name_fits.then_some(&mut names)));
        }
        Flame {
            boxes,
            names: names.names,
            n_rows: layout.map_or(0, |layout| layout.n_rows),
            zoom_row,
            n_elided: path.len().saturating_sub(CRUMBS),
            trail: elide(&path).map(|node| self.crumb(node)).collect(),
            matched: self.matches.as_ref().map(|(_, matches)| self.percent(matches.cum)),
        }
    }

    fn flame_box(&self, rect: &Rect, zoom_row: u32, catalog: &Catalog, names: Option<&mut Names<'_>>) -> FlameBox {
        let &Rect { node, x, width, depth } = rect;
        let function = self.function(node, catalog);
        let look = catalog.get(function).map_or(Look::root(), |entry| entry.look);
        let look = if depth < zoom_row { look.ancestor() } else { look };
        let is_match = self.matches.as_ref().is_some_and(|(_, it)| it.is_match.get(node.index()) == Some(&true));
        FlameBox {
            x: narrow(x),
            width: narrow(width),
            row: depth,
            node: number(node),
            function,
            look: look.matched(is_match),
            name: names.map(|names| names.number(function)),
        }
    }

    /// The root is a function to nobody.
    fn function(&self, node: NodeId, catalog: &Catalog) -> u32 {
        self.tree.frame(node).map_or(u32::MAX, |frame| catalog.of_frame(frame))
    }

    fn crumb(&self, node: NodeId) -> Crumb {
        Crumb { node: number(node), name: self.tree.name(node) }
    }

    fn percent(&self, part: i64) -> String {
        Percent { part, whole: self.total }.to_string().trim_start().to_owned()
    }
}

impl Desk {
    pub(super) fn graph(&mut self) -> &mut Graph {
        self.graph.get_or_insert_with(|| Graph::new(&self.shown, self.sample_index))
    }

    pub(super) fn flame(&mut self, question: &FlameQuestion) -> Flame {
        let graph = self.graph.get_or_insert_with(|| Graph::new(&self.shown, self.sample_index));
        graph.flame(question, &self.catalog)
    }

    /// The card of a node, in the table's unit, so that the two can be compared.
    pub(super) fn card(&mut self, number: u32) -> Card {
        self.table();
        self.graph();
        let (Some(table), Some(graph)) = (&self.table, &self.graph) else { return Card::default() };
        let node = graph.node(number);
        let tree = &graph.tree;
        let entry = self.catalog.get(graph.function(node, &self.catalog)).cloned().unwrap_or_default();
        let (flat, flat_pct) = table.with_share(tree.flat(node));
        let (cum, cum_pct) = table.with_share(tree.cum(node));
        let of_parent = tree.parent(node).map(|parent| Percent { part: tree.cum(node), whole: tree.cum(parent) });
        // Where this box is all there is of the function, its sums would only be said twice.
        let sums = table.values_of(&entry.name).filter(|&sums| sums != (tree.flat(node), tree.cum(node)));
        Card {
            name: tree.name(node),
            place: entry.place,
            flat,
            flat_pct,
            cum,
            cum_pct,
            of_parent: of_parent.map(|share| share.to_string().trim_start().to_owned()).unwrap_or_default(),
            everywhere: sums.map(|(flat, cum)| (table.with_share(flat), table.with_share(cum))),
            inlined: tree.is_inlined(node),
            host: entry.look.is_host(),
        }
    }
}

/// The names that an answer carries, each once.
struct Names<'a> {
    catalog: &'a Catalog,
    names: Vec<String>,
    numbers: HashMap<u32, u32>,
}

impl<'a> Names<'a> {
    fn new(catalog: &'a Catalog) -> Names<'a> {
        Names { catalog, names: Vec::new(), numbers: HashMap::new() }
    }

    fn number(&mut self, function: u32) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(function).or_insert(next);
        if number == next {
            self.names.push(self.catalog.get(function).map_or_else(|| "root".to_owned(), |entry| entry.name.clone()));
        }
        number
    }
}

/// The rectangles of `n_rows` rows from `first` on; they are ordered by row.
fn rows_of(layout: &FlameLayout, first: u32, n_rows: u32) -> &[Rect] {
    let past = first.saturating_add(n_rows);
    let [start, end] = [first, past].map(|row| layout.rects.partition_point(|rect| rect.depth < row));
    layout.rects.get(start..end).unwrap_or_default()
}

fn elide(path: &[NodeId]) -> impl Iterator<Item = NodeId> {
    let last = path.len().saturating_sub(CRUMBS - 1).max(1);
    path.iter().enumerate().filter(move |(at, _)| *at == 0 || *at >= last).map(|(_, node)| *node)
}

fn number(node: NodeId) -> u32 {
    u32::try_from(node.index()).unwrap_or(0)
}

/// Boxes are sent half as precise as laid out: still a thousandth of a pixel of the widest screen.
fn narrow(share: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "said above")]
    let share = share as f32;
    share
}
