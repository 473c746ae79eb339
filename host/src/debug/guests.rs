//! The guests that are served: which there are, and that one at a time takes their CPU profile.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::watch;

use super::answer::Refusal;
use crate::registry::{CpuOptions, Module, Registry};

/// What is the same for all guests of a process.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What `cmdline` answers: the module's path, and the guest's arguments.
    pub cmdline: Vec<String>,
    /// How CPU profiles are taken.
    pub cpu: CpuOptions,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cmdline: Vec::new(), cpu: CpuOptions { hz: 100, has_wall: false } }
    }
}

/// Guests whose profiles are served. Clones are the same; any thread may add and remove.
#[derive(Debug, Clone, Default)]
pub struct Guests(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    settings: Settings,
    list: Mutex<Vec<Guest>>,
    /// Counts those that have come, for their numbers.
    n_added: Mutex<u64>,
    /// Go has one CPU profile a process, so a second is refused also if it is of another guest.
    has_cpu_profile: AtomicBool,
    /// Is told when a guest ends.
    endings: watch::Sender<()>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    id: String,
    /// No other has it, nor ever had.
    pub(super) number: u64,
    pub(super) registry: Registry,
    is_over: bool,
}

/// Whoever holds it takes the CPU profile.
#[derive(Debug)]
pub(super) struct CpuTurn(Guests);

impl Drop for CpuTurn {
    fn drop(&mut self) {
        self.0.0.has_cpu_profile.store(false, Ordering::Release);
    }
}

impl Guests {
    /// None yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner { settings, ..Inner::default() }))
    }

    /// Serves a guest, which `?guest=ID` chooses; one that had this id is not served any more. Addresses in its profiles begin
    /// behind those of other modules that are served.
    pub fn add(&self, id: impl Into<String>, registry: Registry) {
        let id = id.into();
        self.remove(&id);
        let number = {
            let mut n_added = self.0.n_added.lock().unwrap_or_else(PoisonError::into_inner);
            *n_added += 1;
            *n_added
        };
        let mut list = self.list();
        let modules = || list.iter().map(|it| it.registry.module());
        let same = modules().find(|it| Arc::ptr_eq(&it.bytes, &registry.module().bytes));
        let base = same.map_or_else(|| modules().map(Module::end).max().unwrap_or(0), Module::base);
        registry.module().begin_at(base);
        list.push(Guest { id, number, registry, is_over: false });
    }

    /// Serves a guest no more.
    pub fn remove(&self, id: &str) {
        self.list().retain(|it| it.id != id);
        self.0.endings.send_replace(());
    }

    /// Says that a guest has ended. Its profiles stay; who waits for more of them, as CPU profiles do, waits no longer.
    pub fn end(&self, id: &str) {
        self.list().iter_mut().filter(|it| it.id == id).for_each(|it| it.is_over = true);
        self.0.endings.send_replace(());
    }

    /// The profiles of all guests, each in order of its names, and how many entries it has.
    #[must_use]
    pub fn counts(&self) -> Vec<(String, usize)> {
        counts(&self.list().clone())
    }

    /// The modules of all guests, each once: its path, and its bytes.
    #[must_use]
    pub fn modules(&self) -> Vec<(PathBuf, Arc<Vec<u8>>)> {
        let mut modules: Vec<(PathBuf, Arc<Vec<u8>>)> = Vec::new();
        for guest in self.list().iter() {
            let module = guest.registry.module();
            if !modules.iter().any(|(_, bytes)| Arc::ptr_eq(bytes, &module.bytes)) {
                modules.push((module.path.clone(), Arc::clone(&module.bytes)));
            }
        }
        modules
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The ids of all.
    pub(super) fn ids(&self) -> Vec<String> {
        self.list().iter().map(|it| it.id.clone()).collect()
    }

    /// The guest of this id, or all of them.
    pub(super) fn select(&self, id: Option<&str>) -> Result<Vec<Guest>, Refusal> {
        let list = self.list();
        if list.is_empty() {
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no guest is running yet"));
        }
        let Some(id) = id else { return Ok(list.clone()) };
        let guest = list.iter().find(|it| it.id == id).cloned();
        guest.map(|it| vec![it]).ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "Unknown guest"))
    }

    /// Whether the guest of this number is still served.
    pub(super) fn has(&self, number: u64) -> bool {
        self.list().iter().any(|it| it.number == number)
    }

    /// Waits so long, or until all of these guests have ended.
    pub(super) async fn wait(&self, guests: &[Guest], duration: Duration) {
        let mut endings = self.0.endings.subscribe();
        let is_running = |guest: &Guest| self.list().iter().any(|it| it.number == guest.number && !it.is_over);
        let until_over = async { while guests.iter().any(is_running) && endings.changed().await.is_ok() {} };
        // Either is as good as the other.
        let _ = tokio::time::timeout(duration, until_over).await;
    }

    /// To take the CPU profile; `None` if somebody does.
    pub(super) fn cpu_turn(&self) -> Option<CpuTurn> {
        let was_taken = self.0.has_cpu_profile.swap(true, Ordering::AcqRel);
        (!was_taken).then(|| CpuTurn(self.clone()))
    }

    fn list(&self) -> MutexGuard<'_, Vec<Guest>> {
        // Nothing in between can panic.
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The profiles of these guests, in order of their names, and how many entries each has in all.
pub(super) fn counts(guests: &[Guest]) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for registry in guests.iter().map(|it| &it.registry) {
        for name in registry.profiles() {
            let count = registry.lookup(&name).map_or(0, |it| registry.count(it));
            *counts.entry(name).or_insert(0) += count;
        }
    }
    counts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_takes_the_cpu_profile() {
        let guests = Guests::default();
        let turn = guests.cpu_turn();
        assert!(turn.is_some());
        assert!(guests.cpu_turn().is_none());
        drop(turn);
        assert!(guests.cpu_turn().is_some());
    }

    #[test]
    fn nothing_is_to_be_had_of_no_guest() {
        assert!(Guests::default().select(None).is_err());
        assert_eq!(Guests::default().counts(), []);
    }
}
