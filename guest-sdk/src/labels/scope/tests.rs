//! What labels a thread has within and after.
//!
//! Without the feature `std` all threads share them, so there is one test at a time. Each has keys of its own, as what is
//! remembered of them is of one wprof.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Context, do_, do_in, set_labels, span};
use crate::fake::Fake;
use crate::labels;

/// A wprof, and no labels at the start.
fn begin() -> (MutexGuard<'static, ()>, Fake) {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let fake = Fake::install();
    set_labels(&Context::default());
    fake.calls();
    (one, fake)
}

/// The labels of the thread, which wprof must see alike.
#[track_caller]
fn current(fake: &Fake) -> String {
    let mut shown = Vec::new();
    crate::for_labels(&Context::current(), |key, value| {
        shown.push(format!("{key}={value}"));
        true
    });
    let shown = shown.join(" ");
    assert_eq!(shown, fake.current(), "as wprof sees it");
    shown
}

#[test]
fn labels_are_there_within_and_gone_after() {
    let (_one, fake) = begin();
    let inner = do_(labels! { "e" => "1" }, || {
        let inner = do_(labels! { "d" => "2", "e" => "3" }, || current(&fake));
        assert_eq!(current(&fake), "e=1");
        inner
    });
    assert_eq!(inner, "d=2 e=3");
    assert_eq!(current(&fake), "");
}

#[cfg(feature = "std")]
#[test]
fn labels_that_are_looked_up_cost_no_call() {
    // What a thread knows of its wprof it knows for good.
    let calls = std::thread::spawn(|| {
        let fake = Fake::install();
        fake.look_up_labels();
        let work = || do_(labels! { "looked" => "up" }, || assert_eq!(current(&fake), "looked=up"));
        work();
        assert_eq!(current(&fake), "");
        let calls = fake.calls();
        work();
        [calls, fake.calls()]
    });
    assert_eq!(calls.join().unwrap(), [alloc::vec!["with", "cell"], alloc::vec![]]);
}

#[test]
fn labels_seen_before_cost_two_calls() {
    let (_one, fake) = begin();
    let work = || do_(labels! { "seen" => "before" }, || {});
    work();
    fake.calls();
    work();
    assert_eq!(fake.calls(), ["use", "use"]);
}

#[test]
fn labels_are_given_back_when_a_panic_passes() {
    let (_one, fake) = begin();
    set_labels(&Context::default().with_labels(labels! { "was" => "there" }));
    let panics = || do_(labels! { "h" => "1" }, || panic!("on purpose"));
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(current(&fake), "was=there");
    let ctx = Context::default().with_labels(labels! { "passed" => "1" });
    let panics = || do_in(&ctx, labels! { "h" => "1" }, |_| panic!("on purpose"));
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(current(&fake), "passed=1");
}

/// As Go does, though it is not what one would think.
#[test]
fn afterwards_the_thread_has_the_labels_of_the_context_that_was_passed() {
    let (_one, fake) = begin();
    set_labels(&Context::default().with_labels(labels! { "thread" => "1" }));
    let ctx = Context::default().with_labels(labels! { "passed" => "2" });
    do_in(&ctx, labels! { "added" => "3" }, |inner| {
        assert_eq!(current(&fake), "added=3 passed=2");
        assert_eq!(crate::label(inner, "added"), Some("3"));
    });
    assert_eq!(current(&fake), "passed=2");
    do_in(&Context::default(), labels! {}, |_| assert_eq!(current(&fake), ""));
    assert_eq!(current(&fake), "");
}

#[test]
fn setting_replaces_all() {
    let (_one, fake) = begin();
    set_labels(&Context::default().with_labels(labels! { "l" => "1", "m" => "2" }));
    set_labels(&Context::default().with_labels(labels! { "c" => "3" }));
    assert_eq!(current(&fake), "c=3");
    set_labels(&Context::default());
    assert_eq!(current(&fake), "");
}

#[test]
fn guards_nest() {
    let (_one, fake) = begin();
    let outer = span(labels! { "n" => "1" });
    {
        let _inner = span(labels! { "o" => "2" });
        assert_eq!(current(&fake), "n=1 o=2");
    }
    assert_eq!(current(&fake), "n=1");
    drop(outer);
    assert_eq!(current(&fake), "");
}

#[test]
fn without_wprof_labels_work_the_same() {
    let (_one, fake) = begin();
    drop(fake);
    let value = do_(labels! { "p" => "1" }, || {
        do_(labels! { "q" => "2" }, || {
            let ctx = Context::current();
            format!("{:?} {:?}", crate::label(&ctx, "p"), crate::label(&ctx, "q"))
        })
    });
    assert_eq!(value, r#"Some("1") Some("2")"#);
    assert_eq!(crate::label(&Context::current(), "p"), None);
}

#[cfg(feature = "std")]
#[test]
fn a_new_thread_has_what_its_spawner_had_and_asks_once() {
    std::thread::spawn(|| {
        let fake = Fake::install();
        fake.inherit(&[["r", "1"], ["s", "2"]]);
        assert_eq!(current(&fake), "r=1 s=2");
        do_(labels! { "s" => "3" }, || assert_eq!(current(&fake), "r=1 s=3"));
        assert_eq!(current(&fake), "r=1 s=2");
    })
    .join()
    .unwrap();
}
