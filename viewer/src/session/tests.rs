//! What clicks and keys do to an opened profile, and what it then asks.

use super::*;
use crate::protocol::{
    Answer, ChosenNode, DiffRow, DiffRows, Ends, FilterKind, Flame, FlameAsk, Granularity, Measure, Reply, Reveal, Row,
    Rows, SampleType, Tree, TreeRow, TreeRows, Weight, Zoom,
};

const MAIN: FlameSlot = FlameSlot::Main;

fn session() -> Session {
    let kind = |kind: &str| SampleType { kind: kind.to_owned(), ..SampleType::default() };
    let summary = Summary { sample_types: vec![kind("samples"), kind("cpu")], sample_index: 1, ..Summary::default() };
    Session::new(FileId(1), "cpu.prof".into(), Rc::new(summary), Route::default())
}

fn answer(session: &mut Session, ask: Ask, reply: Reply) {
    let question = Question { about: session.about(), ask };
    session.answered(Answer::Reply(Box::new(question), Box::new(reply)));
}

fn answer_rows(session: &mut Session, rows: Rows) {
    answer(session, Ask::Rows(session.rows_ask()), Reply::Rows(rows));
}

/// A session whose table has rows of the functions a, b, c.
fn with_rows() -> Session {
    let mut session = session();
    let row = |name: &str| Row { name: name.to_owned(), ..Row::default() };
    let rows = ["a", "b", "c"].map(row).to_vec();
    answer_rows(&mut session, Rows { rows, n_rows: 3, ..Rows::default() });
    session
}

fn flame_window(width: u32) -> Action {
    Action::FlameWindow { slot: MAIN, width, first_row: 70, n_rows: 30 }
}

fn zoom(session: &Session) -> u32 {
    session.flame(MAIN).zoom_node()
}

fn function(session: &Session) -> Option<&str> {
    session.route.function.as_deref()
}

/// The kinds of question that a session asks.
fn asked(session: &Session) -> Vec<&'static str> {
    let kind = |ask: &Ask| match ask {
        Ask::Card(_) => "card",
        Ask::Flame(FlameAsk { tree, .. }) => match tree {
            Tree::Callees => "callees",
            Tree::Callers => "callers",
            Tree::CallersOf(_) => "callers of",
            Tree::CalleesOf(_) => "callees of",
            Tree::Diff { .. } => "diff flame",
        },
        Ask::Rows(_) => "rows",
        Ask::Sandwich(_) => "sandwich",
        Ask::Tree(_) => "tree",
        Ask::Graph(_) => "graph",
        Ask::Source(_) => "source",
        Ask::Tags(_) => "tags",
        Ask::Diff(_) => "diff",
        Ask::Weights => "weights",
    };
    session.questions().iter().flatten().map(|question| kind(&question.ask)).collect()
}

#[test]
fn the_default_sample_type_is_shown_first() {
    assert_eq!(session().about().sample_index, 1);
}

#[test]
fn each_view_asks_what_it_shows() {
    let check = |view: View, expected: &[&str]| {
        let mut session = session();
        session.base = Some(FileId(2));
        session.reduce(Action::Open(view, "a".to_owned()));
        for slot in FlameSlot::ALL {
            session.reduce(Action::FlameWindow { slot, width: 800, first_row: 0, n_rows: 30 });
        }
        if matches!(view, View::Both | View::Flame) {
            assert_eq!(asked(&session), ["callees"], "{view:?}: the graph comes first");
        }
        session.reduce(Action::Painted(MAIN));
        assert_eq!(asked(&session), expected, "{view:?}");
    };
    check(View::Both, &["callees", "rows"]);
    check(View::Flame, &["callees", "rows"]);
    check(View::Top, &["rows"]);
    check(View::Sandwich, &["callers of", "callees of", "rows", "sandwich"]);
    check(View::Tree, &["rows", "tree"]);
    check(View::Graph, &["rows", "graph"]);
    check(View::Source, &["rows", "source"]);
    check(View::Tags, &["rows", "tags"]);
    check(View::Diff, &["diff flame", "rows", "diff"]);
    check(View::Summary, &["rows"]);
}

#[test]
fn small_scrolls_ask_nothing_new() {
    let mut session = session();
    session.reduce(Action::Window(Window { first: 151, len: 30 }));
    let ask = session.rows_ask();
    assert_eq!((ask.first, ask.len), (100, 150));
    session.reduce(Action::Window(Window { first: 160, len: 30 }));
    assert_eq!(session.rows_ask(), ask);
}

#[test]
fn the_graph_waits_for_its_width() {
    let mut session = session();
    assert_eq!(session.flame_ask(MAIN), None);
    session.reduce(flame_window(800));
    let ask = session.flame_ask(MAIN).expect("a width is known");
    assert_eq!((ask.first_row, ask.n_rows), (32, 128));
}

