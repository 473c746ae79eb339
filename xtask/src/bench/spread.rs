//! The middle and the ends of a few measurements.

/// Of some measurements of one thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) least: f64,
    pub(super) median: f64,
    pub(super) most: f64,
}

impl Spread {
    /// All NaN when there are none.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |idx: usize| values.get(idx).copied().unwrap_or(f64::NAN);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) };
        Self { least: at(0), median, most: at(values.len().wrapping_sub(1)) }
    }

    /// `1.003 (0.991–1.012)`, three digits or more.
    pub(super) fn with_unit(self, unit: &str) -> String {
        let digits = match self.median.abs() {
            median if median < 10.0 => 3,
            median if median < 100.0 => 2,
            _ => 0,
        };
        format!("{:.digits$}{unit} ({:.digits$}–{:.digits$})", self.median, self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_and_ends() {
        let check = |values: &[f64], expected: &str| {
            assert_eq!(Spread::of(values.iter().copied()).with_unit(" s"), expected);
        };
        check(&[1.0, 3.0, 2.0], "2.000 s (1.000–3.000)");
        check(&[40.0, 10.0], "25.00 s (10.00–40.00)");
        check(&[1234.5], "1234 s (1234–1234)");
        check(&[], "NaN s (NaN–NaN)");
    }
}
