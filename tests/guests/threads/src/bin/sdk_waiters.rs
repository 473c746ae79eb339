//! Five threads that wait for a lock which another has for 200 ms: that one has made others wait for a second.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{sleep, spawn};
use std::time::Duration;

use threads::Group;
use wprof_guest::sync::{Mutex, MutexGuard};

const N_WAITERS: usize = 5;

static MU: Mutex<()> = Mutex::new(());
static N_HERE: AtomicUsize = AtomicUsize::new(0);
static DONE: Group = Group::of(N_WAITERS);

#[inline(never)]
fn waiter() {
    N_HERE.fetch_add(1, SeqCst);
    drop(MU.lock());
    DONE.done();
}

#[inline(never)]
fn holder(held: MutexGuard<'_, ()>) {
    while N_HERE.load(SeqCst) < N_WAITERS {
        sleep(Duration::from_millis(1));
    }
    sleep(Duration::from_millis(200));
    drop(held);
}

fn main() {
    let held = MU.lock().expect("nobody panics");
    for _ in 0..N_WAITERS {
        spawn(waiter);
    }
    holder(held);
    DONE.wait();
}
