//! What a guest's own books say of its allocations, and what a heap profile says of the same sites.
//!
//! A site is a function whose name begins with `site`; a block belongs to the innermost one on its stack.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use proto::{LabelValue, Profile, SampleRef};

use crate::stacks::frames;

/// What a heap profile counts, in this order.
pub const COLUMNS: [&str; 4] = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"];

/// Each site with its columns. A column that a profile lacks is 0; a site with nothing in it is left out.
pub type Sites = BTreeMap<String, [i64; 4]>;

/// The lines `site NAME N N N N` that a guest printed; those without a block are as good as none.
#[must_use]
pub fn printed(stdout: &str) -> Sites {
    rows(stdout, "site").into_iter().filter(|(_, columns)| *columns != [0; 4]).collect()
}

/// A guest's lines `KEYWORD NAME N…`, by name.
#[must_use]
pub fn rows<const N: usize>(stdout: &str, keyword: &str) -> BTreeMap<String, [i64; N]> {
    let lines = stdout.lines().filter_map(|line| line.strip_prefix(keyword)?.strip_prefix(' '));
    let row = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next().unwrap().to_owned();
        let numbers: Vec<i64> = words.map(|word| word.parse().unwrap()).collect();
        (name, numbers.try_into().unwrap_or_else(|_| panic!("not {N} numbers: {line}")))
    };
    lines.map(row).collect()
}

/// The same of a profile.
#[must_use]
pub fn profiled(profile: &Profile) -> Sites {
    let columns = COLUMNS.map(|column| column_idx(profile, column));
    let mut sites = Sites::new();
    for sample in profile.samples() {
        let stack = frames(profile, &sample);
        let Some(site) = stack.iter().rev().find_map(|frame| site(frame)) else { continue };
        let sums = sites.entry(site.to_owned()).or_default();
        for (sum, column) in sums.iter_mut().zip(columns) {
            *sum += column.map_or(0, |idx| sample.values[idx]);
        }
    }
    sites.retain(|_, columns| *columns != [0; 4]);
    sites
}

/// A sample type's place.
#[must_use]
pub fn column_idx(profile: &Profile, kind: &str) -> Option<usize> {
    profile.sample_types().iter().position(|it| profile.string(it.kind) == kind)
}

/// The site that a function is, in any language: `main.siteMap`, `books_as/site_array`, `books_rust::site_box`.
#[must_use]
pub fn site(function: &str) -> Option<&str> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    function.split(|char| !is_word(char)).find(|word| word.starts_with("site"))
}

/// The size that a sample's blocks have, by its label.
#[must_use]
pub fn block_bytes(profile: &Profile, sample: &SampleRef<'_>) -> Option<i64> {
    let label = sample.labels.iter().find(|label| profile.string(label.key) == "bytes")?;
    match label.value {
        LabelValue::Num { num, .. } => Some(num),
        LabelValue::Str(_) => None,
    }
}

/// Stops the test with a table of all sites that differ, in the first `n_columns`.
pub fn expect_equal(books: &Sites, profile: &Sites, n_columns: usize) {
    let mut table = String::new();
    let names: BTreeSet<&String> = books.keys().chain(profile.keys()).collect();
    let n_sites = names.len();
    for name in names {
        let [theirs, ours] = [books, profile].map(|sites| sites.get(name).copied().unwrap_or_default());
        if theirs[..n_columns] != ours[..n_columns] {
            writeln!(table, "  {name}: the books have {theirs:?}, the profile {ours:?}").unwrap();
        }
    }
    assert!(n_sites >= 4, "only {n_sites} sites: {books:?}");
    assert!(table.is_empty(), "{COLUMNS:?}:\n{table}{n_sites} sites in all");
}
