//! What programs of Go's wrote and printed, for tests of guests that do the same by the SDK.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proto::{LabelValue, Profile, SampleRef};

use crate::machine::{guest_if_built, shared, skip};

/// What Go's program of that name wrote or printed.
#[must_use]
pub fn golden(name: &str) -> Option<PathBuf> {
    Some(shared("spec/golden")?.join(name))
}

/// A guest in C.
#[must_use]
pub fn c_guest(name: &str) -> Option<PathBuf> {
    let found = guest_if_built(name);
    if found.is_none() {
        skip(format_args!("the guest {name} is not built, as there is no C compiler for it"));
    }
    found
}

/// A guest with threads, in C or in Rust.
#[must_use]
pub fn threaded_guest(name: &str) -> Option<PathBuf> {
    let found = guest_if_built(name);
    if found.is_none() {
        skip(format_args!("the guest {name} is not built, as there is no C compiler for threads"));
    }
    found
}

/// Function names without the crate or package, as Go, Rust and C have different ones.
#[must_use]
pub fn plain(name: &str) -> String {
    let last = name.rsplit(['.', ':']).next().unwrap_or_default();
    last.chars().filter(|it| *it != '_').collect::<String>().to_lowercase()
}

/// A sample's labels by key.
#[must_use]
pub fn labels(profile: &Profile, sample: &SampleRef<'_>) -> BTreeMap<String, String> {
    let text = |label: &proto::Label| match label.value {
        LabelValue::Str(value) => (profile.string(label.key).to_owned(), profile.string(value).to_owned()),
        LabelValue::Num { num, .. } => (profile.string(label.key).to_owned(), format!("number {num}")),
    };
    sample.labels.iter().map(text).collect()
}
