//! Labels on CPU time, as Go's `cpu.go` has them but for its goroutine: `sdk_labels FILE` writes the CPU profile there, and
//! prints what the calls answer.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;

use wprof_guest::{Context, cpu, do_, do_in, for_labels, label, labels};

/// About a millisecond's: work and not time, of which another program may have a part.
const N_STEPS: u64 = 700_000;

#[inline(never)]
fn burn_a(ms: u64) {
    spin(ms, 3);
}

#[inline(never)]
fn burn_b(ms: u64) {
    spin(ms, 5);
}

#[inline(never)]
fn spin(ms: u64, factor: u64) {
    let mut sink = 0_u64;
    for _ in 0..ms {
        for i in 0..N_STEPS {
            sink = sink.wrapping_mul(factor).wrapping_add(i);
        }
        black_box(sink);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("sdk_labels FILE")?;
    cpu::start(File::create(&path)?)?;
    let again = cpu::start(std::io::sink());
    println!("second start: {}", again.err().map_or("fine".into(), |error| error.to_string()));
    do_in(&Context::default(), labels! { "stage" => "outer", "tenant" => "a" }, |ctx| {
        burn_a(400);
        do_(labels! { "stage" => "inner", "req" => "42" }, || {
            for_labels(&Context::current(), |key, value| {
                println!("inner label {key} {value}");
                true
            });
            burn_b(300);
        });
        println!("outer after inner: {}", label(ctx, "stage").unwrap_or("none"));
        burn_a(200);
    });
    burn_b(200); // without labels
    cpu::stop()?;
    cpu::stop()?; // does nothing
    Ok(())
}
