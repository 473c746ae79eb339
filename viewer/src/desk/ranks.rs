//! Ways into a tree as links tell them: each node's position among its siblings, equal ones in a row as `0x17`.

use proto::Profile;
use proto::analysis::tree::{GrowingTree, NodeId};

/// The node that a link's way leads to, or as far as it leads.
pub(super) fn node_at(tree: &mut GrowingTree, profile: &Profile, text: &str) -> NodeId {
    let mut node = NodeId::ROOT;
    for rank in ranks(text) {
        match tree.children(profile, node).nth(rank) {
            Some(child) => node = child,
            None => break,
        }
    }
    node
}

/// The way along `path`, as links tell it.
pub(super) fn text_of(tree: &mut GrowingTree, profile: &Profile, path: &[NodeId]) -> String {
    let pairs = path.iter().zip(path.iter().skip(1));
    text(pairs.map(|(&parent, &node)| tree.children(profile, parent).position(|it| it == node).unwrap_or(0)))
}

/// A node as the page knows it.
pub(super) fn number(node: NodeId) -> u32 {
    u32::try_from(node.index()).unwrap_or(0)
}

/// The way in few letters.
fn text(ranks: impl Iterator<Item = usize>) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for rank in ranks {
        match runs.last_mut() {
            Some((last, n)) if *last == rank => *n += 1,
            _ => runs.push((rank, 1)),
        }
    }
    let run = |&(rank, n): &(usize, usize)| if n == 1 { rank.to_string() } else { format!("{rank}x{n}") };
    runs.iter().map(run).collect::<Vec<_>>().join(".")
}

/// The way that a text tells, as far as it can be understood. It may be endless.
fn ranks(text: &str) -> impl Iterator<Item = usize> {
    let run = |run: &str| {
        let (rank, n) = run.split_once('x').unwrap_or((run, "1"));
        Some(std::iter::repeat_n(rank.parse::<usize>().ok()?, n.parse::<usize>().ok()?))
    };
    text.split('.').filter(|run| !run.is_empty()).map_while(run).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_told_and_found() {
        for (way, expected) in [(&[][..], ""), (&[0, 0, 0, 2, 1, 1], "0x3.2.1x2"), (&[7], "7")] {
            assert_eq!(text(way.iter().copied()), expected);
            assert_eq!(ranks(expected).collect::<Vec<_>>(), way);
        }
        assert_eq!(ranks("1.2.zap.3").collect::<Vec<_>>(), [1, 2]);
    }
}
