//! A call tree as rectangles, in unit space: x and width are shares of the whole width, depth counts rows.
//!
//! No pixels here: whoever draws multiplies, and says by `min_width` what is too small to see.

use std::collections::VecDeque;
use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::tree::{CallTree, GrowingTree, NodeId};
use crate::profile::Profile;

/// What part of a tree to lay out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlameOptions {
    /// The node that gets the whole width; the root shows all.
    pub zoom: NodeId,
    /// Nodes narrower than this, with all below, are left out: one pixel's share of the width, say. 0 shows all.
    pub min_width: f64,
    /// Lay out only so many rows, the zoomed node's and those below it; the nodes above it are there all the same. A
    /// [`CallTree`] is laid out whole.
    pub max_rows: Option<u32>,
    /// How siblings are ordered. Those of a [`CallTree`] are ordered by weight.
    pub order: SiblingOrder,
}

impl Default for FlameOptions {
    fn default() -> Self {
        FlameOptions { zoom: NodeId::ROOT, min_width: 0.0, max_rows: None, order: SiblingOrder::Heaviest }
    }
}

/// How siblings are ordered, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SiblingOrder {
    /// The greatest first, ties by name.
    #[default]
    Heaviest,
    /// By name: a function keeps its place among others from one profile to the next.
    Name,
}

/// A node's rectangle, one row high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// The node.
    pub node: NodeId,
    /// Its left edge, from 0 to 1.
    pub x: f64,
    /// From 0 to 1.
    pub width: f64,
    /// Its row; the root's is 0.
    pub depth: u32,
}

/// Rectangles of a tree.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FlameLayout {
    /// Row by row from the root, each from left to right.
    pub rects: Vec<Rect>,
    /// How many rows there are.
    pub n_rows: u32,
    /// Whether it is known that no more rows follow, however many were asked for.
    pub is_complete: bool,
}

/// The rectangles of `tree`. The nodes above `options.zoom` are there, too, over the whole width.
///
/// A node is as wide as its share of its parent's cum. Where values are negative, as in differences, sizes count; so
/// that children fit, they then share the width by the sum of their sizes, if that is more.
#[must_use]
pub fn layout(tree: &CallTree, options: &FlameOptions) -> FlameLayout {
    let mut rects = above(tree.path(options.zoom));
    // The list of what is laid out is also the queue of whose children are still to be.
    let mut next = rects.len() - 1;
    while let Some(&rect) = rects.get(next) {
        next += 1;
        let children = tree.children(rect.node).map(|it| (it, weight(tree.cum(it))));
        place(rect, weight(tree.cum(rect.node)), children, options.min_width, &mut rects);
    }
    FlameLayout { n_rows: n_rows(&rects), rects, is_complete: true }
}

impl GrowingTree {
    /// The rectangles of the tree, as [`layout`] has them, for which it grows as far as they are wide enough.
    pub fn layout(&mut self, profile: &Profile, options: &FlameOptions) -> FlameLayout {
        let mut rects = above(self.path(options.zoom));
        let zoomed = rects.len() - 1;
        let end = options.max_rows.map(|it| n_rows(&rects).saturating_add(it.max(1) - 1));
        let is_above_end = |it: &Rect| end.is_none_or(|end| it.depth + 1 < end);
        // What lies below one node is looked at while it is at hand, and not row by row as it is listed.
        let mut todo = vec![rects[zoomed]];
        while let Some(rect) = todo.pop() {
            if is_above_end(&rect) {
                self.place_children(profile, rect, options, &mut todo);
            }
        }
        let mut next = zoomed;
        while let Some(&rect) = rects.get(next).filter(|it| is_above_end(it)) {
            next += 1;
            self.place_children(profile, rect, options, &mut rects);
        }
        let is_complete = rects[next..].iter().all(|it| self.is_leaf(profile, it.node));
        FlameLayout { n_rows: n_rows(&rects), rects, is_complete }
    }

