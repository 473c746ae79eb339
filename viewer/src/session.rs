//! An opened profile as the page shows it: its [`Route`], what is in view, and the questions that follow from it.

mod answers;
mod flames;
mod table;
mod tree;

use std::rc::Rc;

use yew::AttrValue;

use crate::protocol::{
    About, Ask, DiffAsk, FileId, Filter, GraphAsk, Picked, Question, RowsAsk, SandwichAsk, SourceAsk, Summary, TagsAsk,
    line,
};
use crate::route::{FlameLook, Route, View};
use crate::state::Action;

pub(crate) use answers::Answers;
pub(crate) use flames::{FlameSlot, FlameState};
pub(crate) use table::{Step, Window};
pub(crate) use tree::TreeState;

/// One profile on show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Session {
    pub(crate) file: FileId,
    /// The file's name.
    pub(crate) name: AttrValue,
    pub(crate) summary: Rc<Summary>,
    /// Counts what was opened since and tells more about it: see [`About::revision`].
    pub(crate) revision: u32,
    /// The file that a diff starts from.
    pub(crate) base: Option<FileId>,
    pub(crate) route: Route,
    pub(crate) sample_index: usize,
    /// The popover to pick samples in is open.
    pub(crate) picker_open: bool,
    /// The table row the keyboard is at.
    pub(crate) cursor: Option<usize>,
    /// The rows in view of the table on show, whichever it is.
    pub(crate) window: Window,
    pub(crate) tree_table: TreeState,
    pub(crate) flames: [FlameState; FlameSlot::N],
    pub(crate) answers: Answers,
}

impl Session {
    /// The profile as a link, or the usual view, shows it.
    pub(crate) fn new(file: FileId, name: AttrValue, summary: Rc<Summary>, route: Route) -> Session {
        let mut session = Session {
            file,
            name,
            sample_index: summary.sample_index,
            summary,
            revision: 0,
            base: None,
            route: Route::default(),
            picker_open: false,
            cursor: None,
            window: Window::default(),
            tree_table: TreeState::default(),
            flames: Default::default(),
            answers: Answers::default(),
        };
        session.go(route);
        session
    }

    /// Shows what a route says, as far as this profile has it.
    pub(crate) fn go(&mut self, route: Route) {
        let index_of = |kind: &String| self.summary.sample_types.iter().position(|it| it.kind == *kind);
        self.sample_index = route.sample_type.as_ref().and_then(index_of).unwrap_or(self.summary.sample_index);
        let is_elsewhere = self.subject_of(&route) != self.subject_of(&self.route) || route.view != self.route.view;
        let (zoom, node) = (route.flame.zoom.clone(), route.node.clone());
        let is_other_node = node != self.route.node;
        self.route = route;
        self.route.picked = self.route.picked.filter(|it| self.has(it));
        if is_elsewhere {
            self.forget_nodes();
        }
        if let Some(main) = self.flames.get_mut(FlameSlot::Main.index())
            && main.path() != zoom
        {
            main.go_to_path(zoom);
        }
        if is_elsewhere || is_other_node {
            self.tree_table = TreeState::at(&node);
            self.route.node = node;
        }
    }

    /// What a route is about, so that it is seen when node numbers no longer hold.
    fn subject_of(&self, route: &Route) -> About {
        let Route { picked, filters, granularity, noinlines, relative, unit, .. } = route.clone();
        About {
            file: self.file,
            revision: self.revision,
            sample_index: self.sample_index,
            picked,
            filters,
            granularity,
            noinlines,
            relative,
            unit,
        }
    }

    /// What every view obeys.
    pub(crate) fn about(&self) -> About {
        self.subject_of(&self.route)
    }

    fn has(&self, picked: &Picked) -> bool {
        let measure = self.summary.measures.get(picked.measure);
        picked.first <= picked.last && measure.is_some_and(|measure| picked.last < measure.ranges.len())
    }

