//! What labels contribute to a place: pprof's nodelets.
//!
//! A sample's text labels together make one tag. Of the numeric labels only `bytes`, the size of a block, is kept, as
//! pprof does.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::{Graph, NodeIdx, Sums, Weight};
use crate::analysis::labels::LabelUnits;
use crate::profile::{Label, LabelValue, Profile};
use crate::units::Amount;

/// The one numeric label that is kept.
const SIZE_KEY: &str = "bytes";
/// Marks samples of a base that percentages are of; said by the sums already.
pub(crate) const BASE_KEY: &str = "pprof::base";

/// What samples of one label add to a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// All text labels as `key:value`, one a line; or a size or range of sizes as reports print it.
    pub name: String,
    /// What they add.
    pub sums: Sums,
}

/// The labels of one sample, as numbers of [`TagNames`].
#[derive(Debug, Clone, Default)]
pub(super) struct SampleTags {
    text: Option<usize>,
    sizes: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct NodeTags {
    texts: FxHashMap<usize, Sums>,
    /// By text, if any, and size.
    sizes: FxHashMap<(Option<usize>, usize), Sums>,
}

impl NodeTags {
    pub(super) fn add_cum(&mut self, tags: &SampleTags, weight: Weight) {
        self.each(tags, |sums| sums.add_cum(weight));
    }

    pub(super) fn add_flat(&mut self, tags: &SampleTags, weight: Weight) {
        self.each(tags, |sums| sums.add_flat(weight));
    }

    fn each(&mut self, tags: &SampleTags, add: impl Fn(&mut Sums)) {
        if let Some(text) = tags.text {
            add(self.texts.entry(text).or_default());
        }
        for &size in &tags.sizes {
            add(self.sizes.entry((tags.text, size)).or_default());
        }
    }

    /// Leaves out what weighs less than `cutoff`.
    pub(super) fn trim(&mut self, cutoff: i64) {
        let is_kept = |sums: &Sums| cutoff <= sums.flat.saturating_abs().max(sums.cum.saturating_abs());
        self.texts.retain(|_, sums| is_kept(sums));
        self.sizes.retain(|_, sums| is_kept(sums));
    }

    /// How many hold something that is the place's own.
    pub(super) fn n_flat(&self) -> usize {
        self.texts.values().chain(self.sizes.values()).filter(|it| it.flat != 0).count()
    }
}

/// All tags of a graph by number.
#[derive(Debug, Clone)]
pub(super) struct TagNames {
    /// The unit that sizes are told apart and printed in; none if no tags are wanted.
    size_unit: Option<String>,
    label_unit: String,
    texts: Vec<String>,
    text_ids: FxHashMap<String, usize>,
    sizes: Vec<Size>,
    size_ids: FxHashMap<String, usize>,
}

/// A size, counted in the label's unit. The unit is the same for all.
#[derive(Debug, Clone, Copy)]
struct Size(i64);

impl TagNames {
    pub(super) fn new(profile: &Profile, size_unit: Option<&str>) -> Self {
        let key = || profile.samples.labels.iter().map(|it| it.key).find(|it| profile.string(*it) == SIZE_KEY);
        let label_unit = size_unit.and_then(|_| key()).map(|key| LabelUnits::of(profile).get(profile, key).to_owned());
        TagNames {
            size_unit: size_unit.map(str::to_owned),
            label_unit: label_unit.unwrap_or_default(),
            texts: Vec::new(),
            text_ids: FxHashMap::default(),
            sizes: Vec::new(),
            size_ids: FxHashMap::default(),
        }
    }

    pub(super) fn of_sample(&mut self, profile: &Profile, labels: &[Label]) -> SampleTags {
        let Some(size_unit) = &self.size_unit else { return SampleTags::default() };
        let mut texts: Vec<String> = Vec::new();
        let mut sizes = Vec::new();
        for label in labels {
            let key = profile.string(label.key);
            match label.value {
                LabelValue::Str(text) if key != BASE_KEY => texts.push(format!("{key}:{}", profile.string(text))),
                LabelValue::Num { num, .. } if key == SIZE_KEY => {
                    let name = Amount { value: num, from: &self.label_unit, to: size_unit }.to_string();
                    sizes.push(*self.size_ids.entry(name).or_insert_with(|| {
                        self.sizes.push(Size(num));
                        self.sizes.len() - 1
                    }));
                }
                _ => {}
            }
        }
        texts.sort_unstable();
        let text = (!texts.is_empty()).then(|| {
            let name = texts.join("\n");
            *self.text_ids.entry(name.clone()).or_insert_with(|| {
                self.texts.push(name);
                self.texts.len() - 1
            })
        });
        SampleTags { text, sizes }
    }
}

/// At most so many of each kind are shown beside a place.
pub(super) const MOST_TAGS: usize = 4;

/// A text tag of a place, with the sizes of its samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTag {
    /// The labels.
    pub tag: Tag,
    /// The sizes.
    pub sizes: Vec<Tag>,
}

