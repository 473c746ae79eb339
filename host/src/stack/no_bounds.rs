//! In the place of `bounds` on systems where nobody walks frames.

use std::ops::Range;

/// Not known.
pub(crate) fn own_stack() -> Option<Range<usize>> {
    None
}
