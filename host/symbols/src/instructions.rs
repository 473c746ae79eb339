//! The instructions of some functions of a core module, as WAT.

use std::io;
use std::ops::Range;

use wasmprinter::{Config, Print};

use crate::skeleton::Skeleton;

/// What a line is indented by for each block around it.
const INDENT: usize = 2;

/// A line of WAT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WatLine {
    /// Where in the file its instruction begins.
    pub(crate) offset: u32,
    /// How many blocks are around it; the function is one.
    pub(crate) depth: usize,
    pub(crate) text: String,
}

/// The lines of code in `bodies`, which are those of functions of the core module at `module` in the file, ascending;
/// the first line of each is the function's head, at the begin of its body.
///
/// # Errors
///
/// If the module is broken, or has something that cannot be printed.
pub(crate) fn print_functions(
    file: &[u8],
    module: &Range<usize>,
    bodies: &[Range<u32>],
) -> Result<Vec<Vec<WatLine>>, String> {
    let skeleton = Skeleton::new(file, module, bodies)?;
    let functions = vec![Vec::new(); bodies.len()];
    let mut printer = Printer { skeleton: &skeleton, functions, line: String::new(), at: None };
    Config::new().print(&skeleton.bytes, &mut printer).map_err(|err| format!("{err:#}"))?;
    printer.end_line();
    printer.functions.iter_mut().for_each(|it| count_from_head(it));
    Ok(printer.functions)
}

/// Takes off what the head of a function is indented by.
fn count_from_head(lines: &mut [WatLine]) {
    let head = lines.first().map_or(0, |it| it.depth);
    for line in lines {
        line.depth = line.depth.saturating_sub(head);
    }
}

struct Printer<'a> {
    skeleton: &'a Skeleton,
    functions: Vec<Vec<WatLine>>,
    /// The line being printed, and in which of the functions it is, if it is wanted.
    line: String,
    at: Option<(usize, u32)>,
}

impl Printer<'_> {
    fn end_line(&mut self) {
        let Some((function, offset)) = self.at.take() else { return };
        let text = self.line.trim();
        if !text.is_empty() {
            let indent = self.line.len() - self.line.trim_start().len();
            let line = WatLine { offset, depth: indent / INDENT, text: text.to_owned() };
            self.functions[function].push(line);
        }
        self.line.clear();
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
        self.at = offset.and_then(|it| self.skeleton.place(it));
    }

    /// They are about functions, and were read before.
    fn print_custom_section(&mut self, _name: &str, _offset: usize, _data: &[u8]) -> io::Result<bool> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAT: &str = "(module
        (type $unused (func (param f32)))
        (import \"a\" \"b\" (func $imported))
        (memory 1)
        (data (i32.const 0) \"data\")
        (func $a nop)
        (func $b (param i32) (local i64) block local.get 0 br_if 0 call $imported end)
        (func $c))";

    #[test]
    fn only_wanted_functions_are_printed() {
        let module = wat::parse_str(WAT).unwrap();
        let component = wat::parse_str(format!("(component (core {})", &WAT[1..])).unwrap();
        for (file, start) in [(&module, 0), (&component, 8 + 2)] {
            let find =
                |code: &[u8]| u32::try_from(file.windows(code.len()).position(|it| it == code).unwrap()).unwrap();
            let begin = find(&[1, 1, 0x7e, 0x02]);
            let bodies = std::array::from_fn::<_, 1, _>(|_| begin..begin + 13);
            let functions = print_functions(file, &(start..file.len()), &bodies).unwrap();
            let lines = functions[0].iter().map(|it| (it.offset - begin, it.depth, it.text.as_str()));
            let expected = [
                (0, 0, "(func $b (;2;) (type 2) (param i32)"),
                (1, 1, "(local i64)"),
                (3, 1, "block ;; label = @1"),
                (5, 2, "local.get 0"),
                (7, 2, "br_if 0 (;@1;)"),
                (9, 2, "call $imported"),
                (11, 1, "end"),
                (12, 0, ")"),
            ];
            assert_eq!(lines.collect::<Vec<_>>(), expected);
            let broken = print_functions(file, &(start..file.len() - 5), &bodies);
            assert!(broken.is_err(), "{broken:?}");
        }
    }

    /// As the printer's own way to tell it: the whole module's text.
    #[test]
    fn a_function_reads_as_in_the_whole_module() {
        let module = wat::parse_str(WAT).unwrap();
        let whole = wasmprinter::print_bytes(&module).unwrap();
        let binary = crate::binary::Binary::parse(&module, &mut Vec::new());
        let bodies: Vec<_> = binary.functions().iter().map(crate::binary::Function::body).collect();
        let functions = print_functions(&module, &(0..module.len()), &bodies).unwrap();
        assert_eq!(functions.len(), 3);
        for lines in functions {
            let text: Vec<_> = lines.iter().map(|it| format!("  {:1$}{2}", "", it.depth * INDENT, it.text)).collect();
            // The printer ends a function on the line of its last instruction.
            assert!(whole.contains(&text.join("\n")), "{text:?} in {whole}");
        }
    }

    #[test]
    fn a_body_that_was_not_declared_is_an_error() {
        // One function is declared; the printer would panic at the second body.
        let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x07\x02\x02\0\x0b\x02\0\x0b";
        let broken = print_functions(module, &(0..module.len()), &[]);
        let problem = "function and code section have inconsistent lengths (at offset 0x14)";
        assert_eq!(broken, Err(problem.to_owned()));
    }
}
