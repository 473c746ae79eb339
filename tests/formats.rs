//! What `wprof convert` writes shows the same totals in the tools it is for: inferno, speedscope, the Firefox Profiler and
//! `go tool pprof` read it with their own code.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test helper may stop the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use proto::analysis::top::{TopOptions, top};
use proto::analysis::total;
use proto::formats::WriteError;
use proto::{FunctionSpec, LabelSpec, Limits, Line, Profile, ProfileBuilder, decode, encode_gzip, formats};
use regex::Regex;
use serde_json::Value;
use support::machine::{node, pprof, skip, workspace};
use support::running::Running;
use tempfile::{TempDir, tempdir};

/// How long the Firefox Profiler may take to open a file: far longer than it does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Profiles of all kinds: those of the tests, one that is meant to break formats, and, where they are, real ones. Those
/// with negative values are of interest only where these can be said.
fn profiles() -> Vec<(String, Profile)> {
    let mut folders = vec![workspace().join("tests/profiles/synth")];
    if let Some(shared) = std::env::var_os("WPROF_SHARED").map(PathBuf::from) {
        folders.extend(
            ["heap_rate1", "heap_default", "sync_rate1", "goroutine", "custom"]
                .map(|it| shared.join("spec/golden").join(it)),
        );
        folders.push(shared.join("corpus/pprof"));
    }
    let mut profiles = vec![("odd names".to_owned(), odd_names())];
    for folder in folders {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.ends_with(".pb.gz") || name.starts_with("odd_zipbomb") {
                continue;
            }
            match decode(&fs::read(&path).unwrap(), &Limits::default()) {
                Ok(profile) => profiles.push((name, profile)),
                Err(error) => assert!(name.starts_with("odd_"), "{name}: {error}"),
            }
        }
    }
    assert!(5 <= profiles.len());
    profiles
}

/// The same but for differences, which must be refused.
fn profiles_without_negatives(write: impl Fn(&Profile) -> Result<(), WriteError>) -> Vec<(String, Profile)> {
    let mut profiles = profiles();
    profiles.retain(|(name, profile)| {
        let is_difference = profile.samples().any(|it| it.values.iter().any(|it| *it < 0));
        let is_refused = matches!(write(profile), Err(WriteError::Negative { .. }));
        assert_eq!(is_refused, is_difference, "{name}");
        !is_difference
    });
    profiles
}

/// Functions whose names other formats could take for something else, and a sample without a stack.
fn odd_names() -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds"), ("space", "bytes")]);
    let names = [
        "main",
        "f 12",
        "f 1.5 7",
        "[u8; 8]",
        "two\nlines",
        "# no comment",
        "",
        " ",
        "12",
        "\"quoted\\\"",
        "<a & b>",
        "naïve",
        "f_[k]",
        "\u{1f980}",
        "all",
    ];
    let locations = names.map(|name| {
        let function = builder.function(FunctionSpec { name, filename: "dir/a file.rs", ..FunctionSpec::default() });
        builder.location(None, 0, &[Line { function, line: 3, column: 0 }])
    });
    for (count, end) in (1..).zip(1..=locations.len()) {
        let stack: Vec<_> = locations[..end].iter().rev().copied().collect();
        let label = LabelSpec::Num { key: "bytes", num: count, unit: "" };
        builder.sample(&stack, &[count, count * 10_000_019, count % 3 * 4096], &[label]);
        builder.sample(&locations[end - 1..end], &[count, 0, 1], &[]);
    }
    builder.sample(&[], &[1000, 1, 1], &[]);
    builder.finish()
}

/// What each function has of itself, by name; those of nothing left out.
fn flat(profile: &Profile, sample_index: usize) -> BTreeMap<String, i64> {
    let options = TopOptions { sample_index, ..TopOptions::default() }.untrimmed();
    let rows = top(profile, &options).rows;
    rows.into_iter().filter(|it| it.flat != 0).map(|it| (it.name, it.flat)).collect()
}

fn sample_types(profile: &Profile) -> impl Iterator<Item = (usize, &str, &str)> {
    let types = profile.sample_types().iter().enumerate();
    types.map(|(idx, it)| (idx, profile.string(it.kind), profile.string(it.unit)))
}

