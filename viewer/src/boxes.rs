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

/// The row at `y` pixels below the graph's top.
pub(crate) fn row_at(y: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and 0 is the first row"
    )]
    let row = (y / ROW_HEIGHT) as u32;
    row
}

/// The top of `row` in pixels.
pub(crate) fn top_of(row: u32) -> f64 {
    f64::from(row) * ROW_HEIGHT
}

/// The box at `x` (0 to 1 across the graph) in `row`.
pub(crate) fn hit(boxes: &[FlameBox], x: f64, row: u32) -> Option<&FlameBox> {
    boxes.iter().find(|b| b.row == row && f64::from(b.x) <= x && x < f64::from(b.x) + f64::from(b.width))
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
    let in_row = |row: u32| boxes.iter().filter(move |b| b.row == row);
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
        let node_at = |x, y| hit(&boxes, x, row_at(y)).map(|b| b.node);
        assert_eq!(node_at(0.2, 20.0), Some(1));
        assert_eq!(node_at(0.25, 20.0), Some(2));
        assert_eq!(node_at(0.9, 40.0), None);
        assert_eq!(node_at(0.5, 0.0), Some(0));
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
