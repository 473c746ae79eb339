//! A heap profile's text form says to `go tool pprof` what its pprof form says.
#![expect(clippy::unwrap_used, reason = "a test helper may stop the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proto::heap::{unsample, write_text};
use proto::{FunctionSpec, LabelSpec, Line, MappingSpec, Profile, ProfileBuilder, encode_gzip};
use support::machine::{pprof, skip};
use tempfile::tempdir;

const COLUMNS: [(&str, &str); 4] =
    [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];

/// Sites of many sizes and depths: some whose blocks are all freed, some with none freed, some of nothing.
fn raw_profile(columns: &[(&str, &str)], rate: i64) -> Profile {
    let mut builder = ProfileBuilder::new(columns);
    builder.period("space", "bytes", rate);
    let guest =
        MappingSpec { limit: 0x4_0000, filename: "dir/a guest.wasm", build_id: "5f3c0d2e", ..Default::default() };
    let host = MappingSpec { start: 0x4_0000, limit: 0x5_0000, filename: "[host]", ..Default::default() };
    let mappings = [guest, host].map(|it| builder.mapping(MappingSpec { has_functions: true, ..it }));
    for site in 0..60_i64 {
        let stack: Vec<_> = (0..=site % 9)
            .map(|depth| {
                let name = format!("alloc::site<{site}>\n{depth}");
                let spec = FunctionSpec { name: &name, filename: "src/main rs", ..FunctionSpec::default() };
                let line = Line { function: builder.function(spec), line: site, column: 0 };
                let address = u64::try_from(site * 100 + depth).unwrap_or(0) + if depth == 8 { 0x4_0000 } else { 0x80 };
                builder.location(Some(mappings[usize::from(depth == 8)]), address, &[line, line])
            })
            .collect();
        let size = 1 + site * site * site;
        let (n_allocs, n_inuse) = (site % 7 * 13, (site % 7 * 13).min(site % 4 * 5));
        let values = [n_allocs, n_allocs * size, n_inuse, n_inuse * size];
        let bytes = LabelSpec::Num { key: "bytes", num: size, unit: "" };
        builder.sample(&stack, &values[..columns.len()], &[bytes]);
    }
    builder.finish()
}

/// What pprof reads from a file, and nothing else said: how often there is a sample of these values, addresses and size.
fn read(path: &Path) -> Option<BTreeMap<String, usize>> {
    let output = pprof("reading a heap profile's text")?.arg("-raw").arg(path).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{}: {stderr}", path.display());
    let stdout = String::from_utf8(output.stdout).unwrap();
    let (_, rest) = stdout.split_once("\nSamples:\n").unwrap();
    let (samples, rest) = rest.split_once("\nLocations\n").unwrap();
    let (locations, mappings) = rest.split_once("\nMappings\n").unwrap();
    assert!(mappings.contains("a") && mappings.contains("5f3c0d2e"), "{mappings}");
    let addresses: BTreeMap<&str, &str> = locations
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .map(|(id, rest)| (id, rest.split(' ').next().unwrap_or_default()))
        .collect();
    let mut found = BTreeMap::new();
    let lines: Vec<&str> = samples.lines().skip(1).collect();
    for sample in lines.chunks(2) {
        let (values, ids) = sample[0].split_once(':').unwrap();
        let values: Vec<&str> = values.split_whitespace().collect();
        let stack: Vec<&str> = ids.split_whitespace().map(|id| addresses[id]).collect();
        *found.entry(format!("{values:?} {stack:?} {}", sample[1].trim())).or_default() += 1;
    }
    Some(found)
}

fn check(raw: &Profile, rate: i64) -> Option<BTreeMap<String, usize>> {
    let dir = tempdir().unwrap();
    let [text, binary] = ["heap.txt", "heap.prof"].map(|name| dir.path().join(name));
    let mut out = Vec::new();
    write_text(&mut out, raw, rate, &[("Mallocs".to_owned(), "7".to_owned())]).unwrap();
    fs::write(&text, out).unwrap();
    fs::write(&binary, encode_gzip(&unsample(raw, rate))).unwrap();
    let (from_text, from_binary) = (read(&text)?, read(&binary)?);
    if raw.sample_types().len() == COLUMNS.len() {
        assert_eq!(from_text, from_binary, "at a rate of {rate}");
    }
    Some(from_text)
}

#[test]
fn pprof_reads_the_same_from_both_forms() {
    for rate in [1, 512, 65_536, 524_288] {
        let Some(samples) = check(&raw_profile(&COLUMNS, rate), rate) else {
            return skip("there is no `go tool pprof`");
        };
        assert!(samples.len() > 40, "only {} samples", samples.len());
    }
}

#[test]
fn pprof_reads_text_without_frees() {
    let Some(samples) = check(&raw_profile(&COLUMNS[..2], 512), 512) else {
        return skip("there is no `go tool pprof`");
    };
    assert!(samples.len() > 40, "only {} samples", samples.len());
    assert!(samples.keys().all(|it| it.contains(r#", "0", "0"] "#)), "{samples:#?}");
}
