//! The reports: pprof's, each a subcommand with pprof's options.

mod options;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use proto::Profile;
use proto::analysis::{CompareOptions, compare, prepare};

use super::sources;
use crate::report::graphviz::Format;
use crate::report::{self, Kind};
pub(super) use options::Options;

/// Which profiles a report is of, and where it goes.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct Opts {
    /// Profiles: files of any format that wprof knows, hosts with a port, or URLs. Several are added up.
    #[arg(value_name = "FILE", required = true)]
    profiles: Vec<OsString>,

    #[command(flatten)]
    compare: CompareOpts,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    output: Output,
}

/// Where a report goes, and in which form.
#[derive(Debug, clap::Args)]
pub(super) struct Output {
    /// Write the report to this file.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// As JSON, values as they are: top, tree, peek, traces and diff.
    #[arg(long)]
    pub(super) json: bool,
}

/// The same for reports on some places only.
#[derive(Debug, clap::Args)]
pub struct PatternOpts {
    /// What the names of the functions match.
    #[arg(value_name = "REGEX")]
    pattern: String,
    #[command(flatten)]
    opts: Opts,
}

/// What is taken away first.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Comparison")]
struct CompareOpts {
    /// Take these profiles away first.
    #[arg(long, value_name = "FILE")]
    base: Vec<OsString>,
    /// The same, and percentages are of them.
    #[arg(long, value_name = "FILE", conflicts_with = "base")]
    diff_base: Vec<OsString>,
    /// First scale the profiles so that they are as much as the base.
    #[arg(long)]
    normalize: bool,
}

/// Prints the report on the places that match.
///
/// # Errors
///
/// As [`run`].
pub fn run_on(kind: fn(String) -> Kind, PatternOpts { pattern, opts }: &PatternOpts) -> anyhow::Result<ExitCode> {
    run(&kind(pattern.clone()), opts)
}

/// Prints the report; what keeps it from being printed goes to stderr in pprof's words, with exit code 2.
///
/// # Errors
///
/// If the output takes no more.
#[expect(clippy::print_stderr, reason = "pprof's own messages, without a prefix")]
pub fn run(kind: &Kind, opts: &Opts) -> anyhow::Result<ExitCode> {
    let options = opts.options.report(kind, opts.output.json);
    let profile = match load(opts) {
        Ok(profile) => profile,
        Err(error) => {
            eprintln!("{error:#}");
            return Ok(ExitCode::from(2));
        }
    };
    let (profile, warnings) = prepare(profile, &opts.options.prepare());
    warnings.iter().for_each(|it| eprintln!("{it}"));
    let mut text = Vec::new();
    match report::write(&mut text, kind, &profile, &options) {
        Ok(warnings) => warnings.iter().for_each(|it| eprintln!("{it}")),
        Err(error) => {
            eprintln!("{error}");
            return Ok(ExitCode::from(2));
        }
    }
    opts.output.put(kind, &text)?;
    Ok(ExitCode::SUCCESS)
}

fn load(opts: &Opts) -> anyhow::Result<Profile> {
    let profile = sources::fetch(&opts.profiles, "source", &opts.options.fetch)?;
    let CompareOpts { base, diff_base, normalize } = &opts.compare;
    let is_diff = !diff_base.is_empty();
    let bases = if is_diff { diff_base } else { base };
    if bases.is_empty() {
        if *normalize {
            bail!("must have base profile to normalize by");
        }
        return Ok(profile);
    }
    let base = sources::fetch(bases, "base", &opts.options.fetch)?;
    let options = CompareOptions { is_diff, normalize: *normalize };
    compare(profile, base, &options).context("problem fetching source profiles")
}

impl Output {
    #[expect(clippy::print_stderr, reason = "pprof's own message, without a prefix")]
    pub(super) fn put(&self, kind: &Kind, text: &[u8]) -> anyhow::Result<()> {
        if let Some(output) = &self.output {
            eprintln!("Generating report in {}", output.display());
            let mut file = File::create(output).with_context(|| format!("create {}", output.display()))?;
            return file.write_all(text).with_context(|| format!("write {}", output.display()));
        }
        let is_text = !matches!(kind, Kind::Proto | Kind::TopProto | Kind::Drawing(Format::Png));
        if !is_text && io::stdout().is_terminal() {
            bail!("this report is no text for a terminal: name a file with --output");
        }
        let mut out = BufWriter::new(io::stdout().lock());
        out.write_all(text)?;
        Ok(out.flush()?)
    }
}
