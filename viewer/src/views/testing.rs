//! Renders a view to a string, without a browser.

use std::rc::Rc;

use yew::{BaseComponent, Callback, LocalServerRenderer};

use crate::protocol::{Answer, Ask, FileId, Question, Reply, SampleType, Summary};
use crate::route::Route;
use crate::same::Same;
use crate::session::Session;
use crate::views::props::ViewProps;

pub(crate) fn render<View: BaseComponent>(props: impl FnOnce() -> View::Properties) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
    let local = tokio::task::LocalSet::new();
    let renderer = LocalServerRenderer::<View>::with_props(props()).hydratable(false);
    local.block_on(&runtime, renderer.render())
}

/// A session at `hash` of a profile with these sample types, without any answer.
pub(crate) fn session(kinds: &[&str], hash: &str) -> Session {
    let kind = |kind: &&str| SampleType { kind: (*kind).to_owned(), unit: "count".to_owned(), total: "9".to_owned() };
    let summary = Summary { sample_types: kinds.iter().map(kind).collect(), ..Summary::default() };
    Session::new(FileId(1), "cpu.prof".into(), Rc::new(summary), Route::from_hash(hash))
}

/// Gives it the answer to a question.
pub(crate) fn answer(session: &mut Session, ask: Ask, reply: Reply) {
    let question = Question { about: session.about(), ask };
    session.answered(Answer::Reply(Box::new(question), Box::new(reply)));
}

/// What a view of it is given.
pub(crate) fn props(session: Session) -> ViewProps {
    ViewProps { session: Same::new(session), dark: false, dispatch: Callback::noop() }
}
