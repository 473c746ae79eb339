//! The CPU profile.

use proto::{Profile, ProfileBuilder};

use super::{Names, Recorder, Run};
use crate::sample::{self, Kind, Leaf, Measured, StackSample, Value};

/// Stands for ticks whose stack nobody saw.
const LOST: &str = "[lost samples]";

/// Stands for what the host did to enter or leave the guest, when nothing of it was on the stack.
const BORDER: &str = "[entering or leaving the guest]";

/// How a CPU profile was taken.
#[derive(Debug, Clone, Copy)]
pub struct CpuProfile<'a> {
    /// What was measured.
    pub measured: &'a Measured,
    /// Samples a second, as asked for.
    pub hz: u32,
    /// Whether it has a column of wall time.
    pub has_wall: bool,
}

impl CpuProfile<'_> {
    /// What the file says of itself. pprof's reports leave out comments that begin with `#`; `-comments` and the viewer
    /// show them.
    fn comments(&self) -> Vec<String> {
        let sampler = self.measured.sampler.name();
        let mut comments = vec![format!("# wprof {}, {sampler} sampler at {} Hz", env!("CARGO_PKG_VERSION"), self.hz)];
        comments.push(match self.measured.sampler {
            Kind::Epoch => {
                "# bias: the guest is seen at function entries and loop heads only, so straight-line code, memory.copy and \
                 memory.fill are charged to the next one that runs, often the caller's loop"
                    .to_owned()
            }
            Kind::Signal => {
                "# bias: none is known; samples are taken at the instruction that was next when a timer fired, and \
                 weighted by the CPU time since the one before"
                    .to_owned()
            }
        });
        if self.measured.n_overruns > 0 {
            let n = self.measured.n_overruns;
            comments.push(format!("# overruns: {n} ticks came when the next was due already, and count with it"));
        }
        comments
    }

    fn values(&self, value: Value) -> Vec<u64> {
        let mut values = vec![value.ticks, value.cpu];
        values.extend(self.has_wall.then_some(value.wall));
        values
    }
}

/// The profile: what each stack has used of CPU time, and of wall time if that is wanted.
#[must_use]
pub fn cpu_profile(of: &CpuProfile<'_>, names: &mut Names<'_>, run: &Run<'_>) -> Profile {
    let samples = &of.measured.samples;
    let types = [("samples", "count"), ("cpu", "nanoseconds"), ("wall", "nanoseconds")];
    let mut builder = ProfileBuilder::new(&types[..if of.has_wall { 3 } else { 2 }]);
    builder.period("cpu", "nanoseconds", i64::try_from(sample::period(of.hz)).unwrap_or(i64::MAX));
    builder.duration_nanos(i64::try_from(run.duration.as_nanos()).unwrap_or(i64::MAX));
    if of.has_wall {
        builder.default_sample_type("cpu");
    }
    for comment in of.comments() {
        builder.comment(&comment);
    }

    // Without its column, wall time alone is no sample.
    let is_seen = |value: Value| of.values(value).iter().any(|&value| value > 0);
    let mut stacks: Vec<StackSample> = samples.stacks().filter(|stack| is_seen(stack.value)).collect();
    for stack in &mut stacks {
        // A call of wprof's own in the guest's allocator is the allocator's time; what waits in the place of an instruction of the
        // guest's is that instruction.
        if let [leaf, callers @ ..] = stack.offsets.as_slice()
            && run.map.is_ours(*leaf)
            && !callers.first().is_some_and(|&caller| run.map.is_instead(caller))
        {
            stack.leaf = Leaf::Guest;
        }
        run.map.map_stack(&mut stack.offsets);
    }
    let offsets = stacks.iter().flat_map(|stack| stack.offsets.iter().copied());
    names.look_up(offsets.clone());
    let mut recorder = Recorder::new(builder, names, &offsets, run);
    for stack in &stacks {
        let mut locations = recorder.places(&stack.offsets, stack.leaf);
        if locations.is_empty() {
            locations.push(recorder.pseudo(BORDER));
        }
        recorder.mark_cut(&mut locations, stack.truncated);
        recorder.labelled_sample(&locations, &of.values(stack.value), stack.labels);
    }
    if is_seen(samples.lost()) {
        let lost = recorder.pseudo(LOST);
        recorder.sample(&[lost], &of.values(samples.lost()), &[]);
    }
    recorder.finish()
}
