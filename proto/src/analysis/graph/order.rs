//! Which place comes first, and which call.

use std::cmp::Reverse;

use super::{EdgeIdx, Graph, NodeIdx};
use crate::analysis::frames::Frames;
use crate::units;

/// What places are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// Their own weight.
    #[default]
    Flat,
    /// Their own weight and that of all they call.
    Cum,
    /// How much a drawing would lose without them: weight, and how it comes in and goes out.
    Drawing,
}

/// Sorts the places to show: the heaviest first, whatever the sign; ties by name, the other weight, and all that makes
/// a place.
pub(super) fn sort(graph: &mut Graph, frames: &Frames, order: Order) {
    let scored = |&node: &NodeIdx| {
        let (first, second) = score(graph, node, order);
        (first, second, node)
    };
    let mut scored: Vec<(i64, i64, NodeIdx)> = graph.shown.iter().map(scored).collect();
    // Names are made for ties only, but then often.
    let names: Vec<std::cell::OnceCell<String>> = vec![std::cell::OnceCell::new(); frames.len()];
    let name = |it: NodeIdx| {
        let frame = graph.node(it).frame;
        names[frame.index()].get_or_init(|| frames.get(frame).label()).as_str()
    };
    scored.sort_unstable_by(|a, b| {
        (Reverse(a.0).cmp(&Reverse(b.0)))
            .then_with(|| name(a.2).cmp(name(b.2)))
            .then_with(|| Reverse(a.1).cmp(&Reverse(b.1)))
            .then_with(|| frame_text(graph, frames, a.2).cmp(&frame_text(graph, frames, b.2)))
            .then_with(|| a.2.cmp(&b.2))
    });
    graph.shown = scored.into_iter().map(|it| it.2).collect();
}

/// What a place is ordered by, and what breaks ties of equal names.
fn score(graph: &Graph, node: NodeIdx, order: Order) -> (i64, i64) {
    let sums = graph.node(node).sums;
    let [flat, cum] = [sums.flat, sums.cum].map(i64::saturating_abs);
    match order {
        Order::Flat => (flat, cum),
        Order::Cum => (cum, flat),
        Order::Drawing => (drawing_score(graph, node).saturating_abs(), flat),
    }
}

/// pprof's entropy score: a place through which all goes straight on is worth little.
fn drawing_score(graph: &Graph, node: NodeIdx) -> i64 {
    let sums = graph.node(node).sums;
    let callers: Vec<i64> = graph.callers(node).map(|it| graph.edge(it).weight).collect();
    let callees: Vec<i64> = graph.callees(node).map(|it| graph.edge(it).weight).collect();
    // Where all begins or ends is always of interest.
    let side = |weights: &[i64], own| if weights.is_empty() { 1.0 } else { entropy(weights, own) };
    let score = side(&callers, 0) + side(&callees, sums.flat);
    units::truncate(score * units::to_f64(sums.cum)).saturating_add(sums.flat)
}

/// How evenly weights are spread, in bits. `own` counts as one of them, if it is positive.
fn entropy(weights: &[i64], own: i64) -> f64 {
    let total = weights.iter().filter(|it| 0 < **it).fold(own, |sum, it| sum.saturating_add(*it));
    if total == 0 {
        return 0.0;
    }
    let term = |weight: i64| {
        let share = units::to_f64(weight.saturating_abs()) / units::to_f64(total);
        -share * share.log2()
    };
    let own = if 0 < own { term(own) } else { 0.0 };
    weights.iter().map(|it| term(*it)).sum::<f64>() + own
}

/// All parts in a row, the order pprof falls back to when two places print alike.
fn frame_text(graph: &Graph, frames: &Frames, node: NodeIdx) -> String {
    let it = frames.get(graph.node(node).frame);
    format!("{}  {} {} {} {} {} {}", it.name, it.address, it.file, it.start_line, it.line, it.column, it.binary)
}

pub(super) fn sort_edges(graph: &Graph, frames: &Frames, edges: &mut [EdgeIdx]) {
    let name = |it: NodeIdx| frames.get(graph.node(it).frame).label();
    edges.sort_unstable_by(|&a, &b| {
        let (one, other) = (graph.edge(a), graph.edge(b));
        (Reverse(one.weight.saturating_abs()).cmp(&Reverse(other.weight.saturating_abs())))
            .then_with(|| name(one.from).cmp(&name(other.from)))
            .then_with(|| name(one.to).cmp(&name(other.to)))
            .then_with(|| a.cmp(&b))
    });
}
