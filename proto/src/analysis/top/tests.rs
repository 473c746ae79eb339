//! The top table: stacks as text in, rows out.

use proptest::prelude::*;

use super::*;
use crate::analysis::Granularity;
use crate::{FunctionSpec, Line, MappingSpec, ProfileBuilder, stacks};

fn table(top: &Top) -> Vec<String> {
    let row = |it: &TopRow| format!("{} {} {} {}", it.flat, it.cum, it.name, it.inline.marker()).trim_end().to_owned();
    top.rows.iter().map(row).collect()
}

fn check(stacks: &str, options: &TopOptions, expected: &[&str]) {
    assert_eq!(table(&top(&stacks::profile(stacks), options)), expected, "{stacks}");
}

fn all() -> TopOptions {
    TopOptions::default().untrimmed()
}

#[test]
fn flat_is_the_leaf_and_cum_counts_once_a_sample() {
    check("main;fib;fib;fib 3\nmain;fib 2\nmain 1", &all(), &["5 5 fib", "1 6 main"]);
    check("a;b;a;b 1", &all(), &["1 1 b", "0 1 a"]);
}

#[test]
fn rows_are_ordered_by_weight_then_name() {
    let stacks = "z 2\na 2\nm;b 1\nm;c -5";
    check(stacks, &all(), &["-5 -5 c", "2 2 a", "2 2 z", "1 1 b", "0 -4 m"]);
    let by_cum = TopOptions { sort_by_cum: true, ..all() };
    check(stacks, &by_cum, &["-5 -5 c", "0 -4 m", "2 2 a", "2 2 z", "1 1 b"]);
    let positive = TopOptions { drop_negative: true, ..all() };
    check(stacks, &positive, &["2 2 a", "2 2 z", "1 1 b"]);
}

#[test]
fn inlined_frames_are_places_of_their_own() {
    check("main>inner 2", &all(), &["2 2 inner (inline)", "0 2 main"]);
    let partial = ["3 3 inner (partial-inline)", "0 2 main", "0 1 other"];
    check("main>inner 2\nother;inner 1", &all(), &partial);
    // A caller that has it both ways counts as one that does not inline it.
    check("main>inner 2\nmain;inner 1", &all(), &["3 3 inner", "0 3 main"]);
    let mut folded = all();
    folded.frames.noinlines = true;
    check("main>inner 2\nmain;inner 1", &folded, &["2 3 main", "1 1 inner"]);
}

/// A call too rare to show does not make an inlined function a partly inlined one.
#[test]
fn rare_calls_do_not_count_as_calls() {
    let stacks = "main>inner 999\nmain;rare;inner 1";
    let options = TopOptions { edge_fraction: 0.01, ..all() };
    check(stacks, &options, &["1000 1000 inner (inline)", "0 1000 main", "0 1 rare"]);
    check(stacks, &all(), &["1000 1000 inner (partial-inline)", "0 1000 main", "0 1 rare"]);
}

#[test]
fn small_places_are_dropped_and_their_flat_is_nobodys() {
    let options = TopOptions { node_fraction: 0.1, ..all() };
    let found = top(&stacks::profile("main;hot 95\nmain;rare 5"), &options);
    assert_eq!(table(&found), ["95 95 hot", "0 100 main"]);
    assert_eq!((found.total, found.shown, found.n_dropped, found.dropped_cum, found.n_places), (100, 95, 1, 10, 2));
}

#[test]
fn a_number_of_rows_may_be_asked_for() {
    let options = TopOptions { node_count: 2, ..all() };
    let found = top(&stacks::profile("a 3\nb 2\nc 1"), &options);
    assert_eq!(table(&found), ["3 3 a", "2 2 b"]);
    assert_eq!((found.shown, found.n_places), (5, 3));
}

#[test]
fn a_stack_of_nothing_counts_in_the_total_only() {
    let found = top(&stacks::profile("a 3\n7"), &all());
    assert_eq!((found.total, found.shown, table(&found)), (10, 3, vec!["3 3 a".to_owned()]));
}

#[test]
fn averages_divide_by_the_first_value() {
    let mut builder = ProfileBuilder::new(&[("contentions", "count"), ("delay", "nanoseconds")]);
    stacks::add(&mut builder, "a;b 4,100\na 1,7\na;c 0,5");
    let found = top(&builder.finish(), &TopOptions { sample_index: 1, mean: true, ..all() });
    assert_eq!(table(&found), ["25 25 b", "7 22 a", "5 5 c"]);
    assert_eq!((found.kind.as_str(), found.total), ("mean_delay", 22));
}

