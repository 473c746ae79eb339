//! Every way to end: `ends HOW [MS]` works for MS milliseconds (100) in `busy`, then ends HOW.

use std::hint::black_box;
use std::io::{Read, Write};
use std::process::{ExitCode, exit};
use std::time::{Duration, Instant};

const HOWS: &str =
    "return, code N (by return), exit N, panic, trap, bounds, overflow, memory, spin, sleep, stdin, stdout N";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let how = args.get(1).map_or("", String::as_str);
    let number = args.get(2).and_then(|arg| arg.parse::<u64>().ok());
    let takes_n = matches!(how, "code" | "exit" | "stdout");
    let ms = if takes_n { args.get(3).and_then(|arg| arg.parse().ok()) } else { number };
    busy(Duration::from_millis(ms.unwrap_or(100)));
    match how {
        "return" => {}
        "code" => return ExitCode::from(number.unwrap_or(3) as u8),
        "exit" => exit(number.unwrap_or(3) as i32),
        "panic" => panic!("asked to panic"),
        "trap" => trap(),
        "bounds" => println!("{}", out_of_bounds()),
        "overflow" => println!("{}", overflow(0)),
        "memory" => println!("{}", exhaust_memory()),
        "spin" => spin_forever(),
        "sleep" => sleep_forever(),
        "stdin" => println!("read {} bytes", read_stdin()),
        "stdout" => write_stdout(number.unwrap_or(1 << 20)),
        _ => {
            eprintln!("usage: ends HOW [MS], where HOW is one of {HOWS}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Work, so that the profile of a guest that ends badly has something in it.
#[inline(never)]
fn busy(time: Duration) {
    let end = Instant::now() + time;
    let mut state = 1;
    while Instant::now() < end {
        state = churn(state);
    }
    black_box(state);
}

#[inline(never)]
fn churn(mut state: u64) -> u64 {
    for i in 0..100_000 {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d) ^ i;
    }
    state
}

#[inline(never)]
fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

/// Reads where this memory has no page: `black_box` keeps the compiler from seeing it.
#[inline(never)]
fn out_of_bounds() -> u8 {
    let address = black_box(usize::MAX - 3) as *const u8;
    // SAFETY: the engine traps before anything is read, as the address lies past the memory's end; that is the point.
    unsafe { address.read_volatile() }
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "it is meant to run out of stack")]
fn overflow(depth: u64) -> u64 {
    black_box(overflow(black_box(depth) + 1)) ^ depth
}

/// Keeps 1 MiB blocks until none is left; Rust then aborts, which is a trap. The blocks stay unwritten: the host's memory
/// is not what should run out.
#[inline(never)]
fn exhaust_memory() -> usize {
    let mut blocks = Vec::new();
    loop {
        blocks.push(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

#[inline(never)]
fn spin_forever() {
    let mut state = 1;
    loop {
        state = black_box(churn(state));
    }
}

#[inline(never)]
fn sleep_forever() {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

#[inline(never)]
fn read_stdin() -> usize {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_or(0, |n| n)
}

/// `n` bytes, as lines of 64.
#[inline(never)]
fn write_stdout(n: u64) {
    let line = *b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";
    let mut stdout = std::io::stdout().lock();
    for _ in 0..n / 64 {
        if stdout.write_all(&line).is_err() {
            exit(1);
        }
    }
}
