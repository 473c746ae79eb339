//! The same profile with other values, or with less detail.

use crate::profile::{Line, Profile, Samples};
use crate::units;

/// `profile` with every value divided, cut toward zero as reports cut. Not positive is 1.
#[must_use]
pub fn divided(profile: &Profile, divide_by: f64) -> Profile {
    let mut divided = profile.clone();
    for value in &mut divided.samples.values {
        *value = units::divide(*value, divide_by);
    }
    divided
}

/// `profile` with each location standing for its outermost function only, and without columns unless `show_columns`.
#[must_use]
pub fn without_inlined(profile: &Profile, show_columns: bool) -> Profile {
    let mut lines: Vec<Line> = Vec::with_capacity(profile.locations.len());
    let mut outer = profile.with_samples(Samples::default());
    outer.samples = profile.samples.clone();
    // There are no more lines than before, when they were counted in u32 already.
    let row = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    for location in &mut outer.locations {
        let outermost = profile.lines[location.lines()].last();
        location.lines_start = row(lines.len());
        lines.extend(outermost.map(|it| Line { column: if show_columns { it.column } else { 0 }, ..*it }));
        location.lines_end = row(lines.len());
    }
    outer.lines = lines;
    outer.mappings.iter_mut().for_each(|it| it.has_inline_frames = false);
    outer
}
