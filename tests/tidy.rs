//! The walls between the folders, and habits that no lint checks.
#![expect(clippy::expect_used, reason = "without its files a test may stop")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;
use serde_json::Value;
use support::machine::workspace;

/// A file of ours, by its path in the workspace.
struct Source {
    path: String,
    text: String,
}

/// What other programs wrote, and sources that their files are of.
const RECORDED: [&str; 2] = ["tests/profiles", "tests/fuzz/corpus"];

/// Every text file of ours that may be committed.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    let mut dirs: Vec<PathBuf> = vec![workspace().to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("a folder of the workspace").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                let is_recorded = RECORDED.iter().any(|it| path.ends_with(it));
                if !is_recorded && !["target", "dist", ".git"].contains(&name.as_str()) {
                    dirs.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(workspace()).expect("it was found there");
                sources.push(Source { path: path.to_string_lossy().into_owned(), text });
            }
        }
    }
    assert!(sources.len() > 50, "the workspace was not found");
    sources
}

fn rust_sources() -> impl Iterator<Item = Source> {
    sources()
        .into_iter()
        .filter(|source| Path::new(&source.path).extension().is_some_and(|extension| extension == "rs"))
}

impl Source {
    /// Its lines but for comments and the tests at its end.
    fn code(&self) -> impl Iterator<Item = &str> {
        let is_test_file = self.path.ends_with("/tests.rs");
        let code = self.text.lines().take_while(move |line| !is_test_file && !line.starts_with("#[cfg(test)]"));
        code.filter(|line| !line.trim_start().starts_with("//"))
    }
}

/// Stops the test with all faults, not only the first.
fn expect_none(what: &str, faults: impl IntoIterator<Item = String>) {
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "{what}:\n  {}", faults.join("\n  "));
}

/// What a package depends on, for building and testing too.
fn dependencies() -> Vec<(String, BTreeSet<String>)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = Command::new(cargo);
    metadata.args(["metadata", "--no-deps", "--format-version=1", "--offline"]).current_dir(workspace());
    let output = metadata.output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages = list(&metadata["packages"]);
    packages.iter().map(|package| (name(package), list(&package["dependencies"]).iter().map(name).collect())).collect()
}

/// LAYOUT: what each folder may never see. A name stands for every crate that begins so.
const NEVER: [(&str, &[&str]); 6] = [
    ("wprof-proto", &["wprof", "wasmtime", "tokio", "axum", "tempfile", "rustix", "web-sys", "yew"]),
    ("wprof-viewer", &["wprof", "wasmtime", "wasmparser", "wasmprinter", "gimli", "addr2line", "axum"]),
    ("wprof-symbols", &["wprof", "wasmtime", "tokio", "axum", "tempfile", "rustix", "web-sys", "yew"]),
    ("wprof", &["wprof-viewer", "wprof-tests", "yew", "web-sys"]),
    ("wprof-tests", &["wprof", "wasmtime"]),
    ("xtask", &["wprof", "wasmtime"]),
];

/// These two have so few that each is named.
const ONLY: [(&str, &[&str]); 2] = [
    ("wprof-guest", &[]),
    (
        "wprof-proto",
        &[
            "flate2",
            "hashbrown",
            "prost",
            "prost-build",
            "proptest",
            "protox",
            "regex",
            "rustc-hash",
            "serde",
            "serde_json",
            "thiserror",
        ],
    ),
];

#[test]
fn no_package_sees_what_it_must_not() {
    let packages = dependencies();
    let mut faults = Vec::new();
    for (package, dependencies) in &packages {
        for (_, never) in NEVER.iter().filter(|(name, _)| name == package) {
            // All may use the profile's model; whole names of ours, beginnings of others'.
            let is_hidden = |name: &&String| {
                let breaks = |never: &&str| name == never || (!never.starts_with("wprof") && name.starts_with(never));
                never.iter().any(breaks)
            };
            faults.extend(dependencies.iter().filter(is_hidden).map(|name| format!("{package} depends on {name}")));
        }
        for (_, only) in ONLY.iter().filter(|(name, _)| name == package) {
            let others = dependencies.iter().filter(|name| !only.contains(&name.as_str()));
            faults.extend(others.map(|name| format!("{package} depends on {name}, which is not on its list")));
        }
    }
    for (name, _) in NEVER.iter().chain(&ONLY) {
        assert!(packages.iter().any(|(package, _)| package == name), "there is no package {name}: {packages:?}");
    }
    expect_none("the walls of LAYOUT are broken", faults);
}