#[test]
fn answers_to_old_questions_are_not_shown() {
    let mut session = session();
    let old = Question { about: session.about(), ask: Ask::Rows(session.rows_ask()) };
    session.reduce(Action::Query("fib".into()));
    session.answered(Answer::Reply(Box::new(old.clone()), Box::new(Reply::Rows(Rows::default()))));
    assert_eq!(session.current_rows(), None);
    let elsewhere = About { file: FileId(7), ..old.about };
    let other = Question { about: elsewhere, ask: Ask::Rows(session.rows_ask()) };
    session.answered(Answer::Reply(Box::new(other), Box::new(Reply::Rows(Rows::default()))));
    assert_eq!(session.current_rows(), None, "that is another file's");
}

#[test]
fn boxes_stay_until_there_are_others_of_this_graph() {
    let mut session = session();
    session.reduce(flame_window(800));
    let ask = session.flame_ask(MAIN).expect("a width is known");
    answer(&mut session, Ask::Flame(ask.clone()), Reply::Flame(Flame { n_rows: 5, ..Flame::default() }));
    session.reduce(Action::Query("fib".into()));
    assert_eq!(session.flame(MAIN).drawn.as_ref().map(|(_, flame)| flame.n_rows), Some(5));
    session.reduce(Action::Invert);
    answer(&mut session, Ask::Flame(ask), Reply::Flame(Flame { n_rows: 9, ..Flame::default() }));
    assert_eq!(session.flame(MAIN).drawn.as_ref().map(|(_, flame)| flame.n_rows), Some(5), "from the other end");
}

#[test]
fn the_cursor_stays_in_the_table() {
    let mut session = with_rows();
    session.reduce(Action::MoveCursor(Step::By(1)));
    assert_eq!((session.cursor, function(&session)), (Some(0), Some("a")));
    session.reduce(Action::MoveCursor(Step::By(9)));
    assert_eq!((session.cursor, function(&session)), (Some(2), Some("c")));
    session.reduce(Action::MoveCursor(Step::By(-9)));
    assert_eq!(session.cursor, Some(0));
    session.reduce(Action::MoveCursor(Step::Last));
    assert_eq!(session.cursor, Some(2));
}

#[test]
fn choosing_twice_lets_go() {
    let mut session = with_rows();
    session.reduce(Action::Choose(1));
    assert_eq!(function(&session), Some("b"));
    session.reduce(Action::Choose(1));
    assert_eq!((function(&session), session.cursor), (None, None));
}

#[test]
fn zooms_are_undone_one_by_one() {
    let mut session = session();
    for node in [4, 4, 9] {
        session.reduce(Action::Zoom(MAIN, node));
    }
    session.reduce(Action::ZoomOut);
    assert_eq!(zoom(&session), 4);
    session.reduce(Action::ZoomOut);
    assert_eq!(zoom(&session), 0);
    session.reduce(Action::Zoom(MAIN, 4));
    session.reduce(Action::Zoom(MAIN, 0));
    assert!(!session.flame(MAIN).is_zoomed());
}

#[test]
fn a_link_tells_the_zoom_by_its_path() {
    let mut session = session();
    session.reduce(flame_window(800));
    session.reduce(Action::Zoom(MAIN, 4));
    let ask = session.flame_ask(MAIN).expect("a width is known");
    assert_eq!(ask.zoom, Zoom::Node(4));
    let flame = Flame { zoom: 4, zoom_path: "0x2.1".to_owned(), ..Flame::default() };
    answer(&mut session, Ask::Flame(ask), Reply::Flame(flame));
    assert_eq!(session.route.to_hash(), "zoom=0x2.1");
    let mut other = self::session();
    other.go(session.route.clone());
    other.reduce(flame_window(800));
    assert_eq!(other.flame_ask(MAIN).map(|ask| ask.zoom), Some(Zoom::Path("0x2.1".to_owned())));
}

#[test]
fn escape_undoes_search_then_zoom_then_choice_then_filter() {
    let mut session = with_rows();
    session.reduce(Action::AddFilter(Filter::exactly(FilterKind::Hide, "c")));
    answer_rows(&mut session, with_rows().current_rows().cloned().unwrap_or_default());
    session.reduce(Action::Zoom(MAIN, 4));
    session.reduce(Action::Choose(1));
    session.route.query = "fib".to_owned();
    let left = |session: &Session| {
        let Route { query, function, filters, .. } = &session.route;
        (query.is_empty(), zoom(session), function.is_none(), filters.len())
    };
    let expected =
        [(true, 4, false, 1), (true, 0, false, 1), (true, 0, true, 1), (true, 0, true, 0), (true, 0, true, 0)];
    for expected in expected {
        session.reduce(Action::Escape);
        assert_eq!(left(&session), expected);
    }
}

