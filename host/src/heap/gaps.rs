//! How many bytes pass between samples.
//!
//! Gaps are exponential, so whether a block is sampled depends on nothing but its size: the chance is
//! 1 − e^(−size / rate), which is what readers divide by (SEMANTICS §2).

use fastrand::Rng;

/// No gap is longer than this, so that a countdown from it is told from one that has not been armed.
const MAX_GAP: f64 = (1_u64 << 60) as f64;

/// Draws gaps.
#[derive(Debug)]
pub struct Gaps {
    rate: u64,
    random: Rng,
}

impl Gaps {
    /// Gaps of `rate` bytes in the mean; with a rate of 1 every block is sampled. Equal seeds draw equal gaps.
    #[must_use]
    pub fn new(rate: u64, seed: u64) -> Self {
        Self { rate, random: Rng::with_seed(seed) }
    }

    /// From the next gap on, one block in so many bytes is sampled; with a rate of 0 none.
    pub fn set_rate(&mut self, rate: u64) {
        self.rate = rate;
    }

    /// A seed for another's.
    pub fn seed(&mut self) -> u64 {
        self.random.u64(..)
    }

    /// The next gap: the block that takes the countdown below 0 is sampled.
    pub fn draw(&mut self) -> i64 {
        match self.rate {
            #[expect(clippy::cast_possible_truncation, reason = "a power of two")]
            0 => return MAX_GAP as i64,
            1 => return 0,
            _ => {}
        }
        // 1 − u is never 0, so the logarithm is finite.
        let gap = -(1.0 - self.random.f64()).ln() * self.rate as f64;
        #[expect(clippy::cast_possible_truncation, reason = "cut to whole bytes, below 2^60")]
        let gap = gap.min(MAX_GAP) as i64;
        gap
    }
}

/// The chance that a block of this size is sampled.
#[must_use]
pub fn sampling_chance(size: u64, rate: u64) -> f64 {
    if rate <= 1 { 1.0 } else { -(-(size as f64) / rate as f64).exp_m1() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_sampled_with_the_chance_that_readers_divide_by() {
        for (rate, size, n) in [(65_536, 1_000, 2_000_000_u32), (65_536, 100_000, 100_000), (1, 7, 1000)] {
            let mut gaps = Gaps::new(rate, 7);
            let (mut countdown, mut n_sampled) = (gaps.draw(), 0_u32);
            for _ in 0..n {
                countdown -= i64::try_from(size).unwrap();
                if countdown < 0 {
                    n_sampled += 1;
                    countdown = gaps.draw();
                }
            }
            let chance = sampling_chance(size, rate);
            let expected = chance * f64::from(n);
            let sigma = (expected * (1.0 - chance)).sqrt();
            let off = (f64::from(n_sampled) - expected).abs();
            assert!(off <= 4.0 * sigma, "{n_sampled} of {n} blocks of {size} at {rate}, expected {expected} ± {sigma}");
        }
    }

    #[test]
    fn a_seed_repeats_itself() {
        let draw = |seed| {
            let mut gaps = Gaps::new(1000, seed);
            [(); 5].map(|()| gaps.draw())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
