//! Call trees: stacks as text in, nodes out.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::stacks;

fn draw(stacks: &str, inverted: bool) -> Vec<String> {
    let tree = CallTree::new(&stacks::profile(stacks), &TreeOptions { inverted, ..TreeOptions::default() });
    let line = |node: NodeId| {
        let indent = ".".repeat(tree.path(node).len() - 1);
        let mark = if tree.is_inlined(node) { " inlined" } else { "" };
        format!("{indent}{} {}/{}{mark}", tree.name(node), tree.flat(node), tree.cum(node))
    };
    let mut lines = Vec::new();
    let mut todo = vec![NodeId::ROOT];
    while let Some(node) = todo.pop() {
        lines.push(line(node));
        todo.extend(tree.children(node).rev());
    }
    lines
}

#[test]
fn stacks_that_begin_alike_share_nodes() {
    let stacks = "main;a;b 2\nmain;c 5\nmain;a 1\n4\nmain;a;b;a 1";
    let expected = ["root 4/13", ".main 0/9", "..c 5/5", "..a 1/4", "...b 2/3", "....a 1/1"];
    assert_eq!(draw(stacks, false), expected);
}

#[test]
fn siblings_are_ordered_by_weight_then_name() {
    assert_eq!(draw("z 1\na 1\nm 2", false), ["root 0/4", ".m 2/2", ".a 1/1", ".z 1/1"]);
}

#[test]
fn inlined_frames_are_nodes_of_their_own() {
    let expected = ["root 0/3", ".main 0/3", "..inner 2/2 inlined", "..inner 1/1"];
    assert_eq!(draw("main>inner 2\nmain;inner 1", false), expected);
}

#[test]
fn an_inverted_tree_begins_at_the_leaves() {
    let expected = ["root 0/4", ".b 0/3", "..a 1/3", "...main 2/2", ".a 1/1"];
    assert_eq!(draw("main;a;b 2\na;b 1\na 1", true), expected);
}

#[test]
fn the_deepest_of_stacks_is_no_trouble() {
    let deep = vec!["f"; 50_000].join(";");
    let tree = CallTree::new(&stacks::profile(&format!("{deep} 1")), &TreeOptions::default());
    assert_eq!(tree.n_nodes(), 50_001);
    assert_eq!(tree.path(tree.nodes().last().unwrap()).len(), 50_001);
}

#[test]
fn parents_come_before_children() {
    let tree = CallTree::new(&stacks::profile("a;b;c 1\nd;e 2\na;f 3"), &TreeOptions::default());
    for node in tree.nodes() {
        assert!(tree.parent(node).is_none_or(|it| it < node));
        assert!(tree.children(node).all(|it| tree.parent(it) == Some(node)));
        let below: i64 = tree.children(node).map(|it| tree.cum(it)).sum();
        assert_eq!(tree.cum(node), tree.flat(node) + below);
    }
}

/// A node as one would find it by walking each stack: its frames from the root, and whether each is inlined.
type Path = Vec<(String, bool)>;

/// Every node's flat and cum.
fn walked(profile: &Profile, inverted: bool) -> BTreeMap<Path, (i64, i64)> {
    let frames = Frames::new(profile, &FrameOptions::default());
    let mut nodes = BTreeMap::from([(Path::new(), (0, 0))]);
    for sample in profile.samples().filter(|it| it.values[0] != 0) {
        let of = |location| {
            let at = frames.at(location);
            at.iter().enumerate().map(|(idx, &it)| (frames.get(it).label(), idx + 1 < at.len())).collect::<Vec<_>>()
        };
        let mut path: Path = sample.locations.iter().flat_map(|&it| of(it)).collect();
        if !inverted {
            path.reverse();
        }
        for end in 0..=path.len() {
            nodes.entry(path[..end].to_vec()).or_default().1 += sample.values[0];
        }
        nodes.entry(path).or_default().0 += sample.values[0];
    }
    nodes
}

fn check_against_walked(stacks: &str, inverted: bool) {
    let profile = stacks::profile(stacks);
    let tree = CallTree::new(&profile, &TreeOptions { inverted, ..TreeOptions::default() });
    let step = |node| (tree.name(node), tree.is_inlined(node));
    let path = |node| tree.path(node)[1..].iter().map(|&it| step(it)).collect::<Path>();
    let nodes: BTreeMap<_, _> = tree.nodes().map(|it| (path(it), (tree.flat(it), tree.cum(it)))).collect();
    assert_eq!(nodes, walked(&profile, inverted));
    assert_eq!(nodes.len(), tree.n_nodes());
    for node in tree.nodes() {
        assert!(tree.children(node).all(|it| tree.parent(it) == Some(node)));
        assert!(tree.children(node).is_sorted_by_key(|it| (Reverse(tree.cum(it).abs()), step(it))));
    }
    // Breadth first: all children in a row are all nodes but the root.
    assert!(tree.nodes().flat_map(|it| tree.children(it)).eq(tree.nodes().skip(1)));
}

/// Of few functions, so that there is much to share, and some of them inlined; some values are zero or cancel out.
fn random_stacks() -> impl Strategy<Value = String> {
    let frame = prop::sample::select(vec!["a", "b", "c", "a>b", "a>c", "b>c", "a>b>c", "c>a"]);
    let stack = prop::collection::vec(frame, 0..8).prop_map(|it| it.join(";"));
    // Enough for samples to be sorted both as few and as many.
    prop::collection::vec((stack, -3..6), 0..300)
        .prop_map(|it| it.iter().map(|(stack, value)| format!("{stack} {value}\n")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_has_the_nodes_that_walking_each_stack_finds(stacks in random_stacks(), inverted in any::<bool>()) {
        check_against_walked(&stacks, inverted);
    }
}
