//! Files in and out.

use std::fmt::Write;

use serde_json::{Value, json};

use super::*;
use crate::formats::collapsed;
use crate::{FunctionSpec, LabelValue, Limits, Line, Profile, ProfileBuilder, stacks};

const TWO: [(&str, &str); 2] = [("samples", "count"), ("cpu", "nanoseconds")];

fn two_types() -> Profile {
    let mut builder = ProfileBuilder::new(&TWO);
    stacks::add(&mut builder, "main;fib>inner 3,30\nmain 1,0\n2,20");
    builder.finish()
}

fn written(profile: &Profile, shown: usize) -> Value {
    let mut out = Vec::new();
    write(&mut out, profile, shown).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn try_read(file: &Value) -> Result<Profile, String> {
    read(file.to_string().as_bytes(), &Limits::default()).map_err(|it| it.to_string())
}

/// The sample types, and the samples of each as folded stacks, with the label.
fn shown(profile: &Profile) -> String {
    let mut text = String::new();
    for (idx, it) in profile.sample_types().iter().enumerate() {
        let mut out = Vec::new();
        collapsed::write(&mut out, profile, idx).unwrap();
        let lines = String::from_utf8(out).unwrap();
        writeln!(text, "{}/{}", profile.string(it.kind), profile.string(it.unit)).unwrap();
        text.push_str(&lines);
    }
    text
}

#[test]
fn a_profile_for_each_sample_type() {
    let file = written(&two_types(), 1);
    let expected = json!({
        "$schema": SCHEMA,
        "exporter": "wprof",
        "activeProfileIndex": 1,
        "shared": { "frames": [{ "name": "fib" }, { "name": "inner" }, { "name": "main" }] },
        "profiles": [
            { "type": "sampled", "name": "samples", "unit": "none", "startValue": 0, "endValue": 6,
              "samples": [[2, 0, 1], [2], []], "weights": [3, 1, 2] },
            { "type": "sampled", "name": "cpu", "unit": "nanoseconds", "startValue": 0, "endValue": 50,
              "samples": [[2, 0, 1], []], "weights": [30, 20] },
        ],
    });
    assert_eq!(file, expected);
}

#[test]
fn frames_are_functions_with_their_first_line() {
    let mut builder = ProfileBuilder::new(&TWO[..1]);
    let mut location = |name, start_line, line| {
        let function = builder.function(FunctionSpec { name, filename: "a.rs", start_line, ..FunctionSpec::default() });
        builder.location(None, 0, &[Line { function, line, column: 4 }])
    };
    let stack = [location("known", 7, 9), location("known", 7, 8), location("seen", 0, 3), location("seen", 0, 5)];
    builder.sample(&stack, &[1], &[]);
    let file = written(&builder.finish(), 0);
    let expected = json!([
        { "name": "known", "file": "a.rs", "line": 7 },
        { "name": "seen", "file": "a.rs", "line": 3, "col": 4 },
    ]);
    assert_eq!(file["shared"]["frames"], expected);
    assert_eq!(file["profiles"][0]["samples"], json!([[1, 1, 0, 0]]));
}

#[test]
fn units_come_back_as_they_were() {
    for (unit, theirs) in [
        ("nanoseconds", "nanoseconds"),
        ("ns", "nanoseconds"),
        ("microseconds", "microseconds"),
        ("ms", "milliseconds"),
        ("seconds", "seconds"),
        ("hours", "none"),
        ("bytes", "bytes"),
        ("B", "bytes"),
        ("kB", "none"),
        ("count", "none"),
        ("widgets", "none"),
        ("", "none"),
    ] {
        let mut builder = ProfileBuilder::new(&[("kind", unit)]);
        stacks::add(&mut builder, "main;fib 3");
        let profile = builder.finish();
        let file = written(&profile, 0);
        assert_eq!(file["profiles"][0]["unit"], json!(theirs), "{unit}");
        assert_eq!(shown(&try_read(&file).unwrap()), shown(&profile), "{unit}");
    }
}

#[test]
fn our_own_files_come_back() {
    let profile = try_read(&written(&two_types(), 0)).unwrap();
    assert_eq!(shown(&profile), shown(&two_types()));
    assert_eq!(profile.default_sample_type(), Some("samples"));
    assert!(profile.samples().all(|it| it.labels.is_empty()));
}

#[test]
fn negative_values_are_refused() {
    let error = write(&mut Vec::new(), &stacks::profile("main -5"), 0).unwrap_err().to_string();
    assert!(error.starts_with("a sample of -5 count (samples)"), "{error}");
}

/// A file of another program with these profiles, and two frames.
fn others(profiles: &Value) -> Value {
    json!({ "$schema": SCHEMA, "shared": { "frames": [{ "name": "a" }, { "name": "b" }] }, "profiles": profiles })
}

fn sampled(name: &str, unit: &str, samples: &Value, weights: &Value) -> Value {
    json!({ "type": "sampled", "name": name, "unit": unit, "startValue": 0, "endValue": 0, "samples": samples, "weights": weights })
}

fn evented(unit: &str, start: &Value, end: &Value, events: &[(&str, u32, Value)]) -> Value {
    let events: Vec<Value> =
        events.iter().map(|(kind, frame, at)| json!({ "type": kind, "frame": frame, "at": at })).collect();
    json!({ "type": "evented", "name": "e", "unit": unit, "startValue": start, "endValue": end, "events": events })
}

#[track_caller]
fn check(profiles: &Value, expected: Result<&str, &str>) {
    let read = try_read(&others(profiles)).map(|it| shown(&it));
    let expected = expected.map(str::to_owned).map_err(|it| format!("JSON, but not a profile of speedscope's: {it}"));
    assert_eq!(read, expected, "{profiles}");
}

#[test]
fn quantities_are_sample_types() {
    let samples = json!([[0, 1], [0]]);
    let of = |unit: &str, weights: &Value| sampled("t", unit, &samples, weights);
    let whole = json!([2, 1]);
    check(&json!([of("none", &whole)]), Ok("samples/count\na;b 2\na 1\n"));
    check(&json!([of("bytes", &whole)]), Ok("space/bytes\na;b 2\na 1\n"));
    check(&json!([of("milliseconds", &json!([2.0, 1]))]), Ok("time/milliseconds\na;b 2\na 1\n"));
    check(&json!([of("milliseconds", &json!([1.5, 1]))]), Ok("time/nanoseconds\na;b 1500000\na 1000000\n"));
    check(&json!([of("seconds", &json!([0.0101, 1e-9]))]), Ok("time/nanoseconds\na;b 10100000\na 1\n"));
    check(
        &json!([of("seconds", &whole), of("milliseconds", &whole)]),
        Ok("time/nanoseconds\na;b 2002000000\na 1001000000\n"),
    );
    // Two profiles of one name are one thread.
    check(
        &json!([of("none", &whole), of("bytes", &whole)]),
        Ok("samples/count\na;b 2\na 1\nspace/bytes\na;b 2\na 1\n"),
    );
    check(&json!([]), Ok(""));
}

#[test]
fn threads_are_labels() {
    let profiles = json!([
        sampled("one", "none", &json!([[0, 1]]), &json!([3])),
        sampled("two", "none", &json!([[0, 1], [1]]), &json!([4, 5])),
    ]);
    let profile = try_read(&others(&profiles)).unwrap();
    assert_eq!(shown(&profile), "samples/count\na;b 3\na;b 4\nb 5\n");
    let labels: Vec<Vec<&str>> = profile
        .samples()
        .map(|it| {
            let texts = it.labels.iter().map(|label| match label.value {
                LabelValue::Str(text) if profile.string(label.key) == "thread" => profile.string(text),
                _ => "another label",
            });
            texts.collect()
        })
        .collect();
    assert_eq!(labels, [["one"], ["two"], ["two"]]);
}

#[test]
fn calls_become_the_time_between_events() {
    let calls = [("O", 0, json!(0)), ("O", 1, json!(2)), ("C", 1, json!(5)), ("C", 0, json!(6))];
    check(&json!([evented("none", &json!(0), &json!(6), &calls)]), Ok("samples/count\na 3\na;b 3\n"));
    // Recursion, time with nothing open, and frames that stay open.
    let calls =
        [("O", 0, json!(10)), ("O", 0, json!(12)), ("C", 0, json!(13)), ("C", 0, json!(13)), ("O", 1, json!(20))];
    check(&json!([evented("none", &json!(10), &json!(25), &calls)]), Ok("samples/count\na 2\na;a 1\nb 5\n"));
    // Times since 1970 are subtracted before they are rounded to nanoseconds.
    let calls = [("O", 0, json!(1.7e9)), ("C", 0, json!(1_700_000_000.25))];
    check(&json!([evented("seconds", &json!(1.7e9), &json!(1.8e9), &calls)]), Ok("time/nanoseconds\na 250000000\n"));
    check(&json!([evented("none", &json!(0), &json!(0), &[])]), Ok("samples/count\n"));
}

#[test]
fn contradictions_are_named() {
    let one = |samples: Value, weights: Value| json!([sampled("t", "none", &samples, &weights)]);
    check(&one(json!([[0], [1]]), json!([1])), Err("profile 0 has 1 weights for 2 samples"));
    check(&one(json!([[0], [0, 2]]), json!([1, 1])), Err("profile 0, sample 1: frame 2 is past the table's 2 entries"));
    check(&one(json!([[0]]), json!([1.5])), Err("profile 0, sample 0: 1.5 none are not a whole number of 64 bits"));
    check(
        &one(json!([[0]]), json!([9_223_372_036_854_775_808_u64])),
        Err("profile 0, sample 0: 9223372036854775808 none are not a whole number of 64 bits"),
    );
    check(
        &json!([sampled("t", "seconds", &json!([[0], [1]]), &json!([1e300, 0.5]))]),
        Err("profile 0, sample 0: 1e+300 seconds are not a whole number of 64 bits"),
    );
    check(&json!([{ "type": "flat" }]), Err("profile 0 is of type \"flat\", expected \"sampled\" or \"evented\""));
    let calls = |calls: &[(&str, u32, Value)]| json!([evented("none", &json!(0), &json!(9), calls)]);
    check(
        &calls(&[("O", 0, json!(1)), ("C", 1, json!(2))]),
        Err("profile 0, event 1 closes frame 1, which is not the innermost that is open"),
    );
    check(
        &calls(&[("O", 0, json!(3)), ("C", 0, json!(2))]),
        Err("profile 0, event 1 is at 2, before the event before it"),
    );
    check(&calls(&[("X", 0, json!(3))]), Err("profile 0, event 0 is of type \"X\", expected \"O\" or \"C\""));
    check(&calls(&[("O", 7, json!(3))]), Err("profile 0, event 0: frame 7 is past the table's 2 entries"));
}

#[test]
fn what_is_no_file_of_theirs_is_said() {
    for (text, expected) in [
        ("{}", "missing field `shared` at line 1 column 2"),
        ("{\n\"shared\": 3}", "invalid type: integer `3`, expected struct Shared at line 2 column 11"),
        ("{\"shared\": {\"frames\": []}}", "missing field `profiles` at line 1 column 26"),
        ("{\"x\": ", "EOF while parsing a value at line 1 column 6"),
    ] {
        let error = read(text.as_bytes(), &Limits::default()).unwrap_err().to_string();
        assert_eq!(error, format!("JSON, but not a profile of speedscope's: {expected}"));
    }
}

/// A file may hold the square of its size in stacks; the limit holds for these, too.
#[test]
fn deep_nesting_costs_no_more_than_the_limit() {
    let mut calls: Vec<_> = (0..2000_u32).map(|at| ("O", 0, json!(at))).collect();
    calls.extend((0..2000_u32).map(|at| ("C", 0, json!(2000 + at))));
    let file = others(&json!([evented("none", &json!(0), &json!(4000), &calls)])).to_string();
    let read = |max_inflated| read(file.as_bytes(), &Limits { max_inflated }).map(|it| it.n_samples());
    assert_eq!(read(64 << 20).unwrap(), 2000);
    let error = read(1 << 20).unwrap_err().to_string();
    assert!(error.ends_with("its stacks are larger than the limit of 1048576 bytes"), "{error}");
}

#[test]
fn deep_json_ends_well() {
    let deep = format!("{{\"x\": {}", "[".repeat(1_000_000));
    assert!(read(deep.as_bytes(), &Limits::default()).is_err());
    let deep = format!("{{\"profiles\": {}", "[".repeat(1_000_000));
    assert!(read(deep.as_bytes(), &Limits::default()).is_err());
}
