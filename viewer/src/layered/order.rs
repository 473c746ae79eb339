//! Orders the ranks so that few links cross: weighted medians down and up, and exchanges of neighbours.

use super::layers::Layers;

/// As in dot, for graphs of usual size.
const MAX_SWEEPS: usize = 24;
/// Sweeps without a better order after which there is no hope.
const MAX_IDLE: usize = 8;
/// Rounds of exchanges in a sweep.
const MAX_ROUNDS: usize = 12;
/// What all sweeps together may cost, in pieces looked at; drawings with more than this many pieces nobody can read.
const MAX_WORK: usize = 200_000;

pub(super) fn reduce_crossings(layers: &mut Layers) {
    let n_affordable = MAX_WORK / layers.pieces.len().max(1);
    let (n_sweeps, n_rounds) = (n_affordable.clamp(2, MAX_SWEEPS), n_affordable.clamp(1, MAX_ROUNDS));
    let mut best: Option<(usize, Vec<Vec<usize>>)> = None;
    let starts: &[bool] = if n_affordable < MAX_ROUNDS { &[true] } else { &[true, false] };
    for &from_top in starts {
        let mut order = Order::new(layers, from_top);
        let mut n_idle = 0;
        for sweep in 0..n_sweeps {
            let n_crossings = order.n_crossings();
            if best.as_ref().is_none_or(|(least, _)| n_crossings < *least) {
                best = Some((n_crossings, order.rows.clone()));
                n_idle = 0;
            } else {
                n_idle += 1;
            }
            if n_crossings == 0 || n_idle > MAX_IDLE {
                break;
            }
            order.sort_by_medians(sweep % 2 == 0, sweep % 4 < 2);
            order.exchange_neighbours(n_rounds, sweep % 4 < 2);
        }
        let n_crossings = order.n_crossings();
        if best.as_ref().is_none_or(|(least, _)| n_crossings < *least) {
            best = Some((n_crossings, order.rows));
        }
    }
    if let Some((_, rows)) = best {
        layers.rows = rows;
    }
}

struct Order<'a> {
    layers: &'a Layers,
    rows: Vec<Vec<usize>>,
    /// Each item's place in its row.
    place: Vec<usize>,
}

impl<'a> Order<'a> {
    /// In the order in which a walk from the top, or the bottom, finds the items.
    fn new(layers: &'a Layers, from_top: bool) -> Order<'a> {
        let n_items = layers.items.len();
        let (ahead, back) = if from_top { (&layers.below, &layers.above) } else { (&layers.above, &layers.below) };
        let mut rows = vec![Vec::new(); layers.rows.len()];
        let mut is_found = vec![false; n_items];
        let ends = (0..n_items).filter(|&it| back[it].is_empty());
        for first in ends {
            let mut found = vec![first];
            while let Some(item) = found.pop() {
                if !is_found[item] {
                    is_found[item] = true;
                    rows[layers.items[item].rank].push(item);
                    // What leads here from elsewhere belongs near.
                    found.extend(back[item].iter().rev().filter(|&&it| !is_found[it]));
                    found.extend(ahead[item].iter().rev().filter(|&&it| !is_found[it]));
                }
            }
        }
        let mut order = Order { layers, rows, place: vec![0; n_items] };
        for rank in 0..order.rows.len() {
            order.number(rank);
        }
        order
    }

    fn number(&mut self, rank: usize) {
        for (place, &item) in self.rows[rank].iter().enumerate() {
            self.place[item] = place;
        }
    }

    fn sort_by_medians(&mut self, down: bool, ties_stay: bool) {
        let n_rows = self.rows.len();
        for step in 1..n_rows {
            let rank = if down { step } else { n_rows - 1 - step };
            let neighbours = if down { &self.layers.above } else { &self.layers.below };
            let median = |&item: &usize| Some((self.median(&neighbours[item])?, item));
            let mut movable: Vec<(f64, usize)> = self.rows[rank].iter().filter_map(median).collect();
            if !ties_stay {
                movable.reverse();
            }
            movable.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            // Who has no neighbour there stays where it is.
            let mut sorted = movable.into_iter().map(|(_, item)| item);
            let row = self.rows[rank].iter().map(|&item| {
                let is_movable = !neighbours[item].is_empty();
                is_movable.then(|| sorted.next()).flatten().unwrap_or(item)
            });
            self.rows[rank] = row.collect();
            self.number(rank);
        }
    }

    /// Between the two middle ones of an even number, nearer to where they are dense.
    fn median(&self, neighbours: &[usize]) -> Option<f64> {
        let mut places: Vec<f64> = neighbours.iter().map(|&it| to_f64(self.place[it])).collect();
        places.sort_by(f64::total_cmp);
        let middle = places.len() / 2;
        match *places.as_slice() {
            [] => None,
            [a, b] => Some(f64::midpoint(a, b)),
            _ if places.len() % 2 == 1 => Some(places[middle]),
            [first, .., last] => {
                let (a, b) = (places[middle - 1], places[middle]);
                let (left, right) = (a - first, last - b);
                Some(if left + right > 0.0 { (a * right + b * left) / (left + right) } else { f64::midpoint(a, b) })
            }
            [only] => Some(only),
        }
    }

    /// Exchanges neighbours until no exchange makes fewer crossings.
    fn exchange_neighbours(&mut self, n_rounds: usize, ties_stay: bool) {
        for round in 0..n_rounds {
            let mut gain = 0;
            for rank in 0..self.rows.len() {
                for place in 1..self.rows[rank].len() {
                    let (left, right) = (self.rows[rank][place - 1], self.rows[rank][place]);
                    let (now, then) = self.crossings_of(left, right);
                    if then < now || (round == 0 && !ties_stay && then == now) {
                        gain += now - then;
                        self.rows[rank].swap(place - 1, place);
                        (self.place[left], self.place[right]) = (place, place - 1);
                    }
                }
            }
            if gain == 0 {
                break;
            }
        }
    }

    /// How often the links of two neighbours cross as they are, and exchanged.
    fn crossings_of(&self, left: usize, right: usize) -> (usize, usize) {
        let (mut now, mut then) = (0, 0);
        for neighbours in [&self.layers.above, &self.layers.below] {
            for &a in &neighbours[left] {
                for &b in &neighbours[right] {
                    now += usize::from(self.place[a] > self.place[b]);
                    then += usize::from(self.place[a] < self.place[b]);
                }
            }
        }
        (now, then)
    }

    fn n_crossings(&self) -> usize {
        let mut ends: Vec<usize> = Vec::new();
        let mut sums: Vec<usize> = Vec::new();
        let mut n_crossings = 0;
        for (rank, row) in self.rows.iter().enumerate() {
            ends.clear();
            for &item in row {
                let first = ends.len();
                ends.extend(self.layers.below[item].iter().map(|&it| self.place[it]));
                ends[first..].sort_unstable();
            }
            // A tree of sums (Fenwick) over the row below tells how many of those before end further right.
            sums.clear();
            sums.resize(self.rows.get(rank + 1).map_or(0, Vec::len) + 1, 0);
            for (n_before, &end) in ends.iter().enumerate() {
                let mut n_not_right = 0;
                let mut at = end + 1;
                while at > 0 {
                    n_not_right += sums[at];
                    at &= at - 1;
                }
                n_crossings += n_before - n_not_right;
                let mut at = end + 1;
                while at < sums.len() {
                    sums[at] += 1;
                    at += at & at.wrapping_neg();
                }
            }
        }
        n_crossings
    }
}

fn to_f64(place: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "places are far below 2^53")]
    let place = place as f64;
    place
}
