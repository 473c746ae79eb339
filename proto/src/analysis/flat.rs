//! What was measured in each frame itself.

use super::frames::Frames;
use crate::profile::Profile;

/// By the position of each frame: the sum of the samples whose stack ends there.
///
/// # Panics
///
/// If `sample_index` is not below the number of sample types and there are samples, or if `frames` are another profile's.
#[must_use]
pub fn flat_by_frame(profile: &Profile, frames: &Frames, sample_index: usize) -> Vec<i64> {
    let mut flat = vec![0_i64; frames.len()];
    for sample in profile.samples() {
        let leaf = sample.locations.first().and_then(|&location| frames.at(location).first());
        if let Some(sum) = leaf.and_then(|frame| flat.get_mut(frame.index())) {
            *sum = sum.saturating_add(sample.values[sample_index]);
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::FrameOptions;
    use crate::stacks;

    #[test]
    fn flat_is_the_leafs() {
        let profile = stacks::profile("a;b 3\na 4\na;c;b 5");
        let frames = Frames::new(&profile, &FrameOptions::default());
        let flat = flat_by_frame(&profile, &frames, 0);
        let mut named: Vec<(String, i64)> = frames.ids().map(|it| (frames.get(it).label(), flat[it.index()])).collect();
        named.sort();
        assert_eq!(named, [("a".to_owned(), 4), ("b".to_owned(), 8), ("c".to_owned(), 0)]);
    }
}
