//! The tree table on show: which nodes are open, which is chosen, and what is to be opened that the page does not know.

use crate::protocol::{Reveal, TreeAsk};
use crate::route::View;
use crate::session::{FlameSlot, Session};

/// The tree table as far as the page decides. Numbers hold for one subject only.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TreeState {
    pub(crate) open: Vec<u32>,
    pub(crate) chosen: Option<u32>,
    reveal: Option<Reveal>,
}

impl Default for TreeState {
    /// A tree that is closed says nothing, so it begins with its heaviest way open.
    fn default() -> Self {
        TreeState { open: Vec::new(), chosen: None, reveal: Some(Reveal::Start) }
    }
}

impl TreeState {
    /// The node that a link tells; nothing where it tells none.
    pub(super) fn at(path: &str) -> TreeState {
        let reveal = if path.is_empty() { Reveal::Start } else { Reveal::Path(path.to_owned()) };
        TreeState { reveal: Some(reveal), ..TreeState::default() }
    }
}

impl Session {
    pub(crate) fn tree_ask(&self) -> TreeAsk {
        let (first, len) = self.window.asked();
        let TreeState { open, chosen, reveal } = self.tree_table.clone();
        let tree = self.flame_tree(FlameSlot::Main).unwrap_or_default();
        TreeAsk { tree, open, chosen, reveal, query: self.route.query.clone(), first, len }
    }

    pub(super) fn toggle_node(&mut self, node: u32) {
        let open = &mut self.tree_table.open;
        if let Some(at) = open.iter().position(|it| *it == node) {
            open.remove(at);
        } else {
            open.push(node);
        }
    }

    pub(super) fn expand_node(&mut self, node: u32) {
        self.tree_table.reveal = Some(Reveal::Hottest(node));
    }

    /// The node in a row is now the chosen one, and its function is, too. A row that is not at hand yet is chosen when
    /// it comes.
    pub(super) fn choose_row_of_tree(&mut self, row: usize) {
        self.cursor = Some(row);
        let found = self.tree().and_then(|latest| {
            let rows = latest.reply;
            rows.rows.get(row.checked_sub(rows.first)?).map(|row| (row.node, row.name.clone()))
        });
        self.tree_table.chosen = found.as_ref().map(|(node, _)| *node);
        match found {
            // The root is no function.
            Some((node, name)) if node != 0 => self.set_function(Some(name)),
            Some(_) => self.route.node.clear(),
            None => {}
        }
    }

    /// Rows came: what was opened for them stays open, and the chosen node's row and path are known.
    pub(super) fn take_tree(&mut self, asked: &TreeAsk) {
        let now = self.tree_ask();
        let is_of_this = asked.tree == now.tree && self.route.view == View::Tree;
        let Some(latest) = self.tree().filter(|latest| latest.is_current && is_of_this) else { return };
        let (opened, chosen) = (latest.reply.opened.clone(), latest.reply.chosen.clone());
        if asked.reveal.is_some() && asked.reveal == now.reveal {
            let is_new = |node: &u32| *node != 0 && !self.tree_table.open.contains(node);
            let new: Vec<u32> = opened.into_iter().filter(is_new).collect();
            self.tree_table.open.extend(new);
            self.tree_table.reveal = None;
            if let Some(chosen) = &chosen {
                self.tree_table.chosen = Some(chosen.node);
            }
        }
        match chosen {
            Some(chosen) if self.tree_table.chosen == Some(chosen.node) => {
                self.cursor = Some(chosen.row);
                if chosen.node != 0 {
                    self.set_function(Some(chosen.name));
                }
                self.route.node = chosen.path;
            }
            _ => {
                if let Some(row) = self.cursor.filter(|_| self.tree_table.chosen.is_none()) {
                    self.choose_row_of_tree(row);
                }
            }
        }
    }
}
