//! The table of places by weight: pprof's `top`.

mod graph;

use std::cmp::{Ordering, Reverse};

use super::frames::{FrameId, FrameOptions, Frames};
use crate::profile::Profile;
use crate::units::{self, Scale};
use graph::{Graph, GraphOptions};

/// What to show. The default is what pprof shows by default.
#[derive(Debug, Clone, PartialEq)]
pub struct TopOptions {
    /// Which of a sample's values; see [`sample_index`](super::sample_index).
    pub sample_index: usize,
    /// What counts as one place.
    pub frames: FrameOptions,
    /// What percentages are of, where that is more than this profile: the [`total`](super::total) of the one that it is
    /// a part of.
    pub total: Option<i64>,
    /// Show averages: values divided by the first value, a count.
    pub mean: bool,
    /// Order by cum instead of flat.
    pub sort_by_cum: bool,
    /// Show every value divided by this; not 0.
    pub divide_by: f64,
    /// The unit to show values in; `minimum` is one unit for all, fine enough for the least; `auto` lets each choose.
    pub unit: String,
    /// Show this many rows; 0 is all.
    pub node_count: usize,
    /// Leave out places whose cum is below this share of the total.
    pub node_fraction: f64,
    /// Calls below this share of the total do not count when telling whether a place was inlined everywhere.
    pub edge_fraction: f64,
    /// Leave out places with negative values, as differences have.
    pub drop_negative: bool,
}

impl Default for TopOptions {
    fn default() -> Self {
        TopOptions {
            sample_index: 0,
            frames: FrameOptions::default(),
            total: None,
            mean: false,
            sort_by_cum: false,
            divide_by: 1.0,
            unit: "minimum".to_owned(),
            node_count: 0,
            node_fraction: 0.005,
            edge_fraction: 0.001,
            drop_negative: false,
        }
    }
}

impl TopOptions {
    /// The same, leaving nothing out.
    #[must_use]
    pub fn untrimmed(self) -> Self {
        TopOptions { node_count: 0, node_fraction: 0.0, edge_fraction: 0.0, ..self }
    }
}

/// The table.
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    /// What the values are: `cpu`, `inuse_space`, `mean_delay`.
    pub kind: String,
    /// The rows, in order.
    pub rows: Vec<TopRow>,
    /// What percentages are of: what was asked for, or else the sum of all samples' absolute values.
    pub total: i64,
    /// The sum of the rows' flat.
    pub shown: i64,
    /// How many places were left out for their small cum.
    pub n_dropped: usize,
    /// The cum that they are at or below.
    pub dropped_cum: i64,
    /// How many places the others are; more than there are rows if a number of rows was asked for.
    pub n_places: usize,
    /// How to print the values.
    pub scale: Scale,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopRow {
    /// As reports name it.
    pub name: String,
    /// The value of samples whose leaf this is.
    pub flat: i64,
    /// The value of samples with this anywhere on the stack.
    pub cum: i64,
    /// Whether it was inlined into its callers.
    pub inline: Inline,
}

/// Whether a place was inlined into its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inline {
    /// Into none.
    No,
    /// Into some.
    Partial,
    /// Into all.
    All,
}

impl Inline {
    /// As reports write it behind the name; empty for `No`.
    #[must_use]
    pub fn marker(self) -> &'static str {
        match self {
            Inline::No => "",
            Inline::Partial => "(partial-inline)",
            Inline::All => "(inline)",
        }
    }
}

/// The places of `profile` by weight.
///
/// # Panics
///
/// If `options.sample_index` is not below the number of sample types.
#[must_use]
pub fn top(profile: &Profile, options: &TopOptions) -> Top {
    let sample_type = profile.sample_types()[options.sample_index];
    let total = options.total.unwrap_or_else(|| super::total(profile, options.sample_index, options.mean));
    let frames = Frames::new(profile, &options.frames);
    let places = select(profile, &frames, options);
    let rows: Vec<TopRow> = places.sorted.into_iter().map(|it| it.row).collect();
    let prefix = if options.mean { "mean_" } else { "" };
    let share_of_total = units::to_f64(total) * options.node_fraction;
    Top {
        kind: format!("{prefix}{}", profile.string(sample_type.kind)),
        total,
        shown: rows.iter().fold(0, |sum, row| row.flat.saturating_add(sum)),
        n_dropped: places.n_dropped,
        dropped_cum: units::truncate(share_of_total).saturating_abs(),
        n_places: places.n_places,
        scale: Scale {
            to: output_unit(&rows, total, profile.string(sample_type.unit), options),
            from: profile.string(sample_type.unit).to_owned(),
            divide_by: options.divide_by,
        },
        rows,
    }
}

