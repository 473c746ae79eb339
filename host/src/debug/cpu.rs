//! `profile`: CPU time over some seconds, of one client at a time.

use std::time::Duration;

use axum::response::Response;
use proto::{MergeError, Profile, encode_gzip, merge};

use super::answer::{Refusal, attachment};
use super::guests::{CpuTurn, Guest};
use super::{Asked, Debug};
use crate::registry::{Busy, CpuOptions, Owner};

pub(super) async fn profile(debug: &Debug, asked: &Asked) -> Result<Response, Refusal> {
    let guests = debug.guests.select(asked.params.get("guest"))?;
    if asked.is_head {
        return Ok(attachment("profile", Vec::new()));
    }
    let turn = debug.guests.cpu_turn().ok_or(Busy)?;
    let options = debug.guests.settings().cpu;
    let seconds = Duration::from_secs(asked.params.cpu_seconds());
    let waited_for = guests.clone();
    // From here on it is stopped by whoever drops it, also if the client goes away.
    let started = Started { guests: Vec::new(), _turn: turn };
    let session = debug.work.run(move || started.start(guests, options)).await??;
    debug.guests.wait(&waited_for, seconds).await;
    let body = debug.work.run(move || session.finish().map(|it| encode_gzip(&it))).await??;
    Ok(attachment("profile", body))
}

impl From<Busy> for Refusal {
    fn from(busy: Busy) -> Self {
        Self::failed(format!("Could not enable CPU profiling: {busy}"))
    }
}

/// A profile that is being taken, on a runtime.
#[derive(Debug)]
struct Session(Option<Started>);

/// Guests that are sampled for it.
#[derive(Debug)]
struct Started {
    guests: Vec<Guest>,
    /// Given back when all have been stopped.
    _turn: CpuTurn,
}

impl Started {
    /// Begins with all of them, or with none if another samples one.
    fn start(mut self, guests: Vec<Guest>, options: CpuOptions) -> Result<Session, Busy> {
        for guest in guests {
            guest.registry.start_cpu(options, Owner::Client)?;
            self.guests.push(guest);
        }
        Ok(Session(Some(self)))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        for guest in &self.guests {
            guest.registry.drop_cpu(Owner::Client);
        }
    }
}

impl Session {
    fn finish(mut self) -> Result<Profile, MergeError> {
        let Some(mut started) = self.0.take() else { return merge(&[]) };
        let guests = std::mem::take(&mut started.guests);
        let profiles: Vec<Profile> = guests.iter().filter_map(|it| it.registry.stop_cpu(Owner::Client)).collect();
        drop(started);
        // They were taken side by side.
        let duration = profiles.iter().map(Profile::duration_nanos).max().unwrap_or(0);
        let merged = merge(&profiles)?;
        let time = merged.time_nanos();
        Ok(merged.with_time(time, duration))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(started) = self.0.take() else { return };
        // Stopping waits for the sampler's thread, which would hold up all other requests.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn_blocking(move || drop(started)));
        }
    }
}
