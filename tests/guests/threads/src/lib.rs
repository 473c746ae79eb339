//! What guests with threads share: an allocator for several threads, as the C library's may be for one alone; and something to wait
//! for, as a channel of Go's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::error::Error;
use std::fs::File;
use std::hint::spin_loop;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use wprof_guest::Profile;
use wprof_guest::sync::{Condvar, Mutex};

/// std's allocator, behind a lock that nobody has for long.
#[derive(Debug)]
struct Locked(AtomicBool);

#[global_allocator]
static ALLOC: Locked = Locked(AtomicBool::new(false));

impl Locked {
    fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        while self.0.swap(true, Ordering::Acquire) {
            spin_loop();
        }
        let result = f();
        self.0.store(false, Ordering::Release);
        result
    }
}

// SAFETY: it is std's.
unsafe impl GlobalAlloc for Locked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.with(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.with(|| unsafe { System.dealloc(block, layout) });
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.with(|| unsafe { System.realloc(block, layout, size) })
    }
}

/// Something to wait for: until as many have come as were expected.
pub struct Group {
    n_missing: Mutex<usize>,
    all_here: Condvar,
}

impl Group {
    /// One that so many are to come to.
    pub const fn of(n: usize) -> Self {
        Self { n_missing: Mutex::new(n), all_here: Condvar::new() }
    }

    /// Waits for all.
    #[inline]
    pub fn wait(&self) {
        let n_missing = self.n_missing.lock().expect("nobody panics");
        drop(self.all_here.wait_while(n_missing, |n| *n > 0).expect("nobody panics"));
    }

    /// One has come.
    pub fn done(&self) {
        let mut n_missing = self.n_missing.lock().expect("nobody panics");
        *n_missing -= 1;
        if *n_missing == 0 {
            drop(n_missing);
            self.all_here.notify_all();
        }
    }
}

/// Writes a profile as Go's golden programs do: `DIR/NAME.pb.gz`, or `DIR/NAME.debugN.txt`.
///
/// # Errors
///
/// If there is no such profile, or it cannot be written.
pub fn write_profile(dir: &str, name: &str, debug: u32) -> Result<(), Box<dyn Error>> {
    let kind = if debug == 0 { "pb.gz".to_owned() } else { format!("debug{debug}.txt") };
    let profile = Profile::lookup(name).ok_or_else(|| format!("there is no profile {name}"))?;
    profile.write_to(&mut File::create(Path::new(dir).join(format!("{name}.{kind}")))?, debug)?;
    Ok(())
}
