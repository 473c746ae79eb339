//! What cargo cannot do alone: `cargo xtask demo` and `cargo xtask test` set up a fresh machine and do everything from
//! there; the other commands are their steps, and `bench`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod bench;
mod bundle;
mod demo;
mod fuzz;
mod guests;
mod project;
mod sections;
mod setup;
mod test;
mod wasm;

use std::process::ExitCode;

use anyhow::{Result, bail};
use bundle::Quality;
use guests::Compilers;
use project::Project;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo               set up, build all, profile a real guest, print its top table
  test               set up, build all, run every check and every test
  bench [NAME…]      what profiling costs: run time, start-up, a sample
  bench truth [NAME…]    whether CPU profiles are true: their distance to what `perf` sees
  bench cost [NAME…]     what CPU samples cost, by sampler and rate
        in place of NAMEs: [--dir HOST::GUEST] [--env NAME=VALUE] FILE.wasm [-- ARG…]
  bench pprof [SAMPLES [DEPTH]]    how fast profiles are read and summed up, beside Go's pprof
  bench viewer [CASE…]   how soon the viewer shows profiles, made up, in a browser, beside speedscope
  fuzz [TARGET…] [--seconds N]    look for bytes that break a reader or a law of profiles

  setup              only install what is missing for `test`
  bundle [--quick]   only build the viewer into www/dist; quickly, for whoever works on it: larger and slower
  guests             only build the guests into target/guests";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let (command, rest) = args.split_first().map_or(("help", args), |(command, rest)| (command.as_str(), rest));
    if matches!(command, "help" | "-h" | "--help") {
        println!("{USAGE}");
        return Ok(());
    }
    match command {
        "bench" | "fuzz" => {}
        "bundle" if rest == ["--quick"] => {}
        _ if rest.is_empty() => {}
        _ => bail!("`{command}` does not take `{}`\n{USAGE}", rest.join(" ")),
    }
    let project = Project::find()?;
    let outcome = match command {
        "demo" => demo::run(&project),
        "test" => test::run_all(&project),
        "bench" => bench::run(&project, rest),
        "fuzz" => fuzz::run_targets(&project, rest),
        "setup" => setup::for_tests(&project).map(drop),
        "bundle" => {
            let quality = if rest.is_empty() { Quality::Full } else { Quality::Quick };
            setup::wasm_targets(&project).and_then(|toolchain| bundle::build(&project, &toolchain, quality))
        }
        "guests" => setup::wasm_targets(&project)
            .and_then(|toolchain| guests::build(&project, &toolchain, &Compilers::find(&project))),
        _ => bail!("no command `{command}`\n{USAGE}"),
    };
    project.print_timings();
    outcome
}
