//! Network simplex: whole-number positions that keep every edge's least length and make the sum of weighted lengths least.
//!
//! Positions are improved by moving one side of an edge of a spanning tree of tight edges. What such a move gains is the sum,
//! over that side's nodes, of the weights of edges out less those in, as edges inside cancel out; so trees carry these sums.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// `at[to] - at[from]` is to be `min_len` at least, and costs `weight` times as much as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) weight: i64,
    pub(super) min_len: i64,
}

/// How many edges with a gain are compared before the best is taken, as in dot.
const SEARCH_SIZE: usize = 30;

/// Improves `at`, which must keep all least lengths, until nothing can be gained or `max_work` nodes were looked at.
///
/// What then may be anywhere between two places at no cost stays where it is, but see [`centre`].
pub(super) fn improve(at: &mut [i64], edges: &[Edge], max_work: usize) {
    improved(at, edges, max_work);
}

/// The same, and what may be anywhere between two places at no cost goes to the middle; but not where that only makes one
/// edge shorter and another of the same group longer.
pub(super) fn centre(at: &mut [i64], edges: &[Edge], groups: &[Option<usize>], max_work: usize) {
    if let Some(mut tree) = improved(at, edges, max_work) {
        tree.centre(groups);
    }
}

/// The tree of the best positions, if there was time for them.
fn improved<'a>(at: &'a mut [i64], edges: &'a [Edge], max_work: usize) -> Option<Tree<'a>> {
    let mut tree = Tree::new(at, edges);
    let mut work_left = max_work;
    let mut cursor = 0;
    while let Some(node) = tree.leaving(&mut cursor) {
        tree.find_side(node);
        let Some((entering, slack)) = tree.entering(tree.sums[node] < 0) else { break };
        tree.shift_side(if tree.sums[node] < 0 { -slack } else { slack });
        tree.exchange(node, entering);
        match work_left.checked_sub(tree.side.len()) {
            Some(left) => work_left = left,
            None => return None,
        }
    }
    Some(tree)
}

/// Positions from 0 that keep all least lengths, each node as near to 0 as its edges allow. Edges must form no cycle.
pub(super) fn longest_paths(n_nodes: usize, edges: &[Edge]) -> Vec<i64> {
    let mut n_in = vec![0_usize; n_nodes];
    let mut out = vec![Vec::new(); n_nodes];
    for edge in edges {
        n_in[edge.to] += 1;
        out[edge.from].push(edge);
    }
    let mut at = vec![0; n_nodes];
    let mut ready: Vec<usize> = (0..n_nodes).filter(|&it| n_in[it] == 0).collect();
    while let Some(node) = ready.pop() {
        for edge in &out[node] {
            at[edge.to] = at[edge.to].max(at[node] + edge.min_len);
            n_in[edge.to] -= 1;
            if n_in[edge.to] == 0 {
                ready.push(edge.to);
            }
        }
    }
    at
}

struct Tree<'a> {
    at: &'a mut [i64],
    edges: &'a [Edge],
    /// The edges at each node.
    edges_at: Vec<Vec<usize>>,
    /// Those of them that are in the tree.
    tree_edges_at: Vec<Vec<usize>>,
    /// The tree's edge towards the root; a root has none.
    up: Vec<Option<usize>>,
    /// Weights out less weights in of the nodes from here down the tree.
    sums: Vec<i64>,
    /// The side that is looked at: the nodes from one down the tree, and a mark on each.
    side: Vec<usize>,
    marks: Vec<usize>,
    mark: usize,
}

