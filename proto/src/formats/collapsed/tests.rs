//! Lines in and out.

use super::*;
use crate::analysis::total;
use crate::{MappingSpec, stacks};

fn written(profile: &Profile, sample_index: usize) -> String {
    let mut out = Vec::new();
    write(&mut out, profile, sample_index).unwrap();
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn check_written(samples: &str, expected: &str) {
    assert_eq!(written(&stacks::profile(samples), 0), expected);
}

#[test]
fn a_line_for_each_sample() {
    check_written("main;fib 3\nmain 1", "main;fib 3\nmain 1\n");
    check_written("main;fib 0\nmain 1", "main 1\n");
    check_written("7", "[no stack] 7\n");
    check_written("main;fib 3 key=a\nmain;fib 4 key=b", "main;fib 3\nmain;fib 4\n");
    check_written("", "");
}

#[test]
fn inlined_functions_are_frames() {
    check_written("main>outer>inner;leaf>leafs 3", "main;outer;inner;leaf;leafs 3\n");
}

#[test]
fn names_are_made_safe() {
    for (name, expected) in [
        ("f", "f"),
        ("<[u8; 8] as Trait>::f", "<[u8: 8] as Trait>::f"),
        ("two\nlines\tand tab", "two lines and tab"),
        (" spaces ", "spaces"),
        ("f 12", "f_12"),
        ("f 1.5", "f_1.5"),
        ("f 12.", "f_12."),
        ("f  1 2", "f  1_2"),
        ("12", "12"),
        ("f 12x", "f 12x"),
        ("f x", "f x"),
        ("# f", "#_f"),
        ("# f 12", "#_f_12"),
        ("#f", "#f"),
        ("#", "#_"),
        ("", "<unknown>"),
        ("\n", "<unknown>"),
        (";", ":"),
        ("\u{a0}f", "f"),
    ] {
        assert_eq!(safe(name), expected, "{name:?}");
        assert_eq!(safe(expected), expected, "again");
    }
}

#[test]
fn places_without_a_name_are_called_by_their_binary() {
    let mut builder = ProfileBuilder::new(&[SAMPLES]);
    let [guest, host] = ["dir/a guest.wasm", "[host]"]
        .map(|filename| Some(builder.mapping(MappingSpec { limit: 99, filename, ..MappingSpec::default() })));
    let nameless = builder.function(FunctionSpec { filename: "main.rs", ..FunctionSpec::default() });
    let line = Line { function: nameless, line: 7, column: 0 };
    let stack = [builder.location(host, 1, &[]), builder.location(guest, 2, &[line]), builder.location(None, 3, &[])];
    builder.sample(&stack, &[5], &[]);
    assert_eq!(written(&builder.finish(), 0), "<unknown>;[a guest.wasm];[[host]] 5\n");
}

#[test]
fn what_readers_refuse_is_refused() {
    let mut builder = ProfileBuilder::new(&[SAMPLES, ("cpu", "nanoseconds")]);
    stacks::add(&mut builder, "main 3,-30");
    let profile = builder.finish();
    let error = |sample_index| write(&mut Vec::new(), &profile, sample_index).unwrap_err().to_string();
    assert_eq!(
        error(1),
        "a sample of -30 nanoseconds (cpu): this format has no negative values, as a difference of profiles has"
    );
    assert_eq!(error(2), "sample type 2 of 2");
    assert_eq!(written(&profile, 0), "main 3\n");
}

#[track_caller]
fn check_read(text: &str, expected: Result<&str, &str>) {
    let read = read_text(text, SAMPLES).map(|it| written(&it, 0)).map_err(|it| it.to_string());
    assert_eq!(read.as_deref(), expected.map_err(str::to_owned).as_ref().copied(), "{text:?}");
}

#[test]
fn folded_stacks_are_read() {
    check_read("main;fib 3\nmain 1\n", Ok("main;fib 3\nmain 1\n"));
    check_read("main;fib 3\nmain 1\nmain;fib 4", Ok("main;fib 7\nmain 1\n"));
    check_read("main;fib\t3\r\n\r\n  main 1  \r\n", Ok("main;fib 3\nmain 1\n"));
    check_read("# a comment\n\nmain;f g  3", Ok("main;f g 3\n"));
    check_read("#no;comment 3", Ok("#no;comment 3\n"));
    check_read("a;;b 3", Ok("a;<unknown>;b 3\n"));
    check_read("main 0", Ok(""));
    check_read("main 9223372036854775807", Ok("main 9223372036854775807\n"));
    check_read("java;Main.run_[j] 2", Ok("java;Main.run_[j] 2\n"));
}

#[test]
fn bad_lines_are_named() {
    check_read("main 1\nmain;fib 1.5", Err("line 2: value 1.5 is not a whole number of 0 or more"));
    check_read("main -1", Err("line 1: value -1 is not a whole number of 0 or more"));
    check_read("main 1e9", Err("line 1: value 1e9 is not a whole number of 0 or more"));
    check_read(
        "# c\n\nmain 9223372036854775808",
        Err("line 3: value 9223372036854775808 is too large, expected at most 9223372036854775807"),
    );
    check_read("main;fib", Err("line 1: found \"main;fib\", expected frames and a value: \"main;work 12\""));
    check_read("7", Err("line 1: a value without a stack"));
    check_read("main\x01 1", Err("line 1: found a control character, expected text"));
    check_read("\n# only this\n", Err("line 1: found the end, expected a stack"));
}

#[test]
fn values_count_what_one_is_told() {
    let profile = read_text("main;fib 3", ("cpu", "nanoseconds")).unwrap();
    let [sample_type] = profile.sample_types() else { panic!("one sample type") };
    assert_eq!([sample_type.kind, sample_type.unit].map(|it| profile.string(it)), ["cpu", "nanoseconds"]);
    assert_eq!(total(&profile, 0, false), 3);
}
