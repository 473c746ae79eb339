//! Flat shares, made comparable.
//!
//! A function of the guest has the samples in its own code, its inlined calls included: what it was compiled to is one piece of code.
//! `memory.copy` and `memory.fill` are the engine's code but the guest's work, and wprof gives them a leaf of their own;
//! perf sees them as `memmove` and `memset` called by wasmtime's builtin. All else that is not the guest's code (WASI, the
//! kernel under it, other builtins, wasmtime's trampolines) is one place, as a profile of the guest has imports where perf has hundreds of
//! functions of the host's. A page fault belongs to the code that met it.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use anyhow::{Context, Result};
use proto::Profile;

use super::functions::Functions;

/// Where a sample fell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// By its place in the module's code section.
    Function(usize),
    MemoryCopy,
    MemoryFill,
    Host,
    /// Nobody knows.
    Lost,
}

impl Place {
    /// A builtin's place, by its name in wasmtime (`memory_copy`) or in wasm (`memory.copy`).
    pub(super) fn of_builtin(name: &str) -> Self {
        match name {
            // The engine does both by one function.
            "memory_copy" | "memory.copy" | "memory.init" => Self::MemoryCopy,
            "memory_fill" | "memory.fill" => Self::MemoryFill,
            _ => Self::Host,
        }
    }
}

/// Shares by place, in percent; together 100.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shares(BTreeMap<Place, f64>);

impl Shares {
    pub(super) fn of(weights: impl IntoIterator<Item = (Place, f64)>) -> Self {
        let mut shares: BTreeMap<Place, f64> = BTreeMap::new();
        for (place, weight) in weights {
            *shares.entry(place).or_default() += weight;
        }
        let total: f64 = shares.values().sum();
        shares.values_mut().for_each(|share| *share *= 100.0 / total);
        Self(shares)
    }

    /// By CPU time.
    pub(super) fn of_profile(profile: &Profile, functions: &Functions) -> Result<Self> {
        let cpu = cpu_column(profile)?;
        Ok(Self::of(
            profile.samples().map(|sample| (leaf(profile, sample.locations, functions), sample.values[cpu] as f64)),
        ))
    }

    pub(super) fn get(&self, place: Place) -> f64 {
        self.0.get(&place).copied().unwrap_or(0.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, f64)> + '_ {
        self.0.iter().map(|(&place, &share)| (place, share))
    }

    pub(super) fn mean(both: [&Self; 2]) -> Self {
        Self::of(both.into_iter().flat_map(Self::iter))
    }

    /// Total variation distance, in points.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        self.differences(other).map(|(_, own, its)| (own - its).abs()).sum::<f64>() / 2.0
    }

    /// The distance to be expected between two counts of this many samples of the same run.
    pub(super) fn chance(&self, n_own: f64, n_other: f64) -> f64 {
        let each = |share: &f64| {
            let share = share / 100.0;
            let deviation = (share * (1.0 - share) * (1.0 / n_own + 1.0 / n_other)).sqrt();
            // The mean of a normal variable without its sign.
            deviation * (2.0 / PI).sqrt()
        };
        100.0 * self.0.values().map(each).sum::<f64>() / 2.0
    }

    /// Where they differ most, and both shares there.
    pub(super) fn largest_difference(&self, other: &Self) -> (Place, f64, f64) {
        let off = |(_, own, its): &(Place, f64, f64)| (own - its).abs();
        self.differences(other).max_by(|one, two| off(one).total_cmp(&off(two))).unwrap_or((Place::Lost, 0.0, 0.0))
    }

    fn differences<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (Place, f64, f64)> + 'a {
        let only_its = other.0.keys().filter(|place| !self.0.contains_key(place));
        self.0.keys().chain(only_its).map(|&place| (place, self.get(place), other.get(place)))
    }
}

/// The column of CPU time.
pub(super) fn cpu_column(profile: &Profile) -> Result<usize> {
    let is_cpu = |kind: &proto::ValueType| profile.string(kind.kind) == "cpu";
    profile.sample_types().iter().position(is_cpu).context("the profile has no CPU time")
}

fn leaf(profile: &Profile, stack: &[proto::LocationId], functions: &Functions) -> Place {
    let Some(&id) = stack.first() else { return Place::Lost };
    let location = profile.location(id);
    let Some(mapping) = location.mapping.map(|mapping| profile.mapping(mapping)) else { return Place::Lost };
    if profile.string(mapping.filename) != "[host]" {
        let offset = location.address - mapping.start + mapping.offset;
        return functions.at(offset).map_or(Place::Lost, Place::Function);
    }
    let name = profile.lines(id).first().map_or("", |line| profile.string(profile.function(line.function).name));
    match name.strip_prefix("[builtin] ") {
        Some(builtin) => Place::of_builtin(builtin),
        None if name.starts_with('[') => Place::Lost,
        None => Place::Host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Place = Place::Function(1);
    const B: Place = Place::Function(2);

    #[test]
    fn two_counts_differ_by_chance() {
        let halves = Shares::of([(A, 1.0), (B, 1.0)]);
        // A count of 20,000 halves is off by a standard deviation of 0.354 points; two of them, by the mean of 0.5.
        assert!((halves.chance(20_000.0, 20_000.0) - 0.5 * (2.0 / PI).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn distance_is_what_would_have_to_move() {
        let one = Shares::of([(A, 30.0), (A, 10.0), (Place::Host, 60.0)]);
        let other = Shares::of([(A, 2.0), (B, 1.0), (Place::Host, 7.0)]);
        assert!((one.distance(&other) - 20.0).abs() < 1e-9, "{}", one.distance(&other));
        assert!((other.distance(&one) - 20.0).abs() < 1e-9);
        assert_eq!(one.largest_difference(&other).0, A);
        assert!((Shares::mean([&one, &other]).get(A) - 30.0).abs() < 1e-9);
    }
}
