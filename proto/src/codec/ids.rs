//! The format's ids, which may be any numbers, to row numbers.

use std::collections::HashMap;

use super::error::{Error, ErrorKind};

/// The rows of one table by their ids.
///
/// Nearly all writers number rows 1, 2, 3…, where an id is looked up by arithmetic; others cost a map, with a keyed
/// hash, as the ids may be chosen to collide.
#[derive(Debug)]
pub(super) struct Ids {
    table: &'static str,
    len: u32,
    /// Of the rows from the first on whose id is not its number.
    sparse: HashMap<u64, u32>,
    /// How many rows from the start have id = row + 1.
    n_dense: u32,
}

impl Ids {
    pub(super) fn new(table: &'static str) -> Self {
        Ids { table, len: 0, sparse: HashMap::new(), n_dense: 0 }
    }

    /// Takes the next row's id.
    pub(super) fn push(&mut self, id: u64, offset: usize) -> Result<(), Error> {
        let table = self.table;
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

    /// The row with `id`.
    pub(super) fn row(&self, id: u64) -> Option<u32> {
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
        for ids in [&[1, 2, 3, 4][..], &[9, 1, u64::MAX], &[1, 2, 7, 3, 4]] {
            let table = rows(ids).unwrap();
            for (row, &id) in (0..).zip(ids) {
                assert_eq!(table.row(id), Some(row), "{ids:?}");
            }
            assert_eq!(table.row(0), None);
            assert_eq!(table.row(100), None);
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
