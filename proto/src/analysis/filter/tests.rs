//! Cases checked against `go tool pprof`.

use super::*;
use crate::{LabelSpec, ProfileBuilder};

/// Samples 1, 2, 4, 8, 16 with labels of several kinds, and 32 without.
fn profile() -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    let text = |key, value| LabelSpec::Str { key, value };
    let number = |key, num, unit| LabelSpec::Num { key, num, unit };
    builder.sample(&[], &[1], &[text("tenant", "a"), text("stage", "parse"), number("bytes", 1024, "")]);
    builder.sample(&[], &[2], &[text("tenant", "ab"), number("bytes", 65_536, ""), number("req", 7, "")]);
    builder.sample(&[], &[4], &[text("tenant", "b"), text("tenant", "c"), number("bytes", 65_537, "")]);
    builder.sample(&[], &[8], &[number("latency", 2, "milliseconds"), number("latency", 90, "milliseconds")]);
    builder.sample(&[], &[16], &[number("request", 2048, "")]);
    builder.sample(&[], &[32], &[]);
    builder.finish()
}

/// What of the profile is left, as a sum of the samples' values, which tells them all apart.
#[track_caller]
fn check(tagfocus: &str, tagignore: &str, expected: i64) {
    let whole = profile();
    let options = FilterOptions { tagfocus: tagfocus.to_owned(), tagignore: tagignore.to_owned() };
    let (part, warnings) = filter(&whole, &options).unwrap();
    let left: i64 = part.samples().map(|it| it.values[0]).sum();
    assert_eq!(left, expected, "tagfocus={tagfocus} tagignore={tagignore}");
    let warned = warnings.iter().any(|it| matches!(it, Warning::NoMatch { option: "TagFocus" }));
    assert_eq!(warned, expected == 0, "{warnings:?}");
}

#[test]
fn texts_match_patterns() {
    check("tenant=a", "", 1 + 2);
    check("tenant=^a$", "", 1);
    check("tenant=^a$,c", "", 1 + 4);
    check("tenant:a", "", 1 + 2);
    check("tenant:a,stage:p", "", 1);
    check("b", "", 2 + 4);
    check("stage=x", "", 0);
    check("nokey=", "", 0);
    check("tenant=", "", 1 + 2 + 4);
    check("=tenant:a", "", 1 + 2);
    check("", "tenant", 8 + 16 + 32);
    check("tenant=a", "stage", 2);
}

#[test]
fn numbers_lie_in_ranges() {
    check("bytes=64kb", "", 2);
    check("bytes=64kb:", "", 2 + 4);
    check("bytes=:64kb", "", 1 + 2);
    check("bytes=1kb:64kb", "", 1 + 2);
    check("bytes=65537b", "", 4);
    check("64kb:", "", 2 + 4);
    check("2kb", "", 16);
    check("latency=1ms:2ms", "", 8);
    check("latency=90000us", "", 8);
    check("latency=3ms:89ms", "", 0);
    check("", "bytes=64kb:", 1 + 8 + 16 + 32);
}

#[test]
fn a_number_without_a_unit_is_no_size() {
    check("bytes=1024", "", 0);
    check("req=7", "", 2);
    check("req=7req", "", 2);
    check("bytes=1024:2048b", "", 0);
}

#[test]
fn a_text_is_no_number() {
    check("tenant=1:2", "", 0);
    check("bytes=b", "", 0);
}

#[test]
fn nothing_asked_copies_nothing() {
    let whole = profile();
    let (part, warnings) = filter(&whole, &FilterOptions::default()).unwrap();
    assert!(matches!(part, Cow::Borrowed(_)) && warnings.is_empty());
}

#[test]
fn what_is_said_is_what_pprof_says() {
    let options = FilterOptions { tagfocus: "bytes=1kb:".to_owned(), tagignore: "x".to_owned() };
    let said: Vec<String> = filter(&profile(), &options).unwrap().1.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["tagfocus:Interpreted '1kb:' as range, not regexp", "TagIgnore expression matched no samples"]);
    let active: Vec<_> = options.active().collect();
    assert_eq!(active, [("tagfocus", "bytes=1kb:"), ("tagignore", "x")]);
}

#[test]
fn what_is_no_filter_is_an_error() {
    for tagignore in ["(", "key=a,[", "99999999999999999999b"] {
        let options = FilterOptions { tagignore: tagignore.to_owned(), ..FilterOptions::default() };
        let error = filter(&profile(), &options).unwrap_err();
        assert!(error.to_string().starts_with("parsing tagignore regexp: "), "{error}");
    }
}
