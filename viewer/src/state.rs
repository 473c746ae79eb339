//! The page's state and every way it can change: [`reduce`] is pure, the browser is elsewhere.

mod arrivals;
mod files;
mod theme;

use std::rc::Rc;

use serde::Deserialize;
use yew::{AttrValue, Reducible};

use crate::failure::Failure;
use crate::protocol::{Answer, FileId, Filter, Granularity, Picked, Sort};
use crate::route::{FlameLook, Route, View};
use crate::same::Same;
use crate::session::{FlameSlot, Session, Step, Window};

pub(crate) use files::{FileStatus, Intent, NewFile, OpenFile};
pub(crate) use theme::Theme;

/// All there is to know about the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// Everything that was opened and not closed, in that order.
    pub(crate) files: Vec<OpenFile>,
    /// The profile on show, also while another is being opened.
    pub(crate) session: Option<Same<Session>>,
    /// What the address said, until there is a profile to show so.
    pub(crate) wanted: Route,
    /// What `wprof view` serves; empty where the page is served by something else.
    pub(crate) served: Rc<[Served]>,
    pub(crate) theme: Theme,
    /// A file hovers over the page.
    pub(crate) dragging: bool,
    /// What is open over the page.
    pub(crate) overlay: Overlay,
    /// What is said in passing, until it is dismissed.
    pub(crate) notices: Vec<AttrValue>,
}

/// What the page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Phase {
    #[default]
    Landing,
    Loading(FileId),
    /// The session.
    Open,
    Failed(Rc<Failure>),
}

/// A dialog or menu over the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Overlay {
    #[default]
    None,
    /// The list of keys.
    Help,
    /// The form that adds a filter.
    Filters,
    /// What can be saved, printed and shared.
    Menu,
    /// The files that are open.
    Files,
    /// Granularity, inlined frames, units.
    Options,
}

/// A profile that `wprof view` or a running guest offers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) url: String,
    /// Whether it says something else each time, as a running guest's does.
    #[serde(default)]
    pub(crate) live: bool,
}

/// Everything that can happen to the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Served(Rc<[Served]>),
    /// Files were chosen; the worker is being given them.
    Opening(Vec<NewFile>),
    Answered(Box<Answer>),
    /// The worker died without a word, and with it all that was open.
    WorkerDied(String),
    /// Back from loading or a failure to what was on show.
    Back,
    /// Shows a file that is open.
    ShowFile(FileId),
    Close(FileId),
    Dragging(bool),
    Theme(Theme),
    Overlay(Overlay),
    Notice(AttrValue),
    Dismiss(usize),
    /// The address was changed: by a link, or by going back.
    Route(Box<Route>),
    /// The Esc key: closes, clears or goes back, whichever comes first.
    Escape,
    View(View),
    SampleType(usize),
    AddFilter(Filter),
    RemoveFilter(usize),
    ClearFilters,
    /// Shows only samples of these ranges, or all.
    Pick(Option<Picked>),
    OpenPicker(bool),
    Granularity(Granularity),
    Noinlines(bool),
    Relative(bool),
    /// Of all values that it can be the unit of; empty for units that suit them.
    Unit(String),
    Query(AttrValue),
    Sort(Sort),
    ShowAll(bool),
    EveryType(bool),
    /// Chooses a function by its name, or lets go of it.
    Function(Option<String>),
    /// Shows a view of a function.
    Open(View, String),
    /// The table shows these rows.
    Window(Window),
    /// A row of the top table was clicked.
    Choose(usize),
    MoveCursor(Step),
    /// Opens or closes a node of the tree table.
    ToggleNode(u32),
    /// Chooses a node of the tree table whose row may be far away.
    ChooseNode(u32),
    /// Opens a node of the tree table, and the heaviest below it as long as one has half.
    ExpandNode(u32),
    FlameLook(FlameLook),
    /// The flame graph from the other end.
    Invert,
    /// A flame graph is this wide and shows these rows.
    FlameWindow {
        slot: FlameSlot,
        width: u32,
        first_row: u32,
        n_rows: u32,
    },
    /// The first graph of the profile is on the screen.
    Painted(FlameSlot),
    Zoom(FlameSlot, u32),
    /// To the widest box of the chosen function.
    ZoomToChosen,
    /// To the widest box of the function of this number.
    ZoomToWidest(u32),
    ZoomOut,
    Hover(FlameSlot, Option<u32>),
    /// Asks for all that is around the box pointed at, or no longer.
    Inspect(FlameSlot, bool),
    /// How many nodes the graph has.
    Nodes(usize),
    /// What a diff starts from, by number and name.
    Base(Option<FileId>, Option<String>),
    Normalize(bool),
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut state = Rc::unwrap_or_clone(self);
        reduce(&mut state, action);
        Rc::new(state)
    }
}