impl Graph {
    /// The heaviest tags of a place, at most four, and the sizes of samples that have none, in at most four ranges. By
    /// flat if `by_flat`, else by cum.
    #[must_use]
    pub fn tags(&self, node: NodeIdx, by_flat: bool) -> (Vec<TextTag>, Vec<Tag>) {
        let tags = &self.node(node).tags;
        let names = &self.tag_names;
        let mut texts: Vec<(usize, Tag)> =
            tags.texts.iter().map(|(&id, &sums)| (id, Tag { name: names.texts[id].clone(), sums })).collect();
        texts.sort_unstable_by(|a, b| weight_order(&a.1, by_flat).cmp(&weight_order(&b.1, by_flat)));
        texts.truncate(MOST_TAGS);
        let texts = texts.into_iter();
        let texts = texts.map(|(id, tag)| TextTag { tag, sizes: self.sizes(tags, Some(id), by_flat) }).collect();
        (texts, self.sizes(tags, None, by_flat))
    }

    fn sizes(&self, tags: &NodeTags, text: Option<usize>, by_flat: bool) -> Vec<Tag> {
        let names = &self.tag_names;
        let unit = &names.label_unit;
        let of_text = tags.sizes.iter().filter(|it| it.0.0 == text);
        let mut sizes: Vec<Sized> = of_text.map(|(key, &sums)| Sized { size: names.sizes[key.1].0, sums }).collect();
        let to = names.size_unit.as_deref().unwrap_or("auto");
        let name = |value| Amount { value, from: unit, to }.to_string();
        sizes.sort_unstable_by_key(|it| (it.weight(by_flat), name(it.size)));
        if sizes.len() <= MOST_TAGS {
            return sizes.iter().map(|it| Tag { name: name(it.size), sums: it.sums }).collect();
        }
        // Ranges are in the units that suit their ends, as in the report's they would often read 0..0.
        let mut tags: Vec<Tag> = grouped(&sizes).iter().map(|it| group_tag(it, unit)).collect();
        tags.sort_unstable_by(|a, b| weight_order(a, by_flat).cmp(&weight_order(b, by_flat)));
        tags
    }
}

#[derive(Debug, Clone, Copy)]
struct Sized {
    size: i64,
    sums: Sums,
}

impl Sized {
    fn weight(&self, by_flat: bool) -> impl Ord + use<> {
        weight(&self.sums, by_flat)
    }
}

fn weight(sums: &Sums, by_flat: bool) -> (Reverse<i64>, Reverse<i64>) {
    let cum = if by_flat { 0 } else { sums.cum.saturating_abs() };
    (Reverse(cum), Reverse(sums.flat.saturating_abs()))
}

fn weight_order(tag: &Tag, by_flat: bool) -> (Reverse<i64>, Reverse<i64>, &str) {
    let (cum, flat) = weight(&tag.sums, by_flat);
    (cum, flat, &tag.name)
}

/// The heaviest sizes, each with those of the others that are nearest to it.
fn grouped(sizes: &[Sized]) -> Vec<Vec<Sized>> {
    let (heaviest, others) = sizes.split_at(MOST_TAGS);
    let mut groups: Vec<Vec<Sized>> = heaviest.iter().map(|&it| vec![it]).collect();
    for &other in others {
        let distance = |group: &Vec<Sized>| group[0].size.abs_diff(other.size);
        if let Some(nearest) = groups.iter_mut().min_by_key(|it| distance(it)) {
            nearest.push(other);
        }
    }
    groups
}

fn group_tag(group: &[Sized], unit: &str) -> Tag {
    let name = |size| Amount::auto(size, unit);
    let sizes = || group.iter().map(|it| it.size);
    let (least, greatest) = (sizes().min().unwrap_or(0), sizes().max().unwrap_or(0));
    let mut sums = Sums::default();
    group.iter().for_each(|it| sums.add(&it.sums));
    let name = if group.len() == 1 { name(least).to_string() } else { format!("{}..{}", name(least), name(greatest)) };
    Tag { name, sums }
}
