//! `cargo xtask bench viewer [CASE…]`: how soon the viewer shows profiles, made up and dropped on its page in a browser.
//!
//! Each turn is a fresh browser, ours and speedscope's one after the other. Memory is the page's process at its peak.

mod inputs;
mod measure;
mod report;
mod server;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::project::{Project, say};
use crate::setup::{self, Browser};
use inputs::{Shape, Size};
use measure::{Side, load};
use report::Targets;

const OUR_PATIENCE: Duration = Duration::from_secs(60);
const THEIR_PATIENCE: Duration = Duration::from_secs(90);

/// A profile and what is asked of it.
struct Case {
    name: &'static str,
    shape: Shape,
    /// As the profiles were that other viewers have been measured with.
    size: Size,
    targets: Targets,
    /// Too much for speedscope, as was found once.
    is_large: bool,
}

const CASES: [Case; 6] = [
    Case {
        name: "go",
        shape: Shape { n_stacks: 450, n_repeats: 1, depth: 22, n_functions: 440, n_alike: 8, n_own: 5, again: 0 },
        size: Size { gzip_mb: 0.025, mb: 0.1, kilonodes: None },
        targets: Targets { painted: Some(100.0), ..Targets::NONE },
        is_large: false,
    },
    Case {
        name: "10k",
        shape: Shape { n_stacks: 10_000, n_repeats: 1, depth: 66, n_functions: 4_200, n_alike: 27, n_own: 7, again: 0 },
        size: Size { gzip_mb: 0.7, mb: 2.2, kilonodes: Some(52.0) },
        targets: Targets { painted: Some(150.0), ..Targets::NONE },
        is_large: false,
    },
    Case {
        name: "100k",
        shape: Shape {
            n_stacks: 100_000,
            n_repeats: 1,
            depth: 88,
            n_functions: 9_000,
            n_alike: 33,
            n_own: 7,
            again: 61,
        },
        size: Size { gzip_mb: 8.0, mb: 24.0, kilonodes: Some(546.0) },
        targets: Targets { painted: Some(500.0), search: Some(50.0), ..Targets::NONE },
        is_large: false,
    },
    Case {
        name: "deep",
        shape: Shape {
            n_stacks: 100_000,
            n_repeats: 1,
            depth: 320,
            n_functions: 40_000,
            n_alike: 100,
            n_own: 8,
            again: 48,
        },
        size: Size { gzip_mb: 45.0, mb: 100.0, kilonodes: None },
        targets: Targets { painted: Some(1_500.0), ..Targets::NONE },
        is_large: true,
    },
    Case {
        name: "repeated",
        shape: Shape {
            n_stacks: 20_000,
            n_repeats: 50,
            depth: 47,
            n_functions: 8_000,
            n_alike: 20,
            n_own: 6,
            again: 0,
        },
        size: Size { gzip_mb: 6.0, mb: 128.0, kilonodes: None },
        targets: Targets::NONE,
        is_large: true,
    },
    Case {
        name: "1M",
        shape: Shape {
            n_stacks: 1_000_000,
            n_repeats: 1,
            depth: 82,
            n_functions: 30_000,
            n_alike: 32,
            n_own: 7,
            again: 26,
        },
        size: Size { gzip_mb: 135.0, mb: 247.0, kilonodes: Some(5_400.0) },
        targets: Targets { first_paint: Some(2_500.0), complete: Some(6_000.0), peak_mb: Some(900.0), ..Targets::NONE },
        is_large: true,
    },
];

/// Fresh pages of each case.
const N_TURNS: usize = 5;

pub(super) fn run(project: &Project, args: &[String]) -> Result<()> {
    let (options, names): (Vec<&String>, Vec<&String>) = args.iter().partition(|it| it.starts_with("--"));
    let known = ["--make", "--as-is", "--large"];
    let unknown = options.iter().find(|it| !known.contains(&it.as_str()));
    if let Some(unknown) = unknown.or(names.iter().find(|it| !is_case(it))) {
        let cases = CASES.map(|it| it.name).join(", ");
        bail!(
            "no `{unknown}`; the cases are {cases}; --make only makes their files, \
             --as-is takes the bundle that is there, --large gives large files to speedscope too"
        );
    }
    let has = |option: &str| options.iter().any(|it| *it == option);
    let dir = project.target.join("bench/viewer");
    let mut cases = Vec::new();
    for case in CASES.iter().filter(|case| names.is_empty() || names.iter().any(|name| *name == case.name)) {
        let file = inputs::file(&dir, case.name, case.shape, case.size)?;
        say(&format!("{} is in {}", case.name, project.shown(&file)));
        cases.push((case, file));
    }
    if has("--make") {
        return Ok(());
    }
    let browser = setup::browser()?;
    let ours = server::serve(&project.root.join("www/dist"))?;
    let theirs = setup::speedscope(project).map(|it| server::serve(&it.join("dist/release"))).transpose()?;
    for (case, file) in cases {
        let theirs = theirs.as_deref().filter(|_| !case.is_large || has("--large"));
        measure_case(case, &file, &browser, &ours, theirs)?;
    }
    Ok(())
}

fn is_case(name: &str) -> bool {
    CASES.iter().any(|case| case.name == name)
}

/// Turns of ours and speedscope's, one after the other, so that a machine that slows down slows both.
fn measure_case(case: &Case, file: &Path, browser: &Browser, ours: &str, theirs: Option<&str>) -> Result<()> {
    let mut turns = Vec::new();
    let mut their_turns = Vec::new();
    let mut their_end = None;
    let mut interactions = None;
    for idx in 0..N_TURNS {
        let loaded = load(browser, Side::Ours, ours, file, OUR_PATIENCE).with_context(|| case.name)?;
        turns.push(loaded.turn);
        if idx + 1 == N_TURNS {
            interactions = Some(loaded.interact()?);
        }
        drop(loaded);
        // One that has failed once would fail again, after as long.
        if let (Some(url), None) = (theirs, &their_end) {
            match load(browser, Side::Speedscope, url, file, THEIR_PATIENCE) {
                Ok(loaded) => their_turns.push(loaded.turn),
                Err(error) => their_end = Some(format!("{error:#}")),
            }
        }
    }
    for line in report::lines(&case.targets, &turns, &their_turns, interactions.as_ref()) {
        println!("{line}", line = format_args!("   {:<9}{line}", case.name));
    }
    if let Some(end) = their_end {
        say(&format!("speedscope: {end}"));
    }
    Ok(())
}