impl<'a> Tree<'a> {
    /// A spanning tree of tight edges; moves parts of the graph towards each other until there is one.
    fn new(at: &'a mut [i64], edges: &'a [Edge]) -> Tree<'a> {
        let n_nodes = at.len();
        let mut edges_at = vec![Vec::new(); n_nodes];
        let mut sums = vec![0; n_nodes];
        for (idx, edge) in edges.iter().enumerate() {
            edges_at[edge.from].push(idx);
            edges_at[edge.to].push(idx);
            sums[edge.from] += edge.weight;
            sums[edge.to] -= edge.weight;
        }
        let mut tree = Tree {
            at,
            edges,
            edges_at,
            tree_edges_at: vec![Vec::new(); n_nodes],
            up: vec![None; n_nodes],
            sums,
            side: Vec::new(),
            marks: vec![0; n_nodes],
            mark: 0,
        };
        tree.grow();
        tree
    }

    /// Grows a tree from each node that none has reached, always by the edge with the least slack, which is made tight by
    /// moving the whole tree. Slacks are kept as they would be had it never moved: those out of it shrink as it goes up.
    fn grow(&mut self) {
        let mut is_inside = vec![false; self.at.len()];
        let mut inside: Vec<usize> = Vec::new();
        for root in 0..self.at.len() {
            if is_inside[root] {
                continue;
            }
            let first = inside.len();
            let (mut out, mut into) = (BinaryHeap::new(), BinaryHeap::new());
            let mut moved = 0;
            let mut next = Some((root, None));
            while let Some((node, up)) = next {
                is_inside[node] = true;
                inside.push(node);
                self.at[node] -= moved;
                self.up[node] = up;
                for &idx in &self.edges_at[node] {
                    let Edge { from, to, .. } = self.edges[idx];
                    match (is_inside[from], is_inside[to]) {
                        (true, false) => out.push(Reverse((self.slack(idx), idx))),
                        (false, true) => into.push(Reverse((self.slack(idx), idx))),
                        _ => {}
                    }
                }
                let is_done = |idx: usize| is_inside[self.edges[idx].from] && is_inside[self.edges[idx].to];
                drop_while(&mut out, is_done);
                drop_while(&mut into, is_done);
                let (shortest_out, shortest_in) = (least(&out), least(&into));
                let out_is_nearer = shortest_out.0.saturating_sub(moved) <= shortest_in.0.saturating_add(moved);
                next = match (if out_is_nearer { shortest_out } else { shortest_in }).1 {
                    Some(idx) if out_is_nearer => {
                        moved = shortest_out.0;
                        Some((self.edges[idx].to, Some(idx)))
                    }
                    Some(idx) => {
                        moved = -shortest_in.0;
                        Some((self.edges[idx].from, Some(idx)))
                    }
                    None => None,
                };
            }
            for &node in &inside[first..] {
                self.at[node] += moved;
            }
        }
        for &node in inside.iter().rev() {
            if let Some(edge) = self.up[node] {
                let above = self.other_end(edge, node);
                self.sums[above] += self.sums[node];
                self.tree_edges_at[node].push(edge);
                self.tree_edges_at[above].push(edge);
            }
        }
    }

    fn slack(&self, edge: usize) -> i64 {
        let Edge { from, to, min_len, .. } = self.edges[edge];
        self.at[to] - self.at[from] - min_len
    }

    fn other_end(&self, edge: usize, node: usize) -> usize {
        let Edge { from, to, .. } = self.edges[edge];
        if from == node { to } else { from }
    }

    /// What is gained by moving the nodes from here down the tree by one away from the edge above.
    fn gain(&self, node: usize) -> i64 {
        match self.up[node] {
            Some(edge) if self.edges[edge].from == node => -self.sums[node],
            Some(_) => self.sums[node],
            None => 0,
        }
    }

    /// A node of which the edge above should leave the tree.
    fn leaving(&self, cursor: &mut usize) -> Option<usize> {
        let n_nodes = self.at.len();
        let mut best = None;
        let mut n_found = 0;
        for step in 0..n_nodes {
            let node = (*cursor + step) % n_nodes;
            let gain = self.gain(node);
            if gain > 0 {
                n_found += 1;
                if best.is_none_or(|(_, most)| gain > most) {
                    best = Some((node, gain));
                }
                if n_found == SEARCH_SIZE {
                    *cursor = node + 1;
                    break;
                }
            }
        }
        best.map(|(node, _)| node)
    }

    fn find_side(&mut self, node: usize) {
        self.mark += 1;
        self.side.clear();
        self.side.push(node);
        self.marks[node] = self.mark;
        let mut n_seen = 0;
        while let Some(&node) = self.side.get(n_seen) {
            n_seen += 1;
            for &edge in &self.tree_edges_at[node] {
                let other = self.other_end(edge, node);
                if self.up[node] != Some(edge) && self.marks[other] != self.mark {
                    self.marks[other] = self.mark;
                    self.side.push(other);
                }
            }
        }
    }

    /// The edge that ends a move of the side, and how far that goes; `down` moves it towards 0, against edges into it.
    fn entering(&self, down: bool) -> Option<(usize, i64)> {
        let is_in = |node: usize| self.marks[node] == self.mark;
        let at_side = self.side.iter().flat_map(|&it| &self.edges_at[it]);
        let stopping = at_side.filter(|&&idx| {
            let Edge { from, to, .. } = self.edges[idx];
            if down { is_in(to) && !is_in(from) } else { is_in(from) && !is_in(to) }
        });
        stopping.map(|&idx| (idx, self.slack(idx))).min_by_key(|&(idx, slack)| (slack, idx))
    }

    /// The edges between the side and all else.
    fn crossing(&self) -> impl Iterator<Item = usize> {
        let is_in = |node: usize| self.marks[node] == self.mark;
        let at_side = self.side.iter().flat_map(|&it| &self.edges_at[it]).copied();
        at_side.filter(move |&it| is_in(self.edges[it].from) != is_in(self.edges[it].to))
    }

    fn shift_side(&mut self, by: i64) {
        for &node in &self.side {
            self.at[node] += by;
        }
    }

    /// Hangs the side, which begins at `top`, under the edge `entering` in place of the one above it.
    fn exchange(&mut self, top: usize, entering: usize) {
        let Some(leaving) = self.up[top] else { return };
        let whole = self.sums[top];
        self.add_upwards(self.other_end(leaving, top), -whole);
        let Edge { from, to, .. } = self.edges[entering];
        let (inside, outside) = if self.marks[from] == self.mark { (from, to) } else { (to, from) };
        // From the new top to the old one, what was below is now above.
        let (mut node, mut edge_above, mut sum_of_last) = (inside, entering, 0);
        loop {
            let old_edge = self.up[node].replace(edge_above);
            let old_sum = std::mem::replace(&mut self.sums[node], whole - sum_of_last);
            let Some(old_edge) = old_edge.filter(|_| node != top) else { break };
            (edge_above, sum_of_last) = (old_edge, old_sum);
            node = self.other_end(old_edge, node);
        }
        self.add_upwards(outside, whole);
        for node in [self.edges[leaving].from, self.edges[leaving].to] {
            self.tree_edges_at[node].retain(|&it| it != leaving);
        }
        self.tree_edges_at[from].push(entering);
        self.tree_edges_at[to].push(entering);
    }

    fn add_upwards(&mut self, from: usize, sum: i64) {
        let mut next = Some(from);
        while let Some(node) = next {
            self.sums[node] += sum;
            next = self.up[node].map(|edge| self.other_end(edge, node));
        }
    }

    /// Moves what costs nothing to move halfway to the next obstacle.
    fn centre(&mut self, groups: &[Option<usize>]) {
        for node in 0..self.at.len() {
            let Some(edge) = self.up[node].filter(|_| self.sums[node] == 0) else { continue };
            self.find_side(node);
            if groups[edge].is_some() && self.crossing().any(|it| it != edge && groups[it] == groups[edge]) {
                continue;
            }
            let down = self.edges[edge].from == node;
            if let Some((_, slack)) = self.entering(down) {
                self.shift_side(if down { -slack / 2 } else { slack / 2 });
            }
        }
    }
}

