//! Finds coordinates for ordered ranks: links straight and heavy ones straightest, boxes in the middle of what they lead to.

use super::layers::{Layers, Piece};
use super::simplex::{Edge, centre};
use super::{Options, Point};

/// Where items and ranks are.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// Each item's place; it reaches to both sides of it.
    pub(super) x: Vec<f64>,
    /// Each rank's band, from top to bottom.
    pub(super) bands: Vec<(f64, f64)>,
}

impl Places {
    pub(super) fn centre(&self, layers: &Layers, item: usize) -> Point {
        let (top, bottom) = self.bands[layers.items[item].rank];
        Point { x: self.x[item], y: f64::midpoint(top, bottom) }
    }
}

/// Nodes that straightening may look at, a tenth of a second's work; beyond it the drawing is valid, only less neat.
const MAX_WORK: usize = 3_000_000;
/// Items with which it would not get far.
const MAX_ITEMS: usize = 20_000;
/// Rounds of pulling items towards their neighbours before that.
const N_ROUNDS: usize = 16;

pub(super) fn places(layers: &Layers, options: &Options) -> Places {
    let x = straightened(layers, &balanced(layers, options), options);
    let bands = bands(layers, &x, options);
    Places { x, bands }
}

/// Where every item is as near to its neighbours in the ranks around as the order allows: a start, and for large graphs
/// most of the way.
fn balanced(layers: &Layers, options: &Options) -> Vec<f64> {
    let n_items = layers.items.len();
    let mut neighbours: [Vec<Vec<(usize, f64)>>; 2] = [vec![Vec::new(); n_items], vec![Vec::new(); n_items]];
    for piece in &layers.pieces {
        let weight = to_f64(piece.weight);
        neighbours[0][piece.lower].push((piece.upper, weight));
        neighbours[1][piece.upper].push((piece.lower, weight));
    }
    let mut x = vec![0.0; n_items];
    for row in &layers.rows {
        for pair in row.windows(2) {
            if let &[left, right] = pair {
                x[right] = x[left] + layers.distance(left, right, options);
            }
        }
    }
    let n_rows = layers.rows.len();
    let mut wishes: Vec<(f64, f64)> = Vec::new();
    for round in 0..N_ROUNDS {
        for step in 0..n_rows {
            let row = if round % 2 == 0 { step } else { n_rows - 1 - step };
            // At first only those that were placed in this round count.
            let counted = match round {
                0 => &neighbours[..1],
                1 => &neighbours[1..],
                _ => &neighbours[..],
            };
            wishes.clear();
            wishes.extend(layers.rows[row].iter().map(|&item| {
                let pulls = counted.iter().flat_map(|it| &it[item]);
                let add = |(sum, all): (f64, f64), &(at, weight): &(usize, f64)| (sum + x[at] * weight, all + weight);
                let (sum, weight) = pulls.fold((0.0, 0.0), add);
                if weight > 0.0 { (sum / weight, weight) } else { (x[item], 0.001) }
            }));
            settle(layers, row, &wishes, &mut x, options);
        }
    }
    x
}

