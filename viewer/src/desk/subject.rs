//! What questions are about: the part of a profile that filters leave, and what was worked out for it.

use std::borrow::Cow;
use std::rc::Rc;

use proto::Profile;
use proto::analysis::calls::CallGraph;
use proto::analysis::{self, FilterOptions, FrameOptions, filter, total};
use proto::units::{Amount, are_compatible};

use super::Opened;
use super::catalog::Catalog;
use super::changes::Changes;
use super::flames::Trees;
use super::labels::Labels;
use super::nodes::Nodes;
use super::table::{EveryType, Table};
use crate::protocol::{About, Filter, FilterKind, Granularity, Weights};

/// A profile's part on show. Caches are filled when they are first asked.
#[derive(Debug)]
pub(super) struct Subject {
    about: About,
    pub(super) sample_index: usize,
    pub(super) opened: Opened,
    /// What tables and graphs are of.
    pub(super) profile: Rc<Profile>,
    /// What percentages are of.
    pub(super) total: i64,
    /// What is left of it; `None` while that is all.
    pub(super) part: Option<i64>,
    pub(super) catalog: Rc<Catalog>,
    pub(super) table: Option<Table>,
    pub(super) every_type: Option<Vec<EveryType>>,
    pub(super) trees: Trees,
    pub(super) nodes: Option<Nodes>,
    pub(super) calls: Option<Rc<CallGraph>>,
    pub(super) changes: Option<Changes>,
}

impl Subject {
    /// The part of `opened` that a question is about.
    pub(super) fn new(opened: &Opened, about: &About) -> Result<Subject, String> {
        let whole = &opened.profile;
        let is_known = about.sample_index < whole.sample_types().len();
        let sample_index = if is_known { about.sample_index } else { opened.sample_index };
        let tagfocus = about.picked.and_then(|picked| opened.labels.tagfocus(picked));
        let profile = filtered(whole, &about.filters, tagfocus)?;
        let part = (!Rc::ptr_eq(whole, &profile)).then(|| total(&profile, sample_index, false));
        let total = match part.filter(|_| about.relative) {
            Some(part) => part,
            None => total(whole, sample_index, false),
        };
        let catalog = Rc::new(Catalog::new(Rc::clone(&profile), &frame_options(about)));
        Ok(Subject {
            about: about.clone(),
            sample_index,
            opened: opened.clone(),
            profile,
            total,
            part,
            catalog,
            table: None,
            every_type: None,
            trees: Trees::default(),
            nodes: None,
            calls: None,
            changes: None,
        })
    }

    /// The part of another profile that the same filters leave.
    pub(super) fn same_part(&self, other: &Opened) -> Result<Rc<Profile>, String> {
        let tagfocus = self.about.picked.and_then(|picked| self.labels().tagfocus(picked));
        filtered(&other.profile, &self.about.filters, tagfocus)
    }

    pub(super) fn about(&self) -> &About {
        &self.about
    }

    /// Has what is about the same samples and places, but for the unit, answered from what was worked out for it.
    pub(super) fn turn_to(&mut self, about: &About) -> bool {
        let is_same = About { unit: about.unit.clone(), ..self.about.clone() } == *about;
        if is_same && self.about.unit != about.unit {
            self.about.unit.clone_from(&about.unit);
            // These know how they are printed.
            (self.table, self.every_type, self.calls, self.changes) = (None, None, None, None);
        }
        is_same
    }

    /// The unit that is asked for where values of this type can be shown in it, or else `usual`.
    pub(super) fn unit(&self, sample_index: usize, usual: &'static str) -> &str {
        let unit = self.about.unit.as_str();
        if !unit.is_empty() && are_compatible(self.counted_in(sample_index), unit) { unit } else { usual }
    }

    /// A value by itself, as reports print it that have no unit for all.
    pub(super) fn amount(&self, value: i64, sample_index: usize) -> String {
        let (from, to) = (self.counted_in(sample_index), self.unit(sample_index, "auto"));
        Amount { value, from, to }.to_string()
    }

