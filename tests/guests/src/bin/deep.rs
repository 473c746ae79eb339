//! Works at the bottom of a deep stack: `deep [DEPTH] [MS]`, DEPTH calls of `down` (100), for MS milliseconds (500).

use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    let mut args = std::env::args().skip(1).map_while(|arg| arg.parse::<u64>().ok());
    let depth = args.next().unwrap_or(100);
    let time = Duration::from_millis(args.next().unwrap_or(500));
    println!("{:x}", down(depth, Instant::now() + time));
}

/// The result passes through `black_box`, or the compiler would turn the recursion into a loop.
#[inline(never)]
fn down(depth: u64, end: Instant) -> u64 {
    if depth <= 1 { bottom(end) } else { black_box(down(depth - 1, end)) ^ depth }
}

#[inline(never)]
fn bottom(end: Instant) -> u64 {
    let mut state: u64 = 1;
    while Instant::now() < end {
        for i in 0..200_000 {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d) ^ i;
        }
    }
    state
}
