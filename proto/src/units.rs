//! Numbers as people read them: pprof's scaling of bytes and times, its percentages, its one unit a report.
//!
//! Terminal and viewer print through this module alone, so that they can never disagree.
//!
//! ```
//! use proto::units::{Amount, Percent, Scale};
//!
//! assert_eq!(Amount::auto(400_000_000, "nanoseconds").to_string(), "400ms");
//! let scale = Scale { from: "nanoseconds".into(), to: "s".into(), divide_by: 1.0 };
//! assert_eq!(scale.amount(400_000_000).to_string(), "0.40s");
//! assert_eq!(Percent { part: 1, whole: 3 }.to_string(), "33.33%");
//! ```

use std::fmt;

/// Units of one quantity, finest first.
struct Family {
    /// What values are given in when a unit of another quantity is asked for.
    default: Unit,
    units: &'static [Unit],
}

struct Unit {
    /// As it is printed.
    name: &'static str,
    /// As it may be spelt, in lower case and without the plural's s.
    aliases: &'static [&'static str],
    /// How many of the family's base unit it is.
    factor: f64,
}

const fn unit(name: &'static str, aliases: &'static [&'static str], factor: f64) -> Unit {
    Unit { name, aliases, factor }
}

/// The quantities that pprof knows (its `measurement` package); all others are printed as they are.
const FAMILIES: [Family; 3] = [
    Family {
        default: unit("B", &[], 1.0),
        units: &[
            unit("B", &["b", "byte"], 1.0),
            unit("kB", &["kb", "kbyte", "kilobyte"], 1024.0),
            unit("MB", &["mb", "mbyte", "megabyte"], 1_048_576.0),
            unit("GB", &["gb", "gbyte", "gigabyte"], 1_073_741_824.0),
            unit("TB", &["tb", "tbyte", "terabyte"], 1_099_511_627_776.0),
            unit("PB", &["pb", "pbyte", "petabyte"], 1_125_899_906_842_624.0),
        ],
    },
    Family {
        default: unit("s", &[], 1e9),
        units: &[
            unit("ns", &["ns", "nanosecond"], 1.0),
            unit("us", &["μs", "us", "microsecond"], 1e3),
            unit("ms", &["ms", "millisecond"], 1e6),
            unit("s", &["s", "sec", "second"], 1e9),
            unit("hrs", &["hour", "hr"], 3.6e12),
        ],
    },
    Family {
        default: unit("GCU", &[], 1.0),
        units: &[
            unit("n*GCU", &["nanogcu"], 1e-9),
            unit("u*GCU", &["microgcu"], 1e-6),
            unit("m*GCU", &["milligcu"], 1e-3),
            unit("GCU", &["gcu"], 1.0),
            unit("k*GCU", &["kilogcu"], 1e3),
            unit("M*GCU", &["megagcu"], 1e6),
            unit("G*GCU", &["gigagcu"], 1e9),
            unit("T*GCU", &["teragcu"], 1e12),
            unit("P*GCU", &["petagcu"], 1e15),
        ],
    },
];

impl Family {
    fn find(&self, name: &str) -> Option<&Unit> {
        let name = name.to_lowercase();
        let singular = if name.len() > 2 { name.strip_suffix('s').unwrap_or(&name) } else { &name };
        self.units.iter().find(|it| it.aliases.contains(&singular))
    }

    /// `value`, in base units, in the largest unit of which it is at least one.
    fn auto(&self, value: f64) -> (f64, &'static str) {
        let largest = self.units.iter().rev().find(|it| 1.0 <= value / it.factor);
        let unit = largest.unwrap_or(&self.default);
        (value / unit.factor, unit.name)
    }

    fn convert(&self, value: i64, from: &Unit, to: &str) -> (f64, &'static str) {
        let value = to_f64(value) * from.factor;
        if is_auto(to) {
            return self.auto(value);
        }
        let unit = self.find(to).unwrap_or(&self.default);
        (value / unit.factor, unit.name)
    }
}

fn is_auto(unit: &str) -> bool {
    matches!(unit, "auto" | "minimum")
}

/// `value`, counted in `from`, in `to`, and the name to print behind it, which is empty for plain counts.
///
/// `to` may be `auto` or `minimum`: then the largest unit of which it is at least one. Where `from` and `to` measure
/// different things, the result is in the default unit of `from`'s quantity.
#[must_use]
pub fn scale<'a>(value: i64, from: &str, to: &'a str) -> (f64, &'a str) {
    if value < 0
        && let Some(positive) = value.checked_neg()
    {
        let (scaled, unit) = scale(positive, from, to);
        return (-scaled, unit);
    }
    for family in &FAMILIES {
        if let Some(from) = family.find(from) {
            return family.convert(value, from, to);
        }
    }
    let dull = is_auto(to) || matches!(to, "count" | "sample" | "unit");
    (to_f64(value), if dull { "" } else { to })
}

