//! Boxes in ranks, and every link cut into pieces from rank to rank, so that a curve has its place in each rank it passes.

use super::simplex::{Edge, improve, longest_paths};
use super::{Link, NodeBox, Options};

/// Something with a place in a rank: a box, or a bend of a link. It reaches to both sides of the place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) rank: usize,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) height: f64,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Box,
    Bend,
    /// The bend that has the label, at its right.
    Label,
}

/// A piece of a link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) upper: usize,
    pub(super) lower: usize,
    /// What it costs to be a unit aslant.
    pub(super) weight: i64,
}

/// The items a link passes, from the upper box to the lower one.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    pub(super) items: Vec<usize>,
    pub(super) is_reversed: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Layers {
    /// The boxes first, by their indexes.
    pub(super) items: Vec<Item>,
    pub(super) pieces: Vec<Piece>,
    /// For each link; one from a box to itself has none.
    pub(super) chains: Vec<Option<Chain>>,
    /// The items of each rank from left to right.
    pub(super) rows: Vec<Vec<usize>>,
    /// The items that pieces lead to.
    pub(super) above: Vec<Vec<usize>>,
    pub(super) below: Vec<Vec<usize>>,
}

/// A link passes one rank at least, which is where its label is, and where links between the same boxes part.
const LEAST_RANKS: i64 = 2;
/// What a link from a box to itself takes at its right, without its label.
pub(super) const LOOP_GAPS: f64 = 2.0;
/// Work allowed for ranking; graphs of 500 boxes need less.
const MAX_WORK: usize = 4_000_000;

impl Layers {
    pub(super) fn new(nodes: &[NodeBox], links: &[Link], is_reversed: &[bool], options: &Options) -> Layers {
        let ranks = ranks(nodes.len(), links, is_reversed);
        let item = |(node, &rank): (&NodeBox, &usize)| {
            let half = node.width / 2.0;
            Item { rank, left: half, right: half, height: node.height, kind: Kind::Box }
        };
        let items: Vec<Item> = nodes.iter().zip(&ranks).map(item).collect();
        let mut layers = Layers {
            above: vec![Vec::new(); items.len()],
            below: vec![Vec::new(); items.len()],
            items,
            pieces: Vec::new(),
            chains: Vec::new(),
            rows: Vec::new(),
        };
        for (link, &is_reversed) in links.iter().zip(is_reversed) {
            let chain = if link.from == link.to {
                layers.add_loop(link, options);
                None
            } else {
                Some(layers.add_chain(link, is_reversed, options))
            };
            layers.chains.push(chain);
        }
        let n_rows = ranks.iter().max().map_or(0, |it| it + 1);
        layers.rows = vec![Vec::new(); n_rows];
        for (idx, item) in layers.items.iter().enumerate() {
            layers.rows[item.rank].push(idx);
        }
        layers
    }

    /// At the right of its box; `route` draws it there.
    fn add_loop(&mut self, link: &Link, options: &Options) {
        let item = &mut self.items[link.from];
        let (width, height) = link.label.map_or((0.0, 0.0), |(width, height)| (options.label_gap + width, height));
        item.right += LOOP_GAPS * options.edge_gap + width;
        item.height = item.height.max(height);
    }

    fn add_chain(&mut self, link: &Link, is_reversed: bool, options: &Options) -> Chain {
        let (upper, lower) = if is_reversed { (link.to, link.from) } else { (link.from, link.to) };
        let (first, last) = (self.items[upper].rank, self.items[lower].rank);
        let middle = usize::midpoint(first, last);
        let mut items = vec![upper];
        for rank in first + 1..last {
            let bend = Item { rank, left: 0.0, right: 0.0, height: 0.0, kind: Kind::Bend };
            let labelled = |(width, height): (f64, f64)| Item {
                right: options.label_gap + width,
                height,
                kind: Kind::Label,
                ..bend
            };
            let item = link.label.filter(|_| rank == middle).map_or(bend, labelled);
            items.push(self.items.len());
            self.items.push(item);
            self.above.push(Vec::new());
            self.below.push(Vec::new());
        }
        items.push(lower);
        let weight = whole_weight(link.weight);
        for pair in items.windows(2) {
            let &[upper, lower] = pair else { continue };
            // As in dot: what must be straight most is the middle of a long link.
            let is_end = [upper, lower].iter().any(|&it| self.items[it].kind == Kind::Box);
            self.pieces.push(Piece { upper, lower, weight: weight * if is_end { 2 } else { 8 } });
            self.below[upper].push(lower);
            self.above[lower].push(upper);
        }
        Chain { items, is_reversed }
    }

    /// The distance between the places of two neighbours in a rank.
    pub(super) fn distance(&self, left: usize, right: usize, options: &Options) -> f64 {
        let (left, right) = (self.items[left], self.items[right]);
        let both_boxes = left.kind == Kind::Box && right.kind == Kind::Box;
        left.right + right.left + if both_boxes { options.node_gap } else { options.edge_gap }
    }
}

/// Each box's rank, so that heavy links are short.
fn ranks(n_nodes: usize, links: &[Link], is_reversed: &[bool]) -> Vec<usize> {
    let edges: Vec<Edge> = links
        .iter()
        .zip(is_reversed)
        .filter(|(link, _)| link.from != link.to)
        .map(|(link, &is_reversed)| {
            let (from, to) = if is_reversed { (link.to, link.from) } else { (link.from, link.to) };
            Edge { from, to, weight: whole_weight(link.weight), min_len: LEAST_RANKS }
        })
        .collect();
    let mut at = longest_paths(n_nodes, &edges);
    improve(&mut at, &edges, MAX_WORK);
    let first = at.iter().min().copied().unwrap_or(0);
    at.iter().map(|it| usize::try_from(it - first).unwrap_or(0)).collect()
}

fn whole_weight(weight: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 1,000")]
    let weight = weight.round().clamp(1.0, 1_000.0) as i64;
    weight
}