    fn counted_in(&self, sample_index: usize) -> &str {
        self.profile.sample_types().get(sample_index).map_or("", |it| self.profile.string(it.unit))
    }

    /// The value that is asked for, or the profile's own choice where there is no such.
    pub(super) fn sample_index(&self) -> usize {
        self.sample_index
    }

    /// What counts as one place.
    pub(super) fn frames(&self) -> FrameOptions {
        frame_options(&self.about)
    }

    pub(super) fn labels(&self) -> &Labels {
        &self.opened.labels
    }

    /// What each range of a numeric label weighs, whatever is picked.
    pub(super) fn weights(&self) -> Weights {
        self.labels().weights(&self.opened.profile, self.sample_index())
    }
}

fn frame_options(about: &About) -> FrameOptions {
    let granularity = match about.granularity {
        Granularity::Functions => analysis::Granularity::Functions,
        Granularity::Files => analysis::Granularity::Files,
        Granularity::Lines => analysis::Granularity::Lines,
        Granularity::Addresses => analysis::Granularity::Addresses,
        Granularity::Modules => analysis::Granularity::Modules,
    };
    FrameOptions { granularity, noinlines: about.noinlines, ..FrameOptions::default() }
}

/// What all filters together leave: samples that every focus matches and no ignore does, without what any hide
/// matches, of what one of the shows matches. One of a kind is pprof's option of that name.
fn filtered(whole: &Rc<Profile>, filters: &[Filter], picked: Option<String>) -> Result<Rc<Profile>, String> {
    let of = |kind: FilterKind| filters.iter().filter(move |it| it.kind == kind).map(|it| it.pattern.clone());
    let mut tagfocuses: Vec<String> = of(FilterKind::TagFocus).chain(picked).collect();
    let mut focuses: Vec<String> = of(FilterKind::Focus).collect();
    let mut show_froms: Vec<String> = of(FilterKind::ShowFrom).collect();
    let mut last = FilterOptions {
        focus: focuses.pop().unwrap_or_default(),
        ignore: any_of(of(FilterKind::Ignore)),
        hide: any_of(of(FilterKind::Hide)),
        show: any_of(of(FilterKind::Show)),
        show_from: show_froms.pop().unwrap_or_default(),
        tagfocus: tagfocuses.pop().unwrap_or_default(),
        ..FilterOptions::default()
    };
    let mut passes: Vec<FilterOptions> = Vec::new();
    passes.extend(focuses.into_iter().map(|focus| FilterOptions { focus, ..FilterOptions::default() }));
    passes.extend(tagfocuses.into_iter().map(|tagfocus| FilterOptions { tagfocus, ..FilterOptions::default() }));
    passes.extend(show_froms.into_iter().map(|show_from| FilterOptions { show_from, ..FilterOptions::default() }));
    // A comma in a label's pattern is pprof's own; two patterns for labels are two passes.
    let mut tagignores = of(FilterKind::TagIgnore);
    last.tagignore = tagignores.next().unwrap_or_default();
    passes.extend(tagignores.map(|tagignore| FilterOptions { tagignore, ..FilterOptions::default() }));
    passes.push(last);
    let mut part = Rc::clone(whole);
    for options in passes.iter().filter(|it| **it != FilterOptions::default()) {
        let left = match filter(&part, options).map_err(|bad| bad.to_string())? {
            (Cow::Owned(left), _) => Some(left),
            (Cow::Borrowed(_), _) => None,
        };
        if let Some(left) = left {
            part = Rc::new(left);
        }
    }
    Ok(part)
}

fn any_of(mut patterns: impl Iterator<Item = String>) -> String {
    let Some(first) = patterns.next() else { return String::new() };
    patterns.fold(first, |all, pattern| format!("{all}|{pattern}"))
}
