//! Cases checked against `go tool pprof`.

use super::*;
use crate::{LabelSpec, ProfileBuilder, stacks};

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
    let options =
        FilterOptions { tagfocus: tagfocus.to_owned(), tagignore: tagignore.to_owned(), ..FilterOptions::default() };
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
    let options =
        FilterOptions { tagfocus: "bytes=1kb:".to_owned(), tagignore: "x".to_owned(), ..FilterOptions::default() };
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

/// `options` are as on a command line: `focus=a show=b`.
#[track_caller]
fn check_stacks(stacks: &str, options: &str, expected: &[&str]) {
    let mut filters = FilterOptions::default();
    for (option, text) in options.split(' ').filter_map(|it| it.split_once('=')) {
        let field = match option {
            "focus" => &mut filters.focus,
            "ignore" => &mut filters.ignore,
            "hide" => &mut filters.hide,
            "show" => &mut filters.show,
            "show_from" => &mut filters.show_from,
            "prune_from" => &mut filters.prune_from,
            other => panic!("no option {other}"),
        };
        text.clone_into(field);
    }
    let whole = stacks::profile(stacks);
    let (part, _) = filter(&whole, &filters).unwrap();
    assert_eq!(drawn(&part), expected, "{options} of {stacks}");
}

/// Stacks from the root, `>` before what was inlined, as [`stacks`] reads them.
fn drawn(profile: &Profile) -> Vec<String> {
    let name = |line: &crate::Line| profile.string(profile.function(line.function).name);
    let location = |&id: &crate::LocationId| profile.lines(id).iter().rev().map(name).collect::<Vec<_>>().join(">");
    let stack = |sample: crate::SampleRef<'_>| {
        let frames: Vec<String> = sample.locations.iter().rev().map(location).collect();
        format!("{} {}", frames.join(";"), sample.values[0])
    };
    profile.samples().map(stack).collect()
}

#[test]
fn samples_are_focused_and_ignored_by_any_of_their_frames() {
    let stacks = "main;a;b 1\nmain;c 2\nmain;a;d 4";
    check_stacks(stacks, "focus=^a", &["main;a;b 1", "main;a;d 4"]);
    check_stacks(stacks, "focus=^a$ ignore=d", &["main;a;b 1"]);
    check_stacks(stacks, "ignore=^a", &["main;c 2"]);
    check_stacks(stacks, "ignore=main", &[]);
    check_stacks(stacks, "focus=[bc]", &["main;a;b 1", "main;c 2"]);
}

#[test]
fn frames_are_hidden_and_shown_one_by_one() {
    let stacks = "main;a>b;c 1\nmain;x 2";
    check_stacks(stacks, "hide=^a", &["main;b;c 1", "main;x 2"]);
    check_stacks(stacks, "hide=^a|b", &["main;c 1", "main;x 2"]);
    check_stacks(stacks, "show=b|c", &["b;c 1"]);
    check_stacks(stacks, "show=main|x hide=main", &["x 2"]);
    check_stacks(stacks, "hide=.", &[]);
}

#[test]
fn stacks_are_cut_at_frames() {
    let stacks = "main;a>b;c;b 1\nmain;x 2";
    check_stacks(stacks, "show_from=b", &["b;c;b 1"]);
    check_stacks(stacks, "show_from=^a", &["a>b;c;b 1"]);
    check_stacks(stacks, "prune_from=c", &["main;a>b;c 1", "main;x 2"]);
    check_stacks(stacks, "prune_from=^a$", &["main;a 1", "main;x 2"]);
}

#[test]
fn labels_are_shown_and_hidden_by_key() {
    let keys = |options: &FilterOptions| {
        let whole = profile();
        let (part, _) = filter(&whole, options).unwrap();
        let mut keys: Vec<String> =
            part.samples().flat_map(|it| it.labels).map(|it| part.string(it.key).to_owned()).collect();
        keys.sort();
        keys.dedup();
        keys.join(" ")
    };
    assert_eq!(keys(&FilterOptions { tagshow: "^t".to_owned(), ..FilterOptions::default() }), "tenant");
    let hide = FilterOptions { taghide: "e".to_owned(), ..FilterOptions::default() };
    assert_eq!(keys(&hide), "");
    let both = FilterOptions { tagshow: "t".to_owned(), taghide: "q".to_owned(), ..FilterOptions::default() };
    assert_eq!(keys(&both), "bytes latency stage tenant");
}