#[test]
fn folded_stacks_have_the_same_total_in_inferno() {
    let all = Regex::new(r"<title>all \(([\d,]+) samples, 100%\)").unwrap();
    let write =
        |it: &Profile| sample_types(it).try_for_each(|(idx, _, _)| formats::collapsed::write(&mut Vec::new(), it, idx));
    for (name, profile) in profiles_without_negatives(write) {
        for (sample_index, kind, _) in sample_types(&profile) {
            let mut folded = Vec::new();
            formats::collapsed::write(&mut folded, &profile, sample_index).unwrap();
            let expected = total(&profile, sample_index, false);
            if expected == 0 {
                assert!(folded.is_empty(), "{name} {kind}");
                continue;
            }
            let mut svg = Vec::new();
            let mut options = inferno::flamegraph::Options::default();
            inferno::flamegraph::from_reader(&mut options, folded.as_slice(), &mut svg).unwrap();
            let svg = String::from_utf8(svg).unwrap();
            let found = all.captures(&svg).map(|it| it[1].replace(',', ""));
            assert_eq!(found, Some(expected.to_string()), "{name} {kind}");
        }
    }
}

#[test]
fn speedscope_reads_the_same_numbers() {
    let Some(package) = node("WPROF_SPEEDSCOPE") else { return };
    let dir = tempdir().unwrap();
    let profiles = profiles_without_negatives(|it| formats::speedscope::write(&mut Vec::new(), it, 0));
    let mut paths = Vec::new();
    for (idx, (_, profile)) in profiles.iter().enumerate() {
        paths.push(dir.path().join(format!("{idx}.speedscope.json")));
        let mut json = Vec::new();
        formats::speedscope::write(&mut json, profile, 0).unwrap();
        fs::write(&paths[idx], json).unwrap();
    }
    // It reads folded stacks, too.
    paths.push(dir.path().join("odd.collapsedstack.txt"));
    let mut folded = Vec::new();
    formats::collapsed::write(&mut folded, &odd_names(), 1).unwrap();
    fs::write(&paths[profiles.len()], folded).unwrap();

    let script = workspace().join("tests/tools/speedscope.mjs");
    // Its own recursion is as deep as the deepest stack.
    let output = Command::new("node").arg("--stack-size=7000").arg(script).arg(&package).args(&paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let read: Vec<Value> = stdout.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(read.len(), paths.len());
    for ((name, profile), read) in profiles.iter().zip(&read) {
        for (sample_index, kind, _) in sample_types(profile) {
            let theirs = &read["profiles"][sample_index];
            assert_eq!(theirs["name"], kind, "{name}");
            assert_eq!(theirs["total"].as_i64(), Some(total(profile, sample_index, false)), "{name} {kind}");
            assert_eq!(weights(&theirs["selfWeights"]), flat(profile, sample_index), "{name} {kind}");
        }
    }
    assert_eq!(read[profiles.len()]["profiles"][0]["total"].as_i64(), Some(total(&odd_names(), 1, false)));
}

fn weights(object: &Value) -> BTreeMap<String, i64> {
    let weights = object.as_object().unwrap().iter().map(|(name, it)| (name.clone(), it.as_i64().unwrap()));
    weights.filter(|it| it.1 != 0).collect()
}

#[test]
fn the_firefox_profiler_shows_the_same_numbers() {
    let Some(cli) = node("WPROF_FIREFOX_PROFILER") else { return };
    let dir = tempdir().unwrap();
    for (name, profile) in profiles() {
        let path = dir.path().join("profile.json");
        let mut json = Vec::new();
        formats::firefox::write(&mut json, &profile, 0).unwrap();
        fs::write(&path, json).unwrap();
        let profiler = FirefoxProfiler::open(&cli, &path);
        for (sample_index, kind, unit) in sample_types(&profile) {
            let thread = format!("t-{sample_index}");
            let table = profiler.ask(&["thread", "functions", "--json", "--include-idle", "--thread", &thread]);
            assert_eq!(table["friendlyThreadName"], kind, "{name}");
            let per_unit = if unit == "nanoseconds" { 1e6 } else { 1.0 };
            let functions = table["functions"].as_array().unwrap();
            let found = functions.iter().fold(BTreeMap::new(), |mut sums, it| {
                *sums.entry(it["name"].as_str().unwrap()).or_insert(0.0) +=
                    it["selfSamples"].as_f64().unwrap() * per_unit;
                sums
            });
            let mut expected = flat(&profile, sample_index);
            let no_stack: i64 =
                profile.samples().filter(|it| it.locations.is_empty()).map(|it| it.values[sample_index]).sum();
            expected.extend((no_stack != 0).then(|| ("[no stack]".to_owned(), no_stack)));
            for (function, value) in &expected {
                let found = found.get(function.as_str()).copied().unwrap_or(0.0);
                let expected = *value as f64;
                assert!(
                    (found - expected).abs() <= expected.abs() * 1e-9,
                    "{name} {kind} {function:?}: {found} {expected}"
                );
            }
            let n_more = found.iter().filter(|(name, it)| **it != 0.0 && !expected.contains_key(**name)).count();
            assert_eq!(n_more, 0, "{name} {kind}: {found:?}");
        }
    }
}

/// The Firefox Profiler's own code, as a process that keeps a file open and answers questions.
struct FirefoxProfiler {
    cli: PathBuf,
    sessions: TempDir,
    _process: Running,
}

impl FirefoxProfiler {
    fn open(cli: &Path, file: &Path) -> Self {
        let sessions = tempdir().unwrap();
        let mut command = Self::command(cli, &sessions);
        let process = Running::start(command.arg("--daemon").arg(file).args(["--session", "it"]));
        // A question asked before it listens makes it lose its session.
        let log = sessions.path().join("it.log");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = fs::read_to_string(&log).unwrap_or_default();
            if said.contains("Profile loaded successfully") {
                return Self { cli: cli.to_owned(), sessions, _process: process };
            }
            assert!(Instant::now() < deadline, "it does not open {}: {said}", file.display());
            sleep(Duration::from_millis(20));
        }
    }

    fn ask(&self, args: &[&str]) -> Value {
        parse(&Self::command(&self.cli, &self.sessions).args(args).args(["--session", "it"]).output().unwrap())
    }

    fn command(cli: &Path, sessions: &TempDir) -> Command {
        let mut command = Command::new("node");
        command.arg(cli).env("PROFILER_CLI_SESSION_DIR", sessions.path());
        command
    }
}

