//! The numeric labels of a profile, by whose ranges samples are picked; and what all labels weigh.

use proto::Profile;
use proto::analysis::{LabelSums, LabelUnits, NumberLabel, NumberRange, label_sums, number_labels, total};
use proto::units::{self, Amount, Percent};

use super::subject::Subject;
use crate::protocol::{Ends, Filter, FilterKind, Measure, Picked, TagKey, TagValue, Tags, TagsAsk, Weight, Weights};

/// The numeric labels, with their ranges.
#[derive(Debug)]
pub(super) struct Labels(Vec<NumberLabel>);

impl Labels {
    pub(super) fn new(profile: &Profile) -> Labels {
        Labels(number_labels(profile))
    }

    /// pprof's option for what is picked; ranges that there are not are all.
    pub(super) fn tagfocus(&self, picked: Picked) -> Option<String> {
        let label = self.0.get(picked.measure)?;
        let [first, last] = [label.ranges.get(picked.first)?, label.ranges.get(picked.last)?];
        Some(label.tagfocus(NumberRange { first: first.first, last: last.last }))
    }

    pub(super) fn measures(&self) -> Vec<Measure> {
        let measure = |it: &NumberLabel| Measure {
            key: it.key.clone(),
            ranges: it.ranges.iter().map(|&r| ends(r, &it.unit)).collect(),
        };
        self.0.iter().map(measure).collect()
    }

    /// What each range weighs, each in the unit that suits it: they may differ by orders of magnitude.
    pub(super) fn weights(&self, profile: &Profile, sample_index: usize) -> Weights {
        let Some(sample_type) = profile.sample_types().get(sample_index) else { return Weights::default() };
        let (total, unit) = (total(profile, sample_index, false), profile.string(sample_type.unit));
        let weights = |label: &NumberLabel| {
            let weights = label.weights(profile, sample_index);
            let heaviest = weights.iter().map(|it| it.saturating_abs()).max().unwrap_or(0);
            let weight = |&weight: &i64| Weight {
                value: Amount::auto(weight, unit).to_string(),
                percent: percent(weight, total),
                bar: percent(weight, heaviest),
            };
            weights.iter().map(weight).collect()
        };
        self.0.iter().map(weights).collect()
    }
}

impl Subject {
    pub(super) fn tags(&self, _ask: &TagsAsk) -> Tags {
        let sample_index = self.sample_index();
        let units = LabelUnits::of(&self.opened.profile);
        let sums = label_sums(&self.profile, sample_index, &units);
        Tags {
            total: self.amount(self.total, sample_index),
            keys: sums.iter().map(|sums| self.tag_key(sums)).collect(),
        }
    }

    fn tag_key(&self, sums: &LabelSums) -> TagKey {
        let heaviest = sums.texts.first().map_or(0, |it| it.1);
        let text = |(text, weight): &(String, i64)| TagValue {
            name: text.clone(),
            focus: text_focus(&sums.key, text),
            ..self.tag_value(*weight, heaviest)
        };
        let label = self.labels().0.iter().find(|it| it.key == sums.key);
        let counting = self.counting_type().filter(|_| label.is_some() && !sums.numbers.is_empty());
        TagKey {
            key: sums.key.clone(),
            total: self.amount(sums.total, self.sample_index()),
            share: percent(sums.total, self.total),
            texts: sums.texts.iter().take(MOST_TEXTS).map(text).collect(),
            n_more: sums.texts.len().saturating_sub(MOST_TEXTS),
            numbers: label.filter(|_| !sums.numbers.is_empty()).map(|it| self.histogram(it)).unwrap_or_default(),
            count_kind: counting.map(|at| self.kind(at).to_owned()),
        }
    }

    /// The ranges between the first and the last that have a sample.
    fn histogram(&self, label: &NumberLabel) -> Vec<TagValue> {
        let weights = label.weights(&self.profile, self.sample_index());
        let counts = self.counting_type().map(|at| (at, label.weights(&self.profile, at)));
        let heaviest = weights.iter().map(|it| it.saturating_abs()).max().unwrap_or(0);
        let value = |(at, &range): (usize, &NumberRange)| {
            let weight = weights.get(at).copied().unwrap_or(0);
            let count = counts.as_ref().and_then(|(of, counts)| Some(self.amount(*counts.get(at)?, *of)));
            let ends = ends(range, &label.unit);
            let focus = Some(label.tagfocus(range));
            TagValue { name: Ends::name(&ends, &ends), count, focus, ..self.tag_value(weight, heaviest) }
        };
        label.ranges.iter().enumerate().map(value).collect()
    }

    fn tag_value(&self, weight: i64, heaviest: i64) -> TagValue {
        TagValue {
            weight: self.amount(weight, self.sample_index()),
            share: percent(weight, self.total),
            bar: percent(weight, heaviest),
            ..TagValue::default()
        }
    }

    fn kind(&self, sample_index: usize) -> &str {
        self.profile.sample_types().get(sample_index).map_or("", |it| self.profile.string(it.kind))
    }

    /// Beside `alloc_space` there is `alloc_objects`.
    fn counting_type(&self) -> Option<usize> {
        let counting = self.kind(self.sample_index()).strip_suffix("_space")?.to_owned() + "_objects";
        (0..self.profile.sample_types().len()).find(|&at| self.kind(at) == counting)
    }
}

/// More texts than these are not told apart by anyone.
const MOST_TEXTS: usize = 500;

/// pprof's filter for one text. A comma would make two patterns of it, and what has an equals sign in its key has another
/// key.
fn text_focus(key: &str, text: &str) -> Option<String> {
    if key.is_empty() || key.contains('=') {
        return None;
    }
    let pattern = Filter::exactly(FilterKind::TagFocus, text).pattern.replace(',', r"\x2c");
    Some(format!("{key}={pattern}"))
}

pub(super) fn percent(part: i64, whole: i64) -> String {
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
