//! Files that come, fail, are compared and closed; going back; a worker that dies.

use super::*;
use crate::protocol::{Fault, FilterKind, Refusal, Stage, Summary};

fn after(actions: impl IntoIterator<Item = Action>) -> State {
    let mut state = State::default();
    for action in actions {
        reduce(&mut state, action);
    }
    state
}

fn file(id: u32, name: &'static str, intent: Intent) -> NewFile {
    NewFile { id: FileId(id), name: name.into(), intent }
}

fn opening(id: u32, name: &'static str) -> Action {
    Action::Opening(vec![file(id, name, Intent::Show)])
}

/// Two that were dropped together.
fn opening_two() -> Action {
    Action::Opening(vec![file(1, "one.prof", Intent::Show), file(2, "two.prof", Intent::Compare)])
}

fn answered(answer: Answer) -> Action {
    Action::Answered(Box::new(answer))
}

/// Recorded at a time that its number says.
fn opened(id: u32) -> Action {
    recorded_at(id, i64::from(id))
}

fn recorded_at(id: u32, time_nanos: i64) -> Action {
    answered(Answer::Opened(FileId(id), Box::new(Summary { time_nanos, ..Summary::default() })))
}

fn refused(id: u32) -> Action {
    let refusal = Refusal::Undecodable { error: "no".to_owned(), fault: Fault::Other, n_bytes: 1, head: vec![0] };
    answered(Answer::Refused(FileId(id), refusal))
}

/// The file on show and the base it is compared with.
fn shown(state: &State) -> Option<(u32, Option<u32>)> {
    state.shown().map(|session| (session.file.0, session.base.map(|base| base.0)))
}

fn failure(state: &State) -> Option<&str> {
    match &state.phase {
        Phase::Failed(failure) => Some(failure.name.as_str()),
        _ => None,
    }
}

#[test]
fn a_file_goes_from_landing_to_open() {
    assert_eq!(after([]).phase, Phase::Landing);
    let stage = Stage::Reading { n_read: 5, n_bytes: Some(9) };
    let loading = after([opening(1, "cpu.prof"), answered(Answer::Stage(FileId(1), stage))]);
    assert_eq!(loading.phase, Phase::Loading(FileId(1)));
    assert_eq!(loading.file(FileId(1)).map(OpenFile::stage), Some(stage));
    let open = after([opening(1, "cpu.prof"), opened(1)]);
    assert_eq!((shown(&open), open.file_name()), (Some((1, None)), Some("cpu.prof".into())));
}

#[test]
fn a_link_says_how_the_first_profile_is_shown() {
    let mut state = State { wanted: Route::from_hash("view=tree&search=fib"), ..State::default() };
    for action in [opening(1, "a"), opened(1)] {
        reduce(&mut state, action);
    }
    assert_eq!(state.route().map(Route::to_hash).as_deref(), Some("view=tree&search=fib"));
}

#[test]
fn two_files_are_compared_the_older_one_as_the_base() {
    let check = |actions: [Action; 3], expected| {
        let state = after(actions);
        assert_eq!(shown(&state), Some(expected));
        assert_eq!(state.route().map(|route| route.view), Some(View::Diff));
    };
    check([opening_two(), opened(1), opened(2)], (2, Some(1)));
    check([opening_two(), opened(1), recorded_at(2, 0)], (1, Some(2)));
    check([opening_two(), opened(2), opened(1)], (2, Some(1)));
    let dropped_later = Action::Opening(vec![file(2, "two.prof", Intent::Compare)]);
    let state = after([opening(1, "one.prof"), opened(1), dropped_later, opened(2)]);
    assert_eq!(shown(&state), Some((2, Some(1))));
    assert_eq!(state.route().and_then(|route| route.base.as_deref()), Some("one.prof"));
}

#[test]
fn two_files_are_compared_with_each_other_and_not_with_what_was_on_show() {
    // Older than both, between them, newer than both, as old as both.
    for (before, first, second) in [(1, 2, 3), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1), (1, 1, 1)] {
        let compared = |order: [u32; 2]| {
            let times = |id| recorded_at(id, if id == 1 { first } else { second });
            let shown_before = [opening(9, "before.prof"), recorded_at(9, before)];
            let mut state = after(shown_before.into_iter().chain([opening_two(), times(order[0])]));
            let while_one_comes = shown(&state);
            reduce(&mut state, times(order[1]));
            (while_one_comes, shown(&state), state.route().map(|route| route.view))
        };
        let expected = Some(if second < first { (1, Some(2)) } else { (2, Some(1)) });
        assert_eq!(compared([1, 2]), (Some((1, None)), expected, Some(View::Diff)), "{before} {first} {second}");
        assert_eq!(compared([2, 1]), (None, expected, Some(View::Diff)), "{before} {first} {second}");
    }
}

