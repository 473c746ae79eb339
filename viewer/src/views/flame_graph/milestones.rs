//! Marks for whoever measures the page: when a file's first boxes were on the screen, when all, when its table, too.

use std::cell::RefCell;

use super::picture::on_next_frame;
use crate::page;
use crate::protocol::FileId;

/// How far the file on show has come. Views come and go, a file is opened once.
#[derive(Debug, Default)]
struct Milestones {
    file: Option<FileId>,
    first: bool,
    painted: bool,
    rows: bool,
    complete: bool,
}

impl Milestones {
    /// The marks that are due, in order.
    fn reached(&mut self, file: FileId, news: News) -> Vec<&'static str> {
        if self.file != Some(file) {
            *self = Milestones { file: Some(file), ..Milestones::default() };
        }
        let mut marks = Vec::new();
        let (first, painted) = match news {
            News::Drawn { is_whole } => (true, is_whole),
            News::Rows => {
                self.rows = true;
                (false, false)
            }
        };
        if first && !std::mem::replace(&mut self.first, true) {
            marks.push("wprof-first-paint");
        }
        if painted && !std::mem::replace(&mut self.painted, true) {
            marks.push("wprof-painted");
        }
        if self.painted && self.rows && !std::mem::replace(&mut self.complete, true) {
            marks.push("wprof-complete");
        }
        marks
    }
}

#[derive(Clone, Copy, Debug)]
enum News {
    Drawn { is_whole: bool },
    Rows,
}

thread_local! {
    static MILESTONES: RefCell<Milestones> = RefCell::default();
}

/// Boxes of `file` were drawn in this frame.
pub(super) fn drawn(file: FileId, is_whole: bool) {
    mark(file, News::Drawn { is_whole });
}

/// The rows of the table of `file` are there.
pub(super) fn rows(file: FileId) {
    mark(file, News::Rows);
}

fn mark(file: FileId, news: News) {
    let marks = MILESTONES.with_borrow_mut(|it| it.reached(file, news));
    if !marks.is_empty() {
        // What was drawn in this frame is on the screen in the next.
        on_next_frame(move || marks.into_iter().for_each(page::mark));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_set_once_a_file() {
        let mut milestones = Milestones::default();
        let [one, other] = [FileId(1), FileId(2)];
        let (part, whole) = (News::Drawn { is_whole: false }, News::Drawn { is_whole: true });
        assert_eq!(milestones.reached(one, part), ["wprof-first-paint"]);
        assert!(milestones.reached(one, part).is_empty());
        assert!(milestones.reached(one, News::Rows).is_empty());
        assert_eq!(milestones.reached(one, whole), ["wprof-painted", "wprof-complete"]);
        assert!(milestones.reached(one, whole).is_empty());
        assert_eq!(milestones.reached(other, whole), ["wprof-first-paint", "wprof-painted"]);
        assert_eq!(milestones.reached(other, News::Rows), ["wprof-complete"]);
    }
}
