//! The command line: one file a subcommand, each with its options and a `run`.

pub mod convert;
pub mod diff;
mod messages;
mod pprof_args;
mod progress;
pub mod report;
pub mod run;
mod sources;
pub mod view;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::Kind;
use crate::report::graphviz::Format;

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
    /// Print where the weight is: functions by their own and by all they call.
    Top(Box<report::Opts>),
    /// Print each function with its callers and callees.
    Tree(Box<report::Opts>),
    /// Print the callers and callees of some functions.
    Peek(Box<report::PatternOpts>),
    /// Print what changed between two profiles, the worst first.
    Diff(Box<diff::Opts>),
    /// Print the source lines of some functions with their weights.
    List(Box<report::PatternOpts>),
    /// Print the instructions of some functions with their weights.
    Disasm(Box<report::PatternOpts>),
    /// Print every sample's stack.
    Traces(Box<report::Opts>),
    /// Print what the samples' labels weigh.
    Tags(Box<report::Opts>),
    /// Print everything that is in a profile.
    Raw(Box<report::Opts>),
    /// Print a profile's comments.
    Comments(Box<report::Opts>),
    /// Print the call graph for Graphviz.
    Dot(Box<report::Opts>),
    /// Draw the call graph as SVG, with Graphviz.
    Svg(Box<report::Opts>),
    /// Draw the call graph as PNG, with Graphviz.
    Png(Box<report::Opts>),
    /// Print the call graph for KCachegrind.
    Callgrind(Box<report::Opts>),
    /// Write what filters and comparison leave as a profile.
    Proto(Box<report::Opts>),
    /// Write the heaviest functions as a profile.
    Topproto(Box<report::Opts>),
    /// Write profiles in the formats of other tools, or read them.
    Convert(convert::Opts),
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
        Command::Top(opts) => report::run(&Kind::Top, &opts),
        Command::Tree(opts) => report::run(&Kind::Tree, &opts),
        Command::Peek(opts) => report::run_on(Kind::Peek, &opts),
        Command::Diff(opts) => diff::run(&opts),
        Command::List(opts) => report::run_on(Kind::List, &opts),
        Command::Disasm(opts) => report::run_on(Kind::Disasm, &opts),
        Command::Traces(opts) => report::run(&Kind::Traces, &opts),
        Command::Tags(opts) => report::run(&Kind::Tags, &opts),
        Command::Raw(opts) => report::run(&Kind::Raw, &opts),
        Command::Comments(opts) => report::run(&Kind::Comments, &opts),
        Command::Dot(opts) => report::run(&Kind::Dot, &opts),
        Command::Svg(opts) => report::run(&Kind::Drawing(Format::Svg), &opts),
        Command::Png(opts) => report::run(&Kind::Drawing(Format::Png), &opts),
        Command::Callgrind(opts) => report::run(&Kind::Callgrind, &opts),
        Command::Proto(opts) => report::run(&Kind::Proto, &opts),
        Command::Topproto(opts) => report::run(&Kind::TopProto, &opts),
        Command::Convert(opts) => convert::run(&opts),
    }
}
