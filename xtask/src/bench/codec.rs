//! Encoding and decoding of a big made-up profile, in megabytes of message (before gzip) a second.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use proto::{FunctionSpec, Limits, Line, LocationId, MappingSpec, Profile, ProfileBuilder};

use super::TURNS;
use super::spread::Spread;
use crate::project::say;

const N_FUNCTIONS: usize = 5_000;
const N_STACKS: usize = 200_000;
const DEPTH: usize = 30;

pub(super) fn measure() -> Result<()> {
    let profile = made_up();
    let message = proto::encode(&profile);
    let file = proto::encode_gzip(&profile);
    let (mb, file_mb) = (message.len() as f64 / 1e6, file.len() as f64 / 1e6);
    say(&format!("{N_STACKS} stacks {DEPTH} deep of {N_FUNCTIONS} functions: {mb:.1} MB, gzipped {file_mb:.1} MB"));
    println!("{:<24}{:>28}", "", "MB a second");
    print_speed("encode", mb, || drop(black_box(proto::encode(&profile))));
    print_speed("encode and gzip", mb, || drop(black_box(proto::encode_gzip(&profile))));
    let limits = Limits::default();
    proto::decode(&file, &limits)?;
    print_speed("decode", mb, || drop(black_box(proto::decode(&message, &limits))));
    print_speed("gunzip and decode", mb, || drop(black_box(proto::decode(&file, &limits))));
    Ok(())
}

fn print_speed(name: &str, mb: f64, work: impl Fn()) {
    let speed = Spread::of((0..TURNS).map(|_| {
        let start = Instant::now();
        work();
        mb / start.elapsed().as_secs_f64()
    }));
    println!("{name:<24}{:>28}", speed.with_unit(""));
}

/// Like a profile of a real program: stacks share their outer frames, and few functions are in most of them.
fn made_up() -> Profile {
    let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
    builder.period("cpu", "nanoseconds", 10_000_000);
    let mapping = builder.mapping(MappingSpec { limit: 0x10_0000, filename: "made-up.wasm", ..MappingSpec::default() });
    let mut locations = Vec::with_capacity(2 * N_FUNCTIONS);
    for idx in 0..2 * N_FUNCTIONS {
        let function_idx = idx / 2;
        let name = format!("made_up::module_{}::function_{function_idx}", function_idx / 50);
        let filename = format!("src/module_{}.rs", function_idx / 50);
        let spec = FunctionSpec { name: &name, system_name: &name, filename: &filename, start_line: 1 };
        let line = Line { function: builder.function(spec), line: 10 + (idx % 90) as i64, column: 0 };
        locations.push(builder.location(Some(mapping), 0x1000 + 16 * idx as u64, &[line]));
    }
    let mut random = 1_u64;
    let mut stack: Vec<LocationId> = vec![locations[0]; DEPTH];
    for _ in 0..N_STACKS {
        // Only the first frames, the inner ones, differ from the stack before.
        random = step(random);
        for frame in stack.iter_mut().take(1 + (random >> 40) as usize % (DEPTH / 2)) {
            random = step(random);
            *frame = locations[((random >> 33) as usize % locations.len()).pow(2) / locations.len()];
        }
        builder.sample(&stack, &[1, 10_000_000], &[]);
    }
    builder.finish()
}

fn step(random: u64) -> u64 {
    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}
