//! `cargo xtask bench cost`: what CPU profiling costs the guest's thread, with both samplers.

use anyhow::{Result, bail};

use super::run_time::{self, Mode, PLAIN};
use super::workload::{Workload, loops};
use crate::project::Project;

const TURNS: usize = 10;
/// CPU time of one run.
const SECONDS: f64 = 2.0;

const GUESTS: [&str; 6] = ["truth", "sqlite", "lua", "python", "wordbook", "deep"];

/// By sampler, so that all of one that does not work here can be left out.
const MODES: [(&str, [Mode; 2]); 2] = [
    (
        "signal",
        [
            ("signal 100 Hz", &["--sampler=signal", "--hz=100", "--no-heap"]),
            ("signal 1000 Hz", &["--sampler=signal", "--hz=1000", "--no-heap"]),
        ],
    ),
    (
        "epoch",
        [
            ("epoch 100 Hz", &["--sampler=epoch", "--hz=100", "--no-heap"]),
            ("epoch 1000 Hz", &["--sampler=epoch", "--hz=1000", "--no-heap"]),
        ],
    ),
];

pub(super) fn run(project: &Project, args: &[String]) -> Result<()> {
    let mut modes = vec![PLAIN];
    for (sampler, its) in MODES {
        if run_time::has_sampler(project, sampler) {
            modes.extend(its);
        }
    }
    let loops = loops(project, &GUESTS, args)?;
    if loops.is_empty() {
        bail!("nothing to measure");
    }
    let workloads: Vec<Workload> = loops.iter().map(|it| it.lasting(project, SECONDS)).collect::<Result<_>>()?;
    run_time::measure(project, &workloads, &modes, TURNS)
}
