//! Stacks cut above or below a frame: `show_from` and `prune_from`.

use regex::Regex;

use super::Part;
use super::names::Matches;
use crate::analysis::prune::without_parameters;
use crate::profile::{Profile, Samples};

/// Cuts above the match nearest to the root. A match by binary keeps the whole location.
pub(super) fn show_from(part: &mut Part<'_>, pattern: &Regex) {
    let matches = Matches::new(&part.profile, pattern);
    let mut locations = part.profile.locations().to_vec();
    let mut is_match = vec![false; locations.len()];
    for (location, is_match) in locations.iter_mut().zip(&mut is_match) {
        if matches.mapping(location) {
            *is_match = true;
        } else if let Some(last) = part.profile.lines[location.lines()].iter().rposition(|it| matches.line(it)) {
            *is_match = true;
            // Cannot run past lines_end, which is a u32 as well.
            location.lines_end = location.lines_start + u32::try_from(last + 1).unwrap_or(0);
        }
    }
    let samples = cut_samples(&part.profile, |stack| {
        stack.iter().rposition(|it| is_match[it.index()]).map(|last| &stack[..=last])
    });
    part.set_samples(samples);
    part.profile.to_mut().locations = locations;
    part.warn_unless(is_match.contains(&true), "ShowFrom");
}

/// Cuts below the match nearest to the leaf. Names are matched without their parameters, as for `drop_frames`.
pub(super) fn prune_from(part: &mut Part<'_>, pattern: &Regex) {
    let profile = part.profile.as_ref();
    let is_match = |it: &crate::Line| {
        let name = profile.string(profile.function(it.function).name);
        !name.is_empty() && pattern.is_match(without_parameters(name))
    };
    let firsts: Vec<Option<usize>> =
        profile.locations().iter().map(|it| profile.lines[it.lines()].iter().position(is_match)).collect();
    let samples = cut_samples(profile, |stack| {
        let first = stack.iter().position(|it| firsts[it.index()].is_some());
        Some(&stack[first.unwrap_or(0)..])
    });
    part.set_samples(samples);
    for (location, first) in part.profile.to_mut().locations.iter_mut().zip(firsts) {
        location.lines_start += u32::try_from(first.unwrap_or(0)).unwrap_or(0);
    }
}

fn cut_samples(
    profile: &Profile,
    cut: impl for<'s> Fn(&'s [crate::LocationId]) -> Option<&'s [crate::LocationId]>,
) -> Samples {
    let mut samples = Samples::default();
    for sample in profile.samples() {
        if let Some(stack) = cut(sample.locations) {
            samples.push(stack, sample.values, sample.labels);
        }
    }
    samples
}
