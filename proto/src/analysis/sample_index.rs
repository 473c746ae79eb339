//! Which of a sample's values a report shows.

use crate::profile::Profile;

/// A sample type that the profile does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownSampleType {
    /// The profile has no sample types.
    #[error("profile has no samples")]
    None,
    /// A number past the last.
    #[error("sample_index {number} is outside the range [0..{last}]")]
    Number {
        /// As it was given.
        number: String,
        /// The last that there is.
        last: usize,
    },
    /// A name that no sample type has.
    #[error("sample_index {name:?} must be one of: [{}]", .kinds.join(" "))]
    Name {
        /// As it was given.
        name: String,
        /// The names that there are.
        kinds: Vec<String>,
    },
}

/// The sample type of `wanted`: a number or a name; without one, the profile's default, or else the last.
///
/// `inuse_space` finds `space` as well, as older heap profiles have it.
///
/// # Errors
///
/// If the profile has no such sample type.
pub fn sample_index(profile: &Profile, wanted: Option<&str>) -> Result<usize, UnknownSampleType> {
    let kinds: Vec<&str> = profile.sample_types().iter().map(|it| profile.string(it.kind)).collect();
    let last = kinds.len().checked_sub(1).ok_or(UnknownSampleType::None)?;
    let Some(wanted) = wanted.filter(|it| !it.is_empty()) else {
        let default = profile.default_sample_type();
        return Ok(default.and_then(|it| kinds.iter().position(|kind| *kind == it)).unwrap_or(last));
    };
    if let Ok(number) = wanted.parse::<i64>() {
        let outside = || UnknownSampleType::Number { number: wanted.to_owned(), last };
        return usize::try_from(number).ok().filter(|&it| it <= last).ok_or_else(outside);
    }
    let without_inuse = wanted.strip_prefix("inuse_").unwrap_or(wanted);
    kinds.iter().position(|&kind| kind == wanted || kind == without_inuse).ok_or_else(|| UnknownSampleType::Name {
        name: wanted.to_owned(),
        kinds: kinds.iter().map(|&it| it.to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ProfileBuilder;

    fn check(default: &str, wanted: Option<&str>, expected: Result<usize, &str>) {
        let mut builder = ProfileBuilder::new(&[("objects", "count"), ("space", "bytes"), ("cpu", "nanoseconds")]);
        builder.default_sample_type(default);
        let found = sample_index(&builder.finish(), wanted).map_err(|err| err.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{default} {wanted:?}");
    }

    #[test]
    fn by_number_by_name_and_by_default() {
        check("", None, Ok(2));
        check("space", None, Ok(1));
        check("gone", None, Ok(2));
        check("space", Some(""), Ok(1));
        check("", Some("0"), Ok(0));
        check("", Some("objects"), Ok(0));
        check("", Some("inuse_space"), Ok(1));
        check("", Some("3"), Err("sample_index 3 is outside the range [0..2]"));
        check("", Some("-1"), Err("sample_index -1 is outside the range [0..2]"));
        check("", Some("bogus"), Err("sample_index \"bogus\" must be one of: [objects space cpu]"));
    }

    #[test]
    fn a_profile_without_types_has_no_index() {
        let err = sample_index(&ProfileBuilder::new(&[]).finish(), None).unwrap_err();
        assert_eq!(err.to_string(), "profile has no samples");
    }
}