#[test]
fn what_came_before_a_file_that_is_no_profile_is_shown_alone() {
    let attached = || answered(Answer::Attached(FileId(1), "a WebAssembly module".to_owned()));
    for before in [vec![], vec![opening(9, "before.prof"), opened(9)]] {
        for other in [refused(1), attached()] {
            for order in [[opened(2), other.clone()], [other.clone(), opened(2)]] {
                let state = after(before.iter().cloned().chain([opening_two()]).chain(order));
                assert_eq!(shown(&state), Some((2, None)), "{other:?}");
                assert_eq!(state.notices.len(), usize::from(other == refused(1)), "{other:?}");
            }
        }
        let cancelled = [opening_two(), opened(2), Action::Close(FileId(1))];
        let state = after(before.iter().cloned().chain(cancelled));
        assert_eq!(shown(&state), Some((if before.is_empty() { 2 } else { 9 }, None)));
        let cancelled = [opening_two(), Action::Close(FileId(1)), opened(2)];
        let state = after(before.iter().cloned().chain(cancelled));
        assert_eq!(shown(&state), Some((if before.is_empty() { 2 } else { 9 }, None)));
    }
}

#[test]
fn the_last_drop_says_what_is_shown() {
    for order in [[1, 3], [3, 1]] {
        let state = after([opening(1, "a"), opening(3, "b"), opened(order[0]), opened(order[1])]);
        assert_eq!(shown(&state), Some((3, None)), "{order:?}");
    }
}

#[test]
fn a_file_that_is_opened_later_is_not_compared() {
    let check = |before: [Action; 3]| {
        let state = after(before.into_iter().chain([opening(3, "three.prof"), opened(3)]));
        let view = state.route().map(|route| route.view);
        assert_eq!((shown(&state).map(|it| it.0), view), (Some(3), Some(View::Both)));
    };
    check([opening_two(), opened(1), opened(2)]);
    check([opening_two(), refused(1), opened(2)]);
}

#[test]
fn a_bad_file_of_several_does_not_spoil_the_others() {
    let state = after([opening_two(), opened(1), refused(2)]);
    assert_eq!((shown(&state), state.notices.len()), (Some((1, None)), 1));
    assert!(state.notices[0].contains("two.prof"), "{:?}", state.notices);
    let waits = after([opening_two(), refused(1)]);
    assert_eq!((&waits.phase, waits.notices.len()), (&Phase::Loading(FileId(2)), 1));
    let state = after([opening_two(), refused(1), opened(2)]);
    assert_eq!(shown(&state), Some((2, None)));
    assert_eq!(failure(&after([opening_two(), refused(1), refused(2)])), Some("two.prof"));
}

#[test]
fn after_a_bad_file_the_next_one_opens() {
    assert_eq!(failure(&after([opening(1, "bad"), refused(1)])), Some("bad"));
    let state = after([opening(1, "bad"), refused(1), opening(2, "good"), opened(2)]);
    assert_eq!((shown(&state), state.files.len()), (Some((2, None)), 1));
}

#[test]
fn back_leads_to_what_was_on_show() {
    let state = after([opening(1, "good"), opened(1), opening(2, "bad"), refused(2)]);
    assert_eq!((failure(&state), shown(&state)), (Some("bad"), None));
    let back = after([opening(1, "good"), opened(1), opening(2, "bad"), refused(2), Action::Back]);
    assert_eq!((shown(&back), back.files.len()), (Some((1, None)), 1));
    assert_eq!(after([opening(1, "bad"), refused(1), Action::Back]).phase, Phase::Landing);
}

#[test]
fn a_cancelled_file_leaves_what_was_there() {
    let cancelled = || answered(Answer::Refused(FileId(2), Refusal::Cancelled));
    for cancel in [Action::Close(FileId(2)), cancelled()] {
        let state = after([opening(1, "a"), opened(1), opening(2, "b"), cancel, cancelled(), opened(2)]);
        assert_eq!((shown(&state), state.files.len()), (Some((1, None)), 1));
    }
    assert_eq!(after([opening(2, "b"), Action::Close(FileId(2)), cancelled()]).phase, Phase::Landing);
}

#[test]
fn the_last_one_left_is_shown_when_a_file_is_closed() {
    let both = || [opening(1, "a"), opened(1), opening(2, "b"), opened(2)];
    let close = |id| Action::Close(FileId(id));
    assert_eq!(shown(&after(both().into_iter().chain([close(2)]))), Some((1, None)));
    assert_eq!(shown(&after(both().into_iter().chain([close(1)]))), Some((2, None)));
    assert_eq!(after(both().into_iter().chain([close(1), close(2)])).phase, Phase::Landing);
}

