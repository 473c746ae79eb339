//! A call tree as rectangles, in unit space: x and width are shares of the whole width, depth counts rows.
//!
//! No pixels here: whoever draws multiplies, and says by `min_width` what is too small to see.

use std::collections::VecDeque;

use regex::{Regex, RegexBuilder};

use super::tree::{CallTree, NodeId};

/// What part of a tree to lay out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlameOptions {
    /// The node that gets the whole width; the root shows all.
    pub zoom: NodeId,
    /// Nodes narrower than this, with all below, are left out: one pixel's share of the width, say. 0 shows all.
    pub min_width: f64,
}

impl Default for FlameOptions {
    fn default() -> Self {
        FlameOptions { zoom: NodeId::ROOT, min_width: 0.0 }
    }
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
}

/// The rectangles of `tree`. The nodes above `options.zoom` are there, too, over the whole width.
///
/// A node is as wide as its share of its parent's cum. Where values are negative, as in differences, sizes count; so
/// that children fit, they then share the width by the sum of their sizes, if that is more.
#[must_use]
pub fn layout(tree: &CallTree, options: &FlameOptions) -> FlameLayout {
    let path = tree.path(options.zoom);
    let mut rects: Vec<Rect> = (0..).zip(path).map(|(depth, node)| Rect { node, x: 0.0, width: 1.0, depth }).collect();
    // The list of what is laid out is also the queue of whose children are still to be.
    let mut next = rects.len() - 1;
    while let Some(&rect) = rects.get(next) {
        next += 1;
        lay_out_children(tree, rect, options.min_width, &mut rects);
    }
    let n_rows = rects.last().map_or(0, |it| it.depth + 1);
    FlameLayout { rects, n_rows }
}

fn lay_out_children(tree: &CallTree, parent: Rect, min_width: f64, rects: &mut Vec<Rect>) {
    let size = |node| weight(tree.cum(node));
    let children_size: f64 = tree.children(parent.node).map(size).sum();
    let whole = size(parent.node).max(children_size);
    if whole <= 0.0 {
        return;
    }
    let depth = parent.depth + 1;
    let mut x = parent.x;
    for node in tree.children(parent.node) {
        let width = parent.width * size(node) / whole;
        // The greatest come first, so the rest is narrower still.
        if width < min_width || width <= 0.0 {
            break;
        }
        rects.push(Rect { node, x, width, depth });
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
