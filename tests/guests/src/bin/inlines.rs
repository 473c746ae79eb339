//! Known lines for DWARF: all the time goes to the line marked `HOT`, in `inner`, inlined into `middle` (at the line marked
//! `CALLS INNER`), inlined into `outer` (at `CALLS MIDDLE`), which is not inlined into `main` (`CALLS OUTER`).
//! `inlines [MS]` runs for MS milliseconds (500). Tests find the lines by the marks.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn main() {
    let ms = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(500);
    let end = Instant::now() + Duration::from_millis(ms);
    while Instant::now() < end {
        outer(black_box(200_000)); // CALLS OUTER
    }
    println!("{}", TURNS.load(Ordering::Relaxed));
}

#[inline(never)]
fn outer(turns: u64) {
    middle(turns); // CALLS MIDDLE
    black_box(turns);
}

#[inline(always)]
fn middle(turns: u64) {
    inner(turns); // CALLS INNER
}

/// The loop begins with a call that takes nothing: what LLVM puts there to fetch operands would have no line.
#[inline(always)]
fn inner(turns: u64) {
    for _ in 0..turns {
        turn(); // HOT
    }
}

static TURNS: AtomicU64 = AtomicU64::new(0);

#[inline(never)]
fn turn() {
    TURNS.fetch_add(1, Ordering::Relaxed);
}
