//! Draws links as curves through the gaps that their bends keep open in each rank.
//!
//! A link's x is a function of y. In each rank it must stay within a gate between its neighbours; the straightest way through
//! all gates is that of a taut string, and a curve that never turns back between two of its points cannot leave them either.

use super::layers::{Chain, Kind, LOOP_GAPS, Layers};
use super::place::Places;
use super::{Link, NodeBox, Options, Point, Route};

pub(super) fn routes(
    nodes: &[NodeBox],
    links: &[Link],
    layers: &Layers,
    places: &Places,
    options: &Options,
) -> Vec<Route> {
    let router = Router { nodes, layers, places, options, positions: positions(layers) };
    let mut loops = vec![Loops::default(); nodes.len()];
    for link in links.iter().filter(|it| it.from == it.to) {
        loops[link.from].labels_from += LOOP_GAPS * options.edge_gap;
    }
    let route = |(link, chain): (&Link, &Option<Chain>)| match chain {
        Some(chain) => router.route(link, chain),
        None => router.self_loop(link, &mut loops[link.from]),
    };
    links.iter().zip(&layers.chains).map(route).collect()
}

/// How far right of a box its loops have come: one around the other, then their labels.
#[derive(Clone, Debug, Default)]
struct Loops {
    end: f64,
    labels_from: f64,
}

/// Each item's place in its row.
fn positions(layers: &Layers) -> Vec<usize> {
    let mut positions = vec![0; layers.items.len()];
    for row in &layers.rows {
        for (place, &item) in row.iter().enumerate() {
            positions[item] = place;
        }
    }
    positions
}

/// What a link must pass between, at some y.
#[derive(Clone, Copy, Debug)]
struct Gate {
    y: f64,
    left: f64,
    right: f64,
}

struct Router<'a> {
    nodes: &'a [NodeBox],
    layers: &'a Layers,
    places: &'a Places,
    options: &'a Options,
    positions: Vec<usize>,
}

impl Router<'_> {
    fn route(&self, link: &Link, chain: &Chain) -> Route {
        let gates = self.gates(chain);
        let way = smooth(&gates, taut(&gates));
        // The first and last gate are inside the boxes.
        let inner = way.len().saturating_sub(1).max(1);
        let mut points = curves(&way[1..inner]);
        if chain.is_reversed {
            points.reverse();
        }
        let arrow = match *points.as_slice() {
            [.., before, end] => direction(before, end),
            _ => Point { x: 0.0, y: 1.0 },
        };
        let label_at = link.label.and_then(|(width, _)| self.label_at(chain, &way, width));
        Route { points, arrow, label_at, is_reversed: chain.is_reversed }
    }

    /// From the middle of the upper box to that of the lower one.
    fn gates(&self, chain: &Chain) -> Vec<Gate> {
        let mut gates = Vec::new();
        let last = chain.items.len() - 1;
        for (at, &item) in chain.items.iter().enumerate() {
            let (top, bottom) = self.places.bands[self.layers.items[item].rank];
            let (left, right) = self.gap_of(item);
            if let Some(node) = self.nodes.get(item) {
                let Point { x, y } = self.places.centre(self.layers, item);
                let centre = Gate { y, left: x, right: x };
                let reach = (node.width / 2.0 - 3.0).max(0.0) * 0.8;
                let border = |y: f64| Gate { y, left: x - reach, right: x + reach };
                if at == 0 {
                    gates.extend([centre, border(y + node.height / 2.0), Gate { y: bottom, left, right }]);
                }
                if at == last {
                    gates.extend([Gate { y: top, left, right }, border(y - node.height / 2.0), centre]);
                }
            } else {
                gates.push(Gate { y: top, left, right });
                gates.push(Gate { y: bottom, left, right });
            }
        }
        gates.dedup_by(|b, a| {
            let is_same = b.y - a.y < 0.01;
            if is_same {
                (a.left, a.right) = (a.left.max(b.left).min(a.right), a.right.min(b.right).max(a.left));
            }
            is_same
        });
        gates
    }

    /// How far a link may be left and right of an item's place: to boxes and labels, and halfway to other links.
    fn gap_of(&self, item: usize) -> (f64, f64) {
        let row = &self.layers.rows[self.layers.items[item].rank];
        let place = self.positions[item];
        let x = self.places.x[item];
        let gap = self.options.edge_gap / 2.0;
        let left = place.checked_sub(1).map_or(f64::NEG_INFINITY, |it| {
            let left = row[it];
            let end = self.places.x[left] + self.layers.items[left].right;
            match self.layers.items[left].kind {
                Kind::Box => end + gap,
                Kind::Bend | Kind::Label => (end + gap).max(f64::midpoint(self.places.x[left], x)),
            }
        });
        let right = row.get(place + 1).map_or(f64::INFINITY, |&right| match self.layers.items[right].kind {
            Kind::Box => self.places.x[right] - self.layers.items[right].left - gap,
            Kind::Bend | Kind::Label => f64::midpoint(self.places.x[right], x),
        });
        // The label is at the right, up to the neighbour.
        let right = if self.layers.items[item].kind == Kind::Label { x } else { right };
        (left.min(x), right.max(x))
    }

    /// Right of the link, in the middle of the rank that was made for it.
    fn label_at(&self, chain: &Chain, way: &[Point], width: f64) -> Option<Point> {
        let item = *chain.items.iter().find(|&&it| self.layers.items[it].kind == Kind::Label)?;
        let (top, bottom) = self.places.bands[self.layers.items[item].rank];
        let in_band = way.iter().filter(|it| top - 0.02 <= it.y && it.y <= bottom + 0.02);
        let line = in_band.map(|it| it.x).fold(f64::NEG_INFINITY, f64::max);
        let x = line + self.options.label_gap + width / 2.0;
        Some(Point { x, y: f64::midpoint(top, bottom) })
    }

    /// Out of the right border and back.
    fn self_loop(&self, link: &Link, loops: &mut Loops) -> Route {
        let centre = self.places.centre(self.layers, link.from);
        let NodeBox { width, height } = self.nodes[link.from];
        let border = centre.x + width / 2.0;
        let reach = loops.end + 1.5 * self.options.edge_gap;
        loops.end += LOOP_GAPS * self.options.edge_gap;
        // The further out, the higher: one loop is around the other.
        let half = height * (0.3 + 0.2 * reach / (reach + 10.0 * self.options.edge_gap));
        let at = |x: f64, y: f64| Point { x: border + x, y: centre.y + y };
        let top = [at(0.0, -half), at(reach * 0.6, -half), at(reach, -half * 0.8), at(reach, 0.0)];
        let bottom = [at(reach, half * 0.8), at(reach * 0.6, half), at(0.0, half)];
        let points = [top.as_slice(), bottom.as_slice()].concat();
        let label_at = link.label.map(|(width, _)| {
            let left = loops.labels_from;
            loops.labels_from += width + self.options.label_gap;
            at(left + width / 2.0, 0.0)
        });
        Route { points, arrow: Point { x: -1.0, y: 0.0 }, label_at, is_reversed: false }
    }
}

