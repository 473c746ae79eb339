//! How label sets are merged, what is remembered, and what wprof is told.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::borrow::ToOwned;
use std::string::ToString;

use super::{Context, MAX_DEPTH, for_labels, label, with_labels};
use crate::LabelSet;
use crate::fake::Fake;
use crate::labels;
use crate::labels::memo::N_KEPT;

/// `a=1 b=2`, in the order in which they are shown.
fn shown(ctx: &Context) -> String {
    let mut pairs = Vec::new();
    for_labels(ctx, |key, value| {
        pairs.push(format!("{key}={value}"));
        true
    });
    pairs.join(" ")
}

fn check(steps: &[LabelSet<'_>], expected: &str) {
    let ctx = steps.iter().fold(Context::default(), |ctx, labels| with_labels(&ctx, *labels));
    assert_eq!(shown(&ctx), expected, "{steps:?}");
}

#[test]
fn labels_are_sorted_and_the_last_of_a_key_counts() {
    check(&[], "");
    check(&[labels! {}], "");
    check(&[labels! { "b" => "2", "a" => "1" }], "a=1 b=2");
    check(&[labels! { "a" => "1", "b" => "2", "a" => "3" }], "a=3 b=2");
    check(&[labels! { "b" => "2", "c" => "3" }, labels! { "c" => "4", "a" => "1" }], "a=1 b=2 c=4");
    check(&[labels! { "a" => "1" }, labels! { "a" => "2", "a" => "1" }], "a=1");
    check(&[labels! { "" => "no key", "a" => "" }], "=no key a=");
    check(&[labels! { "ü" => "1", "z" => "2", "Z" => "3" }], "Z=3 z=2 ü=1");
}

#[test]
fn the_parent_stays_as_it_is() {
    let parent = Context::default().with_labels(labels! { "a" => "1" });
    let child = parent.with_labels(labels! { "a" => "2", "b" => "3" });
    assert_eq!([shown(&parent), shown(&child)], ["a=1", "a=2 b=3"]);
    assert_eq!(format!("{child:?}"), r#"{"a": "2", "b": "3"}"#);
}

#[test]
fn a_label_is_found_or_absent_and_showing_ends_on_demand() {
    let ctx = Context::default().with_labels(labels! { "a" => "1", "b" => "", "c" => "3" });
    assert_eq!(["a", "b", "c", "d", ""].map(|key| label(&ctx, key)), [Some("1"), Some(""), Some("3"), None, None]);
    assert_eq!(label(&Context::default(), "a"), None);
    let mut seen = Vec::new();
    for_labels(&ctx, |key, _| {
        seen.push(key.to_owned());
        key != "b"
    });
    assert_eq!(seen, ["a", "b"]);
}

fn is_same(one: &Context, other: &Context) -> bool {
    match (&one.0, &other.0) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

#[test]
fn what_was_asked_for_last_is_remembered() {
    let fake = Fake::install();
    let parent = Context::default().with_labels(labels! { "memo" => "parent" });
    fake.calls();
    let ask = |n: usize| parent.with_labels(labels! { "id" => n.to_string() });
    let first = ask(0);
    assert!(is_same(&first, &ask(0)));
    assert!(!is_same(&first, &parent.with_labels(labels! { "id" => "0", "x" => "" })));
    assert_eq!(fake.calls(), ["with"; 2]);
    // As many others as are kept; then the first is gone, and made anew.
    for n in 1..=N_KEPT {
        assert!(is_same(&ask(n), &ask(n)));
    }
    assert!(!is_same(&first, &ask(0)));
    assert_eq!(fake.calls(), ["with"; N_KEPT + 1]);
    assert!(is_same(&ask(N_KEPT), &ask(N_KEPT)));
    assert!(fake.calls().is_empty());
}

#[test]
fn what_is_there_already_is_not_made_again() {
    let fake = Fake::install();
    let ctx = Context::default().with_labels(labels! { "same" => "1", "b" => "2" });
    fake.calls();
    assert!(is_same(&ctx, &ctx.with_labels(labels! { "b" => "2" })));
    assert!(is_same(&ctx, &ctx.with_labels(labels! {})));
    assert!(fake.calls().is_empty());
}

#[test]
fn a_long_chain_is_dropped_without_a_deep_stack() {
    let deep = |n: usize| {
        (0..n).fold(Context::default().with_labels(labels! { "chain" => "" }), |ctx, n| {
            ctx.with_labels(labels! { "depth" => n.to_string() })
        })
    };
    let ctx = deep(100_000);
    assert_eq!(shown(&ctx), "chain= depth=99999");
    assert!(is_same(&deep(10), &deep(10)));
    assert!(!is_same(&deep(usize::from(MAX_DEPTH)), &deep(usize::from(MAX_DEPTH))));
}

#[test]
fn labels_beyond_what_wprof_keeps_have_the_token_of_their_parent() {
    let fake = Fake::install();
    let parent = Context::default().with_labels(labels! { "limit" => "1" });
    fake.limit_labels();
    let child = parent.with_labels(labels! { "limit" => "2" });
    assert_eq!(shown(&child), "limit=2");
    assert!(parent.token() > 0 && child.token() == parent.token());
}

#[test]
fn threads_that_meet_all_get_their_labels() {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for n in 0..2000 {
                    let value = format!("{}", (n + thread) % 12);
                    let ctx = Context::default().with_labels(labels! { "meet" => value });
                    assert_eq!(label(&ctx, "meet"), Some(&*value));
                }
            });
        }
    });
}
