//! `wprof convert`: profiles in the formats of other tools, and back.

mod svg;

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use proto::analysis::sample_index;
use proto::{Limits, Profile, encode_gzip, formats};

use crate::sink::file::write_whole;

/// Options of `wprof convert`.
#[derive(Debug, clap::Args)]
pub struct Opts {
    /// Profiles in any format that is read: pprof's, also those older than profile.proto, folded stacks, and
    /// speedscope's JSON. Several are added up.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// The format to write; without, the output's name tells.
    #[arg(long, value_name = "FORMAT")]
    to: Option<Format>,

    /// The file to write; without, stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The sample type, by number or name: the one that `collapsed` and `svg` are of, and that `speedscope` and
    /// `firefox`, which hold all, show first.
    #[arg(long, alias = "sample_index", value_name = "INDEX")]
    sample_index: Option<String>,

    /// What the values of folded stacks count, which such files do not say.
    #[arg(long, value_name = "NAME/UNIT", value_parser = counted, default_value = "samples/count")]
    counted: (String, String),
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// pprof's own format, gzipped (.pb.gz, .prof, .pprof).
    Proto,
    /// The text of Go's debug=1 pages: heap, contention and count profiles (.txt).
    Text,
    /// Folded stacks for flame graph tools: one sample type (.collapsed, .folded).
    Collapsed,
    /// JSON for speedscope.app: all sample types (.speedscope.json).
    Speedscope,
    /// JSON for profiler.firefox.com: all sample types (.json).
    Firefox,
    /// A flame graph that a browser shows: one sample type (.svg).
    Svg,
}

/// The endings of names that tell the format.
const ENDINGS: [(&str, Format); 10] = [
    (".pb.gz", Format::Proto),
    (".pb", Format::Proto),
    (".prof", Format::Proto),
    (".pprof", Format::Proto),
    (".txt", Format::Text),
    (".collapsed", Format::Collapsed),
    (".folded", Format::Collapsed),
    (".speedscope.json", Format::Speedscope),
    (".json", Format::Firefox),
    (".svg", Format::Svg),
];

fn counted(text: &str) -> Result<(String, String), String> {
    let (kind, unit) =
        text.rsplit_once('/').filter(|it| !it.0.is_empty()).ok_or("expected NAME/UNIT, as cpu/nanoseconds")?;
    Ok((kind.to_owned(), unit.to_owned()))
}

/// Converts.
///
/// # Errors
///
/// If a file cannot be read, has no such form, or cannot be written. Nothing is written then.
pub fn run(opts: &Opts) -> anyhow::Result<ExitCode> {
    let output = opts.output.as_deref().filter(|it| *it != Path::new("-"));
    let Some(format) = opts.to.or_else(|| output.and_then(format_of)) else {
        bail!("what to convert to? --to says it, or an --output that ends in one of {}", endings());
    };
    if format == Format::Proto && output.is_none() && io::stdout().is_terminal() {
        bail!("a pprof file is not for the terminal: name one with --output, or pipe it on");
    }
    let profile = load(&opts.files, &opts.counted)?;
    let bytes = convert(&profile, format, opts.sample_index.as_deref())?;
    match output {
        Some(path) => write_whole(path, &bytes)?,
        None => io::stdout().lock().write_all(&bytes)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn format_of(output: &Path) -> Option<Format> {
    let name = output.file_name()?.to_string_lossy().to_lowercase();
    ENDINGS.iter().find(|it| name.ends_with(it.0)).map(|it| it.1)
}

fn endings() -> String {
    ENDINGS.map(|it| it.0).join(" ")
}

/// Reads all files and adds them up. Unlike for a report, each has to be good: a converted file does not tell what is
/// missing from it.
fn load(files: &[PathBuf], counted: &(String, String)) -> anyhow::Result<Profile> {
    let read = |file: &PathBuf| -> anyhow::Result<Profile> {
        let bytes = fs::read(file)?;
        Ok(formats::read_counted(&bytes, &Limits::default(), (&counted.0, &counted.1))?)
    };
    let context = |file: &PathBuf| format!("failed to read {}", file.display());
    let profiles =
        files.iter().map(|file| read(file).with_context(|| context(file))).collect::<anyhow::Result<Vec<_>>>()?;
    proto::merge(&profiles).context("failed to add the profiles up")
}

fn convert(profile: &Profile, format: Format, wanted: Option<&str>) -> anyhow::Result<Vec<u8>> {
    if format == Format::Proto {
        return Ok(encode_gzip(profile));
    }
    let sample_index = sample_index(profile, wanted)?;
    let mut bytes = Vec::new();
    match format {
        Format::Proto => {}
        Format::Text => formats::text::write(&mut bytes, profile)?,
        Format::Collapsed => formats::collapsed::write(&mut bytes, profile, sample_index)?,
        Format::Speedscope => formats::speedscope::write(&mut bytes, profile, sample_index)?,
        Format::Firefox => formats::firefox::write(&mut bytes, profile, sample_index)?,
        Format::Svg => svg::write(&mut bytes, profile, sample_index)?,
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_format() {
        for (name, expected) in [
            ("cpu.pb.gz", Some(Format::Proto)),
            ("dir.svg/cpu.PROF", Some(Format::Proto)),
            ("heap.txt", Some(Format::Text)),
            ("cpu.folded", Some(Format::Collapsed)),
            ("cpu.speedscope.json", Some(Format::Speedscope)),
            ("cpu.json", Some(Format::Firefox)),
            ("cpu.svg", Some(Format::Svg)),
            ("cpu.gz", None),
            ("cpu", None),
        ] {
            assert_eq!(format_of(Path::new(name)), expected, "{name}");
        }
    }
}
