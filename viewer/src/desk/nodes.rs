//! The call tree as a table: which rows are open, and a window of them.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use proto::Profile;
use proto::analysis::flame::Query;
use proto::analysis::tree::{GrowingTree, NodeId, TreeOptions};

use super::labels::percent;
use super::ranks::{self, number};
use super::subject::Subject;
use crate::protocol::{ChosenNode, Look, Reveal, Tree, TreeAsk, TreeRow, TreeRows};

/// The tree on show, as far as one has looked into it.
#[derive(Debug)]
pub(super) struct Nodes {
    is_inverted: bool,
    tree: GrowingTree,
    /// Samples are looked at for each, so it is done once.
    flats: HashMap<NodeId, i64>,
    /// The rows that are open, for the set of nodes that was open last.
    rows: Option<(HashSet<u32>, Vec<OpenRow>)>,
}

#[derive(Clone, Copy, Debug)]
struct OpenRow {
    node: NodeId,
    depth: u32,
}

impl Nodes {
    fn new(profile: &Profile, options: &TreeOptions) -> Nodes {
        let tree = GrowingTree::new(profile, options);
        Nodes { is_inverted: options.inverted, tree, flats: HashMap::new(), rows: None }
    }

    /// Node numbers come from the page; one that is none means the root.
    fn node(&self, number: u32) -> NodeId {
        self.tree.node(number as usize).unwrap_or(NodeId::ROOT)
    }

    fn flat(&mut self, profile: &Profile, node: NodeId) -> i64 {
        *self.flats.entry(node).or_insert_with(|| self.tree.flat(profile, node))
    }

    /// The nodes to open, and the one to choose.
    fn reveal(&mut self, profile: &Profile, reveal: &Reveal) -> (Vec<NodeId>, Option<NodeId>) {
        match reveal {
            Reveal::Start => (self.hottest(profile, NodeId::ROOT), None),
            Reveal::Hottest(from) => {
                let path = self.hottest(profile, self.node(*from));
                let last = path.last().copied();
                (path, last)
            }
            Reveal::Path(path) => {
                let node = ranks::node_at(&mut self.tree, profile, path);
                let mut above = self.tree.path(node);
                above.pop();
                (above, (node != NodeId::ROOT).then_some(node))
            }
        }
    }

    /// From a node down, as long as one child has half of it.
    fn hottest(&mut self, profile: &Profile, from: NodeId) -> Vec<NodeId> {
        let mut path = vec![from];
        let mut node = from;
        while let Some(child) = self.tree.children(profile, node).next() {
            let [half, whole] = [child, node].map(|it| self.tree.cum(it).unsigned_abs());
            if half < whole.div_ceil(2) {
                break;
            }
            path.push(child);
            node = child;
        }
        path
    }

    /// All rows that are open, from top to bottom.
    fn open_rows(&mut self, profile: &Profile, open: HashSet<u32>) -> &[OpenRow] {
        if self.rows.as_ref().is_none_or(|(of, _)| *of != open) {
            let mut rows = Vec::new();
            let mut todo = vec![OpenRow { node: NodeId::ROOT, depth: 0 }];
            while let Some(row) = todo.pop() {
                rows.push(row);
                if row.node == NodeId::ROOT || open.contains(&number(row.node)) {
                    let children = self.tree.children(profile, row.node);
                    todo.extend(children.rev().map(|node| OpenRow { node, depth: row.depth + 1 }));
                }
            }
            self.rows = Some((open, rows));
        }
        self.rows.as_ref().map_or(&[], |(_, rows)| rows)
    }
}

impl Subject {
    pub(super) fn tree_rows(&mut self, ask: &TreeAsk) -> TreeRows {
        self.table();
        let is_inverted = matches!(ask.tree, Tree::Callers);
        let profile = Rc::clone(&self.profile);
        let mut nodes = match self.nodes.take().filter(|it| it.is_inverted == is_inverted) {
            Some(nodes) => nodes,
            None => {
                let (sample_index, frames) = (self.sample_index(), self.frames());
                let options = TreeOptions { sample_index, frames, inverted: is_inverted, also: None };
                Nodes::new(&profile, &options)
            }
        };
        let revealed = ask.reveal.as_ref().map(|reveal| nodes.reveal(&profile, reveal));
        let (opened, revealed) = revealed.unwrap_or_default();
        let opened: Vec<u32> = opened.into_iter().map(number).collect();
        let open: HashSet<u32> = ask.open.iter().chain(&opened).copied().collect();
        let rows = nodes.open_rows(&profile, open.clone());
        let (n_rows, window): (_, Vec<OpenRow>) =
            (rows.len(), rows.iter().skip(ask.first).take(ask.len).copied().collect());
        let chosen = revealed.or_else(|| ask.chosen.map(|number| nodes.node(number)));
        let chosen = chosen.and_then(|node| self.chosen_node(&mut nodes, node));
        let query = Query::new(&ask.query);
        let row = |row: OpenRow| self.tree_row(&mut nodes, row, &open, query.as_ref());
        let rows = window.into_iter().map(row).collect();
        self.nodes = Some(nodes);
        let total = self.table.as_ref().map(|table| table.with_share(self.total).0).unwrap_or_default();
        TreeRows { first: ask.first, rows, n_rows, total, opened, chosen }
    }

    fn chosen_node(&self, nodes: &mut Nodes, node: NodeId) -> Option<ChosenNode> {
        let row = nodes.rows.as_ref()?.1.iter().position(|row| row.node == node)?;
        let path = nodes.tree.path(node);
        let path = ranks::text_of(&mut nodes.tree, &self.profile, &path);
        Some(ChosenNode { node: number(node), row, path, name: nodes.tree.name(node) })
    }

    fn tree_row(&self, nodes: &mut Nodes, row: OpenRow, open: &HashSet<u32>, query: Option<&Query>) -> TreeRow {
        let OpenRow { node, depth } = row;
        let flat = nodes.flat(&self.profile, node);
        let tree = &nodes.tree;
        let shares = |value| self.table.as_ref().map(|table| table.with_share(value)).unwrap_or_default();
        let ((flat, flat_pct), (cum, cum_pct)) = (shares(flat), shares(tree.cum(node)));
        let parent = tree.parent(node);
        let name = tree.name(node);
        let is_match = query.is_some_and(|query| parent.is_some() && query.matches(&name));
        let function = tree.frame(node).map(|frame| self.catalog.of_frame(frame));
        let look = function.and_then(|it| self.catalog.look(it)).unwrap_or(Look::root());
        let has_children = !tree.is_leaf(&self.profile, node);
        TreeRow {
            node: number(node),
            parent: parent.map(number),
            depth,
            has_children,
            is_open: has_children && (parent.is_none() || open.contains(&number(node))),
            name,
            look: look.matched(is_match),
            flat,
            flat_pct,
            cum,
            cum_pct,
            of_parent: parent.map(|parent| percent(tree.cum(node), tree.cum(parent))).unwrap_or_default(),
            inlined: tree.is_inlined(node),
        }
    }
}
