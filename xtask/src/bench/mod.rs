//! `cargo xtask bench`: what profiling costs, and whether its numbers are true. Plain and profiled runs take turns, so that a
//! machine that slows down slows both; a ratio is of neighbours, and is shown with its spread.

mod cost;
mod http;
mod made_up;
mod pieces;
mod pprof;
mod run_stats;
mod run_time;
mod spread;
mod truth;
mod viewer;
mod workload;

use anyhow::{Result, bail};

use crate::bundle::{self, Quality};
use crate::project::Project;
use crate::{guests, setup};
use run_time::{Mode, PLAIN};
use workload::Workload;

/// Ways to run a guest, the plain one first. `usual` is what `wprof run` does when nothing is said.
const MODES: [Mode; 6] = [
    PLAIN,
    ("100 Hz", &["--hz=100", "--no-heap"]),
    ("1000 Hz", &["--hz=1000", "--no-heap"]),
    ("heap", &["--no-cpu"]),
    ("heap all", &["--no-cpu", "--memprofilerate=1"]),
    ("usual", &[]),
];
const TURNS: usize = 7;

/// Builds all, then measures: the guests named, or a module of the user's with its arguments, or the usual ones.
pub(crate) fn run(project: &Project, args: &[String]) -> Result<()> {
    match args.split_first() {
        // These need no guest, so nothing is built for them.
        Some((what, rest)) if what == "pprof" => return project.step("reading profiles", || pprof::run(project, rest)),
        Some((what, rest)) if what == "viewer" => {
            if !rest.iter().any(|it| ["--make", "--as-is"].contains(&it.as_str())) {
                bundle::build(project, &setup::wasm_targets(project)?, Quality::Full)?;
            }
            return project.step("the viewer", || viewer::run(project, rest));
        }
        Some((what, rest)) if what == "http" => {
            project.build()?;
            return project.step("serving profiles", || http::run(project, rest));
        }
        Some((what, rest)) if what == "pprof-worker" => return pprof::worker::run(rest),
        _ => {}
    }
    let toolchain = setup::wasm_targets(project)?;
    bundle::build(project, &toolchain, Quality::Full)?;
    project.build()?;
    guests::build(project, &toolchain, &guests::Compilers::find(project))?;
    match args.split_first() {
        Some((what, rest)) if what == "truth" => project.step("truth", || truth::run(project, rest)),
        Some((what, rest)) if what == "cost" => project.step("cost of CPU samples", || cost::run(project, rest)),
        _ => run_usual(project, args),
    }
}

fn run_usual(project: &Project, args: &[String]) -> Result<()> {
    let workloads = workloads(project, args)?;
    project.step("run time", || run_time::measure(project, &workloads, &MODES, TURNS))?;
    if !args.is_empty() {
        return Ok(());
    }
    project.step("cost of a sample", || pieces::cost_of_a_sample(project))?;
    project.step("cost of a block", || pieces::cost_of_a_block(project))?;
    project.step("start-up", || pieces::start_up(project))
}

fn workloads(project: &Project, args: &[String]) -> Result<Vec<Workload>> {
    if let Some(workload) = Workload::of_user(args)? {
        return Ok(vec![workload]);
    }
    let usual = [
        ("wordbook", ""),
        ("lists", "80"),
        ("shapes", ""),
        ("mapper", "60"),
        ("allocs", "200000 64"),
        ("pairs", "30000000"),
        ("hostcalls", "clock 5000000"),
    ];
    let has_name = |name: &str| args.is_empty() || args.iter().any(|arg| arg == name);
    let chosen =
        usual.into_iter().filter(|(name, _)| has_name(name)).map(|(name, args)| Workload::guest(project, name, args));
    let chosen: Vec<_> = chosen.filter(|workload| workload.module.is_file()).collect();
    if chosen.is_empty() {
        bail!("no such guest; there are {}", usual.map(|(name, _)| name).join(", "));
    }
    Ok(chosen)
}