fn parse(output: &Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).expect(&stderr)
}

#[test]
fn pprof_reads_the_same_values_from_the_text() {
    let dir = tempdir().unwrap();
    let mut n_read = 0;
    for (name, profile) in profiles() {
        let mut text = Vec::new();
        if let Err(error) = formats::text::write(&mut text, &profile) {
            assert!(matches!(error, WriteError::NoTextForm { .. } | WriteError::Negative { .. }), "{name}: {error}");
            continue;
        }
        let [text_path, binary_path] = ["profile.txt", "profile.pb.gz"].map(|it| dir.path().join(it));
        fs::write(&text_path, text).unwrap();
        fs::write(&binary_path, encode_gzip(&profile)).unwrap();
        let Some(mut from_text) = raw_values(&text_path) else { return skip("there is no `go tool pprof`") };
        for (sample_type, values) in raw_values(&binary_path).unwrap() {
            assert_eq!(from_text.remove(&sample_type), Some(values), "{name}: {sample_type}");
        }
        // The text of a heap profile has four columns or two; what the profile does not know is 0.
        assert!(from_text.values().all(BTreeMap::is_empty), "{name}: {from_text:?}");
        n_read += 1;
    }
    assert_ne!(n_read, 0);
}

/// How often each value but 0 comes in what pprof reads, by sample type.
fn raw_values(path: &Path) -> Option<BTreeMap<String, BTreeMap<i64, usize>>> {
    let output = pprof("reading Go's texts")?.args(["-raw", "-symbolize=none"]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let (_, rest) = stdout.split_once("\nSamples:\n").unwrap();
    let (samples, _) = rest.split_once("\nLocations\n").unwrap();
    let mut lines = samples.lines();
    let types: Vec<String> =
        lines.next().unwrap().split_whitespace().map(|it| it.trim_end_matches("[dflt]").to_owned()).collect();
    let mut found: BTreeMap<_, BTreeMap<i64, usize>> = types.iter().map(|it| (it.clone(), BTreeMap::new())).collect();
    // Lines of labels have no number before their first colon.
    let rows =
        lines.filter_map(|it| it.split_once(':')?.0.split_whitespace().map(|it| it.parse::<i64>().ok()).collect());
    for values in rows.filter(|it: &Vec<i64>| it.len() == types.len()) {
        for (sample_type, value) in types.iter().zip(values).filter(|it| it.1 != 0) {
            *found.entry(sample_type.clone()).or_default().entry(value).or_default() += 1;
        }
    }
    Some(found)
}
