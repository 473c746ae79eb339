//! The profiles that the viewer is measured with, made up once and kept in target/bench/viewer.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proto::analysis::tree::{CallTree, TreeOptions};
use proto::{LabelSpec, Profile, ProfileBuilder};

use crate::bench::made_up::{Program, Random};
use crate::project::say;

/// A profile to be made up: a tree of stacks that are alike in groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// All different.
    pub(super) n_stacks: usize,
    /// Samples of each stack, told apart by a label.
    pub(super) n_repeats: usize,
    /// Mean locations of a stack; stacks are up to a third shorter and longer.
    pub(super) depth: usize,
    /// Of the program; each has three call sites, so three locations.
    pub(super) n_functions: usize,
    /// Stacks that go the same way but for their last frames.
    pub(super) n_alike: usize,
    /// The most frames at its end that a stack has to itself.
    pub(super) n_own: usize,
    /// Percent of the stacks that go the way of the one before them, which gzip sees.
    pub(super) again: usize,
}

impl Shape {
    fn profile(self) -> Profile {
        let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
        builder.period("cpu", "nanoseconds", 10_000_000);
        builder.time_nanos(1_700_000_000_000_000_000);
        builder.duration_nanos(30_000_000_000);
        let program = Program::new(&mut builder, self.n_functions);
        let n_paths = self.n_stacks.div_ceil(self.n_alike);
        let mut random = Random::of_seed(1);
        let mut stack = Vec::new();
        let (mut path, mut request) = (0, 0);
        let mut seen = HashSet::new();
        while builder.n_samples() < self.n_stacks * self.n_repeats {
            if random.below(100) >= self.again {
                path = random.below(n_paths) as u64;
            }
            program.fork(self.depth, path, self.n_own, &mut random, &mut stack);
            // Without labels the builder knows a stack again.
            if self.n_repeats > 1 && !seen.insert(stack.clone()) {
                continue;
            }
            for _ in 0..self.n_repeats {
                let weight = 1 + random.below(4) as i64;
                let values = [weight, weight * 10_000_000];
                if self.n_repeats == 1 {
                    builder.sample(&stack, &values, &[]);
                } else {
                    request += 1;
                    let label = LabelSpec::Num { key: "request", num: request, unit: "" };
                    builder.sample(&stack, &values, &[label]);
                }
            }
        }
        builder.finish()
    }
}

/// What an input amounts to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Size {
    pub(super) gzip_mb: f64,
    pub(super) mb: f64,
    /// Of the call tree, inlined frames among them; thousands. `None` where nobody has counted them.
    pub(super) kilonodes: Option<f64>,
}

/// The file of this profile, made if it is not there yet.
pub(super) fn file(dir: &Path, name: &str, shape: Shape, wanted: Size) -> Result<PathBuf> {
    let path = dir.join(format!("{name}.pb.gz"));
    let note = dir.join(format!("{name}.txt"));
    let made_as = format!("{VERSION} {shape:?}");
    if path.is_file() && fs::read_to_string(&note).is_ok_and(|it| it == made_as) {
        return Ok(path);
    }
    fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))?;
    let profile = shape.profile();
    let kilonodes = CallTree::new(&profile, &TreeOptions::default()).n_nodes() as f64 / 1e3;
    let mb = proto::encode(&profile).len() as f64 / 1e6;
    let gzip = proto::encode_gzip(&profile);
    let size = Size { gzip_mb: gzip.len() as f64 / 1e6, mb, kilonodes: Some(kilonodes) };
    say(&format!("made {name}: {} samples, {}; wanted {}", profile.n_samples(), size.words(), wanted.words()));
    fs::write(&path, gzip).with_context(|| format!("write {}", path.display()))?;
    fs::write(&note, made_as).with_context(|| format!("write {}", note.display()))?;
    Ok(path)
}

/// Raised when the same [`Shape`] makes other profiles.
const VERSION: u32 = 1;

impl Size {
    fn words(self) -> String {
        let nodes = self.kilonodes.map(|it| format!(", {it:.1}k nodes")).unwrap_or_default();
        format!("{:.3} MB gzipped, {:.2} MB{nodes}", self.gzip_mb, self.mb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Shape =
        Shape { n_stacks: 500, n_repeats: 1, depth: 30, n_functions: 900, n_alike: 20, n_own: 6, again: 0 };

    #[test]
    fn as_many_stacks_as_asked_for_each_as_often() {
        for (n_stacks, n_repeats) in [(500, 1), (40, 7), (1, 3)] {
            let profile = Shape { n_stacks, n_repeats, ..SMALL }.profile();
            let stacks: HashSet<Vec<_>> = profile.samples().map(|sample| sample.locations.to_vec()).collect();
            assert_eq!((stacks.len(), profile.n_samples()), (n_stacks, n_stacks * n_repeats));
            assert!(stacks.iter().all(|it| (20..=40).contains(&it.len())), "a third more or less than 30");
        }
    }

    #[test]
    fn the_same_each_time() {
        assert!(proto::encode(&SMALL.profile()) == proto::encode(&SMALL.profile()));
    }

    #[test]
    fn stacks_are_alike_but_for_their_ends() {
        let n_nodes = |n_alike| CallTree::new(&Shape { n_alike, ..SMALL }.profile(), &TreeOptions::default()).n_nodes();
        let (few, many) = (n_nodes(50), n_nodes(1));
        assert!(500 < few && few * 2 < many, "{few} and {many} nodes");
    }
}