/// Gives each item of a row the place it wishes, or where that is too close to others, one that makes the sum of weighted
/// squared distances from the wishes least: those that push each other become a block, which has the mean of their wishes.
fn settle(layers: &Layers, row: usize, wishes: &[(f64, f64)], x: &mut [f64], options: &Options) {
    struct Block {
        sum: f64,
        weight: f64,
        first: usize,
    }
    let row = &layers.rows[row];
    let mut offsets = vec![0.0; row.len()];
    for place in 1..row.len() {
        offsets[place] = offsets[place - 1] + layers.distance(row[place - 1], row[place], options);
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (first, &(wish, weight)) in wishes.iter().enumerate() {
        let mut block = Block { sum: (wish - offsets[first]) * weight, weight, first };
        while let Some(last) = blocks.pop_if(|it| it.sum / it.weight >= block.sum / block.weight) {
            block = Block { sum: last.sum + block.sum, weight: last.weight + block.weight, first: last.first };
        }
        blocks.push(block);
    }
    let mut ends = blocks.iter().skip(1).map(|it| it.first).chain([row.len()]);
    for block in &blocks {
        for place in block.first..ends.next().unwrap_or(row.len()) {
            x[row[place]] = block.sum / block.weight + offsets[place];
        }
    }
}

/// The same as whole numbers, and straightened: the least sum of weighted distances between the ends of pieces. For each
/// piece there is a helper left of both its ends, which pulls at them.
fn straightened(layers: &Layers, start: &[f64], options: &Options) -> Vec<f64> {
    let n_items = layers.items.len();
    let mut at = vec![0_i64; n_items + layers.pieces.len()];
    let mut edges = Vec::new();
    for row in &layers.rows {
        for (place, &item) in row.iter().enumerate() {
            at[item] = whole(start[item].round());
            if let Some(&left) = place.checked_sub(1).and_then(|it| row.get(it)) {
                let min_len = whole(layers.distance(left, item, options).ceil());
                at[item] = at[item].max(at[left] + min_len);
                edges.push(Edge { from: left, to: item, weight: 0, min_len });
            }
        }
    }
    let mut groups = vec![None; edges.len()];
    for (group, (helper, piece)) in runs(layers).into_iter().zip((n_items..).zip(&layers.pieces)) {
        at[helper] = at[piece.upper].min(at[piece.lower]);
        for to in [piece.upper, piece.lower] {
            edges.push(Edge { from: helper, to, weight: piece.weight, min_len: 0 });
            groups.push(Some(group));
        }
    }
    if n_items <= MAX_ITEMS {
        centre(&mut at, &edges, &groups, MAX_WORK);
    }
    at.iter().take(n_items).map(|&it| to_f64(it)).collect()
}

/// For each piece, the first of the pieces that follow each other without a fork. Where in such a run it goes aslant costs
/// the same, and one slant is better than a stair.
fn runs(layers: &Layers) -> Vec<usize> {
    let mut run_into = vec![None; layers.items.len()];
    // Pieces of links come from top to bottom, but those of the link above may come later.
    let mut by_rank: Vec<usize> = (0..layers.pieces.len()).collect();
    by_rank.sort_by_key(|&it| layers.items[layers.pieces[it].upper].rank);
    let mut runs: Vec<usize> = (0..layers.pieces.len()).collect();
    for piece in by_rank {
        let Piece { upper, lower, .. } = layers.pieces[piece];
        if layers.above[upper].len() == 1 && layers.below[upper].len() == 1 {
            runs[piece] = run_into[upper].unwrap_or(piece);
        }
        run_into[lower] = Some(runs[piece]);
    }
    runs
}

/// Ranks one below the other; where links go far aslant there is more room, so that they can be told apart.
fn bands(layers: &Layers, x: &[f64], options: &Options) -> Vec<(f64, f64)> {
    let mut farthest = vec![0.0_f64; layers.rows.len()];
    for piece in &layers.pieces {
        let rank = layers.items[piece.upper].rank;
        farthest[rank] = farthest[rank].max((x[piece.upper] - x[piece.lower]).abs());
    }
    let mut top = 0.0;
    let mut bands = Vec::new();
    for (rank, row) in layers.rows.iter().enumerate() {
        let height = row.iter().map(|&it| layers.items[it].height).fold(0.0, f64::max);
        bands.push((top, top + height));
        let half = options.rank_gap / 2.0;
        top += height + half + (farthest[rank] / 16.0).min(options.rank_gap);
    }
    bands
}

fn whole(x: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "drawings are far below 2^53 wide, and `as` saturates")]
    let whole = x as i64;
    whole
}

fn to_f64(x: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "positions and weights are far below 2^53")]
    let x = x as f64;
    x
}
