//! The page's state and every way it can change: [`reduce`] is pure, the browser is elsewhere.

use std::rc::Rc;

use serde::Deserialize;
use yew::{AttrValue, Reducible};

use crate::failure::Failure;
use crate::protocol::{Answer, Picked, Sort, Stage};
use crate::session::{Session, Step};

/// All there is to know about the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// What `wprof view` serves; empty where the page is served by something else.
    pub(crate) served: Rc<[Served]>,
    pub(crate) theme: Theme,
    pub(crate) panes: Panes,
    /// A file hovers over the page.
    pub(crate) dragging: bool,
    /// The popover with the facts about the profile is open.
    pub(crate) facts_open: bool,
}

/// What the page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Phase {
    #[default]
    Landing,
    Loading {
        name: AttrValue,
        stage: Stage,
    },
    Open(Box<Session>),
    Failed(Rc<Failure>),
}

/// A profile that `wprof view` offers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) url: String,
}

/// Colours; `System` follows the browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

/// What of an opened profile is on show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Panes {
    Table,
    Flame,
    #[default]
    Both,
}

/// Everything that can happen to the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Served(Rc<[Served]>),
    /// A file was chosen; the worker is being given it.
    Opening(AttrValue),
    Answered(Box<Answer>),
    /// The worker died without a word.
    WorkerDied(String),
    Dragging(bool),
    Theme(Theme),
    Panes(Panes),
    ToggleFacts,
    /// The Esc key: closes, clears or goes back, whichever comes first.
    Escape,
    SampleType(usize),
    /// Shows only samples of these ranges, or all.
    Pick(Option<Picked>),
    OpenPicker(bool),
    Query(AttrValue),
    Sort(Sort),
    ShowAll(bool),
    /// The table shows these rows.
    TableWindow {
        first: usize,
        len: usize,
    },
    /// The flame graph is this wide and shows these rows.
    FlameWindow {
        width: u32,
        first_row: u32,
        n_rows: u32,
    },
    /// A table row was clicked.
    Choose(usize),
    MoveCursor(Step),
    Zoom(u32),
    /// To the widest box of the chosen function.
    ZoomToChosen,
    ZoomOut,
    Hover(Option<u32>),
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
        Action::Opening(name) => {
            state.phase = Phase::Loading { name, stage: Stage::Starting };
            state.facts_open = false;
        }
        Action::Answered(answer) => answered(state, *answer),
        Action::WorkerDied(message) => fail(state, |name| Failure::died(name, &message)),
        Action::Dragging(dragging) => state.dragging = dragging,
        Action::Theme(theme) => state.theme = theme,
        Action::Panes(panes) => state.panes = panes,
        Action::ToggleFacts => state.facts_open = !state.facts_open,
        Action::Escape if state.facts_open => state.facts_open = false,
        about_session => {
            if let Phase::Open(session) = &mut state.phase {
                session.reduce(about_session);
            }
        }
    }
}

fn answered(state: &mut State, answer: Answer) {
    match answer {
        Answer::Ready => {}
        Answer::Stage(now) => {
            if let Phase::Loading { stage, .. } = &mut state.phase {
                *stage = now;
            }
        }
        Answer::Opened(summary) => {
            if let Phase::Loading { name, .. } = &state.phase {
                state.phase = Phase::Open(Box::new(Session::new(name.clone(), summary)));
            }
        }
        Answer::Refused(refusal) => fail(state, |name| Failure::refused(name, &refusal)),
        Answer::Panicked(message) => fail(state, |name| Failure::panicked(name, &message)),
        Answer::Rows(..) | Answer::Flame(..) | Answer::Card(..) | Answer::Weights(..) => {
            if let Phase::Open(session) = &mut state.phase {
                session.answered(answer);
            }
        }
    }
}

/// Shows why the file on hand cannot be. Without one, nothing was lost, and the page stays as it is.
fn fail(state: &mut State, failure: impl FnOnce(AttrValue) -> Failure) {
    if matches!(state.phase, Phase::Loading { .. } | Phase::Open(_))
        && let Some(name) = state.file_name().cloned()
    {
        state.phase = Phase::Failed(Rc::new(failure(name)));
    }
}