#[test]
fn values_have_one_unit() {
    let mut builder = ProfileBuilder::new(&[("cpu", "nanoseconds")]);
    stacks::add(&mut builder, "a 400000000\nb 10000000");
    let profile = builder.finish();
    let print = |options: &TopOptions| {
        let found = top(&profile, options);
        found.rows.iter().map(|it| found.scale.amount(it.flat).to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(print(&all()), "400ms 10ms");
    assert_eq!(print(&TopOptions { unit: "us".into(), ..all() }), "400000us 10000us");
    assert_eq!(print(&TopOptions { divide_by: 4.0, unit: "auto".into(), ..all() }), "100ms 2.50ms");
}

#[test]
fn places_are_as_fine_as_asked_for() {
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    let mapping = builder.mapping(MappingSpec { filename: "/srv/guest.wasm", ..MappingSpec::default() });
    let spec = FunctionSpec { name: "hot", filename: "/src/./a//main.rs", start_line: 3, system_name: "_hot" };
    let function = builder.function(spec);
    let other = builder.function(FunctionSpec { filename: "/src/a/lib.rs", ..spec });
    let mut sample = |address, function: Option<_>, line| {
        let lines: Vec<Line> = function.into_iter().map(|function| Line { function, line, column: 2 }).collect();
        let location = builder.location(Some(mapping), address, &lines);
        builder.sample(&[location], &[1], &[]);
    };
    sample(0x10, Some(function), 5);
    sample(0x18, Some(function), 5);
    sample(0x20, Some(function), 6);
    sample(0x28, Some(other), 6);
    sample(0x30, None, 0);
    let profile = builder.finish();
    let check = |granularity, expected: &[&str]| {
        let mut options = all();
        options.frames.granularity = granularity;
        let rows: Vec<String> = table(&top(&profile, &options));
        let cum_left_out: Vec<_> = rows.iter().map(|it| it.splitn(3, ' ').collect::<Vec<_>>()).collect();
        let found: Vec<String> = cum_left_out.iter().map(|it| format!("{} {}", it[0], it[2])).collect();
        assert_eq!(found, expected, "{granularity:?}");
    };
    check(Granularity::Functions, &["4 hot", "1 [guest.wasm]"]);
    check(Granularity::FileFunctions, &["3 hot /src/a/main.rs", "1 [guest.wasm]", "1 hot /src/a/lib.rs"]);
    check(Granularity::Modules, &["5 guest.wasm"]);
    check(Granularity::Files, &["3 /src/a/main.rs", "1 /src/a/lib.rs", "1 [guest.wasm]"]);
    let lines = ["2 hot /src/a/main.rs:5", "1 [guest.wasm]", "1 hot /src/a/lib.rs:6", "1 hot /src/a/main.rs:6"];
    check(Granularity::Lines, &lines);
    let addresses = [
        "1 0000000000000010 hot /src/a/main.rs:5:2",
        "1 0000000000000018 hot /src/a/main.rs:5:2",
        "1 0000000000000020 hot /src/a/main.rs:6:2",
        "1 0000000000000028 hot /src/a/lib.rs:6:2",
        "1 0000000000000030 [guest.wasm]",
    ];
    check(Granularity::Addresses, &addresses);
}

/// Tables look at fewer calls than graphs do; what is said to be inlined must be the same.
fn check_markers(stacks: &str, options: &TopOptions) {
    let profile = stacks::profile(stacks);
    let table = top(&profile, options);
    let graph = call_graph(&profile, options, Purpose::Table);
    let of_graph: Vec<_> = graph.graph.shown().iter().map(|&it| (graph.name(it), graph.graph.inline(it))).collect();
    let of_table: Vec<_> = table.rows.iter().map(|it| (it.name.clone(), it.inline)).collect();
    assert_eq!(of_table, of_graph, "{stacks}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tables_tell_inlined_places_as_graphs_do(
        stacks in prop::collection::vec((prop::collection::vec(prop::sample::select(vec!["a", "b", "a>b", "b>a>c", "c>c", "c>d"]), 1..6), 1..40_i64), 1..30),
        is_whole in any::<bool>(),
    ) {
        let line = |(stack, value): &(Vec<&str>, i64)| format!("{} {value}\n", stack.join(";"));
        let stacks: String = stacks.iter().map(line).collect();
        let options = TopOptions { node_fraction: 0.1, edge_fraction: 0.2, ..TopOptions::default() };
        check_markers(&stacks, &if is_whole { options.untrimmed() } else { options });
    }
}