#[test]
fn the_layers_of_proto_keep_their_order() {
    // The names that the crate's root hands on from codec.
    let codec = r"codec|decode|encode|encode_gzip|Limits|Error|ErrorKind";
    let mut faults = Vec::new();
    let layers = [
        ("codec", "analysis|formats"),
        ("heap", "analysis|formats"),
        ("formats", "analysis"),
        ("profile", &format!("analysis|formats|{codec}")),
        ("analysis", &format!("formats|{codec}")),
    ];
    for (layer, forbidden) in layers {
        let direct = Regex::new(&format!(r"\bcrate::({forbidden})\b")).expect("a valid pattern");
        let grouped = Regex::new(&format!(r"\bcrate::\{{(.*[\s,{{])?({forbidden})\b")).expect("a valid pattern");
        for source in rust_sources().filter(|source| source.path.starts_with(&format!("proto/src/{layer}"))) {
            let code = source.code().collect::<Vec<_>>().join("\n");
            let bad = code.lines().filter(|line| direct.is_match(line) || grouped.is_match(line));
            faults.extend(bad.map(|line| format!("{}: {}", source.path, line.trim())));
        }
    }
    expect_none("a layer of proto looks up", faults);
}

#[test]
fn every_file_says_what_it_owns() {
    let silent = rust_sources().filter(|source| !source.text.starts_with("//!"));
    // A build script may begin so as well; only a comment after `#!` lines would not.
    expect_none("files that do not begin with //!", silent.map(|source| source.path));
}

#[test]
fn no_file_is_long() {
    let long =
        rust_sources().map(|source| (source.text.lines().count(), source.path)).filter(|(n_lines, _)| *n_lines > 500);
    expect_none("files of more than 500 lines hold a second idea", long.map(|(n, path)| format!("{path}: {n} lines")));
}

#[test]
fn no_file_names_one_machines_paths() {
    // In pieces, or this file would be at fault.
    let own = [["/wo", "rk/"], ["/ro", "ot/"]].map(|parts| parts.concat());
    let temporary = ["/tm", "p/"].concat();
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.path != "Cargo.lock") {
        let is_test = source.path.starts_with("tests/") || source.path.ends_with("/tests.rs");
        for (at, line) in (1..).zip(source.text.lines()) {
            let is_bad = own.iter().any(|path| line.contains(path)) || (!is_test && line.contains(&temporary));
            if is_bad {
                faults.push(format!("{}:{at}: {}", source.path, line.trim()));
            }
        }
    }
    expect_none("paths of one machine", faults);
}

#[test]
fn pure_crates_forbid_unsafe_code() {
    // The SDK has imports, which take pointers, and says where.
    let deny = [("guest-sdk/src/lib.rs", "#![deny(unsafe_code)]"), ("host/src/lib.rs", "#![deny(unsafe_code)]")];
    let forbid =
        ["proto/src/lib.rs", "host/symbols/src/lib.rs", "viewer/src/main.rs"].map(|it| (it, "#![forbid(unsafe_code)]"));
    for (path, line) in deny.into_iter().chain(forbid) {
        let text = fs::read_to_string(workspace().join(path)).expect("it is there");
        assert!(text.contains(line), "{path}");
    }
}

/// A lint is silenced by `expect`, with a reason; a test that cannot run says so at run time.
#[test]
fn nothing_is_ignored_or_allowed() {
    let silenced = ["ignore", "allow("].map(|word| ["[", word].concat());
    let mut faults = Vec::new();
    for source in rust_sources() {
        for (at, line) in (1..).zip(source.text.lines()) {
            let line = line.trim_start();
            if line.starts_with('#') && silenced.iter().any(|word| line.contains(word)) {
                faults.push(format!("{}:{at}: {line}", source.path));
            }
        }
    }
    expect_none("#[expect(…, reason = …)] is for lints, and no test is left out", faults);
}

/// Each golden belongs to a case, or nobody would notice that it is no longer compared.
#[test]
fn no_golden_is_orphaned() {
    let names = |extension: &str| -> BTreeSet<String> {
        let cases =
            sources().into_iter().filter_map(|source| source.path.strip_prefix("tests/cli/").map(str::to_owned));
        cases.filter_map(|name| name.strip_suffix(extension).map(str::to_owned)).collect()
    };
    let cases: BTreeSet<String> = names(".wat").union(&names(".txt")).cloned().collect();
    assert_eq!(cases, names(".out"));
}
