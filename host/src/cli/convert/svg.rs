//! A flame graph as a picture that zooms and searches by itself, drawn by inferno.

use std::io::Write;

use anyhow::{Context, bail};
use inferno::flamegraph;
use proto::{Profile, formats};

/// Draws one sample type.
///
/// # Errors
///
/// If there is nothing to draw, or what there is cannot be drawn: negative values, or more than 64 bits of them.
pub(super) fn write(out: &mut impl Write, profile: &Profile, sample_index: usize) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    formats::collapsed::write(&mut lines, profile, sample_index)?;
    // XML knows no escape for these two.
    let lines = String::from_utf8_lossy(&lines).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    let Some(sample_type) = profile.sample_types().get(sample_index) else { bail!("no sample type {sample_index}") };
    let [kind, unit] = [sample_type.kind, sample_type.unit].map(|it| profile.string(it));
    // inferno adds these up without looking.
    let values = profile.samples().filter_map(|it| it.values.get(sample_index)).map(|it| u64::try_from(*it).ok());
    let total = values.into_iter().try_fold(0_u64, |sum, it| sum.checked_add(it?));
    match total {
        None => bail!("the sum of {kind} does not fit 64 bits"),
        Some(0) => bail!("no sample has a value of {kind}: there is nothing to draw"),
        Some(_) => {}
    }
    let mut options = flamegraph::Options::default();
    options.title = title(profile, kind);
    options.count_name = if matches!(unit, "" | "count") { kind } else { unit }.to_owned();
    // The same file draws the same picture, and a function has one colour in all.
    options.hash = true;
    flamegraph::from_lines(&mut options, lines.lines(), out).context("failed to draw the flame graph")
}

/// `guest.wasm: cpu`
fn title(profile: &Profile, kind: &str) -> String {
    let path = profile.mappings().first().map_or("", |it| profile.string(it.filename));
    match path.rsplit('/').next() {
        None | Some("") => kind.to_owned(),
        Some(program) => format!("{program}: {kind}"),
    }
}
