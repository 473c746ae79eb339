//! The instructions of some functions of a module, as WAT.

use std::io;
use std::ops::Range;

use wasmprinter::{Config, Print};

/// A line of WAT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WatLine {
    /// Where in the file its instruction begins.
    pub(super) offset: u32,
    /// The text, indented by the blocks around it.
    pub(super) text: String,
}

/// The lines of code in `bodies`, which are ranges of the file in ascending order; the first line of each is the
/// function's head, at the begin of its body. Only those are kept, so a large module costs time but no memory.
///
/// # Errors
///
/// If the module has something that cannot be printed.
pub(super) fn print_functions(module: &[u8], bodies: &[Range<u32>]) -> Result<Vec<Vec<WatLine>>, String> {
    let mut printer = Printer { bodies, functions: vec![Vec::new(); bodies.len()], ..Printer::default() };
    Config::new().print(module, &mut printer).map_err(|err| format!("{err:#}"))?;
    printer.end_line();
    printer.functions.iter_mut().for_each(unindent);
    Ok(printer.functions)
}

/// Takes off what the head of a function is indented by.
fn unindent(lines: &mut Vec<WatLine>) {
    let indent = lines.first().map_or(0, |it| it.text.len() - it.text.trim_start().len());
    for line in lines {
        let own = line.text.len() - line.text.trim_start().len();
        line.text.drain(..indent.min(own));
    }
}

#[derive(Default)]
struct Printer<'a> {
    bodies: &'a [Range<u32>],
    functions: Vec<Vec<WatLine>>,
    /// The line being printed, and in which of the functions it is, if it is wanted.
    line: String,
    at: Option<(usize, u32)>,
}

impl Printer<'_> {
    fn end_line(&mut self) {
        let Some((function, offset)) = self.at.take() else { return };
        let text = self.line.trim_end();
        if !text.is_empty() {
            self.functions[function].push(WatLine { offset, text: text.to_owned() });
        }
        self.line.clear();
    }

    fn body_at(&self, offset: u32) -> Option<usize> {
        let after = self.bodies.partition_point(|it| it.start <= offset);
        let idx = after.checked_sub(1)?;
        self.bodies[idx].contains(&offset).then_some(idx)
    }
}

impl Print for Printer<'_> {
    fn write_str(&mut self, text: &str) -> io::Result<()> {
        if self.at.is_some() {
            self.line.push_str(text);
        }
        Ok(())
    }

    fn start_line(&mut self, offset: Option<usize>) {
        self.end_line();
        let offset = offset.and_then(|it| u32::try_from(it).ok());
        self.at = offset.and_then(|it| Some((self.body_at(it)?, it)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_wanted_functions_are_printed() {
        let bytes = wat::parse_str(
            "(module (memory 1) (func $a nop) (func $b (param i32) (local i64) block local.get 0 br_if 0 end) (func $c))",
        )
        .unwrap();
        let find = |code: &[u8]| u32::try_from(bytes.windows(code.len()).position(|it| it == code).unwrap()).unwrap();
        let begin = find(&[1, 1, 0x7e, 0x02]);
        let bodies = std::array::from_fn::<_, 1, _>(|_| begin..begin + 11);
        let functions = print_functions(&bytes, &bodies).unwrap();
        let lines: Vec<_> = functions[0].iter().map(|it| (it.offset - begin, it.text.as_str())).collect();
        let expected = [
            (0, "(func $b (;1;) (type 1) (param i32)"),
            (1, "  (local i64)"),
            (3, "  block ;; label = @1"),
            (5, "    local.get 0"),
            (7, "    br_if 0 (;@1;)"),
            (9, "  end"),
            (10, ")"),
        ];
        assert_eq!(lines, expected);
        let broken = print_functions(&bytes[..bytes.len() - 40], &bodies);
        assert!(broken.is_err(), "{broken:?}");
    }
}
