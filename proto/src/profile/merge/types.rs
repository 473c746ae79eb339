//! Which values of each profile are added to which, and by what they are scaled first.

use super::MergeError;
use crate::profile::{Profile, ValueType};
use crate::units;

/// How one profile's values become the merged profile's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    /// For each value of the merged profile, which of this profile's it comes from.
    pub(super) from: Vec<usize>,
    /// And what that is multiplied by.
    ratios: Vec<f64>,
    /// The merged profile's units.
    pub(super) units: Vec<String>,
}

impl Columns {
    /// Whether they are all of `profile`'s values, in order and unscaled.
    pub(super) fn is_all_of(&self, profile: &Profile) -> bool {
        self.is_whole(profile) && self.ratios.iter().all(|it| is_one(*it))
    }

    fn is_whole(&self, profile: &Profile) -> bool {
        self.from.iter().copied().eq(0..profile.sample_types().len())
    }

    /// `profile`'s default, or, if it had one that is gone, or others are gone, the first of what is left.
    pub(super) fn default_sample_type<'a>(&self, profile: &'a Profile) -> &'a str {
        let default = profile.default_sample_type().unwrap_or("");
        let kind = |it: &usize| profile.string(profile.sample_types()[*it].kind);
        if self.is_whole(profile) || self.from.iter().map(kind).any(|it| it == default) {
            return default;
        }
        self.from.first().map_or("", kind)
    }

    /// Puts one sample's values into `out`, scaled to the nearest integers.
    pub(super) fn convert(&self, values: &[i64], out: &mut Vec<i64>) {
        out.extend(self.from.iter().zip(&self.ratios).map(|(&from, &ratio)| units::multiply(values[from], ratio)));
    }
}

#[expect(clippy::float_cmp, reason = "units that are the same scale by exactly 1")]
fn is_one(ratio: f64) -> bool {
    ratio == 1.0
}

/// The sample types that all profiles have, by name and in the order of the first, for each profile.
pub(super) fn common(profiles: &[Profile]) -> Result<Vec<Columns>, MergeError> {
    let [first, ..] = profiles else { return Err(MergeError::Nothing) };
    let mut columns = vec![Columns { from: Vec::new(), ratios: Vec::new(), units: Vec::new() }; profiles.len()];
    for kind in kinds(first) {
        // As pprof counts: two types of one name in one profile are in "all" of one too many.
        let n_found: usize = profiles.iter().map(|it| kinds(it).filter(|it| *it == kind).count()).sum();
        let found: Vec<usize> = profiles.iter().filter_map(|it| kinds(it).position(|it| it == kind)).collect();
        if n_found != profiles.len() || found.len() != profiles.len() {
            continue;
        }
        let types: Vec<(&Profile, ValueType)> =
            profiles.iter().zip(&found).map(|(profile, &idx)| (profile, profile.sample_types()[idx])).collect();
        let unit = finest_unit(&types).map_err(|(one, other)| MergeError::SampleTypes { one, other })?;
        for ((columns, from), (profile, value_type)) in columns.iter_mut().zip(found).zip(types) {
            columns.from.push(from);
            columns.ratios.push(units::scale(1, profile.string(value_type.unit), unit).0);
            columns.units.push(unit.to_owned());
        }
    }
    if columns[0].from.is_empty() { Err(MergeError::NoCommonSampleTypes) } else { Ok(columns) }
}

fn kinds(profile: &Profile) -> impl Iterator<Item = &str> {
    profile.sample_types().iter().map(|it| profile.string(it.kind))
}

/// The merged period's unit, the finest there is, and the period, the longest there is.
pub(super) fn period(profiles: &[Profile]) -> Result<(String, i64), MergeError> {
    let types: Vec<(&Profile, ValueType)> =
        profiles.iter().map(|it| (it, it.period_type().unwrap_or_default())).collect();
    let unit = finest_unit(&types).map_err(|(one, other)| MergeError::PeriodTypes { one, other })?;
    let mut longest = 0;
    for (profile, period_type) in &types {
        let period = units::truncate(units::scale(profile.period(), profile.string(period_type.unit), unit).0);
        if longest == 0 || longest < period {
            longest = period;
        }
    }
    Ok((unit.to_owned(), longest))
}

/// The finest unit of types of one kind; or the two that do not go together.
fn finest_unit<'a>(types: &[(&'a Profile, ValueType)]) -> Result<&'a str, (String, String)> {
    let mut finest: Option<(&'a Profile, ValueType)> = None;
    for &(profile, value_type) in types {
        let Some((first, first_type)) = finest else {
            finest = Some((profile, value_type));
            continue;
        };
        let [unit, first_unit] = [profile.string(value_type.unit), first.string(first_type.unit)];
        let is_same = first.string(first_type.kind) == profile.string(value_type.kind);
        if !is_same || !units::are_compatible(first_unit, unit) {
            return Err((describe(first, first_type), describe(profile, value_type)));
        }
        if units::scale(1, unit, first_unit).0 < 1.0 {
            finest = Some((profile, value_type));
        }
    }
    Ok(finest.map_or("", |(profile, it)| profile.string(it.unit)))
}

fn describe(profile: &Profile, it: ValueType) -> String {
    format!("{}/{}", profile.string(it.kind), profile.string(it.unit))
}
