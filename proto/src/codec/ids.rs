//! The format's ids, which may be any numbers, to row numbers.

use std::collections::HashMap;

use super::error::{Error, ErrorKind};

/// The rows of one table by their ids.
///
/// Nearly all writers number rows 1, 2, 3…, where an id is looked up by arithmetic. Where some numbers are left out, or
/// the order is another, [`index`](Self::index) makes a list; any other ids cost a map, with a keyed hash, as they may
/// be chosen to collide.
#[derive(Debug)]
pub(super) struct Ids {
    table: &'static str,
    len: u32,
    /// Of the rows from the first on whose id is not its number.
    sparse: HashMap<u64, u32>,
    /// How many rows from the start have id = row + 1.
    n_dense: u32,
    /// Rows by id, or `NO_ROW`, if there is a list.
    rows: Vec<u32>,
}

const NO_ROW: u32 = u32::MAX;
/// How many times longer than the table the list may be.
const SPARSEST: usize = 8;

impl Ids {
    pub(super) fn new(table: &'static str) -> Self {
        Ids { table, len: 0, sparse: HashMap::new(), n_dense: 0, rows: Vec::new() }
    }

    /// Takes the next row's id.
    pub(super) fn push(&mut self, id: u64, offset: usize) -> Result<(), Error> {
        let table = self.table;
        // The list is of a table that was thought whole.
        self.rows = Vec::new();
        if id == 0 {
            return Err(ErrorKind::ZeroId { table }.at(offset));
        }
        if self.row(id).is_some() {
            return Err(ErrorKind::DuplicateId { table, id }.at(offset));
        }
        if self.n_dense == self.len && id == u64::from(self.len) + 1 {
            self.n_dense += 1;
        } else {
            self.sparse.insert(id, self.len);
        }
        // One row number is kept free, so that a count of rows fits as well.
        if self.len == u32::MAX - 1 {
            return Err(ErrorKind::TooMany { table }.at(offset));
        }
        self.len += 1;
        Ok(())
    }

    /// Makes looking up faster. For a table that is whole.
    pub(super) fn index(&mut self) {
        let greatest = self.sparse.keys().max().and_then(|&it| usize::try_from(it).ok());
        let Some(greatest) = greatest.filter(|&it| it / SPARSEST <= self.len as usize) else { return };
        self.rows = vec![NO_ROW; greatest.max(self.n_dense as usize) + 1];
        // The dense ids are 1 and on, in order; then come the others.
        self.rows.iter_mut().skip(1).zip(0..self.n_dense).for_each(|(slot, row)| *slot = row);
        for (&id, &row) in &self.sparse {
            if let Some(slot) = usize::try_from(id).ok().and_then(|it| self.rows.get_mut(it)) {
                *slot = row;
            }
        }
    }

    /// Whether all rows up to this one have their numbers, plus one, for ids.
    pub(super) fn are_rows_dense(&self, greatest: u32) -> bool {
        greatest < self.n_dense
    }

    /// The row with `id`.
    pub(super) fn row(&self, id: u64) -> Option<u32> {
        if !self.rows.is_empty() {
            return usize::try_from(id).ok().and_then(|it| self.rows.get(it)).copied().filter(|it| *it != NO_ROW);
        }
        if let Some(row) = id.checked_sub(1).and_then(|it| u32::try_from(it).ok())
            && row < self.n_dense
        {
            return Some(row);
        }
        if self.sparse.is_empty() { None } else { self.sparse.get(&id).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ids: &[u64]) -> Result<Ids, Error> {
        let mut table = Ids::new("function");
        ids.iter().try_for_each(|&id| table.push(id, 7))?;
        Ok(table)
    }

    #[test]
    fn dense_sparse_and_mixed_ids_are_found() {
        // As numbered, with gaps, in another order, too sparse for a list, and of any size.
        for ids in [&[1, 2, 3, 4][..], &[1, 2, 7, 3, 4], &[9, 2, 5], &[4, 3, 2, 1], &[1, 2, 1000], &[9, 1, u64::MAX]] {
            for is_indexed in [false, true] {
                let mut table = rows(ids).unwrap();
                if is_indexed {
                    table.index();
                }
                for (row, &id) in (0..).zip(ids) {
                    assert_eq!(table.row(id), Some(row), "{ids:?}");
                }
                for id in [0, 100, u64::MAX - 1] {
                    assert_eq!(table.row(id), None, "{ids:?}");
                }
                let n_dense = (1..).zip(ids).take_while(|(number, id)| number == *id).count();
                for greatest in 0..5 {
                    assert_eq!(table.are_rows_dense(greatest), (greatest as usize) < n_dense, "{ids:?}");
                }
            }
        }
    }

    #[test]
    fn zero_and_repeated_ids_are_refused() {
        let err = |ids| rows(ids).unwrap_err().to_string();
        assert_eq!(err(&[1, 0]), "function with reserved id 0 (at offset 0x7)");
        assert_eq!(err(&[1, 2, 1]), "multiple functions with same id 1 (at offset 0x7)");
        assert_eq!(err(&[5, 5]), "multiple functions with same id 5 (at offset 0x7)");
    }
}
