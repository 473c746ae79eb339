//! What labels cost that were seen before: `sdk_span [N]` runs N (1,000,000) such `do_`s, and as many in one that is itself
//! labelled, and prints the nanoseconds of one: `span_ns 41.3`, `nested_span_ns 43.0`; `empty_ns` of the loop alone is left out.

use std::hint::black_box;
use std::time::Instant;

use wprof_guest::{do_, labels};

fn main() {
    let n = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let empty = ns_each(n, || {});
    println!("empty_ns {empty:.1}");
    println!("span_ns {:.1}", ns_each(n, span) - empty);
    do_(labels! { "tenant" => "a", "stage" => "outer" }, || {
        println!("nested_span_ns {:.1}", ns_each(n, span) - empty);
    });
}

/// The best of five, as others use the processor too.
#[inline(never)]
fn ns_each(n: u32, work: impl Fn()) -> f64 {
    let loop_ns = || {
        let start = Instant::now();
        for i in 0..n {
            black_box(i);
            work();
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(n)
    };
    loop_ns(); // labels are seen, code is warm
    (0..5).map(|_| loop_ns()).fold(f64::INFINITY, f64::min)
}

#[inline(never)]
fn span() {
    do_(labels! { "stage" => "inner", "req" => "42" }, || {
        black_box(());
    });
}
