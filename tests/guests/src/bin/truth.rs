//! Known shares of every kind that a sampler may get wrong: `truth [ROUNDS]` (1500, about 10 s). At its end it prints each part's
//! nanoseconds by its own clock on stderr: `straight_line 1234567`. A part is the function of its name and what that calls.
//!
//! Parts take turns of random length, so that no sampler's period can lock on to them, and are long beside reading the clock. The
//! work is the same each time.

use std::hint::black_box;
use std::time::{Duration, Instant};

const NAMES: [&str; 8] =
    ["straight_line", "after_call", "divide", "tight_loop", "copy_block", "fill_block", "draw_random", "write_bytes"];
const BLOCK: usize = 64 << 10;

fn main() {
    let n_rounds = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(1500);
    let mut parts = Parts { spent: [Duration::ZERO; NAMES.len()], before: Instant::now() };
    let mut blocks = [vec![1; BLOCK], vec![2; BLOCK]];
    let [from, to] = &mut blocks;
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..n_rounds {
        state = mix(state);
        let unit = 50 + (state >> 32) % 100;
        // The loops are here, and the functions without one are all that has the work: an epoch check sees this loop alone.
        for _ in 0..24 * unit {
            state = straight_line(state);
        }
        parts.end(0);
        for _ in 0..16 * unit {
            state = after_call(state);
        }
        parts.end(1);
        for _ in 0..5 * unit {
            state = divide(state);
        }
        parts.end(2);
        for _ in 0..unit {
            state = tight_loop(state);
        }
        parts.end(3);
        // Without `black_box` one copy would do for all.
        for _ in 0..5 * unit {
            copy_block(black_box(&*from), to);
        }
        parts.end(4);
        for _ in 0..5 * unit {
            fill_block(black_box(&mut *from), state as u8);
        }
        parts.end(5);
        for _ in 0..unit {
            draw_random(&mut to[..1024]);
        }
        parts.end(6);
        for _ in 0..4 * unit {
            write_bytes(b".");
        }
        parts.end(7);
    }
    black_box((state, blocks));
    for (name, spent) in NAMES.into_iter().zip(parts.spent) {
        eprintln!("{name} {}", spent.as_nanos());
    }
}

/// Time by part.
struct Parts {
    spent: [Duration; NAMES.len()],
    before: Instant,
}

impl Parts {
    /// What has passed since the last part's end was this one's.
    fn end(&mut self, part: usize) {
        let now = Instant::now();
        self.spent[part] += now - self.before;
        self.before = now;
    }
}

/// A step four times, without a loop.
macro_rules! four {
    ($step:expr) => {{
        $step;
        $step;
        $step;
        $step;
    }};
}

/// A step 256 times, without a loop.
macro_rules! unrolled {
    ($step:expr) => {
        four!(four!(four!(four!($step))))
    };
}

/// No loop and no call.
#[inline(never)]
fn straight_line(mut state: u64) -> u64 {
    unrolled!(state = mix(state));
    state
}

/// The work comes when the last check is past.
#[inline(never)]
fn after_call(state: u64) -> u64 {
    let mut state = touch(state);
    unrolled!(state = mix(state));
    state
}

#[inline(never)]
fn touch(state: u64) -> u64 {
    black_box(state ^ 0x55)
}

/// Divisions that wait for each other: one instruction has nearly all the time.
#[inline(never)]
fn divide(state: u64) -> u64 {
    let mut rest = state;
    unrolled!(rest = u64::MAX / (rest >> 33 | 1) ^ rest.rotate_left(17));
    rest
}

#[inline(never)]
fn tight_loop(mut state: u64) -> u64 {
    for _ in 0..4000 {
        state = mix(state);
    }
    state
}

/// `memory.copy`, which the engine does.
#[inline(never)]
fn copy_block(from: &[u8], to: &mut [u8]) {
    to.copy_from_slice(from);
}

/// `memory.fill`.
#[inline(never)]
fn fill_block(block: &mut [u8], byte: u8) {
    block.fill(byte);
}

#[inline(never)]
fn draw_random(bytes: &mut [u8]) {
    // SAFETY: the host writes at most `bytes.len()` bytes, all inside `bytes`.
    black_box(unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) });
}

/// To stdout, and not through `std::io::stdout`, which would gather them.
#[inline(never)]
fn write_bytes(bytes: &[u8]) {
    let slice = Slice { bytes: bytes.as_ptr(), len: bytes.len() };
    let mut written = 0;
    // SAFETY: both pointers are to values that live until the call returns, and `slice` is one of bytes.
    black_box(unsafe { fd_write(1, &slice, 1, &mut written) });
}

/// Each step waits for the one before.
#[inline(always)]
fn mix(state: u64) -> u64 {
    let state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    state ^ (state >> 29)
}

/// WASI's `ciovec`.
#[repr(C)]
struct Slice {
    bytes: *const u8,
    len: usize,
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(bytes: *mut u8, len: usize) -> i32;
    fn fd_write(descriptor: i32, slices: *const Slice, n_slices: usize, written: *mut usize) -> i32;
}
