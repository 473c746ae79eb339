//! The flame graphs on show: one, or in a sandwich two; which part of each is in view, zoomed to and pointed at.

use crate::boxes;
use crate::protocol::{Ask, CardAsk, Flame, FlameAsk, Tree, Zoom};
use crate::route::View;
use crate::same::Same;
use crate::session::Session;
use crate::state::Action;

/// Where a flame graph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FlameSlot {
    Main,
    /// Above the function of a sandwich.
    Callers,
    /// Below it.
    Callees,
}

impl FlameSlot {
    pub(crate) const N: usize = 3;
    pub(crate) const ALL: [FlameSlot; FlameSlot::N] = [FlameSlot::Main, FlameSlot::Callers, FlameSlot::Callees];

    pub(crate) fn index(self) -> usize {
        match self {
            FlameSlot::Main => 0,
            FlameSlot::Callers => 1,
            FlameSlot::Callees => 2,
        }
    }
}

/// A flame graph as far as the page decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FlameState {
    /// CSS pixels; nothing is asked before the canvas has a width.
    width: u32,
    first_row: u32,
    n_rows: u32,
    zoom: Zoom,
    /// Where zooming out leads, the last one first; empty at the root.
    zooms: Vec<u32>,
    /// As links tell the zoom, once the worker has said so.
    path: String,
    /// The box under the pointer or the keyboard's.
    pub(crate) hover: Option<u32>,
    /// The card tells what is around the box, too: for the keyboard and for menus.
    pub(crate) in_full: bool,
    /// What was drawn last, which stays until there is something else to draw.
    pub(crate) drawn: Option<(FlameAsk, Same<Flame>)>,
    /// Whether any graph of this profile was on the screen here.
    pub(super) is_painted: bool,
}

const FLAME_STEP: u32 = 32;

impl FlameState {
    pub(crate) fn is_zoomed(&self) -> bool {
        self.zoom != Zoom::Root
    }

    pub(super) fn path(&self) -> String {
        match &self.zoom {
            Zoom::Path(path) => path.clone(),
            _ => self.path.clone(),
        }
    }

    /// The zoomed node's number, as far as known.
    pub(crate) fn zoom_node(&self) -> u32 {
        match &self.zoom {
            Zoom::Root => 0,
            Zoom::Node(node) => *node,
            Zoom::Path(_) => self.drawn.as_ref().map_or(0, |(_, flame)| flame.zoom),
        }
    }

    pub(super) fn go_to_path(&mut self, path: String) {
        self.zooms.clear();
        self.hover = None;
        self.zoom = if path.is_empty() { Zoom::Root } else { Zoom::Path(path) };
    }

    pub(super) fn zoom_to_root(&mut self) {
        self.go_to_path(String::new());
        self.path.clear();
    }

    /// Numbers of nodes are gone; what is drawn stays for the moment.
    pub(super) fn forget_nodes(&mut self) {
        self.zoom_to_root();
    }

    fn zoom_to(&mut self, node: u32) {
        self.hover = None;
        let from = self.zoom_node();
        if node == 0 {
            self.zoom_to_root();
        } else if node != from {
            self.zooms.push(from);
            self.zoom = Zoom::Node(node);
        }
    }

    fn zoom_out(&mut self) {
        self.hover = None;
        match self.zooms.pop().filter(|node| *node != 0) {
            Some(node) => self.zoom = Zoom::Node(node),
            None => self.zoom_to_root(),
        }
    }

    /// Rows are asked for in steps, with a step to spare either side.
    fn asked_rows(&self) -> (u32, u32) {
        let first = (self.first_row / FLAME_STEP).saturating_sub(1) * FLAME_STEP;
        let past = (self.first_row + self.n_rows.max(1)).div_ceil(FLAME_STEP) + 1;
        (first, past * FLAME_STEP - first)
    }
}

impl Session {
    pub(crate) fn flame(&self, slot: FlameSlot) -> &FlameState {
        let [main, callers, callees] = &self.flames;
        match slot {
            FlameSlot::Main => main,
            FlameSlot::Callers => callers,
            FlameSlot::Callees => callees,
        }
    }

    pub(super) fn flame_mut(&mut self, slot: FlameSlot) -> &mut FlameState {
        let [main, callers, callees] = &mut self.flames;
        match slot {
            FlameSlot::Main => main,
            FlameSlot::Callers => callers,
            FlameSlot::Callees => callees,
        }
    }

