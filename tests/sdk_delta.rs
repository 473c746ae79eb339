//! Guests with wprof's SDK that do what Go's `delta.go` does: each delta profile that they are asked for has what godeltaprof's has.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::path::Path;

use proto::{Limits, Profile, decode};
use support::books::block_bytes;
use support::gos::{c_guest, golden, plain};
use support::http::Server;
use support::machine::guest;
use support::on_both_samplers;
use support::sampler::Sampler;
use support::stacks::frames;
use support::wprof::{Wprof, read_profile};

on_both_samplers!(the_deltas_of_a_rust_guest_are_gos, the_deltas_of_a_c_guest_are_gos);

/// A site and the size of its blocks, with the four columns of the heap.
type Blocks = BTreeMap<(String, i64), [i64; 4]>;

/// The scenario's functions that allocate. All else is Go's runtime, or a language's own buffers for input and output.
const SITES: [&str; 2] = ["sitea", "siteb"];

/// What each step adds: rows of the heap, and how many waits.
fn steps() -> [(Blocks, i64); 5] {
    let heap = |rows: &[(&str, i64, [i64; 4])]| {
        rows.iter().map(|&(site, size, columns)| ((site.to_owned(), size), columns)).collect::<Blocks>()
    };
    let (a, b) = (SITES[0], SITES[1]);
    [
        (heap(&[(a, 1024, [10, 10_240, 10, 10_240]), (b, 4096, [5, 20_480, 5, 20_480])]), 2),
        (heap(&[(a, 1024, [7, 7168, 17, 17_408]), (b, 4096, [0, 0, 5, 20_480])]), 1),
        (heap(&[(a, 1024, [0, 0, 17, 17_408]), (b, 4096, [0, 0, 5, 20_480])]), 0),
        (heap(&[]), 0),
        (heap(&[(b, 4096, [3, 12_288, 3, 12_288])]), 0),
    ]
}

/// Each wait sleeps so long. What the host call uses of the CPU meanwhile was no waiting, so it may be a little less.
const NAP: i64 = 5_000_000;
const SHORTEST: i64 = NAP * 8 / 10;

/// The blocks of the scenario's functions.
fn blocks(profile: &Profile) -> Blocks {
    let mut blocks = Blocks::new();
    for sample in profile.samples() {
        let stack = frames(profile, &sample);
        let site = stack.iter().map(|name| plain(name)).find(|name| SITES.contains(&name.as_str()));
        let Some(site) = site else { continue };
        let sums = blocks.entry((site, block_bytes(profile, &sample).unwrap())).or_default();
        for (sum, value) in sums.iter_mut().zip(sample.values) {
            *sum += value;
        }
    }
    blocks
}

/// How often `block` has waited, and how long. Waits for the next line of input are not the scenario's, nor are those of Go's
/// collector.
fn waits(profile: &Profile) -> [i64; 2] {
    let mut waits = [0; 2];
    for sample in profile.samples() {
        if frames(profile, &sample).iter().any(|name| plain(name) == "block") {
            waits[0] += sample.values[0];
            waits[1] += sample.values[1];
        }
    }
    waits
}

/// The profile of this name, which must have these columns.
fn delta(server: &Server, name: &str, columns: &[&str]) -> Profile {
    let answer = server.get(&format!("/debug/pprof/{name}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let profile = decode(&answer.body, &Limits::default()).unwrap();
    expect_columns(&profile, columns);
    profile
}

fn expect_columns(profile: &Profile, columns: &[&str]) {
    let kinds: Vec<&str> = profile.sample_types().iter().map(|it| profile.string(it.kind)).collect();
    assert_eq!(kinds, columns);
}

const HEAP: [&str; 4] = support::books::COLUMNS;
const BLOCK: [&str; 2] = ["contentions", "delay"];

fn deltas_are_gos(sampler: Sampler, guest: &Path) {
    // Rates are the guest's to set.
    let mut running = Wprof::run_on(sampler, &["--http=:0"], guest, &[]).start();
    let server = running.http();
    for (step, (heap, n_waits)) in (1..).zip(steps()) {
        running.process.wait_for_line(&format!("step {step}"));
        let found = delta(&server, "delta_heap", &HEAP);
        assert_eq!(blocks(&found), heap, "step {step}");
        let [n_found, nanos] = waits(&delta(&server, "delta_block", &BLOCK));
        assert_eq!(n_found, n_waits, "waits in step {step}");
        assert!(
            (SHORTEST * n_waits..=100 * NAP * n_waits).contains(&nanos),
            "step {step}: {n_waits} waits of {nanos} ns"
        );
        running.process.write_line("go on");
    }
    let ended = running.finish();
    assert_eq!(ended.code(), 0, "{}", ended.stderr());
}

fn the_deltas_of_a_rust_guest_are_gos(sampler: Sampler) {
    deltas_are_gos(sampler, &guest("sdk_delta"));
}

fn the_deltas_of_a_c_guest_are_gos(sampler: Sampler) {
    if let Some(guest) = c_guest("sdk_delta_c") {
        deltas_are_gos(sampler, &guest);
    }
}

/// The table above is Go's.
#[test]
fn gos_own_deltas_are_those_that_are_expected() {
    for (step, (heap, n_waits)) in (1..).zip(steps()) {
        let Some(gos) = golden(&format!("delta/heap_delta{step}.pb.gz")) else { return };
        let gos = read_profile(&gos);
        expect_columns(&gos, &HEAP);
        let mut of_sites = blocks(&gos);
        // In the last step the slice that keeps the blocks is a new one, and grows within siteB; our guests' does not grow.
        of_sites.retain(|(_, size), _| *size >= 1024);
        assert_eq!(of_sites, heap, "step {step}");
        let gos = read_profile(&golden(&format!("delta/block_delta{step}.pb.gz")).unwrap());
        expect_columns(&gos, &BLOCK);
        let [n_found, nanos] = waits(&gos);
        assert_eq!(n_found, n_waits, "waits in step {step}");
        assert!(nanos >= NAP * n_waits, "step {step}: {n_waits} waits of {nanos} ns");
    }
}
