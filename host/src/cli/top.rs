//! `wprof top`: where the weight is, as `go tool pprof -top` prints it.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use proto::analysis::top::TopOptions;
use proto::analysis::{FilterOptions, FrameOptions, Granularity, Names, PrepareOptions, prepare};

use super::sources;
use crate::report::{self, TopReport};

/// Options of `wprof top`: pprof's, with one dash or two, and `_` or `-` in their names.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct Opts {
    /// Profiles; several are added up.
    #[arg(value_name = "FILE", required = true)]
    profiles: Vec<PathBuf>,

    #[command(flatten)]
    value: ValueOpts,
    #[command(flatten)]
    granularity: GranularityOpts,
    #[command(flatten)]
    filter: FilterOpts,
    #[command(flatten)]
    trim: TrimOpts,

    /// Order by cum: the weight of a place and all it calls.
    #[arg(long, overrides_with = "flat")]
    cum: bool,
    /// Order by flat: the weight of a place alone (the default).
    #[arg(long, overrides_with = "cum")]
    flat: bool,
    /// Leave out the lines about the profile as a whole.
    #[arg(long)]
    compact_labels: bool,
    /// Ignore the profile's drop_frames and keep_frames.
    #[arg(long)]
    all_frames: bool,
    /// Names: `none` leaves them as they are, `demangle=none` shows the binary's own.
    #[arg(long, value_name = "MODE", value_parser = names, default_value = "")]
    symbolize: Names,
}

/// Which of the profile's values, and how they are shown.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Values")]
struct ValueOpts {
    /// The sample type to show, by number or name.
    #[arg(long, value_name = "INDEX")]
    sample_index: Option<String>,
    /// Show averages: divide by the first value, a count.
    #[arg(long)]
    mean: bool,
    /// Divide every value by this.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    divide_by: f64,
    /// The unit: ms, kB…; `auto` chooses for each value, `minimum` one for all.
    #[arg(long, value_name = "UNIT", default_value = "minimum")]
    unit: String,
    /// Same as --sample-index=inuse_space.
    #[arg(long)]
    inuse_space: bool,
    /// Same as --sample-index=inuse_objects.
    #[arg(long)]
    inuse_objects: bool,
    /// Same as --sample-index=alloc_space.
    #[arg(long)]
    alloc_space: bool,
    /// Same as --sample-index=alloc_objects.
    #[arg(long)]
    alloc_objects: bool,
    /// Same as --sample-index=delay.
    #[arg(long)]
    total_delay: bool,
    /// Same as --sample-index=contentions.
    #[arg(long)]
    contentions: bool,
    /// Same as --mean --sample-index=delay.
    #[arg(long)]
    mean_delay: bool,
}

/// What counts as one place.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Places")]
struct GranularityOpts {
    /// By function (the default).
    #[arg(long, group = "granularity")]
    functions: bool,
    /// By function and file.
    #[arg(long, group = "granularity")]
    filefunctions: bool,
    /// By file.
    #[arg(long, group = "granularity")]
    files: bool,
    /// By source line.
    #[arg(long, group = "granularity")]
    lines: bool,
    /// By address.
    #[arg(long, group = "granularity")]
    addresses: bool,
    /// Count inlined functions as part of their callers.
    #[arg(long)]
    noinlines: bool,
    /// Show columns with lines.
    #[arg(long)]
    showcolumns: bool,
    /// Prefixes to take off file names, separated by colons.
    #[arg(long, value_name = "PATHS", default_value = "")]
    trim_path: String,
}

/// Which samples are shown.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Filters")]
struct FilterOpts {
    /// Show only samples with this label: KEY=REGEX, REGEX, or a range of numbers as bytes=64kb:1mb, latency=:5ms.
    #[arg(long, value_name = "LABEL", default_value = "", hide_default_value = true)]
    tagfocus: String,
    /// Leave out samples with this label.
    #[arg(long, value_name = "LABEL", default_value = "", hide_default_value = true)]
    tagignore: String,
}

/// What is left out.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Trimming")]
struct TrimOpts {
    /// Show this many places at most; 0 or less shows all.
    #[arg(long, value_name = "N", default_value_t = -1, allow_negative_numbers = true)]
    nodecount: i64,
    /// Leave out places whose cum is below this share of the total.
    #[arg(long, value_name = "F", default_value_t = 0.005)]
    nodefraction: f64,
    /// Pass over calls below this share of the total.
    #[arg(long, value_name = "F", default_value_t = 0.001)]
    edgefraction: f64,
    /// Leave nothing out (pprof's --trim=false).
    #[arg(long)]
    no_trim: bool,
    /// Leave out places with negative values.
    #[arg(long)]
    drop_negative: bool,
}

