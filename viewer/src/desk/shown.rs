//! The profile, and the part of it that is on show: all of it, or the samples of some sizes.

use std::borrow::Cow;

use proto::Profile;
use proto::analysis::{FilterOptions, NumberLabel, NumberRange, filter, number_labels, total};
use proto::units::{self, Amount, Percent};

use crate::protocol::{Ends, Measure, Picked, Weight, Weights};

/// A profile and what is picked of it.
#[derive(Debug)]
pub(super) struct Shown {
    whole: Profile,
    labels: Vec<NumberLabel>,
    picked: Option<Picked>,
    /// `None` while all is on show.
    part: Option<Profile>,
}

impl Shown {
    pub(super) fn new(whole: Profile) -> Shown {
        Shown { labels: number_labels(&whole), whole, picked: None, part: None }
    }

    pub(super) fn whole(&self) -> &Profile {
        &self.whole
    }

    /// What tables and graphs are of. Its functions are numbered as the whole's.
    pub(super) fn profile(&self) -> &Profile {
        self.part.as_ref().unwrap_or(&self.whole)
    }

    /// What percentages are of, whatever is picked.
    pub(super) fn total(&self, sample_index: usize) -> i64 {
        total(&self.whole, sample_index, false)
    }

    /// What is on show of it; `None` while that is all.
    pub(super) fn part_total(&self, sample_index: usize) -> Option<i64> {
        self.part.as_ref().map(|part| total(part, sample_index, false))
    }

    /// Shows the samples of these ranges, or all; says whether that is news. Ranges that there are not are all.
    pub(super) fn pick(&mut self, picked: Option<Picked>) -> bool {
        if picked == self.picked {
            return false;
        }
        self.picked = picked;
        let tagfocus = picked.and_then(|it| self.tagfocus(it));
        let options = tagfocus.map(|tagfocus| FilterOptions { tagfocus, ..FilterOptions::default() });
        self.part = options.and_then(|options| match filter(&self.whole, &options) {
            Ok((Cow::Owned(part), _)) => Some(part),
            Ok((Cow::Borrowed(_), _)) | Err(_) => None,
        });
        true
    }

    fn tagfocus(&self, picked: Picked) -> Option<String> {
        let label = self.labels.get(picked.measure)?;
        let [first, last] = [label.ranges.get(picked.first)?, label.ranges.get(picked.last)?];
        Some(label.tagfocus(NumberRange { first: first.first, last: last.last }))
    }

    pub(super) fn measures(&self) -> Vec<Measure> {
        let measure = |it: &NumberLabel| Measure {
            key: it.key.clone(),
            ranges: it.ranges.iter().map(|&r| ends(r, &it.unit)).collect(),
        };
        self.labels.iter().map(measure).collect()
    }

    /// What each range weighs, each in the unit that suits it: they may differ by orders of magnitude.
    pub(super) fn weights(&self, sample_index: usize) -> Weights {
        let Some(sample_type) = self.whole.sample_types().get(sample_index) else { return Weights::default() };
        let (total, unit) = (self.total(sample_index), self.whole.string(sample_type.unit));
        let weights = |label: &NumberLabel| {
            let weights = label.weights(&self.whole, sample_index);
            let heaviest = weights.iter().map(|it| it.saturating_abs()).max().unwrap_or(0);
            let weight = |&weight: &i64| Weight {
                value: Amount::auto(weight, unit).to_string(),
                percent: percent(weight, total),
                bar: percent(weight, heaviest),
            };
            weights.iter().map(weight).collect()
        };
        self.labels.iter().map(weights).collect()
    }
}

fn percent(part: i64, whole: i64) -> String {
    Percent { part, whole }.to_string().trim_start().to_owned()
}

/// A range of several numbers goes up to where the next one begins, as people write histograms: `1kB – 2kB`.
fn ends(NumberRange { first, last }: NumberRange, unit: &str) -> Ends {
    let past = if first == last || first == i64::MIN { last } else { last.saturating_add(1) };
    Ends {
        from: if first == i64::MIN { String::new() } else { exactly(first, unit) },
        to: if last == i64::MAX { String::new() } else { exactly(past, unit) },
    }
}

/// `1.50kB` only where that is all there is to say: otherwise two sizes might look the same.
fn exactly(number: i64, unit: &str) -> String {
    let (scaled, _) = units::scale(number, unit, "auto");
    let is_exact = (scaled * 100.0).fract() == 0.0;
    Amount { value: number, from: unit, to: if is_exact { "auto" } else { unit } }.to_string()
}
