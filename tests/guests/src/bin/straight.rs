//! Work that no loop is in: `straight [MS]` works for MS milliseconds (2000), about half of it in `leaf`, which is one
//! straight line, a quarter in `after_a_call`, which calls something small before its straight line, and a quarter in
//! `looped`. Then it prints each one's share as measured: `leaf 50.02`, `after_a_call 24.97`, `looped 25.01`.
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
        let unit = 50 + (random >> 32) % 200;
        let parts = [(2, leaf as fn(u64) -> u64), (1, after_a_call), (1, looped)];
        for (share, (n, work)) in parts.into_iter().enumerate() {
            for _ in 0..n * unit {
                random = black_box(work(random));
            }
            let after = Instant::now();
            spent[share] += after - before;
            before = after;
        }
    }
    let total: Duration = spent.iter().sum();
    for (name, spent) in ["leaf", "after_a_call", "looped"].into_iter().zip(spent) {
        println!("{name} {:.2}", 100.0 * spent.as_secs_f64() / total.as_secs_f64());
    }
}

/// Calls of a function take next to nothing beside its steps.
const STEPS: usize = 256;

macro_rules! four {
    ($state:ident, $($rest:tt)*) => {
        four!($state $($rest)*);
        four!($state $($rest)*);
        four!($state $($rest)*);
        four!($state $($rest)*);
    };
    ($state:ident) => { $state = step($state); };
}

/// Written out, as a compiler need not unroll a loop.
macro_rules! all_steps {
    ($state:ident) => { four!($state, , , ,); };
}

#[inline(never)]
fn leaf(mut state: u64) -> u64 {
    all_steps!(state);
    state
}

#[inline(never)]
fn after_a_call(state: u64) -> u64 {
    let mut state = small(state);
    all_steps!(state);
    state
}

#[inline(never)]
fn small(state: u64) -> u64 {
    state ^ 0xff
}

#[inline(never)]
fn looped(mut state: u64) -> u64 {
    for _ in 0..STEPS {
        state = black_box(step(state));
    }
    state
}

/// Equal steps, each of which waits for the one before.
#[inline(always)]
fn step(state: u64) -> u64 {
    let state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    state ^ (state >> 29)
}