type ShortestFirst = BinaryHeap<Reverse<(i64, usize)>>;

fn drop_while(heap: &mut ShortestFirst, is_done: impl Fn(usize) -> bool) {
    while heap.peek().is_some_and(|&Reverse((_, idx))| is_done(idx)) {
        heap.pop();
    }
}

fn least(heap: &ShortestFirst) -> (i64, Option<usize>) {
    heap.peek().map_or((i64::MAX, None), |&Reverse((slack, idx))| (slack, Some(idx)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(at: &[i64], edges: &[Edge]) -> i64 {
        edges.iter().map(|it| it.weight * (at[it.to] - at[it.from])).sum()
    }

    fn edges(text: &str) -> Vec<Edge> {
        let number = |it: &str| it.parse::<i64>().unwrap();
        let edge = |it: &str| {
            let parts: Vec<i64> = it.split(' ').map(number).collect();
            let node = |at: usize| usize::try_from(parts[at]).unwrap();
            Edge { from: node(0), to: node(1), weight: parts[2], min_len: parts[3] }
        };
        text.split(", ").map(edge).collect()
    }

    #[test]
    fn positions_are_the_best() {
        let check = |n_nodes: usize, text: &str, expected: i64| {
            let edges = edges(text);
            let mut at = longest_paths(n_nodes, &edges);
            improve(&mut at, &edges, usize::MAX);
            assert!(edges.iter().all(|it| at[it.to] - at[it.from] >= it.min_len), "{at:?}");
            assert_eq!(cost(&at, &edges), expected, "{at:?}");
        };
        check(2, "0 1 1 2", 2);
        // The paper's figure: a long way and two short ones.
        check(8, "0 1 1 1, 1 2 1 1, 2 3 1 1, 3 7 1 1, 0 4 1 1, 0 5 1 1, 4 6 1 1, 5 6 1 1, 6 7 1 1", 10);
        // A node with nothing above hangs right over what it calls.
        check(4, "0 1 1 1, 1 2 1 1, 3 2 1 1", 3);
        check(4, "0 1 1 1, 1 2 1 1, 3 2 5 1, 0 3 1 1", 8);
    }

    #[test]
    fn random_positions_cannot_be_improved_by_moving_a_few() {
        let mut seed = 7_u64;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % below
        };
        for _ in 0..200 {
            let n_nodes = 2 + next(5);
            let n_edges = next(12);
            let mut edges = Vec::new();
            for _ in 0..n_edges {
                let (from, weight, min_len) = (next(n_nodes - 1), next(4), next(3));
                let to = from + 1 + next(n_nodes - 1 - from);
                let number = |it: usize| i64::try_from(it).unwrap();
                edges.push(Edge { from, to, weight: number(weight), min_len: number(min_len) });
            }
            let mut at = longest_paths(n_nodes, &edges);
            improve(&mut at, &edges, usize::MAX);
            let least = cost(&at, &edges);
            let keeps = |at: &[i64]| edges.iter().all(|it| at[it.to] - at[it.from] >= it.min_len);
            assert!(keeps(&at), "{at:?} {edges:?}");
            // A linear program is at its best if no set of nodes gains by moving together.
            for set in 0..1_usize << n_nodes {
                for by in [-1, 1] {
                    let moved: Vec<i64> =
                        at.iter().enumerate().map(|(it, at)| if set >> it & 1 == 1 { at + by } else { *at }).collect();
                    assert!(!keeps(&moved) || cost(&moved, &edges) >= least, "{at:?} {moved:?} {edges:?}");
                }
            }
        }
    }
}
