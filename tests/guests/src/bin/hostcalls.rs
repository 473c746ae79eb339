//! Lives in the host: `hostcalls [write|clock|random|all] [N]` makes N calls (100,000) of each kind asked for. `write` puts
//! one byte at a time on stdout; `random` asks for 4 KiB.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::time::Instant;

fn main() {
    let mut args = std::env::args().skip(1);
    let kind = args.next().unwrap_or_else(|| "all".into());
    let n_calls = args.next().and_then(|arg| arg.parse().ok()).unwrap_or(100_000);
    for (name, call) in [("write", write_bytes as fn(u64)), ("clock", read_clock), ("random", draw_random)] {
        if kind == "all" || kind == name {
            call(n_calls);
        }
    }
    eprintln!("made {n_calls} calls each: {kind}");
}

#[inline(never)]
fn write_bytes(n: u64) {
    // SAFETY: descriptor 1 is open for as long as the guest runs, and `ManuallyDrop` leaves it so. `std::io::stdout` would
    // gather the bytes first.
    let mut stdout = ManuallyDrop::new(unsafe { File::from_raw_fd(1) });
    for _ in 0..n {
        let _ = stdout.write(b".");
    }
}

#[inline(never)]
fn read_clock(n: u64) {
    for _ in 0..n {
        black_box(Instant::now());
    }
}

#[inline(never)]
fn draw_random(n: u64) {
    let mut bytes = [0_u8; 4096];
    for _ in 0..n {
        // SAFETY: the host writes at most `bytes.len()` bytes, all inside `bytes`.
        black_box(unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) });
    }
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    /// WASI's own call; std makes it only once.
    fn random_get(bytes: *mut u8, len: usize) -> i32;
}
