//! The files that heap profiling writes: what is in them, and what pprof makes of them.
#![expect(clippy::expect_used, reason = "without its files a test may stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proto::Profile;
use support::books::{COLUMNS, column_idx};
use support::machine::{guest, guest_if_built, pprof, skip};
use support::stacks::{frames, lines};
use support::wprof::{Run, Wprof, read_profile};

/// Each file that can be asked for.
const ALL: [&str; 8] = [
    "--memprofile",
    "heap.prof",
    "--allocsprofile",
    "allocs.prof",
    "--peakprofile",
    "peak.prof",
    "--memoryprofile",
    "memory.prof",
];

/// A run that allocates in many sites.
fn record(options: &[&str]) -> Run {
    let options = [&["--no-cpu", "--quiet", "--seed", "3"], options].concat();
    // The one in C does more, but zig may be missing.
    let guest = guest_if_built("books_c").unwrap_or_else(|| guest("books_rust"));
    Wprof::run(&options, guest, &[]).finish().expect_code(0)
}

/// What pprof prints about a file, if there is a pprof; it must have no complaints.
fn ask_pprof(run: &Run, args: &[&str], file: &str) -> Option<String> {
    let mut pprof = pprof("reading heap profiles")?;
    let output = pprof.args(args).arg(file).current_dir(run.dir.path()).output().expect("pprof starts");
    assert!(output.status.success(), "{file}: {output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{file}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn types(profile: &Profile) -> Vec<(&str, &str)> {
    profile.sample_types().iter().map(|it| (profile.string(it.kind), profile.string(it.unit))).collect()
}

fn period(profile: &Profile) -> Option<(&str, &str, i64)> {
    let kind = profile.period_type()?;
    Some((profile.string(kind.kind), profile.string(kind.unit), profile.period()))
}

#[test]
fn each_says_what_it_counts() {
    let run = record(&[&ALL[..], &["--memprofilerate", "4096"]].concat());
    let [heap, allocs, peak, memory] =
        ["heap.prof", "allocs.prof", "peak.prof", "memory.prof"].map(|name| read_profile(&run.path(name)));
    for (profile, default) in [(&heap, None), (&allocs, Some("alloc_space")), (&peak, None)] {
        let units = ["count", "bytes", "count", "bytes"];
        assert_eq!(types(profile), COLUMNS.into_iter().zip(units).collect::<Vec<_>>());
        assert_eq!(period(profile), Some(("space", "bytes", 4096)));
        assert_eq!(profile.default_sample_type(), default);
        assert_eq!(profile.drop_frames(), "");
        assert_eq!(profile.duration_nanos(), 0);
        assert!(profile.time_nanos() > 0);
    }
    assert_eq!(types(&memory), [("grows", "count"), ("space", "bytes")]);
    assert_eq!(period(&memory), Some(("space", "bytes", 1)));
    for column in 0..4 {
        assert_eq!(lines(&heap, column), lines(&allocs, column), "heap and allocs have the same samples");
    }
    for profile in [&heap, &peak, &memory] {
        assert!(profile.samples().all(|sample| sample.values.iter().all(|&value| value >= 0)));
        assert!(profile.n_samples() > 5);
    }
    for file in ["heap.prof", "allocs.prof", "peak.prof", "memory.prof"] {
        let Some(top) = ask_pprof(&run, &["-top"], file) else { return skip("there is no `go tool pprof`") };
        let of = match file {
            "allocs.prof" => "Type: alloc_space\n",
            "memory.prof" => "Type: space\n",
            _ => "Type: inuse_space\n",
        };
        assert!(top.contains(of), "{top}");
    }
}

#[test]
fn files_are_written_only_when_asked_for() {
    let names = |run: &Run| -> BTreeSet<String> {
        let entries = run.dir.path().read_dir().expect("the run's folder").flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|it| !it.starts_with('.'))
            .collect()
    };
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(names(&record(&[])), set(&["heap.prof"]));
    assert_eq!(names(&record(&["--no-heap"])), set(&[]));
    assert_eq!(names(&record(&["--memprofilerate", "0"])), set(&[]));
    assert_eq!(names(&record(&["--memprofile", "other.prof"])), set(&["other.prof"]));
    assert_eq!(names(&record(&["-o", "out"])), set(&["out"]));
    assert_eq!(names(&record(&ALL)), set(&["heap.prof", "allocs.prof", "peak.prof", "memory.prof"]));
}

