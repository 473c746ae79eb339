//! Call trees: stacks as text in, nodes out.

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
