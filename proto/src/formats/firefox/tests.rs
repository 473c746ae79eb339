//! The tables, by the rules that `src/types/profile.ts` states. The profiler's own code reads them in the outer tests.

use serde_json::{Value, json};

use super::*;
use crate::{FunctionSpec, Line, MappingSpec, ProfileBuilder, encode, stacks};

fn written(profile: &Profile, shown: usize) -> Value {
    let mut out = Vec::new();
    write(&mut out, profile, shown).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn column<'a>(table: &'a Value, name: &str) -> &'a [Value] {
    table[name].as_array().unwrap_or_else(|| panic!("no column {name} in {table}"))
}

fn index(value: &Value) -> usize {
    value.as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or_else(|| panic!("{value} is no index"))
}

/// The stacks of a thread by name from the root, with weights.
fn stacks_of(file: &Value, thread: usize) -> Vec<(String, Value)> {
    let shared = &file["shared"];
    let row = |table: &str, name: &str, idx: &Value| column(&shared[table], name)[index(idx)].clone();
    let samples = &file["threads"][thread]["samples"];
    let name_of = |mut stack: Value| {
        let mut names = Vec::new();
        while !stack.is_null() {
            let func = row("frameTable", "func", &row("stackTable", "frame", &stack));
            let name = row("funcTable", "name", &func);
            names.insert(0, shared["stringArray"][index(&name)].as_str().unwrap().to_owned());
            stack = row("stackTable", "prefix", &stack);
        }
        names.join(";")
    };
    column(samples, "stack")
        .iter()
        .map(|it| name_of(it.clone()))
        .zip(column(samples, "weight").iter().cloned())
        .collect()
}

#[test]
fn each_sample_type_is_a_thread_with_weights() {
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds"), ("space", "kB")]);
    builder.period("cpu", "nanoseconds", 10_000_000);
    stacks::add(&mut builder, "main;fib>inner 3,30000000,0\nmain 1,-500,2\n2,1,0");
    let file = written(&builder.finish(), 1);
    let thread = |idx: usize| {
        let thread = &file["threads"][idx];
        (thread["name"].clone(), thread["samples"]["weightType"].clone(), stacks_of(&file, idx))
    };
    let stack = |name: &str, weight: Value| (name.to_owned(), weight);
    let (main, inner, none) = ("main", "main;fib;inner", "[no stack]");
    let counts = vec![stack(inner, json!(3)), stack(main, json!(1)), stack(none, json!(2))];
    assert_eq!(thread(0), (json!("samples"), json!("samples"), counts));
    let times = vec![stack(inner, json!(30.0)), stack(main, json!(-0.0005)), stack(none, json!(0.000_001))];
    assert_eq!(thread(1), (json!("cpu"), json!("tracing-ms"), times));
    assert_eq!(thread(2), (json!("space"), json!("bytes"), vec![stack(main, json!(2048.0))]));
    assert_eq!(file["meta"]["initialSelectedThreads"], json!([1]));
    assert_eq!(file["meta"]["interval"], json!(10.0));
    // One behind the other.
    assert_eq!(file["threads"][0]["samples"]["time"], json!([0.0, 30.0, 30.0005]));
}

#[test]
fn frames_have_places_and_categories() {
    let mut builder = ProfileBuilder::new(&[("samples", "count")]);
    let mut mapping = |start, filename| {
        Some(builder.mapping(MappingSpec { start, limit: start + 0x1000, filename, ..MappingSpec::default() }))
    };
    let [guest, host, native] =
        [(0x1000, "dir/guest.wasm"), (0x2000, "[host]"), (0x3000, "/bin/app")].map(|it| mapping(it.0, it.1));
    let mut line = |name, line| {
        let function =
            builder.function(FunctionSpec { name, filename: "a.rs", start_line: 2, ..FunctionSpec::default() });
        Line { function, line, column: 5 }
    };
    let [inlined, outer, call] = [line("inlined", 9), line("outer", 4), line("call", 0)];
    let stack = [
        builder.location(host, 0x2001, &[call]),
        builder.location(guest, 0x1010, &[inlined, outer]),
        builder.location(native, 0x3002, &[]),
        builder.location(None, 0, &[]),
    ];
    builder.sample(&stack, &[1], &[]);
    let file = written(&builder.finish(), 0);
    let frames = &file["shared"]["frameTable"];
    let categories: Vec<&str> = column(frames, "category")
        .iter()
        .map(|it| file["meta"]["categories"][index(it)]["name"].as_str().unwrap())
        .collect();
    assert_eq!(stacks_of(&file, 0)[0].0, "<unknown>;[app];outer;inlined;call");
    assert_eq!(categories, ["Host", "WebAssembly", "Inlined", "Native", "Other"]);
    assert_eq!(frames["address"], json!([1, 0x10, 0x10, 2, -1]));
    assert_eq!(frames["inlineDepth"], json!([0, 0, 1, 0, 0]));
    assert_eq!(frames["line"], json!([null, 4, 9, null, null]));
    assert_eq!(file["shared"]["funcTable"]["lineNumber"], json!([2, 2, 2, null, null]));
    assert_eq!(file["meta"]["product"], json!("guest.wasm"));
}

/// Every column is as long as its table, callers come before what they call, and every reference resolves.
#[test]
fn tables_are_whole() {
    let profile = stacks::profile("main;fib>inner;main 3\nmain;other 1\n4");
    assert_ne!(encode(&profile).len(), 0);
    let file = written(&profile, 0);
    let shared = &file["shared"];
    let tables = ["sources", "resourceTable", "funcTable", "nativeSymbols", "frameTable", "stackTable"];
    let samples = [&file["threads"][0]["samples"], &file["threads"][0]["markers"]];
    for table in tables.iter().map(|it| &shared[it]).chain(samples) {
        let length = index(&table["length"]);
        for (name, values) in table.as_object().unwrap().iter().filter(|it| it.1.is_array()) {
            assert_eq!(values.as_array().unwrap().len(), length, "{name}");
        }
    }
    let length = |table: &str| shared[table]["length"].as_u64().unwrap();
    for (idx, prefix) in column(&shared["stackTable"], "prefix").iter().enumerate() {
        assert!(prefix.as_u64().is_none_or(|it| it < idx as u64));
    }
    for (table, name, other) in [
        ("stackTable", "frame", length("frameTable")),
        ("frameTable", "func", length("funcTable")),
        ("funcTable", "name", column(shared, "stringArray").len() as u64),
    ] {
        assert!(column(&shared[table], name).iter().all(|it| it.as_u64().unwrap() < other), "{table} {name}");
    }
}
