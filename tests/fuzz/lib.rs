//! What is fuzzed: every reader of profiles, and the laws that hold for every profile.
//!
//! A target takes bytes and panics if something does not hold. `cargo xtask fuzz` lets libFuzzer look for such bytes;
//! those in `corpus`, seeds and what was found once, plain `cargo test` replays.
#![expect(clippy::expect_used, reason = "a fuzz target says by panicking what does not hold")]

mod laws;
mod random;
mod readers;

#[cfg(test)]
mod replay;

/// A target's name, which is its folder's in the corpus, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("proto", readers::proto),
    ("gzip", readers::gzip),
    ("salvage", readers::salvage),
    ("legacy", readers::legacy),
    ("collapsed", readers::collapsed),
    ("speedscope", readers::speedscope),
    ("merge", laws::merging),
    ("compare", laws::comparing),
    ("filter", laws::filtering),
    ("report", laws::summing),
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<fn(&[u8])> {
    TARGETS.iter().find(|it| it.0 == name).map(|it| it.1)
}
