//! Tables as the format has them: an object of columns, each an array.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Columns of equal length.
#[derive(Debug)]
pub(super) struct Table {
    length: usize,
    columns: Vec<(&'static str, Column)>,
    fields: Vec<(&'static str, Value)>,
}

#[derive(Debug)]
pub(super) enum Column {
    Numbers(Vec<i64>),
    Floats(Vec<f64>),
    /// Rows of another table, or `null`.
    Rows(Vec<Option<u32>>),
    /// The same in every row.
    Same(Value),
}

impl Table {
    /// A table of that many rows, and no columns yet.
    pub(super) fn new(length: usize) -> Self {
        Table { length, columns: Vec::new(), fields: Vec::new() }
    }

    /// A table with these columns and no rows.
    pub(super) fn empty(columns: &[&'static str]) -> Self {
        let mut table = Table::new(0);
        columns.iter().for_each(|name| table.column(name, Column::Numbers(Vec::new())));
        table
    }

    /// Adds a column.
    pub(super) fn column(&mut self, name: &'static str, column: Column) {
        self.columns.push((name, column));
    }

    /// Adds what is no column, but said of all rows.
    pub(super) fn field(&mut self, name: &'static str, value: Value) {
        self.fields.push((name, value));
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("length", &self.length)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        for (name, column) in &self.columns {
            match column {
                Column::Numbers(numbers) => map.serialize_entry(name, numbers)?,
                Column::Floats(numbers) => map.serialize_entry(name, numbers)?,
                Column::Rows(rows) => map.serialize_entry(name, rows)?,
                Column::Same(value) => map.serialize_entry(name, &Repeated { value, length: self.length })?,
            }
        }
        map.end()
    }
}

struct Repeated<'a> {
    value: &'a Value,
    length: usize,
}

impl Serialize for Repeated<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(std::iter::repeat_n(self.value, self.length))
    }
}
