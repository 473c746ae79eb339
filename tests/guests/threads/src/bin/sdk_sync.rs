//! Waits for a lock, for two channels and for a group, as Go's `sync.go` has them, by the SDK's locks: `sdk_sync DIR RATE FRACTION`
//! writes the block and the mutex profile to DIR, each in both forms.

use std::error::Error;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{sleep, spawn};
use std::time::Duration;

use threads::{Group, write_profile};
use wprof_guest::sync::Mutex;
use wprof_guest::{set_block_profile_rate, set_mutex_profile_fraction};

const N_WORKERS: usize = 4;

static MU: Mutex<()> = Mutex::new(());
static WORKERS: Group = Group::of(N_WORKERS);
static FIRST: Group = Group::of(1);
static SECOND: Group = Group::of(1);

/// Who has turns left, who waits for one, and how many turns were taken.
static N_ACTIVE: AtomicUsize = AtomicUsize::new(N_WORKERS);
static N_WAITING: AtomicUsize = AtomicUsize::new(0);
static N_TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Threads take longer to begin and to wake than goroutines, so some things happen when others have: each of these is asked for.
static FIRST_ASKED: Barrier = Barrier::new(N_WORKERS + 2);
static SECOND_ASKED: Barrier = Barrier::new(2);
static GROUP_ASKED: Barrier = Barrier::new(N_WORKERS + 1);

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Holds it for so long, and until all wait for it who have turns left.
#[inline(never)]
fn hold_lock(time: Duration) {
    N_WAITING.fetch_add(1, SeqCst);
    let held = MU.lock().expect("nobody panics");
    N_WAITING.fetch_sub(1, SeqCst);
    let taken = N_TAKEN.fetch_add(1, SeqCst) + 1;
    sleep(time);
    while N_WAITING.load(SeqCst) < N_ACTIVE.load(SeqCst) - 1 {
        sleep(ms(1));
    }
    drop(held);
    // Go's lock goes to whoever has waited for a millisecond, std's to whoever comes first: let that be another.
    while N_TAKEN.load(SeqCst) == taken && N_WAITING.load(SeqCst) > 0 {
        sleep(ms(1));
    }
}

#[inline(never)]
fn wait_chan(chan: &Group) {
    chan.wait();
}

#[inline(never)]
fn wait_select(chan: &Group) {
    chan.wait();
}

#[inline(never)]
fn wait_group(group: &Group) {
    group.wait();
}

fn worker() {
    FIRST_ASKED.wait();
    for _ in 0..10 {
        hold_lock(ms(2));
    }
    N_ACTIVE.fetch_sub(1, SeqCst);
    GROUP_ASKED.wait();
    sleep(ms(10));
    WORKERS.done();
}

fn sender() {
    FIRST_ASKED.wait();
    sleep(ms(50));
    FIRST.done();
    SECOND_ASKED.wait();
    sleep(ms(30));
    SECOND.done();
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, rate, fraction] = args.as_slice() else { return Err("sdk_sync DIR RATE FRACTION".into()) };
    set_block_profile_rate(rate.parse()?);
    set_mutex_profile_fraction(fraction.parse()?);
    for _ in 0..N_WORKERS {
        spawn(worker);
    }
    spawn(sender);
    FIRST_ASKED.wait();
    wait_chan(&FIRST);
    SECOND_ASKED.wait();
    wait_select(&SECOND);
    GROUP_ASKED.wait();
    wait_group(&WORKERS);
    for debug in [0, 1] {
        write_profile(dir, "block", debug)?;
        write_profile(dir, "mutex", debug)?;
    }
    Ok(())
}
