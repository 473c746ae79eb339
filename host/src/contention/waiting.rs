//! How long host calls wait: the time that passes in them, less the CPU time that they use.
//!
//! # Accuracy
//!
//! The system counts how often a thread has given up the processor by itself; a call in which it has not done so was not
//! waiting, however long it took. CPU time is known to a microsecond.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use wasmtime::AsContext;

use super::Contention;
use crate::sample::{Leaf, Nanos, wall_now};

/// Host calls inside each other, with the guest between them, that are told apart. What is deeper is not measured.
const MAX_NESTED: usize = 16;

/// The host calls of one thread of the guest's.
#[derive(Debug, Default)]
pub struct Waiting {
    contention: Arc<Contention>,
    /// By how often the guest has been entered.
    calls: [Call; MAX_NESTED],
    depth: AtomicUsize,
    /// Whether it waits for a lock, of which it tells itself.
    is_locking: AtomicBool,
}

/// A host call under way. Only the guest's own thread has to do with it.
#[derive(Debug, Default)]
struct Call {
    /// When it began; 0 if it is not measured.
    wall: AtomicU64,
    cpu: AtomicU64,
    n_yields: AtomicU64,
    /// What calls inside it have waited.
    inner: AtomicU64,
}

impl Waiting {
    /// Host calls whose waits are kept there.
    #[must_use]
    pub fn new(contention: Arc<Contention>) -> Self {
        Self { contention, ..Self::default() }
    }

    /// How often the guest is entered now.
    pub fn set_depth(&self, depth: u32) {
        let before = self.depth.swap(depth as usize, Ordering::Relaxed);
        if before < depth as usize
            && let Some(call) = self.call()
        {
            call.wall.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn contention(&self) -> &Contention {
        &self.contention
    }

    pub(super) fn is_locking(&self) -> bool {
        self.is_locking.load(Ordering::Relaxed)
    }

    /// The guest begins or ends to wait for a lock of its own.
    pub fn set_locking(&self, is_locking: bool) {
        self.is_locking.store(is_locking, Ordering::Relaxed);
    }

    /// The guest calls the host.
    pub fn on_call(&self) {
        if self.contention.block_rate() <= 0 || self.is_locking.load(Ordering::Relaxed) {
            return;
        }
        if let Some((call, (cpu, n_yields))) = self.call().zip(used()) {
            call.inner.store(0, Ordering::Relaxed);
            call.cpu.store(cpu, Ordering::Relaxed);
            call.n_yields.store(n_yields, Ordering::Relaxed);
            call.wall.store(wall_now().max(1), Ordering::Relaxed);
        }
    }

    /// The host is about to return to the guest.
    pub fn on_return<T: 'static>(&self, store: impl AsContext<Data = T>) {
        let Some(call) = self.call() else { return };
        let began = call.wall.swap(0, Ordering::Relaxed);
        if began == 0 {
            return;
        }
        let passed = wall_now().saturating_sub(began);
        let Some((cpu, n_yields)) = used() else { return };
        let n_yields = n_yields.saturating_sub(call.n_yields.load(Ordering::Relaxed));
        if n_yields == 0 {
            return;
        }
        let waited = passed.saturating_sub(cpu.saturating_sub(call.cpu.load(Ordering::Relaxed)));
        let own = waited.saturating_sub(call.inner.load(Ordering::Relaxed));
        let outer = self.depth.load(Ordering::Relaxed).checked_sub(2).and_then(|depth| self.calls.get(depth));
        if let Some(outer) = outer {
            outer.inner.fetch_add(waited, Ordering::Relaxed);
            outer.n_yields.fetch_add(n_yields, Ordering::Relaxed);
        }
        // The guest may have begun to wait for a lock in this call, or have ended to.
        if !self.is_locking.load(Ordering::Relaxed) && own > 0 {
            self.contention.waited(own, Leaf::HostCall, store);
        }
    }

    fn call(&self) -> Option<&Call> {
        self.calls.get(self.depth.load(Ordering::Relaxed).checked_sub(1)?)
    }
}

/// What the calling thread has used of CPU time, in nanoseconds, and how often it has given up the processor by itself.
fn used() -> Option<(Nanos, u64)> {
    let usage: Usage = getrusage(UsageWho::RUSAGE_THREAD).ok()?;
    let cpu = usage.user_time().num_nanoseconds() + usage.system_time().num_nanoseconds();
    Some((u64::try_from(cpu).ok()?, u64::try_from(usage.voluntary_context_switches()).ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use wasmtime::{Engine, Store};

    use super::*;
    use crate::record::ContentionKind;

    fn waits(act: impl Fn(&Waiting, &Store<()>)) -> Vec<(u64, Nanos)> {
        let contention = Arc::new(Contention::default());
        contention.set_block_rate(1);
        let waiting = Waiting::new(Arc::clone(&contention));
        let store = Store::new(&Engine::default(), ());
        waiting.set_depth(1);
        act(&waiting, &store);
        contention.all(ContentionKind::Block).iter().map(|it| (it.count, it.delay)).collect()
    }

    const NAP: Duration = Duration::from_millis(20);

    fn work() {
        let began = Instant::now();
        while began.elapsed() < NAP {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn sleeping_is_waiting_and_working_is_not() {
        let waited = waits(|waiting, store| {
            waiting.on_call();
            std::thread::sleep(NAP);
            work();
            waiting.on_return(store);
        });
        let [(1, delay)] = waited.as_slice() else { panic!("{waited:?}") };
        assert!(*delay >= 19_000_000, "{delay}");
    }

    #[test]
    fn what_is_inside_another_call_counts_once() {
        let nested = |after: Duration| {
            waits(|waiting, store| {
                waiting.on_call();
                waiting.set_depth(2);
                waiting.on_call();
                std::thread::sleep(NAP);
                waiting.on_return(store);
                waiting.set_depth(1);
                std::thread::sleep(after);
                waiting.on_return(store);
            })
        };
        let waited = nested(Duration::ZERO);
        assert_eq!(waited.iter().map(|it| it.0).sum::<u64>(), 1, "{waited:?}");
        let both = nested(NAP);
        let [(2, delay)] = both.as_slice() else { panic!("{both:?}") };
        assert!((39_000_000..59_000_000).contains(delay), "40 ms and not 60: {delay}");
    }

    #[test]
    fn nothing_is_measured_that_nobody_wants() {
        assert!(waits(|waiting, store| waiting.on_return(store)).is_empty());
        let locked = waits(|waiting, store| {
            waiting.set_locking(true);
            waiting.on_call();
            std::thread::sleep(NAP);
            waiting.on_return(store);
        });
        assert!(locked.is_empty());
    }
}
