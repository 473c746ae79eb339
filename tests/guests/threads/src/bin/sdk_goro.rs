//! Threads that wait, as Go's `goro.go` has goroutines, with the SDK: `sdk_goro DIR` writes the profiles of what they do, and of
//! where they began, to DIR in all three forms.

use std::error::Error;
use std::thread::{sleep, spawn};
use std::time::Duration;

use threads::{Group, write_profile};
use wprof_guest::sync::Mutex;
use wprof_guest::{do_, labels};

static MU: Mutex<()> = Mutex::new(());
static STARTED: Group = Group::of(7);
static NEVER: Group = Group::of(1);

#[inline(never)]
fn parked_worker() {
    STARTED.done();
    NEVER.wait();
}

#[inline(never)]
fn sleeper() {
    STARTED.done();
    sleep(Duration::from_secs(3600));
}

#[inline(never)]
fn locker() {
    STARTED.done();
    drop(MU.lock());
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).ok_or("sdk_goro DIR")?;
    for _ in 0..3 {
        spawn(parked_worker);
    }
    do_(labels! { "role" => "labelled", "a" => "q\"uote" }, || {
        for _ in 0..2 {
            spawn(parked_worker);
        }
    });
    spawn(sleeper);
    let held = MU.lock();
    spawn(locker);
    // A thread may take longer than that to begin.
    STARTED.wait();
    sleep(Duration::from_millis(50));
    for name in ["goroutine", "threadcreate"] {
        for debug in 0..3 {
            write_profile(&dir, name, debug)?;
        }
    }
    drop(held);
    Ok(())
}