    /// What this view of the profile wants to know, by line.
    pub(crate) fn questions(&self) -> [Option<Question>; line::N] {
        let mut questions: [Option<Question>; line::N] = Default::default();
        let about = self.about();
        for ask in self.asks() {
            if let Some(line) = questions.get_mut(ask.line()) {
                *line = Some(Question { about: about.clone(), ask });
            }
        }
        questions
    }

    fn asks(&self) -> Vec<Ask> {
        let Route { view, function, normalize, n_nodes, .. } = &self.route;
        let mut asks = Vec::new();
        let is_graph_due = matches!(view, View::Both | View::Flame) && !self.flame(FlameSlot::Main).is_painted;
        if is_graph_due && self.answers.refused.is_none() {
            // The graph comes first: rows to render would only keep the page from drawing it.
            asks.extend(self.flame_asks());
            return asks;
        }
        // The table's answer also says the totals, which are always on show.
        asks.push(Ask::Rows(self.rows_ask()));
        asks.extend(self.flame_asks());
        match (view, function) {
            (View::Sandwich, Some(function)) => asks.push(Ask::Sandwich(SandwichAsk { function: function.clone() })),
            (View::Source, Some(function)) => asks.push(Ask::Source(SourceAsk { function: function.clone() })),
            (View::Tree, _) => asks.push(Ask::Tree(self.tree_ask())),
            (View::Graph, _) => asks.push(Ask::Graph(GraphAsk { n_nodes: *n_nodes })),
            (View::Tags, _) => asks.push(Ask::Tags(TagsAsk {})),
            (View::Diff, _) => asks.extend(self.base.map(|base| Ask::Diff(self.diff_ask(base, *normalize)))),
            _ => {}
        }
        // Nobody sees weights while the picker is closed.
        asks.extend(self.picker_open.then_some(Ask::Weights));
        asks
    }

    pub(crate) fn rows_ask(&self) -> RowsAsk {
        let Route { query, sort, all, every_type, view, .. } = &self.route;
        // Other views have tables of their own, of which the window is.
        let shows_rows = matches!(view, View::Both | View::Top | View::Sandwich | View::Source);
        let (first, len) = if shows_rows { self.window.asked() } else { Window::default().asked() };
        RowsAsk { query: query.clone(), sort: *sort, all: *all, every_type: *every_type, first, len }
    }

    fn diff_ask(&self, base: FileId, normalize: bool) -> DiffAsk {
        let (first, len) = self.window.asked();
        let Route { query, sort, all, .. } = &self.route;
        DiffAsk { base, normalize, all: *all, query: query.clone(), sort: *sort, first, len }
    }

    pub(crate) fn reduce(&mut self, action: Action) {
        match action {
            Action::View(view) => self.show(view),
            Action::SampleType(sample_index) => self.show_sample_type(sample_index),
            Action::Pick(picked) => self.change(|route| route.picked = picked),
            Action::OpenPicker(open) => self.picker_open = open && !self.summary.measures.is_empty(),
            Action::AddFilter(filter) => self.add_filter(filter),
            Action::RemoveFilter(at) => self.change(|route| {
                if at < route.filters.len() {
                    route.filters.remove(at);
                }
            }),
            Action::ClearFilters => self.change(|route| {
                route.filters.clear();
                route.picked = None;
            }),
            Action::Granularity(granularity) => self.change(|route| route.granularity = granularity),
            Action::Noinlines(noinlines) => self.change(|route| route.noinlines = noinlines),
            Action::Relative(relative) => self.change(|route| route.relative = relative),
            Action::Unit(unit) => self.change(|route| route.unit = unit),
            Action::Query(query) => self.search(&query),
            Action::Sort(sort) => {
                self.route.sort = sort;
                self.cursor = None;
            }
            Action::ShowAll(all) => {
                self.route.all = all;
                self.cursor = None;
            }
            Action::EveryType(every_type) => self.route.every_type = every_type,
            Action::Function(function) => self.choose_function(function),
            Action::Open(view, function) => {
                self.choose_function(Some(function));
                self.show(view);
            }
            Action::Window(window) => self.window = window,
            Action::Choose(row) => self.choose(row),
            Action::MoveCursor(step) => self.move_cursor(step),
            Action::ToggleNode(node) => self.toggle_node(node),
            Action::ChooseNode(node) => self.tree_table.chosen = Some(node),
            Action::ExpandNode(node) => self.expand_node(node),
            Action::FlameLook(look) => self.look(look),
            Action::Invert => {
                let look = self.route.flame.clone();
                self.look(FlameLook { inverted: !look.inverted, ..look });
            }
            Action::Nodes(n_nodes) => self.route.n_nodes = n_nodes,
            Action::Base(base, name) => {
                self.base = base;
                self.route.base = name;
                self.forget_nodes();
            }
            Action::Normalize(normalize) => {
                self.route.normalize = normalize;
                self.forget_nodes();
            }
            Action::Escape => self.escape(),
            about_flames => self.reduce_flames(&about_flames),
        }
    }

