//! The profile of linear memory: which stacks made it grow.

use proto::{Profile, ProfileBuilder};

use super::{Names, Recorder, Run};
use crate::heap::grow::GrownStacks;

/// Stands for memories at the size with which they began.
const INITIAL: &str = "[initial memory]";

/// A profile of `memory.grow`: how often, and by how many bytes. Memories' first sizes stand under `[initial memory]`, so
/// that the total is the memory that the guest has.
#[must_use]
pub fn memory_profile(grown: &GrownStacks, names: &mut Names<'_>, run: &Run<'_>) -> Profile {
    let mut builder = ProfileBuilder::new(&[("grows", "count"), ("space", "bytes")]);
    builder.period("space", "bytes", 1);
    builder.comment(&format!("# wprof {}, memory.grow by stack, every one", env!("CARGO_PKG_VERSION")));
    let mut stacks = grown.stacks.clone();
    for (offsets, ..) in &mut stacks {
        run.map.map_stack(offsets);
    }
    let offsets = stacks.iter().flat_map(|(offsets, ..)| offsets.iter().copied());
    names.look_up(offsets.clone());
    let mut recorder = Recorder::new(builder, names, &offsets, run);
    for (offsets, is_cut, grown) in &stacks {
        let mut locations: Vec<_> = offsets.iter().map(|&offset| recorder.location(offset)).collect();
        recorder.mark_cut(&mut locations, *is_cut);
        recorder.sample(&locations, &[grown.count, grown.bytes], &[]);
    }
    if grown.initial.bytes > 0 {
        let initial = recorder.pseudo(INITIAL);
        recorder.sample(&[initial], &[grown.initial.count, grown.initial.bytes], &[]);
    }
    recorder.finish()
}
