//! Samples by their labels, as pprof's driver compiles `tagfocus` and `tagignore` (driver_focus.go).

use regex::Regex;
use rustc_hash::FxHashMap;

use super::BadFilter;
use crate::analysis::Warning;
use crate::analysis::labels::LabelUnits;
use crate::profile::{Label, LabelValue, Profile};
use crate::units;

/// A compiled filter: a sample matches if every one of its tests is met by one of the sample's labels.
pub(super) struct TagFilter<'a> {
    profile: &'a Profile,
    units: LabelUnits,
    tests: Vec<Remembering>,
}

/// A test and what it said to each label so far. A profile has few different ones, and they are tried on every sample.
struct Remembering {
    test: Test,
    said: FxHashMap<Label, bool>,
}

/// What a label may be asked.
enum Test {
    /// Whether it is a number within a range, of this key if there is one.
    Number { key: Option<String>, range: Range },
    /// Whether it is a text of this key that matches one of the patterns.
    Text { key: String, patterns: Vec<Regex> },
    /// Whether key and text, with a colon between, match.
    Pair(Regex),
}

impl<'a> TagFilter<'a> {
    /// The filter that `text`, of the option of that name, describes; `None` if it is empty.
    pub(super) fn new(
        profile: &'a Profile,
        option: &'static str,
        text: &str,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Self>, BadFilter> {
        if text.is_empty() {
            return Ok(None);
        }
        let bad = |problem| BadFilter { option, problem };
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (Some(key).filter(|it| !it.is_empty()), value),
            None => (None, text),
        };
        let tests = if let Some(range) = Range::parse(value).map_err(bad)? {
            warnings.push(Warning::Range { option, text: value.to_owned() });
            vec![Test::Number { key: key.map(str::to_owned), range }]
        } else {
            let compile = |pattern| Regex::new(pattern).map_err(|err| bad(err.to_string()));
            let patterns = value.split(',').map(compile).collect::<Result<Vec<Regex>, BadFilter>>()?;
            match key {
                Some(key) => vec![Test::Text { key: key.to_owned(), patterns }],
                None => patterns.into_iter().map(Test::Pair).collect(),
            }
        };
        let tests = tests.into_iter().map(|test| Remembering { test, said: FxHashMap::default() }).collect();
        Ok(Some(TagFilter { profile, units: LabelUnits::of(profile), tests }))
    }

    pub(super) fn matches(&mut self, labels: &[Label]) -> bool {
        let TagFilter { profile, units, tests } = self;
        tests.iter_mut().all(|Remembering { test, said }| {
            labels.iter().any(|&it| *said.entry(it).or_insert_with(|| test.accepts(profile, units, it)))
        })
    }
}

impl Test {
    fn accepts(&self, profile: &Profile, units: &LabelUnits, label: Label) -> bool {
        let label_key = profile.string(label.key);
        match (self, label.value) {
            (Test::Number { key, range }, LabelValue::Num { num, .. }) => {
                key.as_ref().is_none_or(|it| it == label_key) && range.contains(num, units.get(profile, label.key))
            }
            (Test::Text { key, patterns }, LabelValue::Str(text)) => {
                key == label_key && patterns.iter().any(|it| it.is_match(profile.string(text)))
            }
            (Test::Pair(pattern), LabelValue::Str(text)) => {
                pattern.is_match(&format!("{label_key}:{}", profile.string(text)))
            }
            _ => false,
        }
    }
}

/// Numbers from one to another, both included, in a unit as [`units::scale`] names it.
#[derive(Debug, Clone, PartialEq)]
struct Range {
    least: Option<f64>,
    greatest: Option<f64>,
    unit: String,
}

impl Range {
    /// `16b`, `64kb:1mb`, `1ms:` or `:5`. `None` if `text` is anything else: then it is a pattern.
    fn parse(text: &str) -> Result<Option<Self>, String> {
        // pprof takes the unit of the first number, as it would print it, for both.
        let (first, second) = match text.split_once(':') {
            None => (text, None),
            Some(("", second)) => (second, None),
            Some((first, "")) => (first, None),
            Some((first, second)) => (first, Some(second)),
        };
        let Some((number, spelling)) = number(first) else { return Ok(None) };
        let (first, unit) = units::scale(parse(number)?, spelling, spelling);
        let unit = unit.to_owned();
        if let Some(second) = second {
            let Some((number, spelling)) = self::number(second) else { return Ok(None) };
            let (second, second_unit) = units::scale(parse(number)?, spelling, &unit);
            let is_range = second_unit == unit;
            return Ok(is_range.then_some(Range { least: Some(first), greatest: Some(second), unit }));
        }
        let [is_open_below, is_open_above] = [text.starts_with(':'), text.ends_with(':')];
        Ok(Some(Range { least: (!is_open_below).then_some(first), greatest: (!is_open_above).then_some(first), unit }))
    }

    fn contains(&self, number: i64, unit: &str) -> bool {
        let (number, unit) = units::scale(number, unit, &self.unit);
        unit == self.unit
            && self.least.is_none_or(|least| least <= number)
            && self.greatest.is_none_or(|greatest| number <= greatest)
    }
}

/// A whole number with the unit that follows it at once, if it has one, and nothing else.
fn number(text: &str) -> Option<(&str, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let unit = unsigned.trim_start_matches(|it: char| it.is_ascii_digit());
    let is_number = unit.len() < unsigned.len() && unit.bytes().all(|it| it.is_ascii_alphabetic());
    is_number.then(|| (&text[..text.len() - unit.len()], unit))
}

fn parse(number: &str) -> Result<i64, String> {
    number.parse().map_err(|err| format!("{number}: {err}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(least: Option<f64>, greatest: Option<f64>, unit: &str) -> Option<Range> {
        Some(Range { least, greatest, unit: unit.to_owned() })
    }

    #[test]
    fn ranges_are_told_from_patterns() {
        for (text, expected) in [
            ("32kb", range(Some(32.0), Some(32.0), "kB")),
            (":64kb", range(None, Some(64.0), "kB")),
            ("4mb:", range(Some(4.0), None, "MB")),
            ("512kb:1mb", range(Some(512.0), Some(1024.0), "kB")),
            ("-5:+5", range(Some(-5.0), Some(5.0), "")),
            ("3apples:4", range(Some(3.0), Some(4.0), "apples")),
            ("3apples:4pears", range(Some(3.0), Some(4.0), "apples")),
            ("1ms:2kb", None),
            ("1:2ms", None),
            ("1:2:", None),
            (":", None),
            ("::", None),
            ("", None),
            ("kb", None),
            ("1.5kb", None),
            ("1 kb", None),
            ("a1", None),
            ("1:x", None),
        ] {
            assert_eq!(Range::parse(text), Ok(expected), "{text}");
        }
        assert!(Range::parse("99999999999999999999").is_err());
    }
}