/// pprof reads the same from Go's text as from the pprof file of another run with the same seed.
#[test]
fn text_says_the_same() {
    for rate in ["1", "4096", "524288"] {
        for option in ["--memprofile", "--allocsprofile", "--peakprofile"] {
            let [file, text] = ["it.prof", "it.txt"].map(|name| record(&["--memprofilerate", rate, option, name]));
            let Some(raw) = ask_pprof(&file, &["-raw"], "it.prof") else {
                return skip("there is no `go tool pprof`");
            };
            let raw_of_text = ask_pprof(&text, &["-raw"], "it.txt").unwrap_or_default();
            let (samples, samples_of_text) = (raw_samples(&raw), raw_samples(&raw_of_text));
            assert!(samples.len() > 10 || rate == "524288", "{} samples", samples.len());
            let only = |a: &BTreeMap<_, _>, b: &BTreeMap<_, _>| -> Vec<String> {
                a.iter().filter(|it| b.get(it.0) != Some(it.1)).take(5).map(|it| format!("{it:x?}")).collect()
            };
            assert!(
                samples == samples_of_text,
                "{option} at {rate}: only in the file: {:#?}\nonly in the text: {:#?}",
                only(&samples, &samples_of_text),
                only(&samples_of_text, &samples)
            );
            check_text(&text.path("it.txt"));
        }
    }
}

/// The samples that `pprof -raw` prints: values, and the size label, by addresses.
fn raw_samples(raw: &str) -> BTreeMap<(Vec<u64>, String), Vec<i64>> {
    let (_, rest) = raw.split_once("Samples:\n").expect("samples");
    let (samples, rest) = rest.split_once("Locations\n").expect("locations");
    let (locations, _) = rest.split_once("Mappings\n").expect("mappings");
    let location = |line: &str| {
        let (id, rest) = line.trim().split_once(": 0x")?;
        let address = u64::from_str_radix(rest.split(' ').next()?, 16).ok()?;
        Some((id.parse::<u64>().ok()?, address))
    };
    let addresses: BTreeMap<u64, u64> = locations.lines().filter_map(location).collect();
    let mut read = BTreeMap::new();
    let mut lines = samples.lines().skip(1).peekable(); // after the types
    while let Some(line) = lines.next() {
        let (values, stack) = line.split_once(':').expect("values: locations");
        let values: Vec<i64> = values.split_whitespace().map(|it| it.parse().expect("a value")).collect();
        let stack: Vec<u64> = stack.split_whitespace().map(|it| addresses[&it.parse().expect("an id")]).collect();
        let label = lines.next_if(|line| line.trim().starts_with("bytes:")).unwrap_or_default().trim().to_owned();
        let sums = read.entry((stack, label)).or_insert_with(|| vec![0; values.len()]);
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    read
}

/// Its head, and its trailer with what has a meaning here.
fn check_text(path: &Path) {
    let text = std::fs::read_to_string(path).expect("it is text");
    assert!(text.starts_with("heap profile: "), "{}", text.lines().next().unwrap_or_default());
    let (_, trailer) = text.split_once("\n# wprof.MemStats\n").expect("a trailer");
    let figure = |name: &str| -> i64 {
        let line = trailer.lines().find_map(|line| line.strip_prefix(&format!("# {name} = ")));
        line.expect(name).trim().parse().expect("a number")
    };
    assert!(figure("HeapSys") >= figure("Alloc") && figure("TotalAlloc") >= figure("Alloc"), "{trailer}");
    assert_eq!(figure("HeapObjects"), figure("Mallocs") - figure("Frees"), "{trailer}");
}

/// The terminal's table is pprof's.
#[test]
fn top_is_pprofs() {
    let run = record(&["--memprofilerate", "4096"]);
    let indexes = COLUMNS.map(|column| format!("-sample_index={column}"));
    for args in indexes.iter().map(|index| vec![index.as_str()]).chain([vec![], vec!["-cum"], vec!["-lines"]]) {
        let Some(expected) = ask_pprof(&run, &[&["-top"], &args[..]].concat(), "heap.prof") else {
            return skip("there is no `go tool pprof`");
        };
        let ours = Wprof::new("top").args(&args).arg("heap.prof").cd(run.dir.path()).finish().expect_code(0);
        assert_eq!(ours.stdout(), expected, "{args:?}");
    }
}

/// Where memory grew, call by call; what the engine refused is no growth.
#[test]
fn memory_grows_where_it_is_said_to() {
    let options = ["--no-cpu", "--quiet", "--memoryprofile", "grown.prof"];
    let run = Wprof::run(&options, "grow.wat", &[]).file("grow.wat", include_str!("heap/grow.wat"));
    let run = run.finish().expect_code(0);
    let profile = read_profile(&run.path("grown.prof"));
    let [grows, space] = ["grows", "space"].map(|kind| column_idx(&profile, kind).expect("both columns"));
    let of = |name: &str, column: usize| -> i64 {
        let is_leaf = |sample: &proto::SampleRef<'_>| frames(&profile, sample).last() == Some(&name);
        profile.samples().filter(is_leaf).map(|sample| sample.values[column]).sum()
    };
    assert_eq!((of("once", grows), of("once", space)), (1, 2 << 16));
    assert_eq!((of("thrice", grows), of("thrice", space)), (3, 9 << 16));
    assert_eq!((of("in_vain", grows), of("in_vain", space)), (0, 0));
}
