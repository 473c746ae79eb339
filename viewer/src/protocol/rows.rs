//! The top table: a window of its rows.

use serde::{Deserialize, Serialize};

use super::Look;

/// A window of the top table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowsAsk {
    pub(crate) query: String,
    pub(crate) sort: Sort,
    /// Also the functions that `pprof -top` leaves out as too small.
    pub(crate) all: bool,
    /// Flat and cum of every sample type, not only the chosen one.
    pub(crate) every_type: bool,
    /// The first row wanted, and how many.
    pub(crate) first: usize,
    pub(crate) len: usize,
}

impl RowsAsk {
    /// Whether both ask about the same table, if perhaps another part of it.
    pub(crate) fn same_table(&self, other: &RowsAsk) -> bool {
        RowsAsk { first: 0, len: 0, ..self.clone() } == RowsAsk { first: 0, len: 0, ..other.clone() }
    }
}

/// How the table is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Sort {
    pub(crate) column: Column,
    pub(crate) descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Sort { column: Column::Flat, descending: true }
    }
}

/// What a table can be ordered by: flat % goes with flat, cum % with cum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Column {
    Flat,
    Cum,
    Name,
}

/// A window of the top table, every number formatted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rows {
    pub(crate) first: usize,
    pub(crate) rows: Vec<Row>,
    /// Rows of the whole table, of which `rows` is a part.
    pub(crate) n_rows: usize,
    pub(crate) total: String,
    /// What the filters leave of the total, while they leave something out.
    pub(crate) part: Option<String>,
    /// pprof's sentence: what the rows add up to.
    pub(crate) accounting: String,
    /// How many functions are left out as too small, and the cum that they are at or below.
    pub(crate) dropped: Option<(usize, String)>,
    /// Whether rows say what share of what was allocated is in use.
    pub(crate) has_kept: bool,
}

/// A function, every number formatted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) flat: String,
    pub(crate) flat_pct: String,
    pub(crate) sum_pct: String,
    pub(crate) cum: String,
    pub(crate) cum_pct: String,
    pub(crate) name: String,
    /// `(inline)`, `(partial-inline)` or nothing.
    pub(crate) marker: String,
    /// The name's number, as boxes carry it.
    pub(crate) function: u32,
    /// Hue of the function's package, as boxes have it.
    pub(crate) look: Look,
    /// By sample type, if every one was asked for: flat and cum.
    pub(crate) every: Vec<(String, String)>,
    /// Of what was allocated here or below, what is in use; with every sample type only, and only in heap profiles.
    pub(crate) kept: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrolled_table_is_the_same_table() {
        let ask = RowsAsk { query: "fib".to_owned(), len: 100, ..RowsAsk::default() };
        assert!(ask.same_table(&RowsAsk { first: 50, ..ask.clone() }));
        assert!(!ask.same_table(&RowsAsk { all: true, ..ask.clone() }));
    }
}
