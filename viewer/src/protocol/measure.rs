//! Numeric labels, such as the size of a block, by which samples may be picked.

use serde::{Deserialize, Serialize};

/// A numeric label, and the ranges of its numbers that there are to pick from, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Measure {
    pub(crate) key: String,
    pub(crate) ranges: Vec<Ends>,
}

/// A range of numbers as people read it. An end without a number is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ends {
    pub(crate) from: String,
    pub(crate) to: String,
}

/// Neighbouring ranges of a measure, by their numbers: samples of other sizes are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Picked {
    pub(crate) measure: usize,
    pub(crate) first: usize,
    /// Picked as well.
    pub(crate) last: usize,
}

/// For each measure, the weights of its ranges in their order.
pub(crate) type Weights = Vec<Vec<Weight>>;

/// The samples of one range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Weight {
    pub(crate) value: String,
    /// Of the total.
    pub(crate) percent: String,
    /// Of the heaviest range, for a bar.
    pub(crate) bar: String,
}

impl Ends {
    /// `1kB – 2kB`, `16B`, `≥ 1kB`.
    pub(crate) fn name(from: &Ends, to: &Ends) -> String {
        match (from.from.as_str(), to.to.as_str()) {
            ("", to) => format!("≤ {to}"),
            (from, "") => format!("≥ {from}"),
            (from, to) if from == to => from.to_owned(),
            (from, to) => format!("{from} – {to}"),
        }
    }
}

impl Measure {
    /// What the label is about: wprof's and Go's heap profiles call the size of a block by its unit.
    pub(crate) fn noun(&self) -> &str {
        if self.key == "bytes" { "size" } else { &self.key }
    }

    /// The ranges from one to another as one.
    pub(crate) fn name(&self, first: usize, last: usize) -> Option<String> {
        Some(Ends::name(self.ranges.get(first)?, self.ranges.get(last)?))
    }
}

impl Picked {
    /// One range alone.
    pub(crate) fn one(measure: usize, at: usize) -> Picked {
        Picked { measure, first: at, last: at }
    }

    pub(crate) fn contains(self, measure: usize, at: usize) -> bool {
        self.measure == measure && (self.first..=self.last).contains(&at)
    }

    /// As far as `at`: from the other end of what is picked already, or from here.
    pub(crate) fn extended(picked: Option<Picked>, measure: usize, at: usize) -> Picked {
        match picked.filter(|it| it.measure == measure) {
            Some(Picked { last, first, .. }) if at < first => Picked { measure, first: at, last },
            Some(Picked { first, .. }) => Picked { measure, first, last: at },
            None => Picked::one(measure, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure() -> Measure {
        let ends = |from: &str, to: &str| Ends { from: from.to_owned(), to: to.to_owned() };
        let ranges = vec![ends("", "0"), ends("16B", "16B"), ends("1kB", "2kB"), ends("4EB", "")];
        Measure { key: "bytes".to_owned(), ranges }
    }

    #[test]
    fn neighbouring_ranges_have_one_name() {
        let check = |first, last, expected: &str| assert_eq!(measure().name(first, last).as_deref(), Some(expected));
        check(0, 0, "≤ 0");
        check(1, 1, "16B");
        check(1, 2, "16B – 2kB");
        check(0, 2, "≤ 2kB");
        check(2, 3, "≥ 1kB");
        assert_eq!(measure().name(3, 4), None);
    }

    #[test]
    fn a_range_grows_and_shrinks_towards_the_click() {
        let check = |picked: Option<(usize, usize)>, at, expected| {
            let picked = picked.map(|(first, last)| Picked { measure: 0, first, last });
            let Picked { first, last, .. } = Picked::extended(picked, 0, at);
            assert_eq!((first, last), expected);
        };
        check(None, 5, (5, 5));
        check(Some((5, 5)), 8, (5, 8));
        check(Some((5, 8)), 3, (3, 8));
        check(Some((3, 8)), 6, (3, 6));
        let other = Picked::one(1, 4);
        assert_eq!(Picked::extended(Some(other), 0, 2), Picked::one(0, 2));
    }
}
