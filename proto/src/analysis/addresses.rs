//! The weight of each address of a binary: pprof's `disasm`, without the instructions.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::graph::{Sums, Weight};
use crate::profile::{LocationId, MappingId, Profile};

/// The addresses of `mapping` that have weight. Flat is that of samples whose leaf is there, cum that of samples that
/// pass there, each once. With `mean`, averages: values divided by the first value, a count.
///
/// # Panics
///
/// If `sample_index` is not below the number of sample types and there are samples.
#[must_use]
pub fn address_weights(
    profile: &Profile,
    mapping: Option<MappingId>,
    sample_index: usize,
    mean: bool,
) -> BTreeMap<u64, Sums> {
    let mut places: FxHashMap<u64, (Sums, usize)> = FxHashMap::default();
    let address = |it: LocationId| Some(profile.location(it)).filter(|it| it.mapping == mapping).map(|it| it.address);
    for (idx, sample) in profile.samples().enumerate() {
        let Some(weight) = Weight::of(sample, sample_index, mean) else { continue };
        for address in sample.locations.iter().filter_map(|&it| address(it)) {
            let (sums, last_sample) = places.entry(address).or_default();
            if *last_sample != idx + 1 {
                *last_sample = idx + 1;
                sums.add_cum(weight);
            }
        }
        if let Some(leaf) = sample.locations.first().and_then(|&it| address(it)) {
            places.entry(leaf).or_default().0.add_flat(weight);
        }
    }
    let has_weight = |sums: &Sums| sums.weight() != super::listing::LineWeight::default();
    places.into_iter().map(|(address, (sums, _))| (address, sums)).filter(|(_, it)| has_weight(it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MappingSpec, ProfileBuilder};

    #[test]
    fn each_address_has_flat_and_cum() {
        let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
        let [guest, host] = ["guest.wasm", "[host]"].map(|filename| {
            let spec = MappingSpec { filename, limit: 100, ..MappingSpec::default() };
            builder.mapping(spec)
        });
        let [main, call, leaf] = [8, 16, 24].map(|it| builder.location(Some(guest), it, &[]));
        let write = builder.location(Some(host), 24, &[]);
        builder.sample(&[leaf, call, call, main], &[2, 20], &[]);
        builder.sample(&[write, call, main], &[1, 40], &[]);
        builder.sample(&[], &[1, 10], &[]);
        let profile = builder.finish();
        let check = |mapping, mean, expected: &[(u64, i64, i64)]| {
            let found: Vec<_> = (address_weights(&profile, mapping, 1, mean).iter())
                .map(|(&address, it)| (address, it.weight().flat, it.weight().cum))
                .collect();
            assert_eq!(found, expected, "{mapping:?}, mean {mean}");
        };
        check(Some(guest), false, &[(8, 0, 60), (16, 0, 60), (24, 20, 20)]);
        check(Some(guest), true, &[(8, 0, 20), (16, 0, 20), (24, 10, 10)]);
        check(Some(host), false, &[(24, 40, 40)]);
        check(None, false, &[]);
    }
}
