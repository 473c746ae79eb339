//! Numbers in texts, as Go's strconv reads them.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// A decimal number with a sign or none; `None` if it is none or too large.
pub(super) fn decimal(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A number in the base that its prefix says: `0x`, `0b`, `0o` or `0`; a `_` may stand between digits.
pub(super) fn any_base(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.strip_suffix(digits)?, digits),
        None => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixes = [("0x", 16), ("0b", 2), ("0o", 8), ("0", 8)];
    let prefixed = prefixes.iter().find_map(|&(prefix, base)| Some((lower.strip_prefix(prefix)?, base)));
    let (digits, base) = prefixed.filter(|(digits, _)| !digits.is_empty()).unwrap_or((&lower, 10));
    let digits = if base == 10 { digits } else { digits.strip_prefix('_').unwrap_or(digits) };
    if digits.starts_with(['_', '+', '-']) || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{}", digits.replace('_', "")), base).ok()
}

/// A hexadecimal number without a prefix.
pub(super) fn hex(digits: &[u8]) -> Option<u64> {
    if digits.starts_with(b"+") {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// All numbers of the form 0x1f in a line; `None` if one has more than 64 bits. What stands between is passed over.
pub(super) fn addresses(line: &[u8], found: &mut Vec<u64>) -> Option<()> {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| super::pattern("0x[0-9a-f]+"));
    for address in ADDRESS.find_iter(line) {
        found.push(hex(address.as_bytes().strip_prefix(b"0x")?)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_base() {
        let cases = [
            ("0", Some(0)),
            ("12", Some(12)),
            ("-12", Some(-12)),
            ("010", Some(8)),
            ("08", None),
            ("0x1F", Some(31)),
            ("0b11", Some(3)),
            ("0o17", Some(15)),
            ("1_000", Some(1000)),
            ("0x_f", Some(15)),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("0x", None),
            ("--1", None),
            ("", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
        ];
        for (text, expected) in cases {
            assert_eq!(any_base(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn addresses_are_found_among_words() {
        let check = |line: &str, expected: Option<&[u64]>| {
            let mut found = Vec::new();
            let result = addresses(line.as_bytes(), &mut found).map(|()| found.as_slice());
            assert_eq!(result, expected, "{line}");
        };
        check("PC:  0x00bc8f1c: helper(arg *)", Some(&[0xbc_8f1c]));
        check(" 0x1 0xffffffffffffffff x 0x0000000000000000002", Some(&[1, u64::MAX, 2]));
        check("nothing", Some(&[]));
        check("0x1 0x10000000000000000", None);
    }
}