fn names(mode: &str) -> Result<Names, String> {
    match mode {
        "" | "demangle=default" => Ok(Names::Simplified),
        "none" | "no" => Ok(Names::AsGiven),
        "demangle=none" => Ok(Names::System),
        _ => Err("expected none or demangle=none: wprof looks no symbols up".to_owned()),
    }
}

/// Prints the report; what keeps it from being printed goes to stderr in pprof's words, with exit code 2.
///
/// # Errors
///
/// If stdout takes no more.
#[expect(clippy::print_stderr, reason = "pprof's own messages, without a prefix")]
pub fn run(opts: Opts) -> anyhow::Result<ExitCode> {
    let options = opts.report();
    let Opts { profiles, all_frames, symbolize: names, .. } = opts;
    let profile = match sources::load(&profiles) {
        Ok(profile) => profile,
        Err(error) => {
            eprintln!("{error:#}");
            return Ok(ExitCode::from(2));
        }
    };
    let (profile, warnings) = prepare(profile, &PrepareOptions { all_frames, names });
    warnings.iter().for_each(|it| eprintln!("{it}"));
    let mut out = BufWriter::new(io::stdout().lock());
    match report::top(&mut out, &profile, &options) {
        Ok(warnings) => {
            out.flush()?;
            warnings.iter().for_each(|it| eprintln!("{it}"));
        }
        Err(report::Error::Write(error)) => return Err(error.into()),
        Err(error) => {
            eprintln!("{error}");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Opts {
    fn report(&self) -> TopReport {
        let table = TopOptions {
            sample_index: 0,
            total: None,
            frames: self.granularity.options(),
            mean: self.value.mean || self.value.mean_delay,
            sort_by_cum: self.cum,
            divide_by: self.value.divide_by,
            unit: self.value.unit.clone(),
            node_count: usize::try_from(self.trim.nodecount).unwrap_or(0),
            node_fraction: self.trim.nodefraction,
            edge_fraction: self.trim.edgefraction,
            drop_negative: self.trim.drop_negative,
        };
        let table = if self.trim.no_trim { table.untrimmed() } else { table };
        let FilterOpts { tagfocus, tagignore } = self.filter.clone();
        TopReport {
            sample_index: self.value.sample_index(),
            table,
            filters: FilterOptions { tagfocus, tagignore },
            compact_labels: self.compact_labels,
        }
    }
}

impl ValueOpts {
    /// The first sample type that is asked for, in pprof's order; others are said to be ignored.
    #[expect(clippy::print_stderr, reason = "pprof's own message, without a prefix")]
    fn sample_index(&self) -> Option<String> {
        let shorthands = [
            (self.total_delay, "delay", "-total_delay"),
            (self.mean_delay, "delay", "-mean_delay"),
            (self.contentions, "contentions", "-contentions"),
            (self.inuse_space, "inuse_space", "-inuse_space"),
            (self.inuse_objects, "inuse_objects", "-inuse_objects"),
            (self.alloc_space, "alloc_space", "-alloc_space"),
            (self.alloc_objects, "alloc_objects", "-alloc_objects"),
        ];
        let mut chosen = self.sample_index.clone().filter(|it| !it.is_empty());
        for (_, kind, option) in shorthands.into_iter().filter(|it| it.0) {
            if chosen.is_none() {
                chosen = Some(kind.to_owned());
            } else {
                eprintln!("Multiple value selections, ignoring {option}");
            }
        }
        chosen
    }
}

impl GranularityOpts {
    fn options(&self) -> FrameOptions {
        let granularity = match self {
            Self { filefunctions: true, .. } => Granularity::FileFunctions,
            Self { files: true, .. } => Granularity::Files,
            Self { lines: true, .. } => Granularity::Lines,
            Self { addresses: true, .. } => Granularity::Addresses,
            _ => Granularity::Functions,
        };
        FrameOptions {
            granularity,
            noinlines: self.noinlines,
            show_columns: self.showcolumns,
            trim_path: self.trim_path.clone(),
        }
    }
}