/// How `unit` is spelt in letters of the alphabet alone; `None` for a unit of no quantity that [`scale`] knows.
pub(crate) fn spelling(unit: &str) -> Option<&'static str> {
    let unit = FAMILIES.iter().find_map(|it| it.find(unit))?;
    unit.aliases.iter().copied().find(|it| it.bytes().all(|it| it.is_ascii_alphabetic()))
}

/// Whether two units count the same quantity, so that [`scale`] converts one to the other.
#[must_use]
pub fn are_compatible(one: &str, other: &str) -> bool {
    one == other || FAMILIES.iter().any(|it| it.find(one).is_some() && it.find(other).is_some())
}

/// The units of the quantity that `unit` counts, finest first, as they are printed; none for plain counts.
pub fn units_like(unit: &str) -> impl Iterator<Item = &'static str> {
    let family = FAMILIES.iter().find(|it| it.find(unit).is_some());
    family.into_iter().flat_map(|it| it.units).map(|it| it.name)
}

/// The unit for a report whose least value other than 0 is `smallest`, of `total`, both counted in `from`.
///
/// It is the least value's own unit; but where that is finer than the total's, and the total more than a hundred times
/// as large, a hundredth is precise enough, and the unit is that of `smallest` × 100.
#[must_use]
pub fn report_unit(smallest: i64, total: i64, from: &str) -> String {
    let (_, fine) = scale(smallest, from, "minimum");
    let (_, coarse) = scale(total, from, "minimum");
    let hundredfold = smallest.wrapping_mul(100);
    let unit = if fine != coarse && hundredfold < total { scale(hundredfold, from, "minimum").1 } else { fine };
    if unit.is_empty() { from.to_owned() } else { unit.to_owned() }
}

/// The unit that suits `value`, counted in `from`, by itself.
pub(crate) fn own_unit(value: i64, from: &str) -> String {
    let (_, unit) = scale(value, from, "minimum");
    if unit.is_empty() { from.to_owned() } else { unit.to_owned() }
}

/// A value with its unit, as reports print it: two decimals or none, `0` without a unit.
///
/// Width and alignment of the format string are honoured: `{:>10}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount<'a> {
    /// The value.
    pub value: i64,
    /// The unit it is counted in.
    pub from: &'a str,
    /// The unit to print it in; `auto` lets it choose.
    pub to: &'a str,
}

impl<'a> Amount<'a> {
    /// `value`, counted in `from`, in whatever unit suits it.
    #[must_use]
    pub fn auto(value: i64, from: &'a str) -> Self {
        Amount { value, from, to: "auto" }
    }
}

impl fmt::Display for Amount<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = scale(self.value, self.from, self.to);
        let number = format!("{value:.2}");
        match number.strip_suffix(".00").unwrap_or(&number) {
            "0" | "-0" => f.pad("0"),
            number => f.pad(&format!("{number}{unit}")),
        }
    }
}

/// How one report prints all its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// The unit values are counted in.
    pub from: String,
    /// The unit they are printed in; `auto` lets each choose.
    pub to: String,
    /// Values are divided by this first; 1 leaves them alone, as does anything that is not positive.
    pub divide_by: f64,
}

impl Scale {
    /// `value` as this report prints it.
    #[must_use]
    pub fn amount(&self, value: i64) -> Amount<'_> {
        Amount { value: divide(value, self.divide_by), from: &self.from, to: &self.to }
    }

    /// The same of a change, with its sign.
    #[must_use]
    pub fn signed(&self, change: i64) -> String {
        format!("{}{}", if 0 < change { "+" } else { "" }, self.amount(change))
    }
}

/// `value / divide_by`, cut to an integer as pprof cuts it: multiplied by the reciprocal.
pub(crate) fn divide(value: i64, divide_by: f64) -> i64 {
    let ratio = 1.0 / divide_by;
    #[expect(clippy::float_cmp, reason = "only exactly 1 changes nothing")]
    if 0.0 < ratio && ratio != 1.0 { truncate(to_f64(value) * ratio) } else { value }
}

/// `value × ratio`, to the nearest integer.
pub(crate) fn multiply(value: i64, ratio: f64) -> i64 {
    #[expect(clippy::float_cmp, reason = "only exactly 1 changes nothing")]
    if ratio == 1.0 { value } else { truncate((to_f64(value) * ratio).round()) }
}

/// A share of a whole, five characters wide and the sign: `" 0.5%"`, `"39.22%"`, `"  100%"`. Its sign is not shown.
///
/// Width and alignment of the format string are honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent {
    /// The part.
    pub part: i64,
    /// The whole; of 0, every part is 0 %.
    pub whole: i64,
}

impl Percent {
    /// The share, from 0 to 100 for an ordinary part.
    #[must_use]
    pub fn value(self) -> f64 {
        if self.whole == 0 { 0.0 } else { (to_f64(self.part) / to_f64(self.whole)).abs() * 100.0 }
    }
}

