//! All that is measured of one run, from the guest's thread or from another.

use std::sync::Arc;

use crate::heap::grow::{GrownStacks, Growth};
use crate::heap::probe::{Probe, Sampled};
use crate::sample;

/// Reaches what measures a run, from any thread.
#[derive(Debug, Clone)]
pub struct Handle {
    /// The CPU sampler.
    pub cpu: sample::Handle,
    /// The heap profile, where there is one.
    pub heap: Option<Probe>,
    /// Growth of the guest's memories.
    pub growth: Arc<Growth>,
}

/// What was measured.
#[derive(Debug)]
pub struct Measured {
    /// CPU time.
    pub cpu: sample::Measured,
    /// Blocks of memory, where they were looked at.
    pub heap: Option<Sampled>,
    /// Linear memory.
    pub grown: GrownStacks,
}

impl Handle {
    /// Makes the guest trap as soon as it can; see [`sample::Handle::end_guest`].
    pub fn end_guest(&self) {
        self.cpu.end_guest();
    }

    /// Takes out what was measured, also while the guest still sits in a host call.
    #[must_use]
    pub fn take(&self) -> Measured {
        self.with_cpu(self.cpu.take())
    }

    /// What was measured, with CPU samples that were taken out already.
    #[must_use]
    pub fn with_cpu(&self, cpu: sample::Measured) -> Measured {
        Measured { cpu, heap: self.heap.as_ref().map(Probe::sampled), grown: self.growth.measured() }
    }
}
