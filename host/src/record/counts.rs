//! Profiles that count: execution contexts, and what a guest keeps itself.

use proto::{LocationId, Profile, ProfileBuilder};
use rustc_hash::FxHashMap;
use symbols::Frame;

use super::{Names, Recorder, Run};
use crate::labels::LabelsId;
use crate::sample::Leaf;

/// Stands for a stack of which a guest wanted to leave out more frames than it has.
const LOST: &str = "wprof.lostProfileEvent";

/// Names of the SDK's own functions begin so, in Rust and in C.
const SDK: [&str; 3] = ["wprof_guest::", "<wprof_guest::", "wprof_"];

/// A row of such a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountRow {
    /// Offsets in the file that was compiled, innermost first.
    pub offsets: Vec<u32>,
    /// Whether frames were cut at the root side.
    pub is_cut: bool,
    /// What stands inside of them.
    pub leaf: RowLeaf,
    /// The labels that the guest had set.
    pub labels: LabelsId,
    /// How many there are.
    pub count: u64,
}

/// The innermost part of a row's stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowLeaf {
    /// The guest itself.
    Guest,
    /// The host call that the guest stands in.
    HostCall,
    /// Something by this name, alone: nobody saw a stack, or there is none.
    Named(&'static str),
    /// The guest, but for the SDK's own frames, and for so many more.
    Without(u32),
}

/// A profile of what is there, by the stack that has brought it: most first, then by stack (SEMANTICS §3, §4).
#[must_use]
pub fn count_profile(name: &str, mut counted: Vec<CountRow>, names: &mut Names<'_>, run: &Run<'_>) -> Profile {
    let mut builder = ProfileBuilder::new(&[(name, "count")]);
    builder.period(name, "count", 1);
    for it in &mut counted {
        run.map.map_stack(&mut it.offsets);
    }
    let offsets = counted.iter().flat_map(|it| it.offsets.iter().copied());
    names.look_up(offsets.clone());
    let mut recorder = Recorder::new(builder, names, &offsets, run);
    // Without some of their frames, stacks may be the same.
    let mut rows: FxHashMap<(Vec<LocationId>, LabelsId), u64> = FxHashMap::default();
    for it in &counted {
        *rows.entry((recorder.row(it), it.labels)).or_default() += it.count;
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|((a, a_labels), a_count), ((b, b_labels), b_count)| {
        b_count.cmp(a_count).then_with(|| (a, a_labels).cmp(&(b, b_labels)))
    });
    for ((locations, labels), count) in &rows {
        recorder.labelled_sample(locations, &[*count], *labels);
    }
    recorder.finish()
}

impl Recorder<'_, '_> {
    /// The stack of a row.
    fn row(&mut self, row: &CountRow) -> Vec<LocationId> {
        let mut locations = match row.leaf {
            RowLeaf::Guest => self.places(&row.offsets, Leaf::Guest),
            RowLeaf::HostCall => self.places(&row.offsets, Leaf::HostCall),
            RowLeaf::Named(name) => vec![self.pseudo(name)],
            RowLeaf::Without(skip) => {
                let frames = row.offsets.iter().map(|&offset| self.names.at(offset));
                let Some((n_left_out, n_inner)) = leaf_side(frames, skip as usize) else {
                    return vec![self.pseudo(LOST)];
                };
                let kept = row.offsets.iter().skip(n_left_out).enumerate();
                kept.map(|(n, &offset)| self.location_without(offset, if n == 0 { n_inner } else { 0 })).collect()
            }
        };
        self.mark_cut(&mut locations, row.is_cut);
        locations
    }
}

/// How many of a stack's places to leave out at the leaf side, and how many of the innermost calls at the place after
/// those: the SDK's own, and then `skip` more. `None` if that leaves nothing. The places come innermost first, each with
/// the calls inlined there.
fn leaf_side<'f>(places: impl Iterator<Item = &'f [Frame]>, skip: usize) -> Option<(usize, usize)> {
    let mut is_sdk = true;
    let mut left = skip;
    for (n_left_out, calls) in places.enumerate() {
        for (n_inner, frame) in calls.iter().enumerate() {
            is_sdk = is_sdk && SDK.iter().any(|prefix| frame.name.starts_with(prefix));
            if is_sdk {
                continue;
            }
            if left == 0 {
                return Some((n_left_out, n_inner));
            }
            left -= 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(places: &[&[&str]], skip: usize, expected: Option<(usize, usize)>) {
        let frame = |name: &&str| Frame {
            name: (*name).to_owned(),
            system_name: String::new(),
            file: String::new(),
            line: 0,
            column: 0,
            start_line: 0,
        };
        let places: Vec<Vec<_>> = places.iter().map(|names| names.iter().map(frame).collect()).collect();
        assert_eq!(leaf_side(places.iter().map(Vec::as_slice), skip), expected, "skip {skip}");
    }

    #[test]
    fn frames_are_left_out_call_by_call() {
        let stack: &[&[&str]] =
            &[&["wprof_guest::imports::add"], &["wprof_guest::Profile::add", "open", "run"], &["main"]];
        for (skip, expected) in [(0, Some((1, 1))), (1, Some((1, 2))), (2, Some((2, 0))), (3, None), (100, None)] {
            check(stack, skip, expected);
        }
        check(&[&["open"], &["wprof_guest::labels::do_"], &["main"]], 1, Some((1, 0)));
        check(&[&["wprof_profile_add", "site"]], 0, Some((0, 1)));
        check(&[&["wprof_guest::Profile::add"]], 0, None);
        check(&[], 0, None);
    }
}
