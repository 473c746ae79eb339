//! The call graph as pprof draws it: what stands in each box, and on each arrow. The numbers are those of `wprof dot`.

use std::collections::HashMap;

use proto::analysis::calls::{CallGraph, Purpose, call_graph};
use proto::analysis::graph::{EdgeIdx, NodeIdx, Tag};
use proto::analysis::top::TopOptions;
use proto::analysis::{Frame, base_name, short_name};
use proto::units::Percent;

use super::subject::Subject;
use crate::protocol::{Graph, GraphAsk, GraphEdge, GraphNode};

impl Subject {
    pub(super) fn picture(&mut self, ask: &GraphAsk) -> Graph {
        let options = TopOptions { node_count: ask.n_nodes, ..self.top_options(self.sample_index()) };
        let call_graph = call_graph(&self.profile, &options, Purpose::Drawing { call_tree: false });
        let mut picture = Picture::new(&call_graph);
        for &node in call_graph.graph.shown() {
            picture.add_node(node);
        }
        picture.add_tags();
        picture.add_edges();
        Graph { legend: legend(&call_graph), ..picture.graph }
    }
}

struct Picture<'a> {
    call_graph: &'a CallGraph,
    /// Each place's position in the picture.
    positions: HashMap<NodeIdx, usize>,
    most_flat: i64,
    graph: Graph,
}

impl<'a> Picture<'a> {
    fn new(call_graph: &'a CallGraph) -> Picture<'a> {
        let flat = |it: &NodeIdx| call_graph.graph.node(*it).sums.flat_value().saturating_abs();
        let most_flat = call_graph.graph.shown().iter().map(flat).max().unwrap_or(0);
        let positions = call_graph.graph.shown().iter().copied().zip(0..).collect();
        Picture { call_graph, positions, most_flat, graph: Graph::default() }
    }

    fn with_share(&self, value: i64) -> String {
        let share = Percent { part: value, whole: self.call_graph.total }.to_string();
        format!("{} ({})", self.call_graph.scale.amount(value), share.trim())
    }

    fn add_node(&mut self, node: NodeIdx) {
        let frame = self.call_graph.frames.get(self.call_graph.graph.node(node).frame);
        let sums = self.call_graph.graph.node(node).sums;
        let (flat, cum) = (sums.flat_value(), sums.cum_value());
        let shown = GraphNode {
            name: frame.label(),
            lines: name_lines(&frame),
            flat: if flat == 0 { String::new() } else { self.with_share(flat) },
            cum: (cum != flat).then(|| self.with_share(cum)),
            flat_share: share(flat.saturating_abs(), self.most_flat),
            cum_share: share(cum, self.call_graph.total),
            is_tag: false,
        };
        self.graph.nodes.push(shown);
    }

    /// The boxes of labels come after all places, so that those are where their positions say.
    fn add_tags(&mut self) {
        let places: Vec<NodeIdx> = self.call_graph.graph.shown().to_vec();
        for (at, node) in places.into_iter().enumerate() {
            // Below a leaf they tell of all, since what it called may have been left out.
            let by_flat = self.call_graph.graph.callees(node).next().is_some();
            let (texts, sizes) = self.call_graph.graph.tags(node, by_flat);
            for text in &texts {
                let value = if by_flat { text.tag.sums.flat_value() } else { text.tag.sums.cum_value() };
                if value != 0 {
                    let tag = self.add_tag(at, &text.tag.name, value, false);
                    self.add_sizes(tag, &text.sizes, by_flat);
                }
            }
            self.add_sizes(at, &sizes, by_flat);
        }
    }

    fn add_sizes(&mut self, from: usize, sizes: &[Tag], by_flat: bool) {
        for Tag { name, sums } in sizes {
            let is_own = by_flat || sums.flat_value() == sums.cum_value();
            let value = if is_own { sums.flat_value() } else { sums.cum_value() };
            if value != 0 {
                self.add_tag(from, name, value, !is_own);
            }
        }
    }

    fn add_tag(&mut self, from: usize, name: &str, value: i64, is_residual: bool) -> usize {
        let to = self.graph.nodes.len();
        let weight = self.call_graph.scale.amount(value).to_string();
        let lines = name.split('\n').map(str::to_owned).collect();
        self.graph.nodes.push(GraphNode {
            name: name.to_owned(),
            lines,
            flat: weight.clone(),
            is_tag: true,
            ..GraphNode::default()
        });
        let share = share(value, self.call_graph.total);
        self.graph.edges.push(GraphEdge { from, to, weight, share, is_inline: false, is_residual });
        to
    }

    fn add_edges(&mut self) {
        let graph = &self.call_graph.graph;
        let edges = graph.shown().iter().flat_map(|&it| graph.callees(it));
        let edges: Vec<EdgeIdx> = self.call_graph.sorted(edges);
        for edge in edges.into_iter().map(|it| graph.edge(it)) {
            let (Some(&from), Some(&to)) = (self.positions.get(&edge.from), self.positions.get(&edge.to)) else {
                continue;
            };
            let shown = GraphEdge {
                from,
                to,
                weight: self.call_graph.scale.amount(edge.value()).to_string(),
                share: share(edge.value(), self.call_graph.total),
                is_inline: edge.is_inline,
                is_residual: edge.is_residual,
            };
            self.graph.edges.push(shown);
        }
    }
}

/// The place's name, broken where its parts end, as pprof's picture has it.
fn name_lines(frame: &Frame<'_>) -> Vec<String> {
    let name = short_name(frame.name).replace("::", "\n").replace("[...]", "[…]").replace('.', "\n");
    let file = if frame.file.is_empty() { "" } else { base_name(frame.file) };
    let parts = Frame { name: &name, file, ..*frame }.label_parts();
    let lines = parts.iter().flat_map(|part| part.split('\n'));
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn legend(call_graph: &CallGraph) -> Vec<String> {
    let CallGraph { shown, total, n_dropped, dropped_cum, n_dropped_edges, dropped_weight, n_places, .. } = call_graph;
    let amount = |value: i64| call_graph.scale.amount(value).to_string();
    let share = Percent { part: *shown, whole: *total }.to_string();
    let n_shown = call_graph.graph.shown().len();
    let mut legend =
        vec![format!("Showing nodes accounting for {}, {} of {} total", amount(*shown), share.trim(), amount(*total))];
    let dropped = |n: usize, what: &str, at: i64, of: &str| {
        let s = if n == 1 { "" } else { "s" };
        (n > 0).then(|| format!("Dropped {n} {what}{s} ({of} <= {})", amount(at)))
    };
    legend.extend(dropped(*n_dropped, "node", *dropped_cum, "cum"));
    legend.extend(dropped(*n_dropped_edges, "edge", *dropped_weight, "freq"));
    if n_shown < *n_places {
        legend.push(format!("Showing top {n_shown} nodes out of {n_places}"));
    }
    legend
}

/// For sizes and colours; nothing is computed from it.
fn share(part: i64, whole: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a size needs no more than 53 bits")]
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    share.clamp(-1.0, 1.0)
}
