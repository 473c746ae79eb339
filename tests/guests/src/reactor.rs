//! A reactor: `wprof run --invoke add reactor.wasm 2 3`, and an embedder that calls `work` many times.

/// `a + b`.
#[unsafe(no_mangle)]
pub extern "C" fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

/// Works for `rounds` times 100,000 equal steps (about 0.1 ms each) in `reactor_spin`, and returns what came of it.
#[unsafe(no_mangle)]
pub extern "C" fn work(rounds: i32) -> i64 {
    let mut state = 1;
    for _ in 0..rounds {
        state = reactor_spin(state);
    }
    state as i64
}

#[inline(never)]
fn reactor_spin(mut state: u64) -> u64 {
    for _ in 0..100_000 {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        state ^= state >> 29;
    }
    state
}
