//! Block and mutex profiles: where the guest waited, and who made it wait.

use proto::{Profile, ProfileBuilder};

use super::{Names, Recorder, Run};
use crate::sample::Leaf;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentionKind {
    /// Stacks of those that waited.
    Block,
    /// Stacks of those that held what others waited for.
    Mutex,
}

/// What one stack has to do with waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    /// Offsets in the file that was compiled, innermost first.
    pub offsets: Vec<u32>,
    /// Whether frames were cut at the root side.
    pub is_cut: bool,
    /// Whether it was the host that waited for the guest.
    pub leaf: Leaf,
    /// How often.
    pub count: u64,
    /// Nanoseconds in all.
    pub delay: u64,
}

/// A profile of waiting, the longest first (SEMANTICS §3). `rate` is how it was sampled: nanoseconds from which every wait
/// is in it, or of how many one is.
#[must_use]
pub fn contention_profile(
    kind: ContentionKind,
    waited: &[Waited],
    rate: i64,
    names: &mut Names<'_>,
    run: &Run<'_>,
) -> Profile {
    let mut builder = ProfileBuilder::new(&[("contentions", "count"), ("delay", "nanoseconds")]);
    builder.period("contentions", "count", 1);
    let version = env!("CARGO_PKG_VERSION");
    builder.comment(&match (kind, rate) {
        (_, ..=0) => format!("# wprof {version}, waiting is not looked at now"),
        (ContentionKind::Block, 1) => format!("# wprof {version}, stacks that waited, every time"),
        (ContentionKind::Block, _) => format!("# wprof {version}, stacks that waited, sampled below {rate} ns"),
        (ContentionKind::Mutex, _) => {
            format!("# wprof {version}, stacks that gave up locks which others waited for, one in {rate}")
        }
    });
    let mut waited = waited.to_vec();
    waited.sort_by_key(|it| std::cmp::Reverse(it.delay));
    for it in &mut waited {
        run.map.map_stack(&mut it.offsets);
    }
    let offsets = waited.iter().flat_map(|it| it.offsets.iter().copied());
    names.look_up(offsets.clone());
    let mut recorder = Recorder::new(builder, names, &offsets, run);
    for it in &waited {
        let mut locations = recorder.places(&it.offsets, it.leaf);
        recorder.mark_cut(&mut locations, it.is_cut);
        recorder.sample(&locations, &[it.count, it.delay], &[]);
    }
    recorder.finish()
}