/// Where a string pulled tight between the first and the last gate passes all others.
fn taut(gates: &[Gate]) -> Vec<Point> {
    let Some(first) = gates.first() else { return Vec::new() };
    let mut way = vec![Point { x: first.left, y: first.y }];
    while way.len() < gates.len() {
        let (corner, x) = next_corner(gates, way.len() - 1, way[way.len() - 1].x);
        let from = way[way.len() - 1];
        let slope = (x - from.x) / (gates[corner].y - from.y);
        let passed = &gates[way.len()..=corner];
        way.extend(passed.iter().map(|it| Point { x: from.x + slope * (it.y - from.y), y: it.y }));
    }
    way
}

/// The gate at which the string bends next, and where in it; or the last.
fn next_corner(gates: &[Gate], from: usize, x: f64) -> (usize, f64) {
    let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
    let (mut at_least, mut at_most) = ((from + 1, x), (from + 1, x));
    let last = gates.len() - 1;
    for (idx, gate) in gates.iter().enumerate().skip(from + 1) {
        let dy = gate.y - gates[from].y;
        let (left, right) = ((gate.left - x) / dy, (gate.right - x) / dy);
        if left > most {
            return at_most;
        }
        if right < least {
            return at_least;
        }
        if left >= least {
            (least, at_least) = (left, (idx, gate.left));
        }
        if right <= most {
            (most, at_most) = (right, (idx, gate.right));
        }
    }
    (last, gates[last].left)
}

/// Rounds the corners off, as far as the gates allow.
fn smooth(gates: &[Gate], mut way: Vec<Point>) -> Vec<Point> {
    const N_ROUNDS: usize = 8;
    for _ in 0..N_ROUNDS {
        for at in 1..way.len().saturating_sub(1) {
            let (before, after) = (way[at - 1], way[at + 1]);
            let share = (way[at].y - before.y) / (after.y - before.y);
            let straight = before.x + share * (after.x - before.x);
            way[at].x = f64::midpoint(way[at].x, straight).clamp(gates[at].left, gates[at].right);
        }
    }
    way
}

/// A smooth curve through points that go down, which between two of them stays between them (Fritsch and Carlson).
fn curves(way: &[Point]) -> Vec<Point> {
    let secant = |at: usize| (way[at + 1].x - way[at].x) / (way[at + 1].y - way[at].y);
    let slope = |at: usize| {
        if at == 0 || at + 1 == way.len() {
            return secant(at.min(way.len() - 2));
        }
        let (before, after) = (secant(at - 1), secant(at));
        if before * after <= 0.0 {
            return 0.0;
        }
        let (above, below) = (way[at].y - way[at - 1].y, way[at + 1].y - way[at].y);
        let (first, second) = (2.0 * below + above, below + 2.0 * above);
        (first + second) / (first / before + second / after)
    };
    let mut points: Vec<Point> = way.first().copied().into_iter().collect();
    let mut straight_from = None;
    for at in 1..way.len() {
        let (from, to) = (way[at - 1], way[at]);
        let (slope_from, slope_to, secant) = (slope(at - 1), slope(at), secant(at - 1));
        let is_same = |it: f64| (it - secant).abs() < 1e-6;
        // Pieces of one straight line are one piece.
        let is_straight = is_same(slope_from) && is_same(slope_to);
        let from = match straight_from.filter(|_| is_straight) {
            Some(start) => {
                points.truncate(points.len() - 3);
                start
            }
            None => from,
        };
        straight_from = is_straight.then_some(from);
        let third = (to.y - from.y) / 3.0;
        points.extend([
            Point { x: from.x + slope_from * third, y: from.y + third },
            Point { x: to.x - slope_to * third, y: to.y - third },
            to,
        ]);
    }
    points
}

fn direction(from: Point, to: Point) -> Point {
    let (x, y) = (to.x - from.x, to.y - from.y);
    let length = x.hypot(y);
    if length > 0.0 { Point { x: x / length, y: y / length } } else { Point { x: 0.0, y: 1.0 } }
}
