//! Breaks cycles: which links must point up so that all others can point down.

use std::collections::VecDeque;

use super::Link;

/// The links to turn round. The heaviest are taken first and only one that closes a cycle of heavier ones is turned; among
/// equals those near the roots come first, so that in a recursion it is the call back that points up.
pub(super) fn reversed(n_nodes: usize, links: &[Link]) -> Vec<bool> {
    let depths = depths(n_nodes, links);
    let mut by_weight: Vec<usize> = (0..links.len()).collect();
    by_weight.sort_by(|&a, &b| {
        links[b]
            .weight
            .total_cmp(&links[a].weight)
            .then(depths[links[a].from].cmp(&depths[links[b].from]))
            .then(a.cmp(&b))
    });
    let mut is_reversed = vec![false; links.len()];
    let mut below = vec![Vec::new(); n_nodes];
    let mut seen = vec![usize::MAX; n_nodes];
    for idx in by_weight {
        let Link { from, to, .. } = links[idx];
        if reaches(&below, to, from, &mut seen, idx) {
            is_reversed[idx] = from != to;
        } else {
            below[from].push(to);
        }
    }
    is_reversed
}

/// Whether a way leads down from `from` to `to`; `stamp` marks in `seen` what this search has found.
fn reaches(below: &[Vec<usize>], from: usize, to: usize, seen: &mut [usize], stamp: usize) -> bool {
    let mut found = vec![from];
    while let Some(node) = found.pop() {
        if node == to {
            return true;
        }
        if seen[node] != stamp {
            seen[node] = stamp;
            found.extend(&below[node]);
        }
    }
    false
}

/// How many links each node is away from one that nothing leads to, or, in a cycle, from the first.
fn depths(n_nodes: usize, links: &[Link]) -> Vec<usize> {
    let mut below = vec![Vec::new(); n_nodes];
    let mut is_root = vec![true; n_nodes];
    for link in links.iter().filter(|it| it.from != it.to) {
        below[link.from].push(link.to);
        is_root[link.to] = false;
    }
    let mut depths = vec![usize::MAX; n_nodes];
    let roots = (0..n_nodes).filter(|&it| is_root[it]);
    for first in roots.chain(0..n_nodes) {
        let mut found = VecDeque::from([(first, 0)]);
        while let Some((node, depth)) = found.pop_front() {
            if depth < depths[node] && (depth > 0 || depths[node] == usize::MAX) {
                depths[node] = depth;
                found.extend(below[node].iter().map(|&it| (it, depth + 1)));
            }
        }
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lightest_link_of_a_cycle_points_up() {
        let check = |links: &[(usize, usize, f64)], expected: &[bool]| {
            let links: Vec<Link> =
                links.iter().map(|&(from, to, weight)| Link { from, to, weight, label: None }).collect();
            assert_eq!(reversed(4, &links), expected, "{links:?}");
        };
        check(&[(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0)], &[false, false, false]);
        check(&[(0, 1, 1.0), (1, 0, 5.0)], &[true, false]);
        check(&[(0, 1, 2.0), (1, 2, 2.0), (2, 1, 2.0)], &[false, false, true]);
        check(&[(3, 2, 1.0), (2, 1, 1.0), (1, 0, 1.0), (0, 2, 1.0)], &[false, false, false, true]);
        check(&[(1, 1, 1.0)], &[false]);
    }
}
