//! Waits in every way that a signal could cut short: for input, for a moment, for either, for room in a pipe, for the other end
//! of one. What it prints depends on its input alone; how long its sleeps took, in microseconds, is on stderr: `sleep
//! 50000 50123`.
//!
//! `waits [FIFO]` polls stdin, which should have nothing to say at first; reads lines to the end; sleeps; opens the FIFO,
//! which somebody should write to after a while; writes 4 MiB; and exits with 7.

use std::io::{BufRead, Write};
use std::process::exit;
use std::time::{Duration, Instant};

fn main() {
    println!("input within a millisecond: {}", polls_stdin(Duration::from_millis(1)));
    println!("input within a minute: {}", polls_stdin(Duration::from_secs(60)));
    read_lines();
    for ms in [1, 50, 10, 200, 3] {
        sleep(Duration::from_millis(ms));
    }
    if let Some(fifo) = std::env::args().nth(1) {
        println!("opening {fifo}: errno {}", open(&fifo));
    }
    write_much();
    exit(7);
}

/// Every line and its length, in the pieces that come.
#[inline(never)]
fn read_lines() {
    let mut n_bytes = 0;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap_or_else(|error| panic!("after {n_bytes} bytes: {error}"));
        n_bytes += line.len() + 1;
        println!("{n_bytes}: {line}");
    }
}

#[inline(never)]
fn sleep(time: Duration) {
    let start = Instant::now();
    std::thread::sleep(time);
    eprintln!("sleep {} {}", time.as_micros(), start.elapsed().as_micros());
}

#[inline(never)]
fn write_much() {
    let mut stdout = std::io::stdout().lock();
    for n in 0..1 << 16 {
        writeln!(stdout, "{n:>63}").unwrap_or_else(|error| panic!("line {n}: {error}"));
    }
}

/// `__wasi_subscription_t` of wasi_snapshot_preview1.
#[repr(C)]
struct Subscription {
    userdata: u64,
    /// 0: the clock; 1: a descriptor that can be read.
    tag: u8,
    /// The clock's id, or the descriptor: 32 bits, and padding.
    id: u64,
    timeout: u64,
    precision: u64,
    flags: u16,
}

/// `__wasi_event_t`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Event {
    userdata: u64,
    error: u16,
    tag: u8,
    n_bytes: u64,
    flags: u16,
}

/// Whether there is something to read on stdin within this time.
#[inline(never)]
fn polls_stdin(within: Duration) -> bool {
    const MONOTONIC: u64 = 1;
    let timeout = within.as_nanos() as u64;
    let subscriptions = [
        Subscription { userdata: 1, tag: 0, id: MONOTONIC, timeout, precision: 0, flags: 0 },
        Subscription { userdata: 2, tag: 1, id: 0, timeout: 0, precision: 0, flags: 0 },
    ];
    let mut events = [Event::default(); 2];
    let mut n_events = 0;
    // SAFETY: there is room for an event of each subscription, and both have WASI's layout.
    let errno = unsafe { poll_oneoff(&subscriptions[0], &mut events[0], subscriptions.len(), &mut n_events) };
    assert_eq!(errno, 0, "poll_oneoff");
    let events = &events[..n_events];
    assert!(events.iter().all(|event| event.error == 0), "an event is an error");
    events.iter().any(|event| event.userdata == 2)
}

/// Opens it for reading, by WASI's own call, as std would begin it anew where it is interrupted.
#[inline(never)]
fn open(path: &str) -> i32 {
    const FIRST_PREOPENED: i32 = 3;
    const FD_READ: u64 = 2;
    let mut fd = 0;
    // SAFETY: the path is as long as that, and there is room for the descriptor.
    unsafe { path_open(FIRST_PREOPENED, 0, path.as_ptr(), path.len(), 0, FD_READ, 0, 0, &mut fd) }
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn path_open(
        dir: i32,
        lookup_flags: i32,
        path: *const u8,
        len: usize,
        open_flags: i32,
        rights: u64,
        inheriting_rights: u64,
        flags: i32,
        fd: &mut i32,
    ) -> i32;

    /// std makes it only to sleep.
    fn poll_oneoff(subscriptions: *const Subscription, events: *mut Event, n: usize, n_events: *mut usize) -> i32;
}
