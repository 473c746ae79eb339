//! The labels that a guest's thread has at the moment: a number that it has told us, or one in its own memory.
//!
//! A guest that sets labels for each request does so more often than it calls the host. Where it names a place in its
//! memory for the number, setting them costs it a store, and only who takes a sample reads it. That goes through the
//! kernel, as the guest's memory may have moved.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::labels::LabelsId;
use crate::stack::{can_peek, peek_u32};

/// They can be read from any thread, and in a signal handler.
#[derive(Debug, Default)]
pub struct CurrentLabels {
    told: AtomicU32,
    /// The address of the place in the guest's memory; 0 for none.
    cell: AtomicUsize,
}

impl CurrentLabels {
    /// The labels now. What the guest's memory holds may be any number.
    #[must_use]
    pub fn get(&self) -> LabelsId {
        let raw = match self.cell.load(Ordering::Relaxed) {
            0 => self.told.load(Ordering::Relaxed),
            cell => peek_u32(cell).unwrap_or(0),
        };
        LabelsId::from_raw(raw)
    }

    /// The guest has told us others; those that it had told before.
    pub fn replace(&self, labels: LabelsId) -> LabelsId {
        LabelsId::from_raw(self.told.swap(labels.raw(), Ordering::Relaxed))
    }

    /// From now on they are what stands at this address. False where that could not be read.
    #[must_use]
    pub fn follow(&self, cell: usize) -> bool {
        let can = can_peek();
        if can {
            self.cell.store(cell, Ordering::Relaxed);
        }
        can
    }

    /// The guest is gone, or another will run: no labels.
    pub fn clear(&self) {
        self.cell.store(0, Ordering::Relaxed);
        self.told.store(0, Ordering::Relaxed);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_or_looked_up() {
        let current = CurrentLabels::default();
        let id = LabelsId::from_raw;
        assert_eq!((current.replace(id(3)), current.replace(id(4)), current.get()), (id(0), id(3), id(4)));
        let cell = [AtomicU32::new(7)];
        assert!(current.follow(cell.as_ptr().expose_provenance()));
        assert_eq!(current.get(), id(7));
        cell[0].store(8, Ordering::Relaxed);
        assert_eq!(current.get(), id(8));
        assert!(current.follow(8), "nothing is mapped there");
        assert_eq!(current.get(), id(0));
        current.clear();
        assert_eq!(current.get(), id(0));
    }
}