#[test]
fn another_sample_type_starts_at_the_root() {
    let mut session = session();
    session.reduce(Action::Zoom(MAIN, 4));
    session.reduce(Action::SampleType(0));
    assert_eq!((session.sample_index, zoom(&session)), (0, 0));
    assert_eq!(session.route.sample_type.as_deref(), Some("samples"));
    session.reduce(Action::SampleType(7));
    assert_eq!(session.sample_index, 0);
    session.reduce(Action::SampleType(1));
    assert_eq!(session.route.sample_type, None, "the usual one needs no word in the link");
}

#[test]
fn every_question_obeys_filters() {
    let mut session = session();
    let filter = Filter::exactly(FilterKind::Focus, "fib");
    session.reduce(Action::Zoom(MAIN, 4));
    for _ in 0..2 {
        session.reduce(Action::AddFilter(filter.clone()));
    }
    session.reduce(Action::AddFilter(Filter { kind: FilterKind::Hide, pattern: String::new() }));
    session.reduce(Action::Granularity(Granularity::Files));
    session.reduce(Action::Noinlines(true));
    for question in session.questions().iter().flatten() {
        let About { filters, granularity, noinlines, .. } = &question.about;
        assert_eq!((filters.as_slice(), *granularity, *noinlines), (&[filter.clone()][..], Granularity::Files, true));
    }
    assert_eq!(zoom(&session), 0, "node numbers hold for one subject only");
    session.reduce(Action::RemoveFilter(3));
    session.reduce(Action::RemoveFilter(0));
    assert_eq!(session.route.filters, []);
}

#[test]
fn a_refused_filter_is_said_until_it_is_gone() {
    let mut session = session();
    session.reduce(Action::AddFilter(Filter { kind: FilterKind::Focus, pattern: "(".to_owned() }));
    let ask = Ask::Rows(session.rows_ask());
    answer(&mut session, ask, Reply::Refused("parse focus regexp".to_owned()));
    assert_eq!(session.answers.refused.as_deref(), Some("parse focus regexp"));
    session.reduce(Action::ClearFilters);
    answer_rows(&mut session, Rows::default());
    assert_eq!(session.answers.refused, None);
}

#[test]
fn a_route_is_shown_as_far_as_the_profile_has_it() {
    let mut session = session();
    session.go(Route::from_hash("sample_index=samples&pick=0:0-1&view=tree"));
    assert_eq!((session.sample_index, session.route.picked, session.route.view), (0, None, View::Tree));
    session.go(Route::from_hash("sample_index=alloc_space"));
    assert_eq!(session.sample_index, 1);
}

#[test]
fn nodes_of_the_tree_open_and_close() {
    let mut session = session();
    session.reduce(Action::View(View::Tree));
    for node in [3, 5, 3] {
        session.reduce(Action::ToggleNode(node));
    }
    assert_eq!(session.tree_table.open, [5]);
    session.reduce(Action::Invert);
    assert!(session.tree_table.open.is_empty());
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
    session.reduce(flame_window(800));
    session.reduce(Action::Zoom(MAIN, 4));
    let picked = Some(Picked { measure: 0, first: 1, last: 2 });
    session.reduce(Action::Pick(picked));
    assert_eq!((session.about().picked, zoom(&session)), (picked, 0));
    assert!(session.current_rows().is_none(), "the rows at hand are of all");
    for nonsense in [Picked::one(0, 3), Picked::one(1, 0), Picked { measure: 0, first: 2, last: 1 }] {
        session.reduce(Action::Pick(Some(nonsense)));
        assert_eq!(session.route.picked, None, "{nonsense:?}");
    }
}

#[test]
fn weights_are_asked_for_while_the_picker_is_open() {
    let mut session = with_sizes();
    session.reduce(Action::Painted(MAIN));
    assert!(!asked(&session).contains(&"weights"));
    session.reduce(Action::OpenPicker(true));
    assert!(asked(&session).contains(&"weights"));
    answer(&mut session, Ask::Weights, Reply::Weights(vec![vec![Weight::default(); 3]]));
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
    session.reduce(Action::Zoom(MAIN, 4));
    let left = |session: &Session| (session.picker_open, zoom(session), session.route.picked.is_some());
    for expected in [(false, 4, true), (false, 0, true), (false, 0, false)] {
        session.reduce(Action::Escape);
        assert_eq!(left(&session), expected);
    }
}