    /// Changes what is on show; node numbers hold for one subject only.
    fn change(&mut self, change: impl FnOnce(&mut Route)) {
        change(&mut self.route);
        self.route.picked = self.route.picked.filter(|it| self.has(it));
        self.forget_nodes();
    }

    fn show(&mut self, view: View) {
        if self.route.view != view {
            self.route.view = view;
            self.window = Window::default();
            self.cursor = None;
            self.flames.iter_mut().for_each(|flame| flame.hover = None);
        }
    }

    fn show_sample_type(&mut self, sample_index: usize) {
        if let Some(sample_type) = self.summary.sample_types.get(sample_index) {
            let is_usual = sample_index == self.summary.sample_index;
            self.route.sample_type = (!is_usual).then(|| sample_type.kind.clone());
            self.sample_index = sample_index;
            self.forget_nodes();
        }
    }

    /// The same step twice says nothing more.
    fn add_filter(&mut self, filter: Filter) {
        if !filter.pattern.is_empty() && !self.route.filters.contains(&filter) {
            self.change(|route| route.filters.push(filter));
        }
    }

    fn look(&mut self, look: FlameLook) {
        let is_other_tree = look.inverted != self.route.flame.inverted;
        self.route.flame = look;
        if is_other_tree {
            self.forget_nodes();
        }
    }

    fn forget_nodes(&mut self) {
        self.flames.iter_mut().for_each(FlameState::forget_nodes);
        self.route.flame.zoom.clear();
        self.tree_table = TreeState::default();
        self.route.node.clear();
        self.cursor = None;
    }

    fn search(&mut self, query: &str) {
        query.clone_into(&mut self.route.query);
        self.cursor = None;
    }

    fn choose_function(&mut self, function: Option<String>) {
        if self.route.function != function {
            self.set_function(function);
            self.cursor = None;
            self.tree_table.chosen = None;
            self.route.node.clear();
        }
    }

    /// The flame graphs above and below it are others then.
    fn set_function(&mut self, function: Option<String>) {
        if self.route.function != function {
            self.route.function = function;
            for slot in [FlameSlot::Callers, FlameSlot::Callees] {
                self.flame_mut(slot).forget_nodes();
            }
        }
    }

    /// Undoes what was added last to the view: popover, search, choice, zoom, then the last filter.
    fn escape(&mut self) {
        let is_zoomed = self.flames.iter().any(FlameState::is_zoomed);
        let is_about_function = matches!(self.route.view, View::Sandwich | View::Source);
        if self.picker_open {
            self.picker_open = false;
        } else if !self.route.query.is_empty() {
            self.search("");
        } else if is_zoomed {
            self.flames.iter_mut().for_each(FlameState::zoom_to_root);
            self.route.flame.zoom.clear();
        } else if self.route.function.is_some() && !is_about_function {
            self.choose_function(None);
        } else if !self.route.filters.is_empty() {
            self.change(|route| drop(route.filters.pop()));
        } else if self.route.picked.is_some() {
            self.change(|route| route.picked = None);
        }
    }
}

#[cfg(test)]
mod tests;
