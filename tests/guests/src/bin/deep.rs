//! Works at the bottom of a deep stack: `deep [DEPTH] [MS]`, DEPTH calls of `down` (100), for MS milliseconds (500). Or does
//! nothing but recurse: `deep DEPTH Nx`, N times down and up again.

use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &String| text.parse::<u64>().ok();
    let depth = args.first().and_then(number).unwrap_or(100);
    if let Some(n_dives) = args.get(1).and_then(|arg| arg.strip_suffix('x')?.parse::<u64>().ok()) {
        println!("{:x}", (0..n_dives).fold(0, |sum, _| sum ^ dive(depth)));
        return;
    }
    let time = Duration::from_millis(args.get(1).and_then(number).unwrap_or(500));
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

/// Calls and returns are all its work.
#[inline(never)]
fn dive(depth: u64) -> u64 {
    if depth <= 1 { black_box(1) } else { black_box(dive(depth - 1)) ^ depth }
}