impl Percent {
    /// A change, as `+20.00%`; of nothing, anything is infinitely much.
    #[must_use]
    pub fn signed(self) -> String {
        let sign = match self.part {
            1.. => "+",
            0 => "",
            _ => "-",
        };
        match (self.whole, self.part) {
            (0, 0) => "0%".to_owned(),
            (0, _) => format!("{sign}inf%"),
            _ => format!("{sign}{}", self.to_string().trim_start()),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.value();
        if (99.95..=100.05).contains(&percent) {
            f.pad("  100%")
        } else if 1.0 <= percent {
            f.pad(&format!("{percent:5.2}%"))
        } else {
            f.pad(&format!("{:>5}%", two_digits(percent)))
        }
    }
}

/// C's `%.2g` of a number from 0 to 1: two significant digits without trailing zeros, and an exponent below 0.0001.
fn two_digits(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{number:.1e}");
    let Some((mantissa, Ok(exponent))) = scientific.split_once('e').map(|(m, e)| (m, e.parse::<i32>())) else {
        return scientific;
    };
    let mantissa = mantissa.strip_suffix(".0").unwrap_or(mantissa);
    if exponent < -4 {
        return format!("{mantissa}e-{:02}", -exponent);
    }
    let n_decimals = usize::try_from(1 - exponent).unwrap_or(0);
    let fixed = format!("{number:.n_decimals$}");
    fixed.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An integer as a float; above 2⁵³ the nearest one, as pprof does.
#[expect(clippy::cast_precision_loss, reason = "pprof scales in floats, and its rounding is what we print")]
pub(crate) fn to_f64(value: i64) -> f64 {
    value as f64
}

/// A float cut toward zero; the nearest end of the range where it does not fit.
#[expect(clippy::cast_possible_truncation, reason = "cutting is the meaning")]
pub(crate) fn truncate(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let cases = [
            (0, "nanoseconds", "ms", "0"),
            (1_020_000_000, "nanoseconds", "auto", "1.02s"),
            (1_020_000_000, "nanoseconds", "milliseconds", "1020ms"),
            (-400_000_000, "nanoseconds", "s", "-0.40s"),
            (1, "nanoseconds", "s", "0"),
            (7_200_000_000_000, "ns", "auto", "2hrs"),
            (1536, "bytes", "auto", "1.50kB"),
            (38_835_212, "Bytes", "minimum", "37.04MB"),
            (5, "count", "auto", "5"),
            (5, "count", "count", "5"),
            (5, "widgets", "widgets", "5widgets"),
            (2048, "bytes", "seconds", "2048B"),
            (1_500_000, "us", "bytes", "1.50s"),
            (i64::MIN, "bytes", "auto", "-9223372036854775808B"),
            (3, "nanogcu", "auto", "3n*GCU"),
        ];
        for (value, from, to, expected) in cases {
            assert_eq!(Amount { value, from, to }.to_string(), expected, "{value} {from} {to}");
        }
        assert_eq!(format!("{:>10}", Amount::auto(30_000_000, "nanoseconds")), "      30ms");
    }

    #[test]
    fn percentages() {
        let cases = [
            (0, 0, "    0%"),
            (5, 0, "    0%"),
            (1, 1, "  100%"),
            (9995, 10_000, "  100%"),
            (9994, 10_000, "99.94%"),
            (6, 1, "600.00%"),
            (-1, 3, "33.33%"),
            (1, 100, " 1.00%"),
            (1, 102, " 0.98%"),
            (1, 200, "  0.5%"),
            (1, 100_001, "0.001%"),
            (1, 3_000_000, "3.3e-05%"),
            (1, 100_000_000, "1e-06%"),
            (9999, 1_000_000, "    1%"),
        ];
        for (part, whole, expected) in cases {
            assert_eq!(Percent { part, whole }.to_string(), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn a_unit_has_others_like_it() {
        assert_eq!(units_like("nanoseconds").collect::<Vec<_>>(), ["ns", "us", "ms", "s", "hrs"]);
        assert_eq!(units_like("B").next(), Some("B"));
        assert_eq!(units_like("count").next(), None);
        for unit in ["bytes", "ns", "gcu"] {
            for other in units_like(unit).filter(|it| !it.contains('*')) {
                assert!(are_compatible(unit, other), "{unit} {other}");
            }
        }
    }

    #[test]
    fn a_report_has_one_unit() {
        let cases = [
            (10_000_000, 1_020_000_000, "nanoseconds", "s"),
            (30_000_000, 1_020_000_000, "nanoseconds", "ms"),
            (512, 512 * 1024, "bytes", "kB"),
            (1, 1_000_000, "count", "count"),
        ];
        for (smallest, total, from, expected) in cases {
            assert_eq!(report_unit(smallest, total, from), expected, "{smallest} of {total} {from}");
        }
    }
}