/// A row and what breaks ties.
#[derive(Debug)]
struct Place {
    row: TopRow,
    /// Sums not yet divided by counts, which are what is ordered by.
    flat: i64,
    cum: i64,
    frame: FrameId,
}

struct Selection {
    sorted: Vec<Place>,
    n_places: usize,
    n_dropped: usize,
}

/// Chooses and orders the places. Whenever some are left out, all is summed again without them, since what is left
/// then has other callers.
fn select(profile: &Profile, frames: &Frames, options: &TopOptions) -> Selection {
    let &TopOptions { sample_index, mean, drop_negative, .. } = options;
    let build =
        |kept: Option<&[bool]>| Graph::new(profile, frames, &GraphOptions { sample_index, mean, drop_negative, kept });
    let mut graph = build(None);
    let total = units::to_f64(graph.total_flat());
    let node_cutoff = units::truncate(total * options.node_fraction).saturating_abs();
    let edge_cutoff = units::truncate(total * options.edge_fraction).saturating_abs();

    let mut n_dropped = 0;
    if 0 < node_cutoff {
        let kept = graph.mark(|node| node_cutoff <= node.cum.saturating_abs());
        n_dropped = graph.len() - kept.iter().filter(|it| **it).count();
        if n_dropped != 0 {
            graph = build(Some(&kept));
        }
    }
    let n_places = graph.len();
    let mut sorted = sort(&graph, frames, edge_cutoff, options);
    if options.node_count != 0 && options.node_count < sorted.len() {
        let mut kept = vec![false; frames.len()];
        sorted[..options.node_count].iter().for_each(|it| kept[it.frame.index()] = true);
        sorted = sort(&build(Some(&kept)), frames, edge_cutoff, options);
    }
    Selection { sorted, n_places, n_dropped }
}

fn sort(graph: &Graph, frames: &Frames, edge_cutoff: i64, options: &TopOptions) -> Vec<Place> {
    let inline = graph.inline(edge_cutoff);
    let mut places: Vec<Place> = (graph.nodes())
        .map(|(frame, node)| Place {
            row: TopRow {
                name: frames.get(frame).label(),
                flat: super::per(node.flat, node.flat_count),
                cum: super::per(node.cum, node.cum_count),
                inline: inline[frame.index()],
            },
            flat: node.flat,
            cum: node.cum,
            frame,
        })
        .collect();
    let ties = |one: &Place, other: &Place| one.frame_text(frames).cmp(&other.frame_text(frames));
    if options.sort_by_cum {
        places.sort_unstable_by(|a, b| by(a, b, |it| (it.cum, it.flat)).then_with(|| ties(a, b)));
    } else {
        places.sort_unstable_by(|a, b| by(a, b, |it| (it.flat, it.cum)).then_with(|| ties(a, b)));
    }
    places
}

/// By size of the first value, name, and size of the second.
fn by(one: &Place, other: &Place, values: impl Fn(&Place) -> (i64, i64)) -> Ordering {
    let [(first, second), (other_first, other_second)] = [values(one), values(other)];
    (Reverse(first.saturating_abs()).cmp(&Reverse(other_first.saturating_abs())))
        .then_with(|| one.row.name.cmp(&other.row.name))
        .then_with(|| Reverse(second.saturating_abs()).cmp(&Reverse(other_second.saturating_abs())))
}

impl Place {
    /// All parts in a row, the order pprof falls back to when two places print alike.
    fn frame_text(&self, frames: &Frames) -> String {
        let it = frames.get(self.frame);
        format!("{}  {} {} {} {} {} {}", it.name, it.address, it.file, it.start_line, it.line, it.column, it.binary)
    }
}

fn output_unit(rows: &[TopRow], total: i64, from: &str, options: &TopOptions) -> String {
    if options.unit != "minimum" || rows.is_empty() {
        return options.unit.clone();
    }
    let weights = rows.iter().map(|it| if it.flat == 0 { it.cum } else { it.flat }.saturating_abs());
    let smallest = weights.filter(|it| *it != 0).min().unwrap_or(total);
    let [smallest, total] = [smallest, total].map(|it| units::divide(it, options.divide_by));
    units::report_unit(smallest, total, from)
}

#[cfg(test)]
mod tests;