#[test]
fn a_base_that_was_asked_for_may_be_there_first() {
    let both = || Action::Opening(vec![file(1, "one.prof", Intent::Show), file(2, "base.prof", Intent::Base)]);
    for order in [[1, 2], [2, 1]] {
        let state = after([both(), opened(order[0]), opened(order[1])]);
        assert_eq!((shown(&state), &state.phase), (Some((1, Some(2))), &Phase::Open), "{order:?}");
        assert_eq!(state.shown().map(|session| session.route.view), Some(View::Diff), "{order:?}");
    }
}

#[test]
fn a_closed_base_is_compared_with_no_longer() {
    let state = after([opening_two(), opened(1), opened(2), Action::Close(FileId(1))]);
    assert_eq!(shown(&state), Some((2, None)));
    assert_eq!(state.route().and_then(|route| route.base.clone()), None);
}

#[test]
fn a_dead_worker_fails_the_file_on_hand_only() {
    let died = || Action::WorkerDied("out of memory".to_owned());
    assert_eq!(after([died()]).phase, Phase::Landing);
    assert_eq!(failure(&after([opening(1, "a"), died()])), Some("a"));
    let state = after([opening(1, "a"), opened(1), died()]);
    assert_eq!((failure(&state), state.files.len(), state.session.is_none()), (Some("a"), 0, true));
    let panicked = answered(Answer::Panicked("index".to_owned()));
    assert_eq!(failure(&after([opening(1, "a"), opened(1), panicked])), Some("a"));
}

#[test]
fn a_changed_address_is_shown() {
    let go = |hash: &str| Action::Route(Box::new(Route::from_hash(hash)));
    let both = || [opening(1, "a"), opened(1), opening(2, "b"), opened(2)];
    let state = after(both().into_iter().chain([go("view=top&file=a&focus=fib")]));
    assert_eq!(shown(&state), Some((1, None)));
    let filters = state.route().map(|route| route.filters.clone());
    assert_eq!(filters, Some(vec![Filter { kind: FilterKind::Focus, pattern: "fib".to_owned() }]));
    let state = after(both().into_iter().chain([go("view=diff&file=a&base=b")]));
    assert_eq!(shown(&state), Some((1, Some(2))));
    let elsewhere = after(both().into_iter().chain([go("file=gone")]));
    assert_eq!(shown(&elsewhere), Some((2, None)), "a file that is not open changes nothing");
}

#[test]
fn another_file_is_seen_without_the_filters_of_the_last() {
    let look = [Action::View(View::Tags), Action::AddFilter(Filter::exactly(FilterKind::Focus, "fib"))];
    let actions = [opening(1, "a"), opened(1)].into_iter().chain(look).chain([opening(2, "b"), opened(2)]);
    let route = after(actions).route().cloned().unwrap_or_default();
    assert_eq!((route.view, route.filters.len(), route.file.as_deref()), (View::Tags, 0, Some("b")));
}

#[test]
fn a_module_tells_more_about_what_is_open() {
    let attached = |id| answered(Answer::Attached(FileId(id), "a WebAssembly module".to_owned()));
    let state = after([opening(1, "a"), opened(1), opening(2, "a.wasm"), attached(2)]);
    assert_eq!(shown(&state), Some((1, None)));
    assert_eq!(state.shown().map(|session| session.about().revision), Some(1));
    let alone = after([opening(2, "a.wasm"), attached(2)]);
    assert_eq!(alone.phase, Phase::Landing);
    let waits = after([opening_two(), attached(1)]);
    assert_eq!(waits.phase, Phase::Loading(FileId(2)));
}

#[test]
fn late_words_change_nothing() {
    let stage = Stage::Preparing { n_samples: 3 };
    let late = [opened(1), Action::Zoom(FlameSlot::Main, 3), answered(Answer::Stage(FileId(1), stage)), refused(1)];
    assert_eq!(after(late), State::default());
}

#[test]
fn escape_closes_what_is_over_the_page_first() {
    let open = [opening(1, "a"), opened(1), Action::Query("fib".into()), Action::Overlay(Overlay::Help)];
    let query = |n: usize| {
        let state = after(open.clone().into_iter().chain(std::iter::repeat_n(Action::Escape, n)));
        (state.overlay, state.route().map(|route| route.query.clone()).unwrap_or_default())
    };
    assert_eq!(query(1), (Overlay::None, "fib".to_owned()));
    assert_eq!(query(2), (Overlay::None, String::new()));
}

#[test]
fn notices_are_dismissed_one_by_one() {
    let say = |text: &'static str| Action::Notice(text.into());
    let state = after([say("a"), say("b"), Action::Dismiss(0), Action::Dismiss(7)]);
    assert_eq!(state.notices, ["b"]);
}
