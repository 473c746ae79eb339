//! Pure questions: a [`Profile`] in, an owned answer out.
//!
//! Nothing here prints a report, knows a pixel or reads a byte; numbers become text in [`units`](crate::units).

mod addresses;
mod compare;
mod filter;
mod flat;
mod frames;
mod label_sums;
mod labels;
mod names;
mod paths;
mod prepare;
mod prune;
mod reshape;
mod sample_index;
mod select;
mod tag_frames;

pub mod calls;
pub mod diff;
pub mod flame;
pub mod graph;
pub mod listing;
pub mod neighbours;
pub mod sandwich;
pub mod search;
pub mod symbolize;
pub mod top;
pub mod tree;
pub mod versus;

pub use addresses::address_weights;
pub use compare::{CompareOptions, compare};
pub use filter::{BadFilter, FilterOptions, filter};
pub use flat::flat_by_frame;
pub use frames::{Frame, FrameId, FrameOptions, Frames, Granularity};
pub use label_sums::{LabelSums, label_sums};
pub use labels::{LabelUnits, NumberLabel, NumberRange, number_labels};
pub use names::short_name;
pub use paths::{base as base_name, clean as clean_path, trim_source};
pub use prepare::{Names, PrepareOptions, Warning, prepare};
pub use reshape::{divided, without_inlined};
pub use sample_index::{UnknownSampleType, sample_index};
pub use select::{SelectError, SelectOptions, Selection, select};
pub use tag_frames::TagFrames;

use crate::profile::Profile;

/// The sum of the absolute values of all samples: what percentages are of.
///
/// With `mean`, divided by the sum of the first values, which are counts. If there are samples of a marked base (see
/// [`compare`]), of these only.
///
/// # Panics
///
/// If `sample_index` is not below the number of sample types and there are samples.
#[must_use]
pub fn total(profile: &Profile, sample_index: usize, mean: bool) -> i64 {
    let (mut all, mut of_base) = (Sum::default(), Sum::default());
    let base_label = profile.base_label();
    for sample in profile.samples() {
        let count = if mean { sample.values[0] } else { 0 };
        all.add(sample.values[sample_index], count);
        if base_label.is_some_and(|it| sample.labels.contains(&it)) {
            of_base.add(sample.values[sample_index], count);
        }
    }
    let Sum { total, count } = if 0 < of_base.total { of_base } else { all };
    per(total, count)
}

#[derive(Debug, Default)]
struct Sum {
    total: i64,
    count: i64,
}

impl Sum {
    fn add(&mut self, value: i64, count: i64) {
        self.total = self.total.saturating_add(value.saturating_abs());
        self.count = self.count.saturating_add(count);
    }
}

/// `sum / count`, or `sum` if there is no count.
fn per(sum: i64, count: i64) -> i64 {
    // The one quotient that does not fit is i64::MIN / -1.
    if count == 0 { sum } else { sum.checked_div(count).unwrap_or(i64::MAX) }
}
