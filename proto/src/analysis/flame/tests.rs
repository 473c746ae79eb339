//! Flame layouts and searches: stacks as text in, rectangles out.

use super::*;
use crate::analysis::tree::TreeOptions;
use crate::stacks;

fn tree(stacks: &str) -> CallTree {
    CallTree::new(&stacks::profile(stacks), &TreeOptions::default())
}

fn find(tree: &CallTree, name: &str) -> NodeId {
    tree.nodes().find(|&it| tree.name(it) == name).expect("a node of that name")
}

fn draw(tree: &CallTree, options: &FlameOptions) -> Vec<String> {
    let rect = |it: &Rect| format!("{} {} {:.3}+{:.3}", it.depth, tree.name(it.node), it.x, it.width);
    layout(tree, options).rects.iter().map(rect).collect()
}

#[test]
fn widths_are_shares_of_the_total() {
    let tree = tree("main;a 1\nmain;b 2\nmain 1\nother 4");
    let expected =
        ["0 root 0.000+1.000", "1 main 0.000+0.500", "1 other 0.500+0.500", "2 b 0.000+0.250", "2 a 0.250+0.125"];
    assert_eq!(draw(&tree, &FlameOptions::default()), expected);
    assert_eq!(layout(&tree, &FlameOptions::default()).n_rows, 3);
}

#[test]
fn narrow_nodes_are_left_out_with_all_below() {
    let tree = tree("big 98\nsmall;smaller 2");
    let options = FlameOptions { min_width: 0.05, ..FlameOptions::default() };
    assert_eq!(draw(&tree, &options), ["0 root 0.000+1.000", "1 big 0.000+0.980"]);
}

#[test]
fn the_zoomed_node_and_those_above_take_the_whole_width() {
    let tree = tree("main;a;x 1\nmain;a;y 3\nmain;b 4");
    let options = FlameOptions { zoom: find(&tree, "a"), ..FlameOptions::default() };
    let expected =
        ["0 root 0.000+1.000", "1 main 0.000+1.000", "2 a 0.000+1.000", "3 y 0.000+0.750", "3 x 0.750+0.250"];
    assert_eq!(draw(&tree, &options), expected);
}

#[test]
fn negative_values_are_as_wide_as_their_size() {
    let tree = tree("main;a 3\nmain;b -1");
    let expected = ["0 root 0.000+1.000", "1 main 0.000+1.000", "2 a 0.000+0.750", "2 b 0.750+0.250"];
    assert_eq!(draw(&tree, &FlameOptions::default()), expected);
}

#[test]
fn a_tree_of_nothing_is_its_root() {
    assert_eq!(draw(&tree(""), &FlameOptions::default()), ["0 root 0.000+1.000"]);
}

#[test]
fn a_point_finds_its_rectangle() {
    let tree = tree("main;a 1\nmain;b 2\nother 1");
    let layout = layout(&tree, &FlameOptions::default());
    let at = |x, depth| layout.at(x, depth).map(|it| tree.name(it.node));
    assert_eq!(at(0.0, 0).as_deref(), Some("root"));
    assert_eq!(at(0.74, 1).as_deref(), Some("main"));
    assert_eq!(at(0.76, 1).as_deref(), Some("other"));
    assert_eq!(at(0.49, 2).as_deref(), Some("b"));
    assert_eq!(at(0.51, 2).as_deref(), Some("a"));
    assert_eq!(at(0.76, 2), None);
    assert_eq!(at(0.5, 9), None);
}

/// Nested matches must not be counted twice: the share would pass 100 %.
#[test]
fn a_search_counts_the_topmost_matches() {
    let tree = tree("main;Fib;fib;fib 3\nmain;other;fib 2\nmain 5");
    let found = search(&tree, &Query::new("FIB").unwrap());
    assert_eq!((found.n_nodes, found.cum), (4, 5));
    assert_eq!(search(&tree, &Query::new("^(main|fib)$").unwrap()).cum, 10);
    assert_eq!(search(&tree, &Query::new("nothing").unwrap()).n_nodes, 0);
}

#[test]
fn what_is_no_pattern_is_searched_for_as_it_is() {
    assert!(Query::new("operator[](").unwrap().matches("a::operator[](int)"));
    assert!(Query::new("").is_none());
}