/// Applies `action`. Actions about an opened profile do nothing while none is open: a late click is no error.
pub(crate) fn reduce(state: &mut State, action: Action) {
    match action {
        Action::Served(served) => state.served = served,
        Action::Opening(files) => state.opening(files),
        Action::Answered(answer) => answered(state, *answer),
        Action::WorkerDied(message) => state.lose_all(|name| Failure::died(name, &message)),
        Action::Back => state.back(),
        Action::ShowFile(file) => state.show_file(file),
        Action::Close(file) => state.close(file),
        Action::Dragging(dragging) => state.dragging = dragging,
        Action::Theme(theme) => state.theme = theme,
        Action::Overlay(overlay) => state.overlay = if state.overlay == overlay { Overlay::None } else { overlay },
        Action::Notice(notice) => state.notices.push(notice),
        Action::Dismiss(at) => {
            if at < state.notices.len() {
                state.notices.remove(at);
            }
        }
        Action::Route(route) => state.go(*route),
        Action::Escape if state.overlay != Overlay::None => state.overlay = Overlay::None,
        about_session => {
            if state.phase == Phase::Open {
                state.change_session(|session| session.reduce(about_session));
            }
        }
    }
}

fn answered(state: &mut State, answer: Answer) {
    match answer {
        Answer::Ready => {}
        Answer::Stage(file, stage) => state.staged(file, stage),
        Answer::Opened(file, summary) => state.opened(file, *summary),
        Answer::Attached(file, what) => state.attached(file, what),
        Answer::Refused(file, refusal) => state.refused(file, &refusal),
        Answer::Panicked(message) => state.lose_all(|name| Failure::panicked(name, &message)),
        Answer::Reply(..) => state.change_session(|session| session.answered(answer)),
    }
}

impl State {
    /// The session, to be changed; a copy if a view holds it.
    pub(crate) fn change_session(&mut self, change: impl FnOnce(&mut Session)) {
        if let Some(session) = &mut self.session {
            change(Rc::make_mut(&mut session.0));
        }
    }

    /// The opened profile, if one is on show.
    pub(crate) fn shown(&self) -> Option<&Same<Session>> {
        self.session.as_ref().filter(|_| self.phase == Phase::Open)
    }

    /// The file on hand, whether it is open, being opened, or cannot be.
    pub(crate) fn file_name(&self) -> Option<AttrValue> {
        match &self.phase {
            Phase::Landing => None,
            Phase::Loading(file) => self.file(*file).map(|file| file.name.clone()),
            Phase::Open => self.session.as_ref().map(|session| session.name.clone()),
            Phase::Failed(failure) => Some(failure.name.clone()),
        }
    }

    /// What the address should say.
    pub(crate) fn route(&self) -> Option<&Route> {
        self.shown().map(|session| &session.route)
    }

    fn go(&mut self, route: Route) {
        if let Some(file) = route.file.as_deref().and_then(|name| self.profile_named(name)) {
            self.show_file(file);
        }
        let base = route.base.as_deref().and_then(|name| self.profile_named(name));
        self.change_session(|session| {
            session.base = base;
            session.go(route.clone());
        });
        self.wanted = route;
    }
}

#[cfg(test)]
mod tests;
