//! What a report is about: one of a profile's values, part of its samples, and what shares are of.

use std::borrow::Cow;

use super::tag_frames::add_tag_frames;
use super::{BadFilter, FilterOptions, LabelUnits, TagFrames, UnknownSampleType, Warning, filter, sample_index, total};
use crate::profile::Profile;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SelectOptions {
    /// The sample type's number or name; `None` is the profile's default.
    pub sample_index: Option<String>,
    /// Divide by the first value, a count.
    pub mean: bool,
    /// Percentages are of what the filters leave, not of all.
    pub relative_percentages: bool,
    /// Which samples and frames.
    pub filters: FilterOptions,
    /// Which labels become frames.
    pub tag_frames: TagFrames,
}

/// What it comes to.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// What the filters leave.
    pub profile: Cow<'a, Profile>,
    /// Which of a sample's values.
    pub sample_index: usize,
    /// What percentages are of.
    pub total: i64,
    /// The units of numeric labels.
    pub label_units: LabelUnits,
}

/// Why there is no selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// The sample type asked for is not in the profile.
    #[error(transparent)]
    SampleType(#[from] UnknownSampleType),
    /// A filter is none.
    #[error(transparent)]
    Filter(#[from] BadFilter),
}

/// What `options` ask for of a profile that [`prepare`](super::prepare) has seen.
///
/// # Errors
///
/// If the profile has no such sample type, or a filter is none.
pub fn select<'a>(profile: &'a Profile, options: &SelectOptions) -> Result<(Selection<'a>, Vec<Warning>), SelectError> {
    let mut warnings = Vec::new();
    let label_units = LabelUnits::of(profile);
    warnings.extend(label_units.conflicts(profile));
    let mut selected = Cow::Borrowed(profile);
    let TagFrames { roots, leaves, .. } = &options.tag_frames;
    if !roots.is_empty() || !leaves.is_empty() {
        let (with_frames, found) = add_tag_frames(profile.clone(), &options.tag_frames);
        selected = Cow::Owned(with_frames);
        let unmatched = [("TagRoot", roots.is_empty() || found.root), ("TagLeaf", leaves.is_empty() || found.leaf)];
        warnings.extend(unmatched.into_iter().filter(|it| !it.1).map(|it| Warning::NoMatch { option: it.0 }));
    }
    let sample_index = sample_index(profile, options.sample_index.as_deref())?;
    let total_of = |profile: &Profile| total(profile, sample_index, options.mean);
    let of_all = (!options.relative_percentages).then(|| total_of(&selected));
    let (profile, said) = match &selected {
        Cow::Borrowed(profile) => filter(profile, &options.filters)?,
        Cow::Owned(profile) => {
            let (part, said) = filter(profile, &options.filters)?;
            (Cow::Owned(part.into_owned()), said)
        }
    };
    warnings.extend(said);
    let total = of_all.unwrap_or_else(|| total_of(&profile));
    Ok((Selection { profile, sample_index, total, label_units }, warnings))
}
