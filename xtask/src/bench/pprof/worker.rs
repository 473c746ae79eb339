//! Our side of the race, a process of its own as Go's is: `xtask bench pprof-worker TASK FILE…` does one task over and
//! over, a turn for each line on stdin, and tells each turn's time as a line of JSON. See timer.go.

use std::any::Any;
use std::fs;
use std::io::{Write, stdin, stdout};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use proto::analysis::top::{Top, TopOptions, top};
use proto::analysis::tree::{CallTree, TreeOptions};
use proto::{Limits, Profile, decode, merge};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What one turn took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Turn {
    pub(super) wall_seconds: f64,
    /// Of all threads of the process.
    pub(super) cpu_seconds: f64,
    /// The most memory that the process ever had; 0 where the system does not tell.
    pub(super) peak_bytes: u64,
    /// A number that shows whether both sides did the same.
    pub(super) found: i64,
}

/// The nanoseconds of the made-up profiles.
const SAMPLE_INDEX: usize = 1;

/// What a task found, and all that it made, which goes when the clock has stopped: Go frees nothing while its runs.
type Made = (i64, Box<dyn Any>);

pub(in crate::bench) fn run(args: &[String]) -> Result<()> {
    let (task, files) = args.split_first().context("a task and files")?;
    let read = |file| fs::read(file).with_context(|| format!("read {file}"));
    let files: Vec<Vec<u8>> = files.iter().map(read).collect::<Result<_>>()?;
    let mut work = prepare(task, files)?;
    for line in stdin().lines() {
        line?;
        let (wall, cpu) = (Instant::now(), cpu_seconds());
        let (found, made) = work()?;
        let (wall_seconds, cpu_seconds) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        drop(made);
        let turn = Turn { wall_seconds, cpu_seconds, peak_bytes: peak_bytes(), found };
        writeln!(stdout(), "{}", serde_json::to_string(&turn)?)?;
    }
    Ok(())
}

/// The files are kept only if the task is to read them, as they count in its memory.
fn prepare(task: &str, mut files: Vec<Vec<u8>>) -> Result<Box<dyn FnMut() -> Result<Made>>> {
    let read = |file: &[u8]| decode(file, &Limits::default());
    if task == "merge" {
        let profiles: Vec<Profile> = files.iter().map(|it| read(it)).collect::<Result<_, _>>()?;
        return Ok(Box::new(move || {
            let merged = merge(&profiles)?;
            Ok((merged.n_samples() as i64, Box::new(merged)))
        }));
    }
    let first = files.pop().context("a file")?;
    let is_tree = task == "tree";
    Ok(match task {
        "decode" => Box::new(move || {
            let profile = read(&first)?;
            Ok((profile.n_samples() as i64, Box::new(profile)))
        }),
        "tree" | "graph" => Box::new(move || {
            let profile = read(&first)?;
            let tree = CallTree::new(&profile, &TreeOptions { sample_index: SAMPLE_INDEX, ..TreeOptions::default() });
            // Go's graph has other nodes; its call tree has ours, but takes inlined frames for plain ones.
            let found = if is_tree { tree.n_nodes() as i64 - 1 } else { 0 };
            Ok((found, Box::new((profile, tree))))
        }),
        "top" => {
            let profile = read(&first)?;
            Box::new(move || Ok(found_top(top_of(&profile))))
        }
        "file-top" => Box::new(move || Ok(found_top(top_of(&read(&first)?)))),
        "encode" | "encode-gzip" => {
            let profile = read(&first)?;
            let encode = if task == "encode" { proto::encode } else { proto::encode_gzip };
            // Compressors differ in what comes out.
            Box::new(move || Ok((0, Box::new(encode(&profile)))))
        }
        _ => bail!("no task `{task}`"),
    })
}

fn top_of(profile: &Profile) -> Top {
    top(profile, &TopOptions { sample_index: SAMPLE_INDEX, ..TopOptions::default() })
}

fn found_top(top: Top) -> Made {
    (top.shown, Box::new(top))
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
