//! Blocks of known sizes, by an allocator that tells wprof of itself: 100 of 12,345 bytes of which 40 are freed, and 10 that
//! grow from 1,111 to 22,222 bytes. `sdk_alloc [RATE]` sets how many bytes there are between samples.

use std::alloc::System;
use std::hint::black_box;

use wprof_guest::{Alloc, set_mem_profile_rate};

#[global_allocator]
static ALLOC: Alloc<System> = Alloc(System);

#[inline(never)]
fn kept_and_freed() -> Vec<Vec<u8>> {
    let mut blocks: Vec<Vec<u8>> = (0..100).map(|_| black_box(Vec::with_capacity(12_345))).collect();
    blocks.truncate(60);
    blocks
}

#[inline(never)]
fn grown() -> Vec<Vec<u8>> {
    let grow = |_| {
        let mut block: Vec<u8> = black_box(Vec::with_capacity(1_111));
        block.reserve_exact(22_222);
        block
    };
    (0..10).map(grow).collect()
}

fn main() {
    if let Some(rate) = std::env::args().nth(1).and_then(|rate| rate.parse().ok()) {
        set_mem_profile_rate(rate);
    }
    black_box([kept_and_freed(), grown()]).map(std::mem::forget);
}
