//! Which sample types a file's profiles make, and how their values become whole numbers.

use serde_json::Number;

use super::file::{File, RawProfile};
use crate::formats::speedscope::UNITS;
use crate::units::{to_f64, truncate};

/// Where the values of each profile of a file go.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Name and unit.
    pub(super) sample_types: Vec<(String, String)>,
    pub(super) targets: Vec<Target>,
}

/// Where a profile's values go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) sample_index: usize,
    scale: Scale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scale {
    factor: i64,
    /// Whether fractions are rounded to the nearest, and no error.
    rounds: bool,
}

const AS_THEY_ARE: Scale = Scale { factor: 1, rounds: false };

impl Plan {
    pub(super) fn of(file: &File<'_>) -> Self {
        if file.is_ours() { Self::of_ours(file) } else { Self::of_threads(file) }
    }

    /// Each profile is a sample type.
    fn of_ours(file: &File<'_>) -> Self {
        let sample_type = |it: &RawProfile<'_>| {
            let unit = it.wprof_unit.as_deref().unwrap_or_else(|| our_unit(unit(it)));
            (it.name.as_deref().unwrap_or_default().to_owned(), unit.to_owned())
        };
        Plan {
            sample_types: file.profiles.iter().map(sample_type).collect(),
            targets: (0..file.profiles.len()).map(|sample_index| Target { sample_index, scale: AS_THEY_ARE }).collect(),
        }
    }

    /// There is a sample type for each quantity.
    fn of_threads(file: &File<'_>) -> Self {
        let time_unit = time_unit(&file.profiles);
        let mut plan = Plan::default();
        for profile in &file.profiles {
            let unit = unit(profile);
            let (kind, unit, scale) = match factor_of_time(unit) {
                Some(_) if Some(unit) == time_unit => ("time", unit, AS_THEY_ARE),
                Some(factor) => ("time", "nanoseconds", Scale { factor, rounds: true }),
                None if unit == "bytes" => ("space", unit, AS_THEY_ARE),
                None => ("samples", our_unit(unit), AS_THEY_ARE),
            };
            let sample_index = plan.sample_index(kind, unit);
            plan.targets.push(Target { sample_index, scale });
        }
        plan
    }

    fn sample_index(&mut self, kind: &str, unit: &str) -> usize {
        let known = self.sample_types.iter().position(|it| (it.0.as_str(), it.1.as_str()) == (kind, unit));
        known.unwrap_or_else(|| {
            self.sample_types.push((kind.to_owned(), unit.to_owned()));
            self.sample_types.len() - 1
        })
    }
}

/// The unit of all profiles of times, if they have one and all their values are whole in it.
fn time_unit<'a>(profiles: &'a [RawProfile<'_>]) -> Option<&'a str> {
    let mut times = profiles.iter().filter(|it| factor_of_time(unit(it)).is_some()).peekable();
    let first = unit(times.peek()?);
    let is_whole = |number: &Number| AS_THEY_ARE.apply(number).is_some();
    let mut are_whole = |it: &RawProfile<'_>| {
        unit(it) == first
            && it.weights.iter().all(is_whole)
            && it.events.iter().map(|it| &it.at).chain(&it.start_value).chain(&it.end_value).all(is_whole)
    };
    times.all(&mut are_whole).then_some(first)
}

fn unit<'a>(profile: &'a RawProfile<'_>) -> &'a str {
    profile.unit.as_deref().unwrap_or("none")
}

fn our_unit(unit: &str) -> &str {
    UNITS.iter().find(|it| it.0 == unit).map_or(unit, |it| it.1)
}

/// How many nanoseconds a unit of time is.
fn factor_of_time(unit: &str) -> Option<i64> {
    UNITS.iter().find(|it| it.0 == unit).and_then(|it| it.2)
}

impl Target {
    /// A value as the sample type counts it; `None` if that is no whole number or does not fit.
    pub(super) fn value(self, number: &Number) -> Option<i64> {
        self.scale.apply(number)
    }

    /// The same of the time from `start` to `at`: large numbers are subtracted before they are scaled and rounded.
    pub(super) fn since(self, start: Option<&Number>, at: &Number) -> Option<i64> {
        let Some(start) = start else { return self.value(at) };
        if let (Some(start), Some(at)) = (start.as_i64(), at.as_i64()) {
            return at.checked_sub(start)?.checked_mul(self.scale.factor);
        }
        self.scale.apply_float(at.as_f64()? - start.as_f64()?)
    }
}

impl Scale {
    fn apply(self, number: &Number) -> Option<i64> {
        match number.as_i64() {
            Some(whole) => whole.checked_mul(self.factor),
            None => self.apply_float(number.as_f64()?),
        }
    }

    fn apply_float(self, number: f64) -> Option<i64> {
        let scaled = number * to_f64(self.factor);
        let rounded = scaled.round();
        #[expect(clippy::float_cmp, reason = "whether it has a fraction at all")]
        let is_allowed = self.rounds || rounded == scaled;
        // 2⁶³ itself does not fit.
        (is_allowed && rounded.abs() < to_f64(i64::MAX)).then(|| truncate(rounded))
    }
}
