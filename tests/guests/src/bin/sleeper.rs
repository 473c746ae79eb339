//! Waits rather than works: `sleeper [N] [MS]` sleeps N times (5) for MS milliseconds (200), with a little work between.

use std::hint::black_box;
use std::time::Duration;

fn main() {
    let mut args = std::env::args().skip(1).map_while(|arg| arg.parse::<u64>().ok());
    let n_naps = args.next().unwrap_or(5);
    let nap_time = Duration::from_millis(args.next().unwrap_or(200));
    for _ in 0..n_naps {
        nap(nap_time);
        black_box(stretch());
    }
    println!("slept {n_naps} times {nap_time:?}");
}

#[inline(never)]
fn nap(time: Duration) {
    std::thread::sleep(time);
}

/// About 1 ms of work.
#[inline(never)]
fn stretch() -> u64 {
    (0..500_000).fold(1, |state: u64, i| black_box(state.rotate_left(5) ^ i))
}
