//! Listings of profiles that are written as text.

use super::*;
use crate::{FunctionSpec, Line, LocationId, MappingSpec, ProfileBuilder};

/// A profile with a line a sample: `main.rs:main@1:7;lib.rs:fib@10:12>lib.rs:add@2:3 5`, root first; `>` inlines.
fn profile(text: &str) -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    let binary = builder.mapping(MappingSpec { filename: "guest.wasm", limit: 1 << 20, ..MappingSpec::default() });
    for sample in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let (stack, value) = sample.rsplit_once(' ').unwrap();
        let value: i64 = value.parse().unwrap();
        let stack: Vec<LocationId> = (stack.split(';').rev())
            .map(|frames| {
                let lines: Vec<Line> = frames.split('>').rev().filter_map(|it| line(&mut builder, it)).collect();
                builder.location(Some(binary), 0, &lines)
            })
            .collect();
        builder.sample(&stack, &[value, value * 10], &[]);
    }
    builder.finish()
}

/// `file:name@start:line`; a `?` is a place of which nothing is known.
fn line(builder: &mut ProfileBuilder, frame: &str) -> Option<Line> {
    let (place, lines) = frame.split_once('@')?;
    let (filename, name) = place.split_once(':').unwrap_or(("", place));
    let (start_line, line) = lines.split_once(':').unwrap();
    let start_line = start_line.parse().unwrap();
    let function = builder.function(FunctionSpec { name, filename, start_line, system_name: "" });
    Some(Line { function, line: line.parse().unwrap(), column: 0 })
}

/// Expects a line for each file: `name in path flat cum first..last`, and ` line:flat/cum` for each line.
fn check_with(stacks: &str, pattern: &str, options: &ListingOptions, expected: &[&str]) {
    let shown = match listing(&profile(stacks), pattern, options) {
        Ok(functions) => functions.iter().flat_map(text).collect(),
        Err(error) => vec![error.to_string().lines().next().unwrap_or_default().to_owned()],
    };
    assert_eq!(shown, expected, "{pattern} in {stacks}");
}

fn check(stacks: &str, pattern: &str, expected: &[&str]) {
    check_with(stacks, pattern, &ListingOptions::default(), expected);
}

fn text(function: &ListedFunction) -> Vec<String> {
    let name = &function.name;
    if function.files.is_empty() {
        return vec![format!("{name:?} in no file")];
    }
    let file = |it: &ListedFile| {
        let lines = it.lines.iter().map(|(line, it)| format!(" {line}:{}/{}", it.flat, it.cum));
        let (sum, shown) = (it.sum, &it.shown);
        let begin = format!("{name} in {} {} {} {}..{}", it.path, sum.flat, sum.cum, shown.start(), shown.end());
        std::iter::once(begin).chain(lines).collect()
    };
    function.files.iter().map(file).collect()
}

#[test]
fn lines_have_flat_and_cum() {
    let stacks = "m.rs:main@1:3;m.rs:fib@10:12 5
                  m.rs:main@1:3;m.rs:fib@10:14 2
                  m.rs:main@1:4 1";
    check(stacks, "fib", &["fib in m.rs 7 7 10..19 12:5/5 14:2/2"]);
    check(stacks, "main", &["main in m.rs 1 8 1..9 3:0/7 4:1/1"]);
    check(stacks, "^(fib|main)$", &["fib in m.rs 7 7 10..19 12:5/5 14:2/2", "main in m.rs 1 8 1..9 3:0/7 4:1/1"]);
}

#[test]
fn recursion_counts_once_a_line() {
    check("m:f@1:2;m:f@1:2;m:f@1:2 4", "f", &["f in m 4 4 1..7 2:4/4"]);
    check("m:f@1:2;m:f@1:3;m:f@1:2 4", "f", &["f in m 4 8 1..8 2:4/4 3:0/4"]);
}

#[test]
fn inlined_calls_have_lines_of_their_own() {
    let stacks = "m:main@1:3>v:get@20:21 4";
    check(stacks, ".", &["get in v 4 4 20..26 21:4/4", "main in m 0 4 1..8 3:0/4"]);
    let noinlines = ListingOptions { noinlines: true, ..ListingOptions::default() };
    check_with(stacks, ".", &noinlines, &["main in m 4 4 1..8 3:4/4"]);
}

