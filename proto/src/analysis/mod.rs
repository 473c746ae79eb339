//! Pure questions: a [`Profile`] in, an owned answer out.
//!
//! Nothing here prints a report, knows a pixel or reads a byte; numbers become text in [`units`](crate::units).

mod filter;
mod frames;
mod labels;
mod names;
mod paths;
mod prepare;
mod prune;
mod sample_index;

pub mod flame;
pub mod top;
pub mod tree;

pub use filter::{BadFilter, FilterOptions, filter};
pub use frames::{Frame, FrameId, FrameOptions, Frames, Granularity};
pub use labels::{NumberLabel, NumberRange, number_labels};
pub use paths::base as base_name;
pub use prepare::{Names, PrepareOptions, Warning, prepare};
pub use sample_index::{UnknownSampleType, sample_index};

use crate::profile::Profile;

/// The sum of the absolute values of all samples: what percentages are of.
///
/// With `mean`, divided by the sum of the first values, which are counts.
///
/// # Panics
///
/// If `sample_index` is not below the number of sample types and there are samples.
#[must_use]
pub fn total(profile: &Profile, sample_index: usize, mean: bool) -> i64 {
    let (mut total, mut count) = (0_i64, 0_i64);
    for sample in profile.samples() {
        total = total.saturating_add(sample.values[sample_index].saturating_abs());
        if mean {
            count = count.saturating_add(sample.values[0]);
        }
    }
    per(total, count)
}

/// `sum / count`, or `sum` if there is no count.
fn per(sum: i64, count: i64) -> i64 {
    // The one quotient that does not fit is i64::MIN / -1.
    if count == 0 { sum } else { sum.checked_div(count).unwrap_or(i64::MAX) }
}
