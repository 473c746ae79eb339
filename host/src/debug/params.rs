//! What a request asks for, read as Go reads it.

use std::num::IntErrorKind;

/// How long a CPU profile is taken if nobody says, in seconds.
const CPU_SECONDS: u64 = 30;

/// The parameters of a URL.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

/// A `seconds` of no use to a difference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotPositive;

impl Params {
    pub(super) fn of(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// A parameter's value, the first if it is there twice; `None` also for an empty one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).filter(|it| !it.is_empty())
    }

    /// The form of a profile: 0 is a file, all else text. What is no number is 0.
    pub(super) fn debug(&self) -> i32 {
        let debug = self.get("debug").map_or(0, |text| integer(text).unwrap_or(0));
        i32::try_from(debug).unwrap_or(if debug < 0 { i32::MIN } else { i32::MAX })
    }

    /// How long a CPU profile is to be taken.
    pub(super) fn cpu_seconds(&self) -> u64 {
        let asked = self.get("seconds").and_then(|it| it.parse::<i64>().ok());
        asked.and_then(|it| u64::try_from(it).ok()).filter(|it| *it > 0).unwrap_or(CPU_SECONDS)
    }

    /// How far apart two profiles are to be whose difference is asked for; `None` if one is.
    pub(super) fn delta_seconds(&self) -> Option<Result<u64, NotPositive>> {
        let asked = self.get("seconds")?.parse::<i64>().ok();
        Some(asked.and_then(|it| u64::try_from(it).ok()).filter(|it| *it > 0).ok_or(NotPositive))
    }
}

/// Go's `Atoi`, whose answer is the nearest number where there are too many digits.
fn integer(text: &str) -> Option<i64> {
    match text.parse::<i64>() {
        Ok(number) => Some(number),
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow => Some(i64::MAX),
            IntErrorKind::NegOverflow => Some(i64::MIN),
            _ => None,
        },
    }
}

/// The addresses in a list that `+` separates, as Go's `ParseUint` reads them with base 0. What is none is left out.
pub(super) fn addresses(list: &str) -> impl Iterator<Item = u64> {
    let address = |word: &str| {
        let digits = |prefixes: [&str; 2]| prefixes.into_iter().find_map(|it| word.strip_prefix(it));
        match digits(["0x", "0X"]) {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => word.parse(),
        }
    };
    list.split('+').filter_map(move |word| address(word.trim()).ok()).filter(|it| *it != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::of(Some(query))
    }

    #[test]
    fn the_form_is_a_number() {
        let cases = [("", 0), ("debug=", 0), ("debug=x", 0), ("debug=1", 1), ("debug=-1", -1), ("debug=%2B2", 2)];
        let large = [("debug=99999999999", i32::MAX), ("debug=-99999999999999999999", i32::MIN), ("debug=1.5", 0)];
        for (query, debug) in cases.into_iter().chain(large) {
            assert_eq!(params(query).debug(), debug, "{query}");
        }
    }

    #[test]
    fn a_cpu_profile_takes_30_seconds_unless_told_otherwise() {
        for (query, seconds) in [("", 30), ("seconds=", 30), ("seconds=abc", 30), ("seconds=0", 30), ("seconds=-5", 30)]
        {
            assert_eq!(params(query).cpu_seconds(), seconds, "{query}");
        }
        for (query, seconds) in [("seconds=1", 1), ("debug=1&seconds=7&seconds=8", 7), ("seconds=0.2", 30)] {
            assert_eq!(params(query).cpu_seconds(), seconds, "{query}");
        }
    }

    #[test]
    fn a_difference_needs_positive_seconds() {
        assert_eq!(params("debug=1").delta_seconds(), None);
        assert_eq!(params("seconds=").delta_seconds(), None);
        assert_eq!(params("seconds=3").delta_seconds(), Some(Ok(3)));
        for wrong in ["0", "-1", "abc", "1.5", "99999999999999999999"] {
            assert_eq!(params(&format!("seconds={wrong}")).delta_seconds(), Some(Err(NotPositive)), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_read_where_they_are_any() {
        let read = |list: &str| addresses(list).collect::<Vec<_>>();
        assert_eq!(read("0x68b740+0x1+0x68b740"), [0x68_b740, 1, 0x68_b740]);
        assert_eq!(read("16+0X1f+"), [16, 31]);
        assert!(read("").is_empty());
        assert_eq!(read("0x0+0xzz+main+0x10000000000000000+-3+ 0x2\n"), [2]);
    }
}
