//! What clicks and keys do to an opened profile, and what it then asks.

use super::*;
use crate::protocol::{Ends, Measure, Row, SampleType, Weight};

fn session() -> Session {
    let cpu = SampleType { kind: "cpu".to_owned(), unit: "nanoseconds".to_owned() };
    let summary = Summary { sample_types: vec![cpu.clone(), cpu], sample_index: 1, ..Summary::default() };
    Session::new("cpu.prof".into(), summary)
}

/// A session whose table has rows of the functions 10, 11, 12.
fn with_rows() -> Session {
    let mut session = session();
    let rows = (10..13).map(|function| Row { function, ..Row::default() }).collect();
    session.answered(Answer::Rows(session.rows_question(), Rows { rows, n_rows: 3, ..Rows::default() }));
    session
}

#[test]
fn the_default_sample_type_is_shown_first() {
    assert_eq!(session().rows_question().sample_index, 1);
}

#[test]
fn small_scrolls_ask_nothing_new() {
    let mut session = session();
    session.reduce(Action::TableWindow { first: 151, len: 30 });
    let question = session.rows_question();
    assert_eq!((question.first, question.len), (100, 150));
    session.reduce(Action::TableWindow { first: 160, len: 30 });
    assert_eq!(session.rows_question(), question);
}

#[test]
fn the_graph_waits_for_its_width() {
    let mut session = session();
    assert_eq!(session.flame_question(), None);
    session.reduce(Action::FlameWindow { width: 800, first_row: 70, n_rows: 30 });
    let question = session.flame_question().expect("a width is known");
    assert_eq!((question.first_row, question.n_rows), (0, 192));
}

#[test]
fn answers_to_old_questions_are_dropped() {
    let mut session = session();
    let old = session.rows_question();
    session.reduce(Action::Query("fib".into()));
    session.answered(Answer::Rows(old, Rows::default()));
    assert_eq!(session.rows, None);
}

#[test]
fn the_cursor_stays_in_the_table() {
    let mut session = with_rows();
    session.reduce(Action::MoveCursor(Step::By(1)));
    assert_eq!((session.cursor, session.function), (Some(0), Some(10)));
    session.reduce(Action::MoveCursor(Step::By(9)));
    assert_eq!((session.cursor, session.function), (Some(2), Some(12)));
    session.reduce(Action::MoveCursor(Step::By(-9)));
    assert_eq!(session.cursor, Some(0));
    session.reduce(Action::MoveCursor(Step::Last));
    assert_eq!(session.cursor, Some(2));
}

#[test]
fn choosing_twice_lets_go() {
    let mut session = with_rows();
    session.reduce(Action::Choose(1));
    assert_eq!(session.function, Some(11));
    session.reduce(Action::Choose(1));
    assert_eq!((session.function, session.cursor), (None, None));
}

#[test]
fn zooms_are_undone_one_by_one() {
    let mut session = session();
    for node in [4, 4, 9] {
        session.reduce(Action::Zoom(node));
    }
    assert_eq!(session.zooms, [4, 9]);
    session.reduce(Action::ZoomOut);
    assert_eq!(session.zoom(), 4);
    session.reduce(Action::Zoom(0));
    assert_eq!(session.zoom(), 0);
}

#[test]
fn escape_undoes_search_then_choice_then_zoom() {
    let mut session = with_rows();
    session.reduce(Action::Zoom(4));
    session.reduce(Action::Choose(1));
    session.query = "fib".into();
    session.reduce(Action::Escape);
    assert_eq!((session.query.as_str(), session.function, session.zoom()), ("", Some(11), 4));
    session.reduce(Action::Escape);
    assert_eq!((session.function, session.zoom()), (None, 4));
    session.reduce(Action::Escape);
    assert_eq!(session.zoom(), 0);
}

#[test]
fn another_sample_type_starts_at_the_root() {
    let mut session = session();
    session.reduce(Action::Zoom(4));
    session.reduce(Action::SampleType(0));
    assert_eq!((session.sample_index, session.zoom()), (0, 0));
    session.reduce(Action::SampleType(7));
    assert_eq!(session.sample_index, 0);
}

fn with_sizes() -> Session {
    let mut session = with_rows();
    let measure = Measure { key: "bytes".to_owned(), ranges: vec![Ends::default(); 3] };
    session.summary = Rc::new(Summary { measures: vec![measure], ..(*session.summary).clone() });
    session
}

#[test]
fn picking_asks_for_a_part_and_starts_at_the_root() {
    let mut session = with_sizes();
    session.reduce(Action::FlameWindow { width: 800, first_row: 0, n_rows: 30 });
    session.reduce(Action::Zoom(4));
    let picked = Some(Picked { measure: 0, first: 1, last: 2 });
    session.reduce(Action::Pick(picked));
    assert_eq!((session.rows_question().picked, session.zoom()), (picked, 0));
    assert_eq!(session.flame_question().map(|it| it.picked), Some(picked));
    assert!(session.current_rows().is_none(), "the rows at hand are of all");
    for nonsense in [Picked::one(0, 3), Picked::one(1, 0), Picked { measure: 0, first: 2, last: 1 }] {
        session.reduce(Action::Pick(Some(nonsense)));
        assert_eq!(session.picked, None, "{nonsense:?}");
    }
}

#[test]
fn weights_are_asked_for_while_the_picker_is_open() {
    let mut session = with_sizes();
    assert_eq!(session.weights_question(), None);
    session.reduce(Action::OpenPicker(true));
    let question = session.weights_question().expect("it is open");
    session.answered(Answer::Weights(question, vec![vec![Weight::default(); 3]]));
    assert!(session.current_weights().is_some());
    session.reduce(Action::SampleType(0));
    assert!(session.current_weights().is_none(), "those were another type's");
}

#[test]
fn without_sizes_there_is_nothing_to_open() {
    let mut session = session();
    session.reduce(Action::OpenPicker(true));
    assert!(!session.picker_open);
}

#[test]
fn escape_closes_the_picker_first_and_shows_all_last() {
    let mut session = with_sizes();
    session.reduce(Action::Pick(Some(Picked::one(0, 1))));
    session.reduce(Action::OpenPicker(true));
    session.reduce(Action::Zoom(4));
    session.reduce(Action::Escape);
    assert_eq!((session.picker_open, session.zoom(), session.picked.is_some()), (false, 4, true));
    session.reduce(Action::Escape);
    assert_eq!((session.zoom(), session.picked.is_some()), (0, true));
    session.reduce(Action::Escape);
    assert_eq!(session.picked, None);
}

#[test]
fn totals_stay_while_a_part_is_counted() {
    let mut session = with_sizes();
    let rows = Rows { total: "9kB".to_owned(), ..Rows::default() };
    session.answered(Answer::Rows(session.rows_question(), rows));
    session.reduce(Action::Pick(Some(Picked::one(0, 1))));
    assert_eq!(session.totals(), Some(("9kB", None)));
    session.reduce(Action::SampleType(0));
    assert_eq!(session.totals(), None);
}
