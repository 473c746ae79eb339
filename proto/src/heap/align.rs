//! Columns that line up when tabs are eight wide, as Go's text/tabwriter aligns the text forms of its profiles.

use std::io::{self, Write};

const TAB: usize = 8;

/// Writes lines of cells, a tab or more behind every cell but a line's last.
///
/// A column is as wide as its widest cell among lines that follow each other and have it; the last cell of a line is in
/// no column.
pub(super) fn write_aligned(out: &mut impl Write, lines: &[Vec<String>]) -> io::Result<()> {
    write_columns(out, lines, &mut Vec::new())
}

/// Writes `lines`, whose first columns are as wide as `widths` says.
fn write_columns(out: &mut impl Write, lines: &[Vec<String>], widths: &mut Vec<usize>) -> io::Result<()> {
    let column = widths.len();
    let is_in_column = |line: &Vec<String>| column + 1 < line.len();
    for block in lines.chunk_by(|one, other| is_in_column(one) == is_in_column(other)) {
        if !block.first().is_some_and(is_in_column) {
            block.iter().try_for_each(|line| write_line(out, line, widths))?;
            continue;
        }
        let widest = block.iter().map(|line| width(&line[column])).max().unwrap_or(0);
        widths.push((widest + 1).next_multiple_of(TAB));
        write_columns(out, block, widths)?;
        widths.pop();
    }
    Ok(())
}

fn write_line(out: &mut impl Write, line: &[String], widths: &[usize]) -> io::Result<()> {
    for (idx, cell) in line.iter().enumerate() {
        out.write_all(cell.as_bytes())?;
        if idx + 1 < line.len() {
            let n_tabs = (widths[idx] - width(cell)).div_ceil(TAB);
            out.write_all("\t".repeat(n_tabs).as_bytes())?;
        }
    }
    out.write_all(b"\n")
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lines, whose cells are separated by a tab each, become.
    #[track_caller]
    fn check(lines: &str, expected: &str) {
        let lines: Vec<Vec<String>> = lines.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
        let mut out = Vec::new();
        write_aligned(&mut out, &lines).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn cells_are_padded_to_the_widest_of_their_block() {
        check("a\tb", "a\tb\n");
        check("1234567\tb\na\tb", "1234567\tb\na\tb\n");
        check("12345678\tb\na\tb", "12345678\tb\na\t\tb\n");
        check("#\t0x1\tmain\tf:1\n#\t0x1\tlong_name\tf:2", "#\t0x1\tmain\t\tf:1\n#\t0x1\tlong_name\tf:2\n");
        check("éééééééé\tb\na\tb", "éééééééé\tb\na\t\tb\n");
    }

    #[test]
    fn a_line_without_the_cell_ends_a_block() {
        check("a\tb\nlong enough to matter\na\tb", "a\tb\nlong enough to matter\na\tb\n");
        check("#\tlong_name\tx\n#\t0x1\n#\tb\tx", "#\tlong_name\tx\n#\t0x1\n#\tb\tx\n");
    }
}
