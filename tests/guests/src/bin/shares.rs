//! Three functions do 50, 30 and 20 % of the work. `shares [MS]` works for MS milliseconds (2000), then prints each one's
//! measured share, as truth to hold a profile against: `half 50.02`, `third 29.97`, `fifth 20.01`.
//!
//! A round's length is random, so that no sampler's period can lock on to it.

use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    let ms = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(2000);
    let end = Instant::now() + Duration::from_millis(ms);
    let mut spent = [Duration::ZERO; 3];
    let mut random = 0x9e37_79b9_7f4a_7c15;
    let mut before = Instant::now();
    while before < end {
        random = step(random);
        let unit = 2_000 + (random >> 32) % 8_000;
        for (share, work) in [(5, half as fn(u64) -> u64), (3, third), (2, fifth)].into_iter().enumerate() {
            black_box((work.1)(work.0 * unit));
            let after = Instant::now();
            spent[share] += after - before;
            before = after;
        }
    }
    let total: Duration = spent.iter().sum();
    for (name, spent) in ["half", "third", "fifth"].into_iter().zip(spent) {
        println!("{name} {:.2}", 100.0 * spent.as_secs_f64() / total.as_secs_f64());
    }
}

#[inline(never)]
fn half(steps: u64) -> u64 {
    spin(steps, 0x1000)
}

#[inline(never)]
fn third(steps: u64) -> u64 {
    spin(steps, 0x2000)
}

#[inline(never)]
fn fifth(steps: u64) -> u64 {
    spin(steps, 0x3000)
}

/// Equal steps, each of which waits for the one before, so that a loop's place in memory makes no difference.
#[inline(always)]
fn spin(steps: u64, seed: u64) -> u64 {
    let mut state = seed;
    for _ in 0..steps {
        state = step(state);
    }
    state
}

#[inline(always)]
fn step(state: u64) -> u64 {
    let state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    state ^ (state >> 29)
}
