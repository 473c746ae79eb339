//! All that is measured of one run, from the guest's threads or from another.

use std::sync::Arc;

use crate::contention::Contention;
use crate::contexts::Contexts;
use crate::custom::CustomProfiles;
use crate::heap::grow::{GrownStacks, Growth};
use crate::heap::probe::{Probe, Sampled};
use crate::labels::LabelSets;
use crate::sample;

/// Reaches what measures a run, from any thread. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Handle {
    /// The guest's main context and its threads, each with a CPU sampler.
    pub contexts: Arc<Contexts>,
    /// The heap profile, where there is one.
    pub heap: Option<Probe>,
    /// Whether its blocks are told of by the guest's own allocator, by calls, and not by hooks.
    pub is_told: bool,
    /// Growth of the guest's memories.
    pub growth: Arc<Growth>,
    /// The guest's labels.
    pub labels: Arc<LabelSets>,
    /// Waiting in it.
    pub contention: Arc<Contention>,
    /// Profiles that the guest keeps itself.
    pub custom: Arc<CustomProfiles>,
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
    /// Makes the guest trap as soon as it can, in all its contexts; see [`sample::Handle::end_guest`].
    pub fn end_guest(&self) {
        self.contexts.live().iter().for_each(|context| context.cpu.end_guest());
    }

    /// Takes out what was measured, also while the guest still sits in a host call.
    #[must_use]
    pub fn take(&self) -> Measured {
        Measured {
            cpu: self.contexts.take_cpu(),
            heap: self.heap.as_ref().map(Probe::sampled),
            grown: self.growth.measured(),
        }
    }
}
