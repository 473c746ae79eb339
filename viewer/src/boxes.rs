//! Which box is where: hits and neighbours among the boxes of a flame graph. No sums, no pixels drawn.

use crate::protocol::FlameBox;

/// Height of a row in CSS pixels.
pub(crate) const ROW_HEIGHT: f64 = 18.0;

/// A move of the keyboard from box to box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toward {
    Caller,
    /// The widest box below.
    Callee,
    Left,
    Right,
}

/// Where rows are: the root's at the top, or at the bottom.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sheet {
    pub(crate) n_rows: u32,
    /// Of the pane, in CSS pixels: a graph that is not as high stands on its bottom if it grows upward.
    pub(crate) height: f64,
    pub(crate) upward: bool,
}

impl Sheet {
    /// Of all rows.
    pub(crate) fn full_height(&self) -> f64 {
        let rows = height_of(self.n_rows);
        if self.upward { rows.max(self.height) } else { rows }
    }

    /// The upper edge of `row`, from the sheet's.
    pub(crate) fn top_of(&self, row: u32) -> f64 {
        if self.upward { self.full_height() - height_of(row + 1) } else { height_of(row) }
    }

    /// The row at `y` pixels below the sheet's upper edge.
    pub(crate) fn row_at(&self, y: f64) -> u32 {
        whole_rows(if self.upward { self.full_height() - y } else { y })
    }

    /// The first row in view, and how many may be.
    pub(crate) fn rows_in_view(&self, scroll_top: f64) -> (u32, u32) {
        let nearest = if self.upward { scroll_top + self.height } else { scroll_top };
        (self.row_at(nearest), whole_rows(self.height) + 2)
    }
}

/// What a number of rows takes in CSS pixels.
pub(crate) fn height_of(n_rows: u32) -> f64 {
    f64::from(n_rows) * ROW_HEIGHT
}

fn whole_rows(height: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and 0 is the first row"
    )]
    let rows = (height / ROW_HEIGHT) as u32;
    rows
}

/// The boxes of `row`, which lie beside each other, from left to right.
pub(crate) fn in_row(boxes: &[FlameBox], row: u32) -> &[FlameBox] {
    in_rows(boxes, row, 1)
}

/// The boxes of so many rows from `first` on.
pub(crate) fn in_rows(boxes: &[FlameBox], first: u32, n_rows: u32) -> &[FlameBox] {
    let [start, end] = [first, first.saturating_add(n_rows)].map(|row| boxes.partition_point(|b| b.row < row));
    boxes.get(start..end).unwrap_or_default()
}

/// The box at `x` (0 to 1 across the graph) in `row`.
pub(crate) fn hit(boxes: &[FlameBox], x: f64, row: u32) -> Option<&FlameBox> {
    let row = in_row(boxes, row);
    let at = row.partition_point(|b| f64::from(b.x) <= x).checked_sub(1)?;
    row.get(at).filter(|b| x < f64::from(b.x) + f64::from(b.width))
}

/// The box of `node`.
pub(crate) fn find(boxes: &[FlameBox], node: u32) -> Option<&FlameBox> {
    boxes.iter().find(|b| b.node == node)
}

/// The widest box of `function`, the topmost of equals: where to zoom when a function is meant.
pub(crate) fn widest(boxes: &[FlameBox], function: u32) -> Option<&FlameBox> {
    let of_function = boxes.iter().filter(|b| b.function == function);
    of_function.reduce(|best, b| if (b.width, best.row) > (best.width, b.row) { b } else { best })
}

/// The box next to `from`.
pub(crate) fn neighbour<'a>(boxes: &'a [FlameBox], from: &FlameBox, toward: Toward) -> Option<&'a FlameBox> {
    let middle = f64::from(from.x) + f64::from(from.width) / 2.0;
    let in_row = |row: u32| in_row(boxes, row).iter();
    match toward {
        Toward::Caller => hit(boxes, middle, from.row.checked_sub(1)?),
        Toward::Callee => {
            let inside = in_row(from.row + 1).filter(|b| b.x >= from.x && b.x < from.x + from.width);
            inside.max_by(|a, b| a.width.total_cmp(&b.width))
        }
        Toward::Left => in_row(from.row).filter(|b| b.x < from.x).max_by(|a, b| a.x.total_cmp(&b.x)),
        Toward::Right => in_row(from.row).filter(|b| b.x > from.x).min_by(|a, b| a.x.total_cmp(&b.x)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Look;

    /// Root 0 over 1 (left) and 2 (right, wider); 3 below 2, of the same function as 1.
    fn boxes() -> Vec<FlameBox> {
        let root = FlameBox { x: 0.0, width: 1.0, row: 0, node: 0, function: 0, look: Look::guest(0), name: None };
        vec![
            root,
            FlameBox { width: 0.25, row: 1, node: 1, function: 1, ..root },
            FlameBox { x: 0.25, width: 0.75, row: 1, node: 2, function: 2, ..root },
            FlameBox { x: 0.25, width: 0.5, row: 2, node: 3, function: 1, ..root },
        ]
    }

    #[test]
    fn hits() {
        let boxes = boxes();
        let sheet = Sheet { n_rows: 3, height: 400.0, upward: false };
        let node_at = |x, y| hit(&boxes, x, sheet.row_at(y)).map(|b| b.node);
        assert_eq!(node_at(0.2, 20.0), Some(1));
        assert_eq!(node_at(0.25, 20.0), Some(2));
        assert_eq!(node_at(0.9, 40.0), None);
        assert_eq!(node_at(0.5, 0.0), Some(0));
        assert_eq!(node_at(1.0, 20.0), None);
    }

    #[test]
    fn a_graph_that_grows_upward_stands_on_the_bottom() {
        let low = Sheet { n_rows: 3, height: 100.0, upward: true };
        assert_eq!((low.full_height(), low.top_of(0), low.row_at(99.0), low.row_at(50.0)), (100.0, 82.0, 0, 2));
        let high = Sheet { n_rows: 10, height: 100.0, upward: true };
        assert_eq!((high.full_height(), high.top_of(0), high.top_of(9)), (180.0, 162.0, 0.0));
        assert_eq!((high.rows_in_view(80.0), high.rows_in_view(0.0)), ((0, 7), (4, 7)));
        let down = Sheet { upward: false, ..high };
        assert_eq!((down.rows_in_view(0.0), down.rows_in_view(40.0), down.top_of(2)), ((0, 7), (2, 7), 36.0));
        for (sheet, row) in [low, high, down].into_iter().flat_map(|sheet| (0..3).map(move |row| (sheet, row))) {
            assert_eq!(sheet.row_at(sheet.top_of(row) + 1.0), row, "{sheet:?}");
        }
    }

    #[test]
    fn walks() {
        let boxes = boxes();
        let walk = |from: usize, toward| neighbour(&boxes, &boxes[from], toward).map(|b| b.node);
        assert_eq!(walk(0, Toward::Callee), Some(2));
        assert_eq!(walk(3, Toward::Caller), Some(2));
        assert_eq!(walk(2, Toward::Left), Some(1));
        assert_eq!(walk(1, Toward::Right), Some(2));
        assert_eq!(walk(0, Toward::Caller), None);
    }

    #[test]
    fn a_function_is_found_at_its_widest() {
        assert_eq!(widest(&boxes(), 1).map(|b| b.node), Some(3));
        assert_eq!(widest(&boxes(), 9), None);
    }
}
