//! Reports as text, byte for byte as `go tool pprof` prints them. What they say comes from [`proto::analysis`].

mod callgrind;
mod diff;
pub mod disasm;
mod dot;
pub mod graphviz;
mod header;
mod json;
pub mod list;
mod proto_file;
mod raw;
mod source_files;
mod tags;
mod top;
mod traces;
mod tree;

use std::io::{self, Write};
use std::path::PathBuf;

use proto::Profile;
use proto::analysis::calls::{CallGraph, Purpose, call_graph};
use proto::analysis::listing::ListingOptions;
use proto::analysis::top::TopOptions;
use proto::analysis::{FrameOptions, SelectError, SelectOptions, Selection, Warning, select};
use proto::units::{Percent, Scale};

pub use diff::{Pair, write_diff};
pub use top::summary_rows;

/// Which report.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Places by weight.
    Top,
    /// Places with their callers and callees.
    Tree,
    /// The same of the places that match only, untrimmed.
    Peek(String),
    /// The source lines of functions that match.
    List(String),
    /// The instructions of functions that match.
    Disasm(String),
    /// Every sample's stack.
    Traces,
    /// What each label weighs.
    Tags,
    /// All there is.
    Raw,
    /// The profile's comments.
    Comments,
    /// The call graph for Graphviz.
    Dot,
    /// The call graph, drawn by Graphviz.
    Drawing(graphviz::Format),
    /// The call graph for KCachegrind.
    Callgrind,
    /// What is left of the profile, as a file.
    Proto,
    /// The heaviest places as a profile.
    TopProto,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Sample type or filters are none.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// Values cannot be divided by 0.
    #[error("zero divisor specified")]
    ZeroDivisor,
    /// The report's own pattern is none.
    #[error("parsing argument regexp {pattern}: {problem}")]
    Pattern {
        /// As it was given.
        pattern: String,
        /// What is wrong with it.
        problem: regex::Error,
    },
    /// No place matches the report's pattern.
    #[error("no matches found for regexp: {pattern}")]
    NoMatch {
        /// As it was given.
        pattern: String,
    },
    /// There is nothing to list.
    #[error(transparent)]
    List(#[from] list::ListError),
    /// There are no instructions.
    #[error(transparent)]
    Disasm(#[from] disasm::DisasmError),
    /// There is no such report as JSON.
    #[error("only top, tree, peek and traces can be had as JSON")]
    NoJson,
    /// The report could not be written.
    #[error("write the report")]
    Write(#[from] io::Error),
}

/// What is shown, and how.
#[derive(Debug, Clone, Default)]
pub struct ReportOptions {
    /// Which samples and values.
    pub select: SelectOptions,
    /// How places are told apart, ordered and trimmed; its `sample_index`, `total` and `mean` are not looked at.
    pub table: TopOptions,
    /// Leave out what is said of the profile as a whole.
    pub compact_labels: bool,
    /// In graphs, a place reached by two ways is two nodes.
    pub call_tree: bool,
    /// As JSON, for programs.
    pub json: bool,
    /// The module whose instructions are shown, in place of the file that the profile names.
    pub module: Option<PathBuf>,
}

/// Prints a report of `profile`. [`prepare`](proto::analysis::prepare) the profile first.
///
/// Returns what a reader should know: of the filters, and of modules.
///
/// # Errors
///
/// If the profile has no such sample type, the divisor is 0, a pattern is none or matches nothing, or `out` takes no
/// more. Nothing is printed then, but in the last case.
pub fn write(
    out: &mut dyn Write,
    kind: &Kind,
    profile: &Profile,
    options: &ReportOptions,
) -> Result<Vec<String>, Error> {
    let (selection, warnings) = select(profile, &options.select)?;
    let mut warnings: Vec<String> = warnings.iter().map(Warning::to_string).collect();
    if options.table.divide_by == 0.0 {
        return Err(Error::ZeroDivisor);
    }
    let report = Report { selection, options };
    if options.json {
        json::write(out, kind, &report)?;
        return Ok(warnings);
    }
    match kind {
        Kind::Top => top::write(out, &report)?,
        Kind::Tree => tree::write(out, &report, None)?,
        Kind::Peek(pattern) => tree::write(out, &report, Some(pattern))?,
        Kind::List(pattern) => list::list(out, report.profile(), &report.list(pattern))?,
        Kind::Disasm(pattern) => warnings.extend(disasm::disasm(out, report.profile(), &report.disasm(pattern))?),
        Kind::Traces => traces::write(out, &report)?,
        Kind::Tags => tags::write(out, &report)?,
        Kind::Raw => raw::write(out, &report)?,
        Kind::Comments => profile.comments().try_for_each(|it| writeln!(out, "{it}"))?,
        Kind::Dot => dot::write(out, &report)?,
        Kind::Drawing(format) => draw(out, &report, *format)?,
        Kind::Callgrind => callgrind::write(out, &report)?,
        Kind::Proto => proto_file::write(out, &report)?,
        Kind::TopProto => proto_file::write_top(out, &report)?,
    }
    Ok(warnings)
}

fn draw(out: &mut dyn Write, report: &Report<'_>, format: graphviz::Format) -> io::Result<()> {
    let mut graph = Vec::new();
    dot::write(&mut graph, report)?;
    out.write_all(&graphviz::render(&String::from_utf8_lossy(&graph), format)?)
}

/// What every report is made of.
struct Report<'a> {
    selection: Selection<'a>,
    options: &'a ReportOptions,
}

impl Report<'_> {
    fn profile(&self) -> &Profile {
        &self.selection.profile
    }

    fn table(&self) -> TopOptions {
        let Selection { sample_index, total, .. } = self.selection;
        TopOptions { sample_index, total: Some(total), mean: self.options.select.mean, ..self.options.table.clone() }
    }

    fn list(&self, pattern: &str) -> list::ListReport {
        let FrameOptions { noinlines, show_columns, trim_path, source_path, .. } = self.options.table.frames.clone();
        list::ListReport {
            pattern: pattern.to_owned(),
            listing: ListingOptions {
                sample_index: self.selection.sample_index,
                mean: self.options.select.mean,
                drop_negative: self.options.table.drop_negative,
                noinlines,
                show_columns,
                trim_path,
                source_path,
            },
            total: self.selection.total,
            scale: self.scale(),
        }
    }

    fn disasm(&self, pattern: &str) -> disasm::DisasmReport {
        disasm::DisasmReport {
            pattern: pattern.to_owned(),
            module: self.options.module.clone(),
            sample_index: self.selection.sample_index,
            mean: self.options.select.mean,
            total: self.selection.total,
            scale: self.scale(),
        }
    }

    fn call_graph(&self, purpose: Purpose) -> CallGraph {
        call_graph(self.profile(), &self.table(), purpose)
    }

    /// What the values are: `cpu`, `mean_delay`.
    fn value_kind(&self) -> String {
        let kind = self.profile().sample_types()[self.selection.sample_index].kind;
        format!("{}{}", if self.options.select.mean { "mean_" } else { "" }, self.profile().string(kind))
    }

    /// How values are printed where each has the unit that suits it.
    fn scale(&self) -> Scale {
        let unit = self.profile().sample_types()[self.selection.sample_index].unit;
        Scale {
            from: self.profile().string(unit).to_owned(),
            to: self.options.table.unit.clone(),
            divide_by: self.options.table.divide_by,
        }
    }

    fn percent(&self, part: i64) -> Percent {
        Percent { part, whole: self.selection.total }
    }
}

fn compile(pattern: &str) -> Result<regex::Regex, Error> {
    regex::Regex::new(pattern).map_err(|problem| Error::Pattern { pattern: pattern.to_owned(), problem })
}