    /// The tree that a slot shows in this view, if it shows one.
    pub(crate) fn flame_tree(&self, slot: FlameSlot) -> Option<Tree> {
        let inverted = if self.route.flame.inverted { Tree::Callers } else { Tree::Callees };
        match (slot, self.route.view) {
            (FlameSlot::Main, View::Both | View::Flame | View::Tree) => Some(inverted),
            (FlameSlot::Main, View::Diff) => self.base.map(|base| Tree::Diff { base, normalize: self.route.normalize }),
            (FlameSlot::Callers, View::Sandwich) => self.route.function.clone().map(Tree::CallersOf),
            (FlameSlot::Callees, View::Sandwich) => self.route.function.clone().map(Tree::CalleesOf),
            _ => None,
        }
    }

    pub(crate) fn flame_ask(&self, slot: FlameSlot) -> Option<FlameAsk> {
        let tree = self.flame_tree(slot).filter(|_| self.route.view != View::Tree)?;
        let state = self.flame(slot);
        let (first_row, n_rows) = state.asked_rows();
        (state.width > 0).then(|| FlameAsk {
            tree,
            query: self.route.query.clone(),
            function: self.route.function.clone(),
            zoom: state.zoom.clone(),
            by_name: self.route.flame.by_name,
            width: state.width,
            first_row,
            n_rows,
        })
    }

    pub(super) fn flame_asks(&self) -> impl Iterator<Item = Ask> {
        let hovered = FlameSlot::ALL.into_iter().find_map(|slot| self.card_ask(slot));
        let flames = FlameSlot::ALL.into_iter().filter_map(|slot| self.flame_ask(slot));
        flames.map(Ask::Flame).chain(hovered.map(Ask::Card))
    }

    pub(crate) fn card_ask(&self, slot: FlameSlot) -> Option<CardAsk> {
        let node = self.flame(slot).hover?;
        Some(CardAsk { tree: self.flame_tree(slot)?, node, in_full: self.flame(slot).in_full })
    }

    pub(super) fn reduce_flames(&mut self, action: &Action) {
        match *action {
            Action::FlameWindow { slot, width, first_row, n_rows } => {
                let state = self.flame_mut(slot);
                (state.width, state.first_row, state.n_rows) = (width, first_row, n_rows);
            }
            Action::Painted(slot) => self.flame_mut(slot).is_painted = true,
            Action::Zoom(slot, node) => self.flame_mut(slot).zoom_to(node),
            Action::ZoomOut => self.flames.iter_mut().for_each(FlameState::zoom_out),
            Action::ZoomToChosen => self.zoom_to_widest(None),
            Action::ZoomToWidest(function) => self.zoom_to_widest(Some(function)),
            Action::Hover(slot, node) => self.flame_mut(slot).hover = node,
            Action::Inspect(slot, in_full) => self.flame_mut(slot).in_full = in_full,
            _ => {}
        }
        if !self.flame(FlameSlot::Main).is_zoomed() {
            self.route.flame.zoom.clear();
        }
    }

    /// To the widest box of a function, or else of the chosen one.
    fn zoom_to_widest(&mut self, function: Option<u32>) {
        let main = self.flame_mut(FlameSlot::Main);
        let widest = |flame: &Flame| boxes::widest(&flame.boxes, function.or(flame.function)?).copied();
        let widest = main.drawn.as_ref().and_then(|(_, flame)| widest(flame));
        if let Some(node) = widest.map(|it| it.node) {
            main.zoom_to(node);
        }
    }

    /// Takes in boxes; those of another graph came too late.
    pub(super) fn take_flame(&mut self, asked: FlameAsk, flame: Same<Flame>) {
        let slot = match asked.tree {
            Tree::CallersOf(_) => FlameSlot::Callers,
            Tree::CalleesOf(_) => FlameSlot::Callees,
            Tree::Callees | Tree::Callers | Tree::Diff { .. } => FlameSlot::Main,
        };
        if !self.flame_ask(slot).is_some_and(|now| now.same_graph(&asked)) {
            return;
        }
        let state = self.flame_mut(slot);
        if state.zoom == asked.zoom {
            state.path.clone_from(&flame.zoom_path);
            if slot == FlameSlot::Main {
                self.route.flame.zoom.clone_from(&flame.zoom_path);
            }
        }
        self.flame_mut(slot).drawn = Some((asked, flame));
    }
}
