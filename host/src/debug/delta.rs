//! `delta_heap`, `delta_block` and `delta_mutex`: what is new since the same client asked last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;
use proto::{MergeError, Profile, encode_gzip, merge};

use super::answer::{Refusal, attachment};
use super::guests::Guest;
use super::{Asked, Debug, Guests};
use crate::delta::{DeltaBlock, DeltaHeap, DeltaMutex};

/// Clients that are told apart. Each has two numbers for every stack of its profiles.
const MAX_CLIENTS: usize = 64;

/// Bytes that a client may call itself by.
const MAX_NAME: usize = 256;

pub(super) async fn delta(debug: &Debug, asked: &Asked, name: &str) -> Result<Response, Refusal> {
    let guests = debug.guests.select(asked.params.get("guest"))?;
    // Who names no client shares one with all others that do not, as Go has it.
    let client = asked.params.get("client").unwrap_or_default();
    if client.len() > MAX_NAME {
        return Err(Refusal::bad_request("client must have at most 256 bytes"));
    }
    let (kind, take): (_, Take) = match name {
        "delta_heap" => ("heap", |deltas, guest| deltas.heap.profile(&guest.registry)),
        "delta_block" => ("block", |deltas, guest| deltas.block.profile(&guest.registry)),
        _ => ("mutex", |deltas, guest| deltas.mutex.profile(&guest.registry)),
    };
    let file = format!("{kind}.pprof.gz");
    if asked.is_head {
        return Ok(attachment(&file, Vec::new()));
    }
    let client = debug.clients.named(client);
    let all = debug.guests.clone();
    let body = debug.work.run(move || client.delta(&guests, &all, take).map(|it| encode_gzip(&it))).await??;
    Ok(attachment(&file, body))
}

/// Takes the next profile of a guest.
type Take = fn(&Deltas, &Guest) -> Profile;

/// Those who ask, the one that asked last at the end.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<Vec<(String, Arc<Client>)>>);

/// What one client was told of each guest, by the guest's number.
#[derive(Debug, Default)]
struct Client(Mutex<HashMap<u64, Arc<Deltas>>>);

/// What it was told of one.
#[derive(Debug, Default)]
struct Deltas {
    heap: DeltaHeap,
    block: DeltaBlock,
    mutex: DeltaMutex,
}

impl Clients {
    /// The client of that name. Where there would be too many, the one that has not asked for longest is forgotten, and told
    /// everything again when it does.
    fn named(&self, name: &str) -> Arc<Client> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match clients.iter().position(|(own, _)| own == name) {
            Some(at) => clients.remove(at),
            None => (name.to_owned(), Arc::default()),
        };
        if clients.len() >= MAX_CLIENTS {
            clients.remove(0);
        }
        let client = Arc::clone(&entry.1);
        clients.push(entry);
        client
    }
}

impl Client {
    /// What is new of these guests.
    fn delta(&self, guests: &[Guest], all: &Guests, take: Take) -> Result<Profile, MergeError> {
        let profiles: Vec<Profile> = guests.iter().map(|guest| take(&self.of(guest, all), guest)).collect();
        merge(&profiles)
    }

    fn of(&self, guest: &Guest, all: &Guests) -> Arc<Deltas> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|number, _| all.has(*number));
        Arc::clone(told.entry(guest.number).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_that_has_not_asked_for_longest_is_forgotten() {
        let clients = Clients::default();
        let first = clients.named("first");
        let second = clients.named("second");
        for number in 2..MAX_CLIENTS {
            clients.named(&number.to_string());
        }
        // Asked again, it is the last to go.
        assert!(Arc::ptr_eq(&first, &clients.named("first")));
        clients.named("one more");
        assert!(Arc::ptr_eq(&first, &clients.named("first")));
        assert!(!Arc::ptr_eq(&second, &clients.named("second")));
        assert_eq!(clients.0.lock().unwrap().len(), MAX_CLIENTS);
    }
}