    fn place_children(&mut self, profile: &Profile, parent: Rect, options: &FlameOptions, rects: &mut Vec<Rect>) {
        let children = self.children(profile, parent.node);
        let size = |node| weight(self.cum(node));
        match options.order {
            SiblingOrder::Heaviest => {
                place(parent, size(parent.node), children.map(|it| (it, size(it))), options.min_width, rects);
            }
            SiblingOrder::Name => {
                let mut children: Vec<NodeId> = children.collect();
                children.sort_unstable_by_key(|&it| self.name_order(it));
                let children = children.iter().map(|&it| (it, size(it)));
                place(parent, size(parent.node), children, options.min_width, rects);
            }
        }
    }
}

/// The nodes from the root to the zoomed one.
fn above(path: Vec<NodeId>) -> Vec<Rect> {
    (0..).zip(path).map(|(depth, node)| Rect { node, x: 0.0, width: 1.0, depth }).collect()
}

fn n_rows(rects: &[Rect]) -> u32 {
    rects.last().map_or(0, |it| it.depth + 1)
}

/// Adds the rectangles of a node's children, given with their sizes, where they are wide enough.
fn place(
    parent: Rect,
    size: f64,
    children: impl Iterator<Item = (NodeId, f64)> + Clone,
    min_width: f64,
    rects: &mut Vec<Rect>,
) {
    let whole = size.max(children.clone().map(|it| it.1).sum());
    if whole <= 0.0 {
        return;
    }
    let depth = parent.depth + 1;
    let mut x = parent.x;
    for (node, size) in children {
        let width = parent.width * size / whole;
        if min_width <= width && 0.0 < width {
            rects.push(Rect { node, x, width, depth });
        }
        x += width;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of a width needs no more than 53 bits")]
fn weight(value: i64) -> f64 {
    value.unsigned_abs() as f64
}

impl FlameLayout {
    /// The rectangle at a point, if there is one.
    #[must_use]
    pub fn at(&self, x: f64, depth: u32) -> Option<&Rect> {
        let after = self.rects.partition_point(|it| it.depth < depth || (it.depth == depth && it.x <= x));
        self.rects[..after].last().filter(|it| it.depth == depth && x < it.x + it.width)
    }
}

/// What is searched for: a regular expression, or, if it is none, the text itself; case does not matter.
#[derive(Debug, Clone)]
pub struct Query(Regex);

impl Query {
    /// The query for `text`; none if it is empty, or too large for a pattern.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let compile = |pattern: &str| RegexBuilder::new(pattern).case_insensitive(true).build().ok();
        compile(text).or_else(|| compile(&regex::escape(text))).map(Query)
    }

    /// The first part of `name` that matches, in bytes; none if that is empty.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Range<usize>> {
        self.0.find(name).map(|found| found.range()).filter(|range| !range.is_empty())
    }

    /// Whether `name` matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matches {
    /// By node: whether its name matches.
    pub is_match: Vec<bool>,
    /// How many nodes match.
    pub n_nodes: usize,
    /// The cum of all matching nodes, those below another match left out, as they are in its cum already.
    pub cum: i64,
}

/// The nodes of `tree` whose name matches.
#[must_use]
pub fn search(tree: &CallTree, query: &Query) -> Matches {
    let frames = tree.frames();
    let by_frame: Vec<bool> = frames.ids().map(|it| query.matches(&frames.get(it).label())).collect();
    let is_match: Vec<bool> =
        tree.nodes().map(|it| tree.frame(it).is_some_and(|frame| by_frame[frame.index()])).collect();
    let mut cum = 0_i64;
    let mut queue = VecDeque::from([NodeId::ROOT]);
    while let Some(node) = queue.pop_front() {
        if is_match[node.index()] {
            cum = cum.saturating_add(tree.cum(node));
        } else {
            queue.extend(tree.children(node));
        }
    }
    Matches { n_nodes: is_match.iter().filter(|it| **it).count(), is_match, cum }
}

#[cfg(test)]
mod tests;
