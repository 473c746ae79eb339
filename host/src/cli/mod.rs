//! The command line: one file a subcommand, each with its options and a `run`.

mod messages;
mod pprof_args;
mod progress;
pub mod run;
mod sources;
pub mod top;
pub mod view;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Profiler for WebAssembly.
#[derive(Debug, Parser)]
#[command(name = "wprof", version, about = "Profiler for WebAssembly: where a guest's time goes, as pprof files")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a module or component and profile it.
    Run(Box<run::Opts>),
    /// Open the viewer on profiles.
    View(view::Opts),
    /// Print where the time goes, as `go tool pprof -top` does.
    Top(top::Opts),
}

/// Reads the command line and does what it says.
///
/// # Errors
///
/// Whatever kept the command from being done.
pub fn main(args: impl Iterator<Item = OsString>) -> anyhow::Result<ExitCode> {
    match Cli::parse_from(pprof_args::normalise_args(args)).command {
        Command::Run(opts) => run::run(*opts),
        Command::View(opts) => view::run(&opts),
        Command::Top(opts) => top::run(opts),
    }
}
