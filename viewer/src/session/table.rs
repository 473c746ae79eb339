//! The table on show: the rows in view, and the cursor that keys move over them.

use crate::protocol::line;
use crate::route::View;
use crate::session::Session;

/// The rows of a table in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) first: usize,
    pub(crate) len: usize,
}

/// A move of the table's cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    By(isize),
    First,
    Last,
}

/// Windows are asked for in steps of this many rows, with a step to spare either side, so that scrolling by a few
/// rows asks nothing.
const STEP: usize = 50;

impl Default for Window {
    fn default() -> Self {
        Window { first: 0, len: STEP }
    }
}

impl Window {
    /// The first row to ask for, and how many.
    pub(crate) fn asked(self) -> (usize, usize) {
        let first = (self.first / STEP).saturating_sub(1) * STEP;
        let past = (self.first + self.len).div_ceil(STEP) + 1;
        (first, past * STEP - first)
    }
}

impl Session {
    /// The line of the table whose rows the cursor moves over, but for the tree's, which has nodes.
    pub(super) fn table_line(&self) -> Option<usize> {
        match self.route.view {
            View::Tree => None,
            View::Diff => Some(line::DIFF),
            _ => Some(line::ROWS),
        }
    }

    fn n_rows(&self) -> Option<usize> {
        match self.route.view {
            View::Tree => self.tree().map(|latest| latest.reply.n_rows),
            View::Diff => self.diff().map(|latest| latest.reply.n_rows),
            _ => self.current_rows().map(|rows| rows.n_rows),
        }
    }

    fn name_at(&self, row: usize) -> Option<String> {
        if self.route.view == View::Diff {
            let rows = self.diff()?.reply;
            return Some(rows.rows.get(row.checked_sub(rows.first)?)?.name.clone());
        }
        let rows = self.current_rows()?;
        Some(rows.rows.get(row.checked_sub(rows.first)?)?.name.clone())
    }

    /// Choosing a row again lets go of it.
    pub(super) fn choose(&mut self, row: usize) {
        if self.route.view == View::Tree {
            self.choose_row_of_tree(row);
            return;
        }
        let before = self.route.function.clone();
        self.cursor = Some(row);
        self.choose_name_at_cursor();
        if self.route.function == before {
            self.choose_function(None);
            self.cursor = None;
        }
    }

    pub(super) fn move_cursor(&mut self, step: Step) {
        if self.route.view == View::Sandwich && self.route.function.is_some() {
            return;
        }
        let Some(last) = self.n_rows().and_then(|n_rows| n_rows.checked_sub(1)) else { return };
        let next = match (step, self.cursor) {
            (Step::First, _) => 0,
            (Step::Last, _) => last,
            (Step::By(n), Some(row)) => row.saturating_add_signed(n).min(last),
            (Step::By(_), None) => self.window.first.min(last),
        };
        self.cursor = Some(next);
        if self.route.view == View::Tree {
            self.choose_row_of_tree(next);
        } else {
            self.choose_at_cursor();
        }
    }

    /// The cursor's row may not be at hand yet; its function is then chosen when the rows arrive.
    pub(super) fn choose_at_cursor(&mut self) {
        // A sandwich shows the list only until a function is chosen, by Enter: arrows must not do that.
        if self.route.view == View::Sandwich {
            return;
        }
        self.choose_name_at_cursor();
    }

    fn choose_name_at_cursor(&mut self) {
        if let Some(name) = self.cursor.and_then(|row| self.name_at(row)) {
            self.set_function(Some(name));
        }
    }
}
