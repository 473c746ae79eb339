//! Which samples and frames a report shows: pprof's `focus`, `ignore`, `hide`, `show`, `show_from`, `prune_from`,
//! `tagfocus`, `tagignore`, `tagshow` and `taghide`.

mod cut;
mod names;
mod tags;

use std::borrow::Cow;

use regex::Regex;

use super::Warning;
use crate::profile::{Label, Profile, Samples};
use tags::TagFilter;

/// What to show, each as pprof's option of that name says it. Empty is no wish.
///
/// Patterns are found anywhere in a function's name, its file's or its binary's. For labels, `key=pattern,pattern` are
/// samples whose label `key` matches one of the patterns; `pattern,pattern`, samples that have for every pattern a label
/// that it matches when written `key:value`. Numeric labels are found by ranges, with a key or without: `16b`,
/// `64kb:1mb`, `1ms:`, `:5`; both ends belong to a range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FilterOptions {
    /// Show only samples with a matching frame.
    pub focus: String,
    /// Leave out samples with a matching frame.
    pub ignore: String,
    /// Leave matching frames out of the stacks; they count for their callers.
    pub hide: String,
    /// Leave all other frames out of the stacks.
    pub show: String,
    /// Cut stacks above the matching frame nearest to the root; leave out those without.
    pub show_from: String,
    /// Cut stacks below the matching frame nearest to the leaf.
    pub prune_from: String,
    /// Show only samples with such labels.
    pub tagfocus: String,
    /// Leave out samples with such labels; of those that `tagfocus` leaves.
    pub tagignore: String,
    /// Keep only labels whose key matches.
    pub tagshow: String,
    /// Leave out labels whose key matches.
    pub taghide: String,
}

impl FilterOptions {
    /// Every wish there is, by its option's name, in the order in which reports tell them; but for `prune_from`, which
    /// leaves nothing out that percentages are of.
    pub fn active(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("focus", &self.focus),
            ("ignore", &self.ignore),
            ("hide", &self.hide),
            ("show", &self.show),
            ("show_from", &self.show_from),
            ("tagfocus", &self.tagfocus),
            ("tagignore", &self.tagignore),
            ("tagshow", &self.tagshow),
            ("taghide", &self.taghide),
        ];
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
    let names = names::Patterns {
        focus: compile("focus", &options.focus)?,
        ignore: compile("ignore", &options.ignore)?,
        hide: compile("hide", &options.hide)?,
        show: compile("show", &options.show)?,
    };
    let show_from = compile("show_from", &options.show_from)?;
    let mut compile_tags = |option, text| TagFilter::new(profile, option, text, &mut warnings);
    let tagfocus = compile_tags("tagfocus", &options.tagfocus)?;
    let tagignore = compile_tags("tagignore", &options.tagignore)?;
    let prune_from = compile("prune_from", &options.prune_from)?;
    let [tagshow, taghide] = [compile("tagshow", &options.tagshow)?, compile("taghide", &options.taghide)?];

    let mut part = Part { profile: Cow::Borrowed(profile), warnings };
    names::filter(&mut part, &names);
    if let Some(pattern) = show_from {
        cut::show_from(&mut part, &pattern);
    }
    part.filter_by_tags(tagfocus, tagignore);
    part.filter_tags(tagshow.as_ref(), taghide.as_ref());
    if let Some(pattern) = prune_from {
        cut::prune_from(&mut part, &pattern);
    }
    Ok((part.profile, part.warnings))
}

fn compile(option: &'static str, pattern: &str) -> Result<Option<Regex>, BadFilter> {
    if pattern.is_empty() {
        return Ok(None);
    }
    Regex::new(pattern).map(Some).map_err(|err| BadFilter { option, problem: err.to_string() })
}

/// What is left of a profile, and what is to be said.
struct Part<'a> {
    profile: Cow<'a, Profile>,
    warnings: Vec<Warning>,
}

impl Part<'_> {
    fn set_samples(&mut self, samples: Samples) {
        match &mut self.profile {
            Cow::Borrowed(profile) => self.profile = Cow::Owned(profile.with_samples(samples)),
            Cow::Owned(profile) => profile.samples = samples,
        }
    }

    /// Says that an option, as pprof's message spells it, was of no use.
    fn warn_unless(&mut self, any: bool, option: &'static str) {
        if !any {
            self.warnings.push(Warning::NoMatch { option });
        }
    }

    fn filter_by_tags(&mut self, mut focus: Option<TagFilter<'_>>, mut ignore: Option<TagFilter<'_>>) {
        if focus.is_none() && ignore.is_none() {
            return;
        }
        let (mut any_focused, mut any_ignored) = (focus.is_none(), ignore.is_none());
        let mut samples = Samples::default();
        for sample in self.profile.samples() {
            let is_focused = focus.as_mut().is_none_or(|it| it.matches(sample.labels));
            let is_ignored = ignore.as_mut().is_some_and(|it| it.matches(sample.labels));
            any_focused |= is_focused;
            any_ignored |= is_ignored;
            if is_focused && !is_ignored {
                samples.push(sample.locations, sample.values, sample.labels);
            }
        }
        self.set_samples(samples);
        self.warn_unless(any_focused, "TagFocus");
        self.warn_unless(any_ignored, "TagIgnore");
    }

    /// Leaves labels out by key.
    fn filter_tags(&mut self, show: Option<&Regex>, hide: Option<&Regex>) {
        if show.is_none() && hide.is_none() {
            return;
        }
        let (mut any_shown, mut any_hidden) = (show.is_none(), hide.is_none());
        let mut samples = Samples::default();
        for sample in self.profile.samples() {
            let mut is_kept = |label: &&Label| {
                let key = self.profile.string(label.key);
                let is_shown = show.is_none_or(|it| it.is_match(key));
                let is_hidden = hide.is_some_and(|it| it.is_match(key));
                any_shown |= is_shown;
                any_hidden |= is_hidden;
                is_shown && !is_hidden
            };
            let labels: Vec<Label> = sample.labels.iter().filter(|it| is_kept(it)).copied().collect();
            samples.push(sample.locations, sample.values, &labels);
        }
        self.set_samples(samples);
        self.warn_unless(any_shown, "TagShow");
        self.warn_unless(any_hidden, "TagHide");
    }
}

#[cfg(test)]
mod tests;
