//! The CPU profile.

use proto::{Profile, ProfileBuilder};

use super::{Names, Recorder, Run, TRUNCATED};
use crate::sample::{Leaf, RawSamples, StackSample, epoch};

/// Stands for ticks whose stack nobody saw.
const LOST: &str = "[lost samples]";

/// A CPU profile by the epoch sampler at `hz` samples a second.
#[must_use]
pub fn cpu_profile(samples: &RawSamples, hz: u32, names: &mut Names<'_>, run: &Run<'_>) -> Profile {
    let period = epoch::period(hz);
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    builder.period("cpu", "nanoseconds", i64::try_from(period).unwrap_or(i64::MAX));
    builder.duration_nanos(i64::try_from(run.duration.as_nanos()).unwrap_or(i64::MAX));
    // pprof's reports leave out comments that begin with `#`; `-comments` and the viewer show them.
    builder.comment(&format!("# wprof {}, epoch sampler at {hz} Hz", env!("CARGO_PKG_VERSION")));
    builder.comment(
        "# bias: the guest is seen at function entries and loop heads only, so straight-line code is charged to \
         the next one that runs, often its caller's loop",
    );

    let mut stacks: Vec<StackSample> = samples.stacks().collect();
    for stack in &mut stacks {
        run.map.map_stack(&mut stack.offsets);
    }
    let offsets = stacks.iter().flat_map(|stack| stack.offsets.iter().copied());
    names.look_up(offsets.clone());
    let mut recorder = Recorder::new(builder, names, &offsets, run);
    let values = |ticks: u64| [ticks, ticks.saturating_mul(period)];
    for stack in &stacks {
        let mut locations = Vec::with_capacity(stack.offsets.len() + 2);
        if stack.leaf == Leaf::HostCall
            && let Some(name) = recorder.names.symbolizer.host_call(&stack.offsets)
        {
            locations.push(recorder.pseudo(&name));
        }
        locations.extend(stack.offsets.iter().map(|&offset| recorder.location(offset)));
        if stack.truncated {
            locations.push(recorder.pseudo(TRUNCATED));
        }
        recorder.sample(&locations, &values(stack.ticks), &[]);
    }
    if samples.n_lost() > 0 {
        let lost = recorder.pseudo(LOST);
        recorder.sample(&[lost], &values(samples.n_lost()), &[]);
    }
    recorder.finish()
}
