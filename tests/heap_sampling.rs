//! What a sampled heap profile estimates scatters around the truth, and by as much as the method says.

use std::collections::BTreeMap;

use support::books::{Sites, printed, profiled, rows};
use support::machine::{guest_if_built, skip};
use support::stacks::lines;
use support::wprof::{Run, Wprof};

const SEEDS: i64 = 20;

/// The columns of bytes, and what the guest's standard deviations are called by.
const ALLOC_SPACE: usize = 1;
const INUSE_SPACE: usize = 3;

fn record(guest: &str, rate: i64, seed: i64) -> Option<Run> {
    let Some(guest) = guest_if_built(guest) else {
        skip(format_args!("there is no compiler for the guest {guest}"));
        return None;
    };
    let options = ["--no-cpu", "--quiet", "--memprofilerate", &rate.to_string(), "--seed", &seed.to_string()];
    Some(Wprof::run(&options, guest, &[]).finish().expect_code(0))
}

/// A site's standard deviations at the rate, of all that it allocated and of what is live at the end: the guest reckons them,
/// as it knows every block. A block of `s` bytes is sampled with p = 1 − e^(−s/rate), whatever became of those before
/// it, as the gaps are exponential; it then counts for s/p. So its part of the variance is s²(1 − p)/p.
fn deviations(stdout: &str, rate: i64) -> BTreeMap<String, [i64; 2]> {
    let lines: Vec<&str> = stdout.lines().filter(|line| line.starts_with("deviation ")).collect();
    let of_rate = lines.iter().filter(|line| line.split(' ').nth(2) == Some(&rate.to_string()));
    let text: String = of_rate.map(|line| format!("{line}\n")).collect();
    let rows = rows::<3>(&text, "deviation");
    rows.into_iter().map(|(site, [_, alloc, inuse])| (site, [alloc, inuse])).collect()
}

/// Twenty runs of a guest at a rate, and their mean against its books.
fn check(guest: &str, rate: i64) {
    let mut estimates: Vec<Sites> = Vec::new();
    let mut stdout = String::new();
    for seed in 1..=SEEDS {
        let Some(run) = record(guest, rate, seed) else { return };
        stdout = run.stdout();
        estimates.push(profiled(&run.heap()));
    }
    let truth = printed(&stdout);
    let deviations = deviations(&stdout, rate);
    assert!(truth.len() >= 4 && deviations.len() == truth.len(), "{stdout}");
    for (column, deviation_idx) in [(ALLOC_SPACE, 0), (INUSE_SPACE, 1)] {
        let mut n_inside = 0;
        let mut n_runs = 0;
        for (site, truth) in &truth {
            let truth = truth[column] as f64;
            let of_site = estimates.iter().map(|sites| sites.get(site).map_or(0, |columns| columns[column]) as f64);
            let of_site: Vec<f64> = of_site.collect();
            if truth == 0.0 {
                assert!(of_site.iter().all(|&estimate| estimate == 0.0), "{site}: nothing is live, but {of_site:?}");
                continue;
            }
            // The guest's sites are so large that 2 % are three standard deviations of the mean, or more.
            let deviation = deviations[site][deviation_idx] as f64;
            assert!(3.0 * deviation / (SEEDS as f64).sqrt() < 0.02 * truth, "{site} is too small for this test");
            let mean = of_site.iter().sum::<f64>() / SEEDS as f64;
            let off = mean / truth - 1.0;
            assert!(off.abs() < 0.02, "{site}: the mean is {:+.2} % off: {of_site:?}", 100.0 * off);
            assert!(of_site.iter().any(|estimate| *estimate != of_site[0]), "{site}: no seed changes anything");
            n_inside += of_site.iter().filter(|&&estimate| (estimate - truth).abs() <= 1.96 * deviation).count();
            n_runs += of_site.len();
        }
        // 95 % of them are expected inside, give or take √(n · 0.95 · 0.05); three of those are allowed for, as chance would go
        // beyond once in 700 times. Seeds are fixed, so what passes once passes always.
        let n = n_runs as f64;
        let at_least = 0.95 * n - 3.0 * (n * 0.95 * 0.05).sqrt();
        assert!(n_inside as f64 >= at_least, "at {rate}: {n_inside} of {n_runs} are within their 95 % interval");
    }
}

#[test]
fn at_64_kib() {
    check("stats", 65_536);
}

#[test]
fn at_512_kib() {
    check("stats", 524_288);
}

/// In a component the guest draws the gaps by itself.
#[test]
fn in_a_component() {
    check("stats_component", 524_288);
}

#[test]
fn a_seed_gives_the_same_profile_again() {
    let runs: Option<Vec<Run>> = [7, 7, 8].into_iter().map(|seed| record("stats", 524_288, seed)).collect();
    let Some(runs) = runs else { return };
    let values = |run: &Run| [0, 1, 2, 3].map(|column| lines(&run.heap(), column));
    assert_eq!(values(&runs[0]), values(&runs[1]));
    assert_ne!(values(&runs[0]), values(&runs[2]));
}
