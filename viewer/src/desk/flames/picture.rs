//! The boxes of a tree that fall into a window, and what is said around them.

use std::collections::HashMap;

use proto::analysis::flame::{FlameLayout, FlameOptions, Rect, SiblingOrder};
use proto::analysis::tree::NodeId;

use super::{Graph, LaidOut};
use crate::desk::catalog::Catalog;
use crate::desk::ranks::{self, number};
use crate::protocol::{Crumb, Flame, FlameAsk, FlameBox, Look, Zoom};

/// Boxes narrower than this are not sent, in CSS pixels: at two device pixels each it is the least there is to see.
const LEAST_PIXELS: f64 = 0.5;
/// Narrower boxes get no name: no three letters fit.
const NAMED_FROM_PIXELS: f64 = 22.0;
/// The way to a node is told by the root and the last few nodes; the way to a deep one would fill the page.
const CRUMBS: usize = 6;

/// Profiles of so few samples are laid out whole before anybody notices.
pub(super) const AT_ONCE: usize = 20_000;
/// Of larger ones so many rows first, then so many; then all.
const FIRST_ROWS: [u32; 2] = [12, 40];

impl Graph {
    pub(super) fn flame(&mut self, ask: &FlameAsk) -> Flame {
        let zoom = self.zoomed(&ask.zoom);
        self.search(&ask.query);
        let is_whole = self.lay_out(zoom, ask);
        // It takes a look at all samples: the boxes first.
        if is_whole && self.legend.is_none() {
            self.legend = Some(self.count_packages());
        }
        let path = self.tree.path(zoom);
        let zoom_row = u32::try_from(path.len()).unwrap_or(u32::MAX) - 1;
        let mut names = Names::new(&self.catalog);
        let mut boxes = Vec::new();
        let layout = self.laid_out.as_ref().map(|it| &it.layout);
        for rect in layout.map_or(&[][..], |layout| rows_of(layout, ask.first_row, ask.n_rows)) {
            let name_fits = rect.width * f64::from(ask.width) >= NAMED_FROM_PIXELS;
            boxes.push(self.flame_box(rect, zoom_row, name_fits.then_some(&mut names)));
        }
        Flame {
            boxes,
            names: names.names,
            n_rows: layout.map_or(0, |layout| layout.n_rows),
            is_partial: !is_whole,
            zoom: number(zoom),
            zoom_row,
            n_elided: path.len().saturating_sub(CRUMBS),
            trail: elide(&path).map(|node| self.crumb(node)).collect(),
            function: ask.function.as_ref().and_then(|name| self.catalog.function(name)),
            matched: self.found.as_ref().map(|found| self.percent(found.hits.cum)),
            legend: self.legend.clone().unwrap_or_default(),
            zoom_path: ranks::text_of(&mut self.tree, &self.profile, &path),
        }
    }

    fn zoomed(&mut self, zoom: &Zoom) -> NodeId {
        match zoom {
            Zoom::Root => NodeId::ROOT,
            Zoom::Node(number) => self.node(*number),
            Zoom::Path(path) => ranks::node_at(&mut self.tree, &self.profile, path),
        }
    }

    /// Whether it is the whole layout that is at hand then.
    fn lay_out(&mut self, zoom: NodeId, ask: &FlameAsk) -> bool {
        let (width, order) = (ask.width, if ask.by_name { SiblingOrder::Name } else { SiblingOrder::Heaviest });
        let same = |it: &&LaidOut| (it.zoom, it.width, it.order) == (zoom, width, order);
        let n_parts = match self.laid_out.as_ref().filter(same) {
            Some(it) if it.layout.is_complete => return true,
            Some(it) => it.n_parts,
            // Where a graph is on show already, the first few rows alone would be less than that.
            None => usize::from(self.laid_out.is_some()),
        };
        let min_width = LEAST_PIXELS / f64::from(width.max(1));
        let max_rows = FIRST_ROWS.get(n_parts).copied().filter(|_| self.profile.n_samples() > AT_ONCE);
        let layout = self.tree.layout(&self.profile, &FlameOptions { zoom, min_width, max_rows, order });
        let is_complete = layout.is_complete;
        self.laid_out = Some(LaidOut { zoom, width, order, n_parts: n_parts + 1, layout });
        is_complete
    }

    fn flame_box(&self, rect: &Rect, zoom_row: u32, names: Option<&mut Names<'_>>) -> FlameBox {
        let &Rect { node, x, width, depth } = rect;
        let function = self.function(node);
        let look = self.catalog.look(function).unwrap_or(Look::root());
        let look = look.inlined(self.tree.is_inlined(node)).matched(self.is_found(node));
        let look = if depth < zoom_row { look.ancestor() } else { look };
        FlameBox {
            x: narrow(x),
            width: narrow(width),
            row: depth,
            node: number(node),
            function,
            look: match self.before_and_after(node) {
                Some((before, after)) => look.changed(growth(before, after)),
                None => look,
            },
            name: names.map(|names| names.number(function)),
        }
    }

    fn crumb(&self, node: NodeId) -> Crumb {
        Crumb { node: number(node), name: self.tree.name(node) }
    }
}

/// The names that an answer carries, each once.
struct Names<'a> {
    catalog: &'a Catalog,
    names: Vec<String>,
    numbers: HashMap<u32, u32>,
}

impl<'a> Names<'a> {
    fn new(catalog: &'a Catalog) -> Names<'a> {
        Names { catalog, names: Vec::new(), numbers: HashMap::new() }
    }

    fn number(&mut self, function: u32) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(function).or_insert(next);
        if number == next {
            self.names.push(self.catalog.name(function).unwrap_or("root").to_owned());
        }
        number
    }
}

/// The rectangles of `n_rows` rows from `first` on; they are ordered by row.
fn rows_of(layout: &FlameLayout, first: u32, n_rows: u32) -> &[Rect] {
    let past = first.saturating_add(n_rows);
    let [start, end] = [first, past].map(|row| layout.rects.partition_point(|rect| rect.depth < row));
    layout.rects.get(start..end).unwrap_or_default()
}

fn elide(path: &[NodeId]) -> impl Iterator<Item = NodeId> {
    let last = path.len().saturating_sub(CRUMBS - 1).max(1);
    path.iter().enumerate().filter(move |(at, _)| *at == 0 || *at >= last).map(|(_, node)| *node)
}

/// The change of a value, in percent of the greater: from -100 to 100, and 0 only for none.
fn growth(before: i64, after: i64) -> i8 {
    let (change, whole) = (i128::from(after) - i128::from(before), before.unsigned_abs().max(after.unsigned_abs()));
    let percent = change * 100 / i128::from(whole.max(1));
    let at_least = if percent == 0 { change.signum() } else { percent };
    i8::try_from(at_least.clamp(-100, 100)).unwrap_or(0)
}

/// Boxes are sent half as precise as laid out: still a thousandth of a pixel of the widest screen.
fn narrow(share: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "said above")]
    let share = share as f32;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_of_the_greater_value() {
        let check = |before, after, expected| assert_eq!(growth(before, after), expected, "{before} to {after}");
        check(0, 5, 100);
        check(5, 0, -100);
        check(10, 15, 33);
        check(15, 10, -33);
        check(7, 7, 0);
        check(0, 0, 0);
        check(100_000, 100_001, 1);
        check(100_001, 100_000, -1);
        check(i64::MIN, i64::MAX, 100);
    }
}
