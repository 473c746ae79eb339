//! pprof's options, in groups that all reports share.

use std::path::PathBuf;

use proto::analysis::top::TopOptions;
use proto::analysis::{FilterOptions, FrameOptions, Granularity, PrepareOptions, SelectOptions, TagFrames};

use crate::cli::sources::FetchOpts;
use crate::report::{Kind, ReportOptions};

/// Options of every report: pprof's, with one dash or two, and `_` or `-` in their names.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(in crate::cli) struct Options {
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
    /// Percentages are of what the filters leave.
    #[arg(long)]
    relative_percentages: bool,
    /// In graphs, show a place once for each way that leads to it.
    #[arg(long)]
    call_tree: bool,
    /// Ignore the profile's drop_frames and keep_frames.
    #[arg(long)]
    all_frames: bool,
    /// The module whose instructions `disasm` shows, in place of the file that the profile names.
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) fetch: FetchOpts,
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
    #[arg(long, value_name = "PATHS", default_value = "", hide_default_value = true)]
    trim_path: String,
    /// Where to look for source files, separated by colons.
    #[arg(long, value_name = "PATHS", default_value = "", hide_default_value = true)]
    source_path: String,
}

/// Which samples and frames are shown.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Filters")]
struct FilterOpts {
    /// Show only samples with a frame that matches by function, file or binary.
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true)]
    focus: String,
    /// Leave out samples with a matching frame.
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true)]
    ignore: String,
    /// Leave matching frames out; they count for their callers.
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true)]
    hide: String,
    /// Leave all other frames out.
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true)]
    show: String,
    /// Cut stacks above the matching frame nearest to the root; leave out those without.
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true)]
    show_from: String,
    /// Cut stacks below the matching frame nearest to the leaf.
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true)]
    prune_from: String,
    /// Show only samples with this label: KEY=REGEX, REGEX, or a range of numbers as bytes=64kb:1mb, latency=:5ms.
    #[arg(long, value_name = "LABEL", default_value = "", hide_default_value = true)]
    tagfocus: String,
    /// Leave out samples with this label.
    #[arg(long, value_name = "LABEL", default_value = "", hide_default_value = true)]
    tagignore: String,
    /// Keep only labels whose key matches.
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true)]
    tagshow: String,
    /// Leave out labels whose key matches.
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true)]
    taghide: String,
    /// Put a frame with these labels' values above each stack.
    #[arg(long, value_name = "KEYS", default_value = "", hide_default_value = true)]
    tagroot: String,
    /// Put a frame with these labels' values below each stack.
    #[arg(long, value_name = "KEYS", default_value = "", hide_default_value = true)]
    tagleaf: String,
}

/// What is left out.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Trimming")]
struct TrimOpts {
    /// Show this many places at most; 0 shows all. Unless it is given, tables show all and graphs 80.
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

impl Options {
    /// What to do to a profile before any report.
    pub(in crate::cli) fn prepare(&self) -> PrepareOptions {
        PrepareOptions { all_frames: self.all_frames, names: self.fetch.names() }
    }

    /// What `kind` shows.
    pub(in crate::cli) fn report(&self, kind: &Kind, json: bool) -> ReportOptions {
        let FilterOpts { tagroot, tagleaf, .. } = &self.filter;
        let unit = self.value.unit.clone();
        ReportOptions {
            select: SelectOptions {
                sample_index: self.value.sample_index(),
                mean: self.value.mean || self.value.mean_delay,
                relative_percentages: self.relative_percentages,
                filters: self.filter.options(),
                tag_frames: TagFrames { roots: keys(tagroot), leaves: keys(tagleaf), unit: unit.clone() },
            },
            table: TopOptions {
                frames: self.granularity.options(kind),
                sort_by_cum: self.cum,
                divide_by: self.value.divide_by,
                unit,
                drop_negative: self.trim.drop_negative,
                ..self.trim.table(kind)
            },
            compact_labels: self.compact_labels,
            call_tree: self.call_tree,
            json,
            module: self.module.clone(),
        }
    }
}

fn keys(list: &str) -> Vec<String> {
    list.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

impl FilterOpts {
    fn options(&self) -> FilterOptions {
        let FilterOpts { focus, ignore, hide, show, show_from, prune_from, .. } = self.clone();
        let FilterOpts { tagfocus, tagignore, tagshow, taghide, .. } = self.clone();
        FilterOptions { focus, ignore, hide, show, show_from, prune_from, tagfocus, tagignore, tagshow, taghide }
    }
}

impl TrimOpts {
    /// How many places, and how small ones; reports of places that were asked for by name leave nothing out.
    fn table(&self, kind: &Kind) -> TopOptions {
        /// In drawings and trees.
        const NODE_COUNT: usize = 80;
        let node_count = match usize::try_from(self.nodecount) {
            Ok(node_count) => node_count,
            Err(_) if self.nodecount < -1 || matches!(kind, Kind::Top | Kind::TopProto) => 0,
            Err(_) => NODE_COUNT,
        };
        let table = TopOptions {
            node_count,
            node_fraction: self.nodefraction,
            edge_fraction: self.edgefraction,
            ..TopOptions::default()
        };
        let is_whole = matches!(kind, Kind::Peek(_) | Kind::Raw | Kind::Proto | Kind::Callgrind);
        if self.no_trim || is_whole { table.untrimmed() } else { table }
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
    fn options(&self, kind: &Kind) -> FrameOptions {
        let granularity = match self {
            _ if matches!(kind, Kind::Raw | Kind::Proto | Kind::Callgrind) => Granularity::Addresses,
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
            source_path: self.source_path.clone(),
            binaries: matches!(kind, Kind::Callgrind),
        }
    }
}