#[test]
fn what_is_not_known_is_not_shown() {
    check("m:f@0:30 1", "f", &["f in m 1 1 25..35 30:1/1"]);
    check("m:f@0:3 1", "f", &["f in m 1 1 1..8 3:1/1"]);
    check(
        "m:f@0:9223372036854775807 1",
        "f",
        &["f in m 1 1 9223372036854775802..9223372036854775807 9223372036854775807:1/1"],
    );
    check("m:f@0:-9223372036854775808 1", "f", &["f in m 1 1 1..-9223372036854775803 -9223372036854775808:1/1"]);
    check("f@0:0;? 1", "", &["\"\" in no file", "\"f\" in no file"]);
    check("f@0:0;? 1", ".", &["\"f\" in no file"]);
}

#[test]
fn one_function_may_be_in_several_files() {
    check(
        "b/./x.rs:f@1:1 1\na.rs:f@5:5 2\nb/x.rs:f@1:1 4",
        "f",
        &["f in a.rs 2 2 5..10 5:2/2", "f in b/x.rs 5 5 1..6 1:5/5"],
    );
}

#[test]
fn paths_are_trimmed() {
    let options = |trim_path: &str, source_path: &str| {
        let [trim_path, source_path] = [trim_path, source_path].map(str::to_owned);
        ListingOptions { trim_path, source_path, ..ListingOptions::default() }
    };
    let stacks = "/build/app/src/x.rs:f@1:1 1";
    check_with(stacks, "f", &options("/build/app", ""), &["f in src/x.rs 1 1 1..6 1:1/1"]);
    check_with(stacks, "f", &options("", "/home/me/app"), &["f in src/x.rs 1 1 1..6 1:1/1"]);
    check_with(stacks, "f", &options("/other", "/home/me/app"), &["f in /build/app/src/x.rs 1 1 1..6 1:1/1"]);
}

#[test]
fn values_are_chosen_and_averaged() {
    let cpu = ListingOptions { sample_index: 1, ..ListingOptions::default() };
    let stacks = "m:f@1:2 4\nm:f@1:2;m:g@1:3 4";
    check_with(stacks, "f", &cpu, &["f in m 40 80 1..7 2:40/80"]);
    let mean = ListingOptions { mean: true, ..cpu };
    check_with(stacks, "f", &mean, &["f in m 10 10 1..7 2:10/10"]);
}

#[test]
fn negative_places_are_dropped_on_demand() {
    let stacks = "m:f@1:2 -4\nm:f@1:3 1";
    check(stacks, "f", &["f in m -3 -3 1..8 2:-4/-4 3:1/1"]);
    let drop_negative = ListingOptions { drop_negative: true, ..ListingOptions::default() };
    check_with(stacks, "f", &drop_negative, &["f in m 1 1 1..8 3:1/1"]);
}

#[test]
fn what_matches_nothing_is_an_error() {
    check("m:f@1:2 4", "zzz", &["no matches found for regexp: zzz"]);
    check("m:f@1:2 0", "f", &["no matches found for regexp: f"]);
    check("m:f@1:2 4", "(", &["parsing argument regexp (: regex parse error:"]);
}

#[test]
fn each_line_has_its_addresses() {
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    let binary = builder.mapping(MappingSpec { filename: "guest.wasm", limit: 1 << 20, ..MappingSpec::default() });
    let at = |builder: &mut ProfileBuilder, address, text: &str| {
        let lines: Vec<Line> = text.split('>').rev().filter_map(|it| line(builder, it)).collect();
        builder.location(Some(binary), address, &lines)
    };
    let main = at(&mut builder, 8, "main.rs:main@1:7");
    let inlined = at(&mut builder, 16, "main.rs:main@1:7>lib.rs:add@2:3");
    let plain = at(&mut builder, 24, "lib.rs:add@2:3");
    builder.sample(&[inlined], &[1], &[]);
    builder.sample(&[plain, main], &[2], &[]);
    builder.sample(&[main], &[4], &[]);
    let profile = builder.finish();
    let check = |function: &str, noinlines, expected: &[&str]| {
        let options = ListingOptions { noinlines, ..ListingOptions::default() };
        let draw = |((file, line), addresses): (&(String, i64), &Vec<LineAddress>)| {
            let address =
                |it: &LineAddress| format!(" {}:{}={}/{}", it.binary, it.address, it.weight.flat, it.weight.cum);
            format!("{file}:{line}{}", addresses.iter().map(address).collect::<String>())
        };
        let found: Vec<String> = line_addresses(&profile, function, &options).iter().map(draw).collect();
        assert_eq!(found, expected, "{function}");
    };
    check("add", false, &["lib.rs:3 guest.wasm:16=1/1 guest.wasm:24=2/2"]);
    check("main", false, &["main.rs:7 guest.wasm:8=4/6 guest.wasm:16=0/1"]);
    check("main", true, &["main.rs:7 guest.wasm:8=4/6 guest.wasm:16=1/1"]);
    check("none", false, &[]);
}