impl State {
    /// The file on hand, whether it is open, being opened, or cannot be.
    pub(crate) fn file_name(&self) -> Option<&AttrValue> {
        match &self.phase {
            Phase::Landing => None,
            Phase::Loading { name, .. } => Some(name),
            Phase::Open(session) => Some(&session.name),
            Phase::Failed(failure) => Some(&failure.name),
        }
    }

    /// The opened profile, if one is.
    pub(crate) fn session(&self) -> Option<&Session> {
        match &self.phase {
            Phase::Open(session) => Some(session),
            _ => None,
        }
    }
}

impl Theme {
    /// The next one, for a single button that goes round.
    pub(crate) fn next(self) -> Theme {
        match self {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }

    /// Its name in the page's `data-theme` and in storage.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// The theme of that name; anything else is the system's.
    pub(crate) fn from_name(name: &str) -> Theme {
        match name {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::System,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Refusal, Summary};

    fn after(actions: impl IntoIterator<Item = Action>) -> State {
        let mut state = State::default();
        for action in actions {
            reduce(&mut state, action);
        }
        state
    }

    fn opening(name: &'static str) -> Action {
        Action::Opening(AttrValue::Static(name))
    }

    fn opened() -> Action {
        Action::Answered(Box::new(Answer::Opened(Summary::default())))
    }

    fn refused() -> Action {
        Action::Answered(Box::new(Answer::Refused(Refusal::NoSampleTypes)))
    }

    #[test]
    fn a_file_goes_from_landing_to_open() {
        assert_eq!(after([]).phase, Phase::Landing);
        let counting = Stage::Decoding { n_bytes: 9 };
        let loading = after([opening("cpu.prof"), Action::Answered(Box::new(Answer::Stage(counting)))]);
        assert_eq!(loading.phase, Phase::Loading { name: "cpu.prof".into(), stage: counting });
        let open = after([opening("cpu.prof"), opened()]);
        assert_eq!(open.session().map(|s| s.name.as_str()), Some("cpu.prof"));
    }

    #[test]
    fn after_a_bad_file_the_next_one_opens() {
        let failed = after([opening("bad"), refused()]);
        assert!(matches!(&failed.phase, Phase::Failed(failure) if failure.name == "bad"));
        let open = after([opening("bad"), refused(), opening("good"), opened()]);
        assert_eq!(open.session().map(|s| s.name.as_str()), Some("good"));
    }

    #[test]
    fn a_dead_worker_fails_the_file_on_hand_only() {
        let died = Action::WorkerDied("out of memory".to_owned());
        assert_eq!(after([died.clone()]).phase, Phase::Landing);
        assert!(matches!(after([opening("a"), died.clone()]).phase, Phase::Failed(_)));
        assert!(matches!(after([opening("a"), opened(), died]).phase, Phase::Failed(_)));
    }

    #[test]
    fn late_words_change_nothing() {
        let late = after([opened(), Action::Zoom(3), Action::Answered(Box::new(Answer::Stage(Stage::Reading)))]);
        assert_eq!(late, State::default());
    }

    #[test]
    fn escape_closes_the_popover_first() {
        let query = Action::Query("fib".into());
        let open = [opening("a"), opened(), query, Action::ToggleFacts];
        let once = after(open.clone().into_iter().chain([Action::Escape]));
        assert!(!once.facts_open);
        assert_eq!(once.session().map(|s| s.query.as_str()), Some("fib"));
        let twice = after(open.into_iter().chain([Action::Escape, Action::Escape]));
        assert_eq!(twice.session().map(|s| s.query.as_str()), Some(""));
    }

    #[test]
    fn themes_go_round() {
        for theme in [Theme::System, Theme::Light, Theme::Dark] {
            assert_eq!(theme.next().next().next(), theme);
            assert_eq!(Theme::from_name(theme.name()), theme);
        }
    }
}
