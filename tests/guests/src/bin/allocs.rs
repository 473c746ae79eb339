//! Known allocations: `allocs [N] [SIZE]`. `keep` allocates N blocks (10,000) of SIZE bytes (4096) and keeps them until the
//! end; `churn` allocates and frees ten times as many; `grow` makes one vector of N numbers by pushing.

use std::hint::black_box;

fn main() {
    let mut args = std::env::args().skip(1).map_while(|arg| arg.parse::<usize>().ok());
    let n_blocks = args.next().unwrap_or(10_000);
    let size = args.next().unwrap_or(4096);
    let kept = keep(n_blocks, size);
    churn(10 * n_blocks, size);
    let numbers = grow(n_blocks);
    println!("kept {} blocks of {size} bytes and {} numbers", kept.len(), numbers.len());
}

#[inline(never)]
fn keep(n_blocks: usize, size: usize) -> Vec<Vec<u8>> {
    let mut kept = Vec::with_capacity(n_blocks);
    for _ in 0..n_blocks {
        kept.push(black_box(Vec::with_capacity(size)));
    }
    kept
}

#[inline(never)]
fn churn(n_blocks: usize, size: usize) {
    for _ in 0..n_blocks {
        black_box(Vec::<u8>::with_capacity(size));
    }
}

#[inline(never)]
#[expect(clippy::same_item_push, reason = "growth step by step is the point")]
fn grow(n: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    for _ in 0..n {
        numbers.push(black_box(7));
    }
    numbers
}
