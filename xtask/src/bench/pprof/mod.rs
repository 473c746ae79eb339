//! `cargo xtask bench pprof [SAMPLES [DEPTH]]`: how fast profiles are read and summed up, beside Go's pprof.
//!
//! Profiles are made up. Both sides get a file's bytes in memory; at each task they take turns, so that a machine that
//! slows down slows both. Megabytes are of message, before gzip. Speeds are by wall time, as is *ratio*; Go collects
//! garbage on threads of its own, so *CPU ratio* is by the CPU time of all threads.

mod race;
mod theirs;
pub(super) mod worker;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::made_up::MadeUp;
use super::spread::Spread;
use crate::project::{Project, say};
use race::{Pair, Runner, Side, race};

/// Turns of each side at what takes Go a second or three, and at what takes it most of a minute.
const QUICK: usize = 7;
const SLOW: usize = 3;
const N_SAMPLES: usize = 1_000_000;
const DEPTH: usize = 30;
const N_MERGED: usize = 10;
/// Of the profile whose reading is looked at for memory, inflated.
const BIG_MB: f64 = 100.0;

pub(super) fn run(project: &Project, args: &[String]) -> Result<()> {
    let number = |idx: usize, usual| args.get(idx).map_or(Ok(usual), |it| it.parse().context("SAMPLES and DEPTH"));
    let (n_samples, depth) = (number(0, N_SAMPLES)?, number(1, DEPTH)?);
    if n_samples < N_MERGED || depth < 9 {
        bail!("too few: SAMPLES is {N_MERGED} or more, DEPTH 9 or more");
    }
    let timer = theirs::build(project)?;
    let dir = project.target.join("bench");
    fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    let made_up = |n_samples, seed| MadeUp { n_samples, depth, seed };
    let whole = make(&dir, "whole", &[made_up(n_samples, 0)])?;
    let parts: Vec<MadeUp> = (1..).map(|seed| made_up(n_samples / N_MERGED, seed)).take(N_MERGED).collect();
    let parts = make(&dir, "part", &parts)?;
    let big = make(&dir, "big", &[made_up(samples_of(BIG_MB, &whole, n_samples), 0)])?;

    print_heads();
    let part = &parts.bare[..1];
    for (name, task, files, mb, n_turns) in [
        ("decode, gzip", "decode", &*whole.gzip, whole.mb, QUICK),
        ("decode", "decode", &whole.bare, whole.mb, QUICK),
        ("decode + tree (Go: graph)", "graph", &whole.bare, whole.mb, SLOW),
        // Go's takes 12 GB for a million samples.
        ("decode + tree, of a tenth", "tree", part, whole.mb / N_MERGED as f64, QUICK),
        ("top, decoded", "top", &whole.bare, whole.mb, SLOW),
        ("merge of ten, decoded", "merge", &parts.bare, parts.mb, QUICK),
        ("encode", "encode", &whole.bare, whole.mb, QUICK),
        ("encode, gzip", "encode-gzip", &whole.bare, whole.mb, QUICK),
    ] {
        print_race(name, mb, &race(timer.as_deref(), task, files, n_turns)?);
    }
    print_memory(&big.gzip[0], big.mb, timer.as_deref())
}

/// A profile's files.
struct Files {
    bare: Vec<PathBuf>,
    gzip: Vec<PathBuf>,
    /// Of the bare ones.
    mb: f64,
}

fn make(dir: &Path, name: &str, made_up: &[MadeUp]) -> Result<Files> {
    let mut files = Files { bare: Vec::new(), gzip: Vec::new(), mb: 0.0 };
    let mut gzip_mb = 0.0;
    for (idx, it) in made_up.iter().enumerate() {
        let profile = it.profile();
        let message = proto::encode(&profile);
        let gzipped = proto::encode_gzip(&profile);
        for (bytes, suffix, paths) in [(&message, "pb", &mut files.bare), (&gzipped, "pb.gz", &mut files.gzip)] {
            let path = dir.join(format!("{name}{idx}.{suffix}"));
            fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
            paths.push(path);
        }
        files.mb += megabytes(message.len());
        gzip_mb += megabytes(gzipped.len());
    }
    let n_samples: usize = made_up.iter().map(|it| it.n_samples).sum();
    let mb = files.mb;
    say(&format!("{name}: {n_samples} samples in {} files, {mb:.1} MB, gzipped {gzip_mb:.1} MB", made_up.len()));
    Ok(files)
}

/// How many samples make a file of `mb`, if `n_samples` make this one.
fn samples_of(mb: f64, files: &Files, n_samples: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "neither negative nor large")]
    let n = (mb / files.mb * n_samples as f64) as usize;
    n
}

fn megabytes(n_bytes: usize) -> f64 {
    n_bytes as f64 / 1e6
}

fn print_heads() {
    println!("{:<26}{:>22}{:>22}{:>24}{:>24}", "", "MB/s", "Go, MB/s", "ratio", "CPU ratio");
}

fn print_race(name: &str, mb: f64, pairs: &[Pair]) {
    let spread = |value: &dyn Fn(&Pair) -> Option<f64>| {
        let spread = Spread::of(pairs.iter().filter_map(value));
        if spread.median.is_nan() { "-".to_owned() } else { spread.with_unit("") }
    };
    let ours = spread(&|(ours, _)| Some(mb / ours.wall_seconds));
    let theirs = spread(&|(_, theirs)| Some(mb / theirs.as_ref()?.wall_seconds));
    let ratio = spread(&|(ours, theirs)| Some(theirs.as_ref()?.wall_seconds / ours.wall_seconds));
    let cpu_ratio = spread(&|(ours, theirs)| Some(theirs.as_ref()?.cpu_seconds / ours.cpu_seconds));
    println!("{name:<26}{ours:>22}{theirs:>22}{ratio:>24}{cpu_ratio:>24}");
    // Both count what they found, which is to be the same.
    if let Some((ours, Some(theirs))) = pairs.first()
        && ours.found != theirs.found
    {
        say(&format!("found {}, Go {}", ours.found, theirs.found));
    }
}

/// Reads a big file and makes its table, in processes that do nothing else, and looks at the most memory they had.
fn print_memory(file: &Path, mb: f64, timer: Option<&Path>) -> Result<()> {
    let files = [file.to_owned()];
    let peak = |side| -> Result<f64> {
        let turn = Runner::start(side, "file-top", &files)?.turn()?;
        Ok(turn.peak_bytes as f64 / 1e6 / mb)
    };
    let ours = peak(Side::Ours)?;
    let theirs = timer.map(|it| peak(Side::Theirs(it))).transpose()?;
    let theirs = theirs.map_or_else(|| "-".to_owned(), |it| format!("{it:.2}"));
    say(&format!("peak memory of decode + top, over {mb:.1} MB inflated: {ours:.2}, Go's {theirs}"));
    Ok(())
}
