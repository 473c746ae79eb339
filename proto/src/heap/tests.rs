//! Against Go's own files where they are at hand, and by hand.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::{FunctionSpec, LabelSpec, LabelValue, Limits, Line, MappingSpec, ProfileBuilder, decode};

const FOUR: [(&str, &str); 4] =
    [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];

/// A profile of samples, each of addresses, a size, and how many blocks were allocated and are in use.
fn raw(types: &[(&str, &str)], samples: &[(&[u64], i64, i64, i64)]) -> Profile {
    let mut builder = ProfileBuilder::new(types);
    builder.period("space", "bytes", 524_288);
    builder.comment("a note");
    for &(addresses, size, n_allocs, n_inuse) in samples {
        let stack: Vec<_> = addresses.iter().map(|&it| builder.location(None, it, &[])).collect();
        let values = [n_allocs, n_allocs * size, n_inuse, n_inuse * size];
        let label = LabelSpec::Num { key: "bytes", num: size, unit: "" };
        builder.sample(&stack, &values[..types.len()], &[label]);
    }
    builder.finish()
}

fn text(raw: &Profile, rate: i64, trailer: &[(&str, &str)]) -> String {
    let trailer: Vec<_> = trailer.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut out = Vec::new();
    write_text(&mut out, raw, rate, &trailer).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn estimates_are_gos() {
    for (count, size, rate, expected) in [
        (74, 1024, 524_288, (37_925, 38_835_212)),
        (74, 1024, 1, (74, 75_776)),
        (74, 1024, 0, (74, 75_776)),
        (74, 1024, -5, (74, 75_776)),
        (1, 1 << 30, 524_288, (1, 1 << 30)),
        (0, 1024, 524_288, (0, 0)),
        (3, 0, 524_288, (0, 0)),
    ] {
        assert_eq!(estimate(count, count * size, rate), expected, "{count} of {size} at {rate}");
    }
}

#[test]
fn unsampling_changes_values_alone() {
    let raw = raw(&FOUR, &[(&[1, 2], 1024, 74, 0), (&[1], 16, 0, 0), (&[3, 2], 1024, 2, 1)]);
    let all = unsample(&raw, 524_288);
    let values: Vec<_> = all.samples().map(|it| it.values.to_vec()).collect();
    // A block that was freed still counts as allocated; a sample of nothing goes.
    assert_eq!(values, [[37_925, 38_835_212, 0, 0], [1025, 1_049_600, 512, 524_800]]);
    for (kept, idx) in all.samples().zip([0, 2]) {
        assert_eq!((kept.locations, kept.labels), (raw.sample(idx).locations, raw.sample(idx).labels));
    }
    assert_eq!(all.with_samples(raw.samples.clone()), raw);
}

#[test]
fn unsampling_takes_profiles_without_frees() {
    let all = unsample(&raw(&FOUR[..2], &[(&[1], 1024, 74, 0)]), 524_288);
    assert_eq!(all.sample(0).values, [37_925, 38_835_212]);
}

#[test]
fn text_is_gos() {
    let mut builder = ProfileBuilder::new(&FOUR);
    let mapping = builder.mapping(MappingSpec {
        limit: 0x1_2340,
        filename: "/srv/a guest.wasm",
        build_id: "abc123",
        ..MappingSpec::default()
    });
    let host = MappingSpec { start: 0x2_0000, limit: 0x2_1000, filename: "[host]", ..MappingSpec::default() };
    let host = builder.mapping(host);
    let mut line = |name, filename, line| {
        let function = builder.function(FunctionSpec { name, filename, ..FunctionSpec::default() });
        Line { function, line, column: 0 }
    };
    let [inner, outer, main] = [("grow", "v.rs", 7), ("push\n1: 1 [1: 1] @", "v.rs", 9), ("main", "", 0)]
        .map(|(name, file, number)| line(name, file, number));
    let grow = builder.location(Some(mapping), 0xff, &[inner, outer]);
    let main = builder.location(Some(mapping), 0x1234, &[main]);
    let unknown = builder.location(Some(host), 0x2_0001, &[]);
    builder.sample(&[unknown], &[3, 30, 0, 0], &[]);
    builder.sample(&[grow, unknown, main], &[2, 20, 2, 20], &[]);
    builder.sample(&[main], &[0, 0, 0, 0], &[]);
    builder.sample(&[main], &[4, 40, 0, 0], &[]);
    builder.sample(&[], &[1, 5, 1, 5], &[]);
    let expected = "\
heap profile: 3: 25 [10: 95] @ heap/1048576
2: 20 [2: 20] @ 0x100 0x20002 0x1235
#\t0xff\tgrow\t\t\tv.rs:7
#\t0xff\tpush 1: 1 [1: 1] @\tv.rs:9
#\t0x20001
#\t0x1234\tmain

1: 5 [1: 5] @

0: 0 [4: 40] @ 0x1235
#\t0x1234\tmain

0: 0 [3: 30] @ 0x20002
#\t0x20001


# wprof.MemStats
# Alloc = 25
# Mallocs = 10

--- Memory map: ---
00000000-00012340: [a_guest.wasm] (@0) abc123
00020000-00021000: [host] (@0)
";
    let text = text(&builder.finish(), 524_288, &[("Alloc", "25"), ("Mallocs", "10")]);
    assert_eq!(text, expected);
}

#[test]
fn alloc_and_in_use_are_never_equal_in_the_header() {
    let header = |profile: &Profile| text(profile, 1, &[]).lines().next().unwrap_or_default().to_owned();
    assert_eq!(header(&raw(&FOUR, &[(&[1], 10, 2, 2)])), "heap profile: 2: 20 [2: 21] @ heap/2");
    assert_eq!(header(&raw(&FOUR, &[])), "heap profile: 0: 0 [0: 1] @ heap/2");
    assert_eq!(header(&raw(&FOUR[..2], &[(&[1], 10, 2, 0)])), "heap profile: 0: 0 [2: 20] @ heap/2");
}

#[test]
fn no_line_is_too_long_for_pprof() {
    let mut builder = ProfileBuilder::new(&FOUR);
    let long = "x".repeat(100_000);
    let function = builder.function(FunctionSpec { name: &long, filename: &long, ..FunctionSpec::default() });
    let deep: Vec<_> = (0..10_000).map(|it| builder.location(None, 0xff_ff00 + it, &[])).collect();
    let named = builder.location(None, 5, &[Line { function, line: 3, column: 0 }]);
    builder.sample(&deep, &[1, 1, 1, 1], &[]);
    builder.sample(&[named], &[1, 1, 1, 1], &[]);
    let text = text(&builder.finish(), 1, &[("key", &long)]);
    let longest = text.lines().map(str::len).max();
    assert!(longest.is_some_and(|it| 60_000 < it && it < 65_536), "{longest:?}");
    assert!(text.contains("more, which do not fit the line"));
}

/// Go's own files: what its text says, estimated, is what its pprof file says.
#[test]
fn gos_rows_unsample_to_gos_samples() {
    let Some(golden) = golden() else { return };
    for (folder, rate) in [("heap_rate1", 1), ("heap_rate64k", 65_536), ("heap_default", 524_288)] {
        for name in ["heap", "allocs"] {
            let read = |suffix| std::fs::read(golden.join(folder).join(format!("{name}.{suffix}"))).expect(folder);
            let go = decode(&read("pb.gz"), &Limits::default()).expect("Go's profile");
            let rows = gos_rows(&String::from_utf8(read("debug1.txt")).expect("text"));
            // A stack of its own for each, so that no two become one.
            let stacks: Vec<[u64; 1]> = (1..).map(|it| [it]).take(rows.len()).collect();
            let samples = rows.iter().zip(&stacks).map(|(it, stack)| (&stack[..], it[0], it[1], it[2]));
            let raw = raw(&FOUR, &samples.collect::<Vec<_>>());
            let estimated = sums(&unsample(&raw, rate));
            assert!(4 < estimated.len());
            assert_eq!(estimated, sums(&go), "{folder}/{name}");
        }
    }
}

/// How often there are which values of which block size; stacks differ in form between the two files.
fn sums(profile: &Profile) -> BTreeMap<Vec<i64>, usize> {
    let mut sums = BTreeMap::new();
    for sample in profile.samples().filter(|it| it.values.iter().any(|it| *it != 0)) {
        let sizes = sample.labels.iter().filter_map(|it| match it.value {
            LabelValue::Num { num, .. } => Some(num),
            LabelValue::Str(_) => None,
        });
        *sums.entry(sizes.chain(sample.values.iter().copied()).collect()).or_default() += 1;
    }
    sums
}

/// Size, blocks allocated and blocks in use of each row of Go's text.
fn gos_rows(text: &str) -> Vec<[i64; 3]> {
    let numbers = |line: &str| -> Vec<i64> {
        let counts = line.split('@').next().unwrap_or_default();
        counts.split(|it: char| !it.is_ascii_digit()).filter_map(|it| it.parse().ok()).collect()
    };
    let rows = text.lines().skip(1).filter(|it| it.starts_with(|it: char| it.is_ascii_digit())).map(numbers);
    let row = |it: Vec<i64>| (it[2] != 0).then(|| [it[3] / it[2], it[2], it[0]]);
    rows.filter_map(row).collect()
}

/// Go's own files: frames are aligned as there.
#[test]
fn frames_are_aligned_as_gos() {
    let Some(golden) = golden() else { return };
    for folder in ["heap_rate1", "heap_rate64k", "heap_default"] {
        let text = std::fs::read_to_string(golden.join(folder).join("heap.debug1.txt")).expect(folder);
        for stack in text.split("\n\n").filter(|it| it.contains("\n#\t")) {
            let frames: Vec<&str> = stack.lines().filter(|it| it.starts_with('#')).collect();
            let cells = |line: &&str| line.split('\t').filter(|it| !it.is_empty()).map(str::to_owned).collect();
            let mut out = Vec::new();
            align::write_aligned(&mut out, &frames.iter().map(cells).collect::<Vec<Vec<_>>>()).unwrap();
            assert_eq!(String::from_utf8(out).expect("text").trim_end(), frames.join("\n"), "{folder}");
        }
    }
}

fn golden() -> Option<PathBuf> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    let golden = std::env::var_os("WPROF_SHARED").map_or(beside, PathBuf::from).join("spec/golden");
    if !golden.is_dir() {
        println!("skipped: no goldens at {}", golden.display());
    }
    golden.is_dir().then_some(golden)
}
