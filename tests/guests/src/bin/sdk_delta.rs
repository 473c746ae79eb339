//! Blocks and waits that come step by step, as Go's `delta.go` has them: after each step it prints `step N`, and goes on when it has
//! read a line. What a delta profile has of each step is for the test to ask.

use std::hint::black_box;
use std::io::{BufRead, stdin};
use std::thread::sleep;
use std::time::Duration;

use wprof_guest::{set_block_profile_rate, set_mem_profile_rate};

type Blocks = Vec<Vec<u8>>;

#[inline(never)]
fn site_a(keep: &mut Blocks, n: usize) {
    for _ in 0..n {
        keep.push(black_box(Vec::with_capacity(1024)));
    }
}

#[inline(never)]
fn site_b(keep: &mut Blocks, n: usize) {
    for _ in 0..n {
        keep.push(black_box(Vec::with_capacity(4096)));
    }
}

#[inline(never)]
fn release(keep: &mut Blocks) {
    keep.clear();
}

/// A wait in a host call is in the place of one for a channel.
#[inline(never)]
fn block(n: usize) {
    for _ in 0..n {
        sleep(Duration::from_millis(5));
    }
}

#[inline(never)]
fn dump(step: usize) {
    println!("step {step}");
    let mut line = String::new();
    stdin().lock().read_line(&mut line).expect("stdin can be read");
}

fn main() {
    set_mem_profile_rate(1);
    set_block_profile_rate(1);
    // Its numbers are hidden, or each call might be a function of its own.
    let n = black_box;
    let mut keep = Blocks::with_capacity(4096);
    site_a(&mut keep, n(10));
    site_b(&mut keep, n(5));
    block(n(2));
    dump(1); // everything so far
    site_a(&mut keep, n(7));
    block(n(1));
    dump(2); // more of A; B only in use
    dump(3); // only in use
    release(&mut keep);
    dump(4); // all freed
    site_b(&mut keep, n(3));
    dump(5);
}
