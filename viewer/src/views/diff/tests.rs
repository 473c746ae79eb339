//! The table of changes as the page has it, and what is said where there is none.

use super::*;
use crate::protocol::{FileId, Reply, Summary};
use crate::state::{FileStatus, Intent};
use crate::views::testing::{answer, render, session};

fn props(base: Option<u32>, rows: Option<DiffRows>, n_files: u32) -> DiffProps {
    let mut session = session(&["cpu"], "view=diff");
    session.base = base.map(FileId);
    if let Some(rows) = rows {
        let asks = session.questions().into_iter().flatten().map(|question| question.ask);
        let ask = asks.into_iter().find(|ask| matches!(ask, Ask::Diff(_))).expect("a diff is asked for");
        answer(&mut session, ask, Reply::Diff(rows));
    }
    let file = |id: u32| OpenFile {
        id: FileId(id),
        name: format!("{id}.prof").into(),
        intent: Intent::Show,
        status: FileStatus::Profile(Rc::new(Summary::default())),
    };
    let files: Rc<[OpenFile]> = (1..=n_files).map(file).collect();
    let session = Same::new(session);
    DiffProps { session, dark: false, files, dispatch: Callback::noop() }
}

fn view(props: DiffProps) -> String {
    render::<DiffView>(move || props)
}

fn table(rows: DiffRows) -> String {
    let props = props(Some(2), Some(rows), 2);
    render::<DiffTable>(move || props)
}

#[test]
fn changes_have_signs_and_colours() {
    let cells = |change: &str| DiffCells { change: change.to_owned(), ..DiffCells::default() };
    let row = DiffRow {
        name: "app::fib".to_owned(),
        flat: cells("+4ms"),
        cum: cells("-2ms"),
        mark: "new".to_owned(),
        ..DiffRow::default()
    };
    let change = ("+9ms".to_owned(), "+50.00%".to_owned());
    let rows = DiffRows { rows: vec![row], n_rows: 1, n_dropped: 3, change, ..DiffRows::default() };
    let html = table(rows);
    let parts = ["flat grew", ">+4ms<", "cum shrank", ">-2ms<", "(new)", "+50.00%", "3 changed too little"];
    for part in parts.into_iter().chain(["2.prof", "aria-rowcount=\"3\""]) {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("1.prof"), "a profile is not compared with itself: {html}");
}

#[test]
fn where_nothing_is_compared_it_says_how() {
    assert!(view(props(None, None, 1)).contains("Drop another profile on this page"));
    let choice = view(props(None, None, 2));
    assert!(choice.contains("Choose the profile to start from") && choice.contains("2.prof"), "{choice}");
}

#[test]
fn profiles_that_have_nothing_in_common_say_so() {
    let rows = DiffRows { refused: Some("The base has no cpu".to_owned()), ..DiffRows::default() };
    assert!(view(props(Some(2), Some(rows), 2)).contains("The base has no cpu"));
    assert!(table(DiffRows::default()).contains("Nothing changed."));
}
