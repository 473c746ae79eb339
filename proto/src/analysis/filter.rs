//! Which samples a report shows: pprof's `tagfocus` and `tagignore`.

mod tags;

use std::borrow::Cow;

use super::Warning;
use crate::profile::{Profile, Samples};
use tags::TagFilter;

/// What to show, each as pprof's option of that name says it. Empty is no wish.
///
/// `key=pattern,pattern` are samples whose label `key` matches one of the patterns; `pattern,pattern`, samples that
/// have for every pattern a label that it matches when written `key:value`. Numeric labels are found by ranges, with a
/// key or without: `16b`, `64kb:1mb`, `1ms:`, `:5`; both ends belong to a range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FilterOptions {
    /// Show only samples with such labels.
    pub tagfocus: String,
    /// Leave out samples with such labels; of those that `tagfocus` leaves.
    pub tagignore: String,
}

impl FilterOptions {
    /// Every wish there is, by its option's name, in the order in which reports tell them.
    pub fn active(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("tagfocus", &self.tagfocus), ("tagignore", &self.tagignore)];
        all.into_iter().map(|(option, text)| (option, text.as_str())).filter(|(_, text)| !text.is_empty())
    }
}

/// A wish that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parsing {option} regexp: {problem}")]
pub struct BadFilter {
    /// The option.
    pub option: &'static str,
    /// What is wrong with its text.
    pub problem: String,
}

/// The part of `profile` that `options` ask for. Its ids are the profile's own. Percentages of a report are of the
/// whole profile: give its [`total`](super::total) to [`TopOptions`](super::top::TopOptions).
///
/// # Errors
///
/// If the text of an option is no filter.
pub fn filter<'a>(
    profile: &'a Profile,
    options: &FilterOptions,
) -> Result<(Cow<'a, Profile>, Vec<Warning>), BadFilter> {
    let mut warnings = Vec::new();
    let mut compile = |option, text| TagFilter::new(profile, option, text, &mut warnings);
    let mut focus = compile("tagfocus", &options.tagfocus)?;
    let mut ignore = compile("tagignore", &options.tagignore)?;
    if focus.is_none() && ignore.is_none() {
        return Ok((Cow::Borrowed(profile), warnings));
    }
    let (mut any_focused, mut any_ignored) = (focus.is_none(), ignore.is_none());
    let mut samples = Samples::default();
    for sample in profile.samples() {
        let is_focused = focus.as_mut().is_none_or(|it| it.matches(sample.labels));
        let is_ignored = ignore.as_mut().is_some_and(|it| it.matches(sample.labels));
        any_focused |= is_focused;
        any_ignored |= is_ignored;
        if is_focused && !is_ignored {
            samples.push(sample.locations, sample.values, sample.labels);
        }
    }
    let unmatched = [("TagFocus", any_focused), ("TagIgnore", any_ignored)].into_iter().filter(|(_, any)| !any);
    warnings.extend(unmatched.map(|(option, _)| Warning::NoMatch { option }));
    Ok((Cow::Owned(profile.with_samples(samples)), warnings))
}

#[cfg(test)]
mod tests;
