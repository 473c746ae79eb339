//! The trees behind flame graphs, each with what was laid out and searched last.

mod card;
mod legend;
mod picture;
mod search;

use std::collections::HashMap;
use std::rc::Rc;

use proto::Profile;
use proto::analysis::flame::{FlameLayout, SiblingOrder};
use proto::analysis::sandwich::sandwich;
use proto::analysis::total;
use proto::analysis::tree::{GrowingTree, NodeId, TreeOptions};
use proto::analysis::versus::{AFTER, BOTH, versus};

use super::Opened;
use super::catalog::Catalog;
use super::labels::percent;
use super::subject::Subject;
use crate::protocol::{Card, CardAsk, FileId, Flame, FlameAsk, Key, Tree};
use search::Found;

/// The trees that were asked for last, each by what it is of.
#[derive(Debug, Default)]
pub(super) struct Trees {
    trees: Vec<(Tree, Graph)>,
}

/// As many are on show together: a sandwich has two.
const KEPT: usize = 3;

/// A call tree that grows as it is looked at.
#[derive(Debug)]
pub(super) struct Graph {
    /// Whose stacks the tree joins: the subject, or what of it belongs into this tree.
    profile: Rc<Profile>,
    sample_index: usize,
    catalog: Rc<Catalog>,
    tree: GrowingTree,
    /// What percentages are of.
    total: i64,
    laid_out: Option<LaidOut>,
    found: Option<Found>,
    legend: Option<Vec<Key>>,
}

/// A layout, and what it is one of.
#[derive(Debug)]
struct LaidOut {
    zoom: NodeId,
    width: u32,
    order: SiblingOrder,
    /// How many parts of it were answered, while it is not whole.
    n_parts: usize,
    layout: FlameLayout,
}

impl Graph {
    fn new(profile: Rc<Profile>, catalog: Rc<Catalog>, total: i64, options: &TreeOptions) -> Graph {
        let tree = GrowingTree::new(&profile, options);
        let sample_index = options.sample_index;
        Graph { profile, sample_index, catalog, tree, total, laid_out: None, found: None, legend: None }
    }

    /// Node numbers come from the page; one that is none means the root.
    fn node(&self, number: u32) -> NodeId {
        self.tree.node(number as usize).unwrap_or(NodeId::ROOT)
    }

    /// The root is a function to nobody.
    fn function(&self, node: NodeId) -> u32 {
        self.tree.frame(node).map_or(u32::MAX, |frame| self.catalog.of_frame(frame))
    }

    fn percent(&self, part: i64) -> String {
        percent(part, self.total)
    }

    /// What was before and what is after, of a tree that shows both.
    fn before_and_after(&self, node: NodeId) -> Option<(i64, i64)> {
        let after = self.tree.also(node)?;
        Some((self.tree.cum(node).saturating_sub(after), after))
    }
}

impl Subject {
    fn graph(&mut self, tree: &Tree, profiles: &HashMap<FileId, Opened>) -> Result<&mut Graph, String> {
        if let Some(at) = self.trees.trees.iter().position(|(of, _)| of == tree) {
            // The one asked for last is the last to go.
            let kept = self.trees.trees.remove(at);
            self.trees.trees.push(kept);
        } else {
            let graph = self.plant(tree, profiles)?;
            if self.trees.trees.len() >= KEPT {
                self.trees.trees.remove(0);
            }
            self.trees.trees.push((tree.clone(), graph));
        }
        self.trees.trees.last_mut().map(|(_, graph)| graph).ok_or_else(|| "no tree".to_owned())
    }

    fn plant(&self, tree: &Tree, profiles: &HashMap<FileId, Opened>) -> Result<Graph, String> {
        let options =
            |inverted| TreeOptions { sample_index: self.sample_index(), frames: self.frames(), inverted, also: None };
        // Where locations are cut or joined, frames are others.
        let of_part = |profile: Profile, total: i64, options: &TreeOptions| {
            let profile = Rc::new(profile);
            let catalog = Rc::new(Catalog::new(Rc::clone(&profile), &options.frames));
            Graph::new(profile, catalog, total, options)
        };
        let of_all =
            |inverted| Graph::new(Rc::clone(&self.profile), Rc::clone(&self.catalog), self.total, &options(inverted));
        Ok(match tree {
            Tree::Callees => of_all(false),
            Tree::Callers => of_all(true),
            Tree::CallersOf(name) => {
                of_part(sandwich(&self.profile, name, &self.frames()).callers, self.total, &options(true))
            }
            Tree::CalleesOf(name) => {
                of_part(sandwich(&self.profile, name, &self.frames()).callees, self.total, &options(false))
            }
            Tree::Diff { base, normalize } => {
                let (before, base_index) = self.base(profiles.get(base).ok_or("The base is no longer open.")?)?;
                let after = (&*self.profile, self.sample_index());
                let both = versus((&before, base_index), after, *normalize).map_err(|why| why.to_string())?;
                let total = total(&both, BOTH, false);
                of_part(both, total, &TreeOptions { sample_index: BOTH, also: Some(AFTER), ..options(false) })
            }
        })
    }

    /// What a diff starts from: the same part of the other file, and its value of the kind on show.
    fn base(&self, opened: &Opened) -> Result<(Rc<Profile>, usize), String> {
        let kinds = |profile: &Profile| -> Vec<String> {
            profile.sample_types().iter().map(|it| profile.string(it.kind).to_owned()).collect()
        };
        let kind = kinds(&self.profile).get(self.sample_index()).cloned().unwrap_or_default();
        let at = kinds(&opened.profile).iter().position(|it| *it == kind);
        let at = at.ok_or_else(|| format!("The base has no {kind}."))?;
        Ok((self.same_part(opened)?, at))
    }

    /// The boxes in view; of a large profile first a part of them, and more each time they are asked for.
    pub(super) fn flame(
        &mut self,
        ask: &FlameAsk,
        _n_parts: u32,
        profiles: &HashMap<FileId, Opened>,
    ) -> Result<Flame, String> {
        Ok(self.graph(&ask.tree, profiles)?.flame(ask))
    }

    /// The card of a node, in the table's unit where there is a table, so that the two can be compared.
    pub(super) fn card(&mut self, ask: &CardAsk) -> Card {
        if self.profile.n_samples() <= picture::AT_ONCE {
            self.table();
        }
        let unit = self.unit(self.sample_index(), "auto").to_owned();
        let graph = self.trees.trees.iter_mut().find(|(of, _)| *of == ask.tree);
        graph.map(|(_, graph)| graph.card(ask, self.table.as_ref(), &unit)).unwrap_or_default()
    }
}