#[test]
fn totals_stay_while_a_part_is_counted() {
    let mut session = with_sizes();
    answer_rows(&mut session, Rows { total: "9kB".to_owned(), ..Rows::default() });
    session.reduce(Action::Pick(Some(Picked::one(0, 1))));
    assert_eq!(session.totals(), Some(("9kB", None)));
    session.reduce(Action::SampleType(0));
    assert_eq!(session.totals(), None);
}

/// A session whose tree has the root and three rows below, of which 2 and 3 are below 1.
fn with_tree() -> Session {
    let mut session = session();
    session.reduce(Action::View(View::Tree));
    answer_tree(&mut session, vec![0, 1], None);
    session
}

fn answer_tree(session: &mut Session, opened: Vec<u32>, chosen: Option<ChosenNode>) {
    let row = |node: u32| TreeRow { node, name: format!("f{node}"), ..TreeRow::default() };
    let rows = TreeRows { rows: (0..4).map(row).collect(), n_rows: 4, opened, chosen, ..TreeRows::default() };
    let ask = Ask::Tree(session.tree_ask());
    answer(session, ask, Reply::Tree(rows));
}

fn at_row(node: u32, row: usize, path: &str) -> ChosenNode {
    ChosenNode { node, row, path: path.to_owned(), name: format!("f{node}") }
}

#[test]
fn a_tree_begins_with_its_heaviest_way_open() {
    let session = with_tree();
    assert_eq!((session.tree_table.open.as_slice(), session.cursor), (&[1][..], None));
    assert_eq!(session.tree_ask().reveal, None, "that was done");
    assert_eq!(session.route.to_hash(), "view=tree");
}

#[test]
fn the_chosen_row_of_a_tree_is_in_the_link() {
    let mut session = with_tree();
    session.reduce(Action::MoveCursor(Step::By(1)));
    session.reduce(Action::MoveCursor(Step::By(2)));
    assert_eq!((session.cursor, session.tree_table.chosen, function(&session)), (Some(2), Some(2), Some("f2")));
    answer_tree(&mut session, Vec::new(), Some(at_row(2, 2, "0x2")));
    assert_eq!(session.route.to_hash(), "view=tree&function=f2&node=0x2");
    session.reduce(Action::ToggleNode(1));
    answer_tree(&mut session, Vec::new(), None);
    assert_eq!(session.tree_table.chosen, Some(2), "closed, but still the chosen one");
    session.reduce(Action::Escape);
    assert_eq!(session.route.to_hash(), "view=tree");
}

#[test]
fn a_link_opens_the_tree_at_its_node() {
    let mut session = session();
    session.go(Route::from_hash("view=tree&node=0.1"));
    assert_eq!(session.tree_ask().reveal, Some(Reveal::Path("0.1".to_owned())));
    answer_tree(&mut session, vec![0, 1], Some(at_row(3, 3, "0.1")));
    assert_eq!((session.cursor, session.tree_table.chosen, function(&session)), (Some(3), Some(3), Some("f3")));
    assert_eq!(session.tree_table.open, [1]);
}

#[test]
fn the_cursor_stays_with_its_node_when_rows_above_close() {
    let mut session = with_tree();
    session.reduce(Action::Choose(3));
    answer_tree(&mut session, Vec::new(), Some(at_row(3, 1, "0.1")));
    assert_eq!((session.cursor, session.tree_table.chosen), (Some(1), Some(3)));
    session.reduce(Action::ChooseNode(0));
    answer_tree(&mut session, Vec::new(), Some(at_row(0, 0, "")));
    assert_eq!((session.cursor, session.route.node.as_str()), (Some(0), ""));
}

#[test]
fn arrows_choose_among_changes_too() {
    let mut session = session();
    session.base = Some(FileId(2));
    session.reduce(Action::View(View::Diff));
    let row = |name: &str| DiffRow { name: name.to_owned(), ..DiffRow::default() };
    let ask = session.asks().into_iter().find(|ask| matches!(ask, Ask::Diff(_))).expect("there is a base");
    answer(
        &mut session,
        ask,
        Reply::Diff(DiffRows { rows: vec![row("x"), row("y")], n_rows: 2, ..DiffRows::default() }),
    );
    session.reduce(Action::MoveCursor(Step::Last));
    assert_eq!((session.cursor, function(&session)), (Some(1), Some("y")));
}

#[test]
fn arrows_do_not_leave_the_list_of_a_sandwich() {
    let mut session = with_rows();
    session.reduce(Action::View(View::Sandwich));
    session.reduce(Action::MoveCursor(Step::By(1)));
    assert_eq!((session.cursor, function(&session)), (Some(0), None));
    session.reduce(Action::Choose(1));
    assert_eq!(function(&session), Some("b"));
    session.reduce(Action::MoveCursor(Step::By(1)));
    assert_eq!(function(&session), Some("b"));
}
