//! What Go's programs say, in their words, where a report is to say what pprof says.

use std::io;

/// An error of the system, without its number and in lower case: `no such file or directory`.
pub(crate) fn go_error(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split_once(" (os error").map_or(text.as_str(), |it| it.0);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// As Go prints a duration: `1h2m3.5s`, `1.5ms`, `2µs`.
pub(crate) fn go_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let fraction = |value: u64, unit: u64| {
        let digits = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() || unit == 1 { (value / unit).to_string() } else { format!("{}.{digits}", value / unit) }
    };
    let text = match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", fraction(nanos, 1_000_000)),
        _ => {
            let (hours, minutes) = (nanos / 3_600_000_000_000, nanos / 60_000_000_000 % 60);
            let seconds = fraction(nanos % 60_000_000_000, 1_000_000_000);
            match (hours, minutes) {
                (0, 0) => format!("{seconds}s"),
                (0, _) => format!("{minutes}m{seconds}s"),
                _ => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_lower_case_and_without_a_number() {
        let missing = std::fs::read("no/such/file").unwrap_err();
        assert_eq!(go_error(&missing), "no such file or directory");
        assert_eq!(go_error(&io::Error::other("")), "");
        assert_eq!(go_error(&io::Error::other("Ärger")), "ärger");
    }

    #[test]
    fn durations_are_gos() {
        let cases = [
            (2_000_000_000, "2s"),
            (60_000_000_000, "1m0s"),
            (3_605_000_000_000, "1h0m5s"),
            (1_500_000, "1.5ms"),
            (1_001, "1.001µs"),
            (7, "7ns"),
            (62_000_000_000, "1m2s"),
            (3_600_000_000_000, "1h0m0s"),
            (3_723_040_000_000, "1h2m3.04s"),
            (-1_500_000_000, "-1.5s"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(go_duration(nanos), expected, "{nanos}");
        }
    }
}
