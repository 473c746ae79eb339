//! Which places match a text, and how much of a profile comes through them.

use super::flame::Query;
use super::frames::Frames;
use crate::profile::Profile;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits {
    /// By frame: whether its name matches.
    pub is_match: Vec<bool>,
    /// How many frames match.
    pub n_frames: usize,
    /// The value of samples with a match anywhere on the stack, each once.
    pub cum: i64,
}

/// The frames whose names match, and what comes through any of them. `frames` must be `profile`'s.
///
/// Takes one look at each sample, and none at a tree; without negative values it is what
/// [`flame::search`](super::flame::search) finds there.
///
/// # Panics
///
/// If `sample_index` is not below the number of sample types and there are samples.
#[must_use]
pub fn hits(profile: &Profile, sample_index: usize, frames: &Frames, query: &Query) -> Hits {
    let is_match: Vec<bool> = frames.ids().map(|it| query.matches(&frames.get(it).label())).collect();
    let n_frames = is_match.iter().filter(|it| **it).count();
    let of_location = |it| frames.at(it).iter().any(|it| is_match[it.index()]);
    let by_location: Vec<bool> = profile.location_ids().map(of_location).collect();
    let samples = profile.samples().filter(|it| it.locations.iter().any(|it| by_location[it.index()]));
    let cum = samples.fold(0_i64, |sum, it| sum.saturating_add(it.values[sample_index]));
    Hits { is_match, n_frames, cum }
}
