//! The profile of CPU time, which one at a time may take: the whole run, the guest itself, or a client.

use std::time::{Duration, Instant, SystemTime};

use proto::Profile;

use super::Registry;
use crate::record::{self, CpuProfile};
pub use crate::sample::CpuOptions;
use crate::sample::Measured;

/// Who has started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// It is taken of the whole run, or for the embedder.
    Run,
    /// The guest, by a call.
    Guest,
    /// Somebody else.
    Client,
}

/// Somebody else takes one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cpu profiling already in use")]
pub struct Busy;

/// A profile that is being taken.
#[derive(Debug)]
pub(super) struct Running {
    options: CpuOptions,
    owner: Owner,
    began: (SystemTime, Instant),
    /// What was measured until the guest ended, and how long that was; `None` while it runs.
    ended: Option<(Measured, Duration)>,
}

impl Registry {
    /// Begins to take a profile; Go's `StartCPUProfile`.
    ///
    /// # Errors
    ///
    /// When one is being taken already, which goes on. A system that refuses a thread is busy too.
    pub fn start_cpu(&self, options: CpuOptions, owner: Owner) -> Result<(), Busy> {
        let mut running = self.running();
        if running.is_some() {
            return Err(Busy);
        }
        if self.handle().contexts.start_cpu(options).is_err() {
            return Err(Busy);
        }
        *running = Some(Running { options, owner, began: (SystemTime::now(), Instant::now()), ended: None });
        Ok(())
    }

    /// Ends the profile that this one has started; `None` if there is none. Go's `StopCPUProfile`.
    #[must_use]
    pub fn stop_cpu(&self, owner: Owner) -> Option<Profile> {
        let mut running = self.running();
        let Running { options, began, ended, .. } = running.take_if(|it| it.owner == owner)?;
        // Whoever starts the next one waits until the samples are out.
        let (measured, duration) = ended.unwrap_or_else(|| (self.handle().contexts.stop_cpu(), began.1.elapsed()));
        drop(running);
        Some(self.cpu_profile(&measured, options, began.0, duration))
    }

    /// Ends the profile that this one has started, if there is one, and makes none of it.
    pub fn drop_cpu(&self, owner: Owner) {
        let mut running = self.running();
        if running.take_if(|it| it.owner == owner).is_some_and(|it| it.ended.is_none()) {
            drop(self.handle().contexts.stop_cpu());
        }
    }

    /// Keeps what a client's profile has so far. To be called when the guest has ended, before what was measured is taken
    /// out.
    pub fn keep_cpu(&self) {
        let mut running = self.running();
        let open = |it: &&mut Running| it.owner == Owner::Client && it.ended.is_none();
        if let Some(running) = running.as_mut().filter(open) {
            running.ended = Some((self.handle().contexts.stop_cpu(), running.began.1.elapsed()));
        }
    }

    /// The profile of what was sampled.
    #[must_use]
    pub fn cpu_profile(
        &self,
        measured: &Measured,
        CpuOptions { hz, has_wall }: CpuOptions,
        time: SystemTime,
        duration: Duration,
    ) -> Profile {
        let of = CpuProfile { measured, hz, has_wall };
        self.record(time, duration, |names, run| record::cpu_profile(&of, names, run))
    }
}
