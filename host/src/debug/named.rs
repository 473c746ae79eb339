//! `NAME`: what a profile says now, and `NAME?seconds=N`: what it says less what it said before.

use std::io::Write;
use std::time::Duration;

use axum::body::Bytes;
use axum::response::Response;
use proto::analysis::{CompareOptions, compare};
use proto::formats::{self, WriteError};
use proto::{MergeError, Profile, encode_gzip, merge};

use super::answer::{Refusal, attachment, text};
use super::guests::Guest;
use super::{Asked, Debug};
use crate::registry::NamedProfile;

/// Profiles of which a difference is made; those of a guest's own are refused, as Go refuses them.
const WITH_DIFFERENCE: [&str; 7] = ["allocs", "block", "goroutine", "heap", "memory", "mutex", "threadcreate"];

/// A profile of some guests.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    of: Vec<(Guest, NamedProfile)>,
}

pub(super) async fn named(debug: &Debug, asked: &Asked, name: &str) -> Result<Response, Refusal> {
    let guests = debug.guests.select(asked.params.get("guest"))?;
    let of = |guest: Guest| guest.registry.lookup(name).map(|profile| (guest, profile));
    let named = Named { name: name.to_owned(), of: guests.into_iter().filter_map(of).collect() };
    if named.of.is_empty() {
        return Err(Refusal::unknown_profile());
    }
    let form = asked.params.debug();
    if let Some(seconds) = asked.params.delta_seconds() {
        let invalid = "invalid value for \"seconds\" - must be a positive integer";
        let seconds = seconds.map_err(|_not_positive| Refusal::bad_request(invalid))?;
        if !WITH_DIFFERENCE.contains(&name) {
            return Err(Refusal::bad_request("\"seconds\" parameter is not supported for this profile type"));
        }
        if form != 0 {
            return Err(Refusal::bad_request("seconds and debug params are incompatible"));
        }
        return difference(debug, asked, named, Duration::from_secs(seconds)).await;
    }
    let what = named.question(form);
    // `gc=1` asks for a collection first, of which guests know nothing.
    let body = match asked.is_head {
        true => Bytes::new(),
        false => {
            let make = move || if form == 0 { Ok(named.encoded()?) } else { named.text(form) };
            debug.together.ask(what, &debug.work, make).await?
        }
    };
    Ok(if form == 0 { attachment(name, body) } else { text(body) })
}

async fn difference(debug: &Debug, asked: &Asked, named: Named, apart: Duration) -> Result<Response, Refusal> {
    let file = format!("{}-delta", named.name);
    if asked.is_head {
        return Ok(attachment(&file, Vec::new()));
    }
    let guests: Vec<Guest> = named.of.iter().map(|(guest, _)| guest.clone()).collect();
    let earlier = {
        let named = named.clone();
        debug.work.run(move || named.profile()).await??
    };
    debug.guests.wait(&guests, apart).await;
    let body = debug.work.run(move || Ok::<_, MergeError>(encode_gzip(&less(named.profile()?, earlier)?))).await??;
    Ok(attachment(&file, body))
}

/// What a profile says more than it did before.
fn less(later: Profile, earlier: Profile) -> Result<Profile, MergeError> {
    let (time, before) = (later.time_nanos(), earlier.time_nanos());
    let difference = compare(later, earlier, &CompareOptions::default())?;
    Ok(difference.with_time(time, time.saturating_sub(before)))
}

impl Named {
    /// What tells it in this form from all others: an id may have been another guest's before.
    fn question(&self, form: i32) -> String {
        let numbers: Vec<String> = self.of.iter().map(|(guest, _)| guest.number.to_string()).collect();
        format!("{}?{form}&{}", self.name, numbers.join(","))
    }

    /// What it says now, of all guests together.
    fn profile(&self) -> Result<Profile, MergeError> {
        let mut profiles: Vec<Profile> = self.of.iter().map(|(guest, it)| guest.registry.profile(*it)).collect();
        match profiles.len() {
            1 => profiles.pop().ok_or(MergeError::Nothing),
            _ => merge(&profiles),
        }
    }

    fn encoded(&self) -> Result<Vec<u8>, MergeError> {
        Ok(encode_gzip(&self.profile()?))
    }

    fn text(&self, form: i32) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::new();
        // All goroutines of one guest and then those of the next are as good as any other order.
        let is_list = self.name == "goroutine" && form >= 2;
        if is_list || self.of.len() == 1 {
            for (guest, profile) in &self.of {
                guest.registry.write_to(*profile, form, &mut out)?;
            }
        } else {
            self.write_sum(&mut out)?;
        }
        Ok(out)
    }

    /// Writes several guests' profile. Guests may sample blocks at different rates, so estimates are written, as of a profile
    /// that saw every block.
    fn write_sum(&self, out: &mut impl Write) -> Result<(), Refusal> {
        let profile = self.profile()?;
        match self.name.as_str() {
            "allocs" | "heap" | "peak" => {
                proto::heap::write_text(out, &profile, 1, &[]).map_err(WriteError::from)?;
            }
            "mutex" => formats::text::write_mutex(out, &profile, 1)?,
            _ => formats::text::write(out, &profile)?,
        }
        Ok(())
    }
}
