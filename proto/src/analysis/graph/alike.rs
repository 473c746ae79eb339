//! An order of samples in which stacks that begin alike follow one another, for [`Walk`](super::walk::Walk).

use crate::profile::{LocationId, Profile};

/// Below this many samples, finding an order costs more than it saves.
const MANY: usize = 4_096;
/// Stacks are told apart by their first so many locations, the fewest first.
const DEPTHS: [usize; 4] = [8, 24, 64, 192];

/// A sample and what its stack begins with.
#[derive(Debug, Clone, Copy, Default)]
struct Keyed {
    /// A hash of the first locations, for each of the depths.
    hashes: [u16; DEPTHS.len()],
    sample: u32,
}

/// The samples' numbers; none where there are few, and their own order will do. Hashes that are equal by chance make the
/// order worse, never the sums.
pub(super) fn alike(profile: &Profile) -> Option<Vec<u32>> {
    let n_samples = u32::try_from(profile.n_samples()).ok()?;
    if profile.n_samples() < MANY {
        return None;
    }
    let mut from: Vec<Keyed> = (0..n_samples)
        .map(|sample| Keyed { hashes: hashes(profile.sample(sample as usize).locations), sample })
        .collect();
    let mut to = vec![Keyed::default(); from.len()];
    // By the last key first: sorting by counts keeps the order of equal ones.
    for depth in (0..DEPTHS.len()).rev() {
        sort_by(depth, &from, &mut to);
        std::mem::swap(&mut from, &mut to);
    }
    Some(from.into_iter().map(|it| it.sample).collect())
}

fn hashes(from_leaf: &[LocationId]) -> [u16; DEPTHS.len()] {
    let mut hashes = [0; DEPTHS.len()];
    let mut hash = 0_u64;
    let mut locations = from_leaf.iter().rev();
    let mut n_hashed = 0;
    for (at, depth) in hashes.iter_mut().zip(DEPTHS) {
        for location in locations.by_ref().take(depth - n_hashed) {
            hash = (hash.rotate_left(5) ^ u64::from(location.0)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        n_hashed = depth;
        let [.., low, high] = hash.to_le_bytes();
        *at = u16::from_le_bytes([low, high]);
    }
    hashes
}

fn sort_by(depth: usize, from: &[Keyed], to: &mut [Keyed]) {
    let mut starts = vec![0_u32; 1 << 16];
    for it in from {
        starts[usize::from(it.hashes[depth])] += 1;
    }
    let mut next = 0;
    for start in &mut starts {
        next += std::mem::replace(start, next);
    }
    for it in from {
        let at = &mut starts[usize::from(it.hashes[depth])];
        to[*at as usize] = *it;
        *at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ProfileBuilder;

    /// `n` stacks of 40 locations; every 100th begins alike.
    fn profile(n: u64) -> Profile {
        let mut builder = ProfileBuilder::new(&[("samples", "count")]);
        for sample in 0..n {
            let frames =
                (0..40).map(|depth| if depth < 30 { depth * 100 + sample % 100 } else { 5_000 + sample * 10 + depth });
            let mut stack: Vec<_> = frames.map(|address| builder.location(None, address + 1, &[])).collect();
            stack.reverse();
            builder.sample(&stack, &[1], &[]);
        }
        builder.finish()
    }

    #[test]
    fn stacks_that_begin_alike_follow_one_another() {
        assert_eq!(alike(&profile(100)), None);
        let order = alike(&profile(5_000)).unwrap();
        let mut all = order.clone();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..5_000));
        let n_turns = order.windows(2).filter(|it| it[0] % 100 != it[1] % 100).count();
        assert_eq!(n_turns, 99);
    }
}
