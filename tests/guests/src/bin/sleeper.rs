//! Waits rather than works: `sleeper [N] [MS] [WORK_MS]` sleeps N times (5) for MS milliseconds (200) in `nap`, and works
//! for WORK_MS (1) in `stretch` after each. Prints how long both took by its own clock, in nanoseconds: `took nap 1000413000`,
//! `took stretch 5032000`.

use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    let mut args = std::env::args().skip(1).map_while(|arg| arg.parse::<u64>().ok());
    let n_naps = args.next().unwrap_or(5);
    let nap_time = Duration::from_millis(args.next().unwrap_or(200));
    let work_time = Duration::from_millis(args.next().unwrap_or(1));
    let (mut asleep, mut awake) = (Duration::ZERO, Duration::ZERO);
    let mut before = Instant::now();
    for _ in 0..n_naps {
        nap(nap_time);
        let woken = Instant::now();
        asleep += woken - before;
        stretch(woken + work_time);
        before = Instant::now();
        awake += before - woken;
    }
    println!("took nap {}\ntook stretch {}", asleep.as_nanos(), awake.as_nanos());
}

#[inline(never)]
fn nap(time: Duration) {
    std::thread::sleep(time);
}

#[inline(never)]
fn stretch(end: Instant) {
    let mut state: u64 = 1;
    while Instant::now() < end {
        state = (0..50_000).fold(state, |state, i| black_box(state.rotate_left(5) ^ i));
    }
    black_box(state);
}
