//! A function's instructions beside the source lines that they come from, and the weights of samples on them.

use std::collections::BTreeMap;
use std::ops::Range;

use proto::Mapping;
use proto::analysis::graph::Sums;

use crate::instructions::{WatLine, print_functions};
use crate::{Frame, FunctionCode, Symbolizer};

/// A function as WAT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Whose it is.
    pub function: FunctionCode,
    /// Its lines: the head, declarations of locals, the instructions.
    pub instructions: Vec<Instruction>,
}

/// A line of WAT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Where in the file it begins.
    pub offset: u32,
    /// How many blocks are around it; the function is one.
    pub depth: usize,
    /// The text, not indented.
    pub text: String,
    /// The innermost call that it belongs to, with its line. `None` where DWARF has none.
    pub source: Option<Frame>,
}

impl Symbolizer<'_> {
    /// The functions that have these offsets in the file, by where they lie; each once.
    ///
    /// # Errors
    ///
    /// If a core module that holds one is broken, or the function has something that cannot be printed.
    pub fn listings(&self, offsets: &[u32]) -> Result<Vec<Listing>, String> {
        // By module, as each is printed for itself.
        let mut wanted: BTreeMap<usize, BTreeMap<u32, Range<u32>>> = BTreeMap::new();
        for function in offsets.iter().filter_map(|&it| self.binary.function_at(it)) {
            wanted.entry(function.module).or_default().insert(function.body().start, function.body());
        }
        let mut listings = Vec::new();
        for (module, bodies) in wanted {
            let bodies: Vec<_> = bodies.into_values().collect();
            let functions = print_functions(self.bytes, &self.binary.modules[module].range, &bodies)?;
            listings.extend(bodies.iter().zip(functions).filter_map(|(body, lines)| self.listing(body, lines)));
        }
        Ok(listings)
    }

    fn listing(&self, body: &Range<u32>, lines: Vec<WatLine>) -> Option<Listing> {
        let instructions = lines.into_iter().map(|WatLine { offset, depth, text }| {
            // Declarations come from no line.
            let source = if text.starts_with('(') { None } else { self.source(offset) };
            Instruction { offset, depth, text, source }
        });
        Some(Listing { function: self.function_at(body.start)?, instructions: instructions.collect() })
    }

    fn source(&self, offset: u32) -> Option<Frame> {
        self.frames(offset).into_iter().next().filter(|it| it.line != 0)
    }
}

impl Listing {
    /// The weight of the function and of each of its instructions, which has what lies from its offset to that of the
    /// next; the head has what is before all others. `weights` is by offset in the file.
    #[must_use]
    pub fn weights(&self, weights: &BTreeMap<u32, Sums>) -> (Sums, Vec<Sums>) {
        let sum = |range: Range<u32>| {
            let mut sums = Sums::default();
            // A range that ends before it starts would be a panic.
            weights.range(range.start..range.end.max(range.start)).for_each(|(_, it)| sums.add(it));
            sums
        };
        let body = &self.function.body;
        let ends = self.instructions.iter().skip(1).map(|it| it.offset).chain([body.end]);
        let lines = self.instructions.iter().zip(ends).enumerate().map(|(idx, (line, end))| {
            let start = if idx == 0 { body.start } else { line.offset };
            sum(start..end)
        });
        (sum(body.clone()), lines.collect())
    }
}

/// Where in its file an address of a mapping lies.
#[must_use]
pub fn file_offset(mapping: &Mapping, address: u64) -> Option<u32> {
    let offset = address.checked_sub(mapping.start)?.checked_add(mapping.offset)?;
    u32::try_from(offset).ok()
}

/// What [`address_weights`](proto::analysis::address_weights) says of a mapping, by offset in its file.
#[must_use]
pub fn weights_in_file(mapping: &Mapping, weights: &BTreeMap<u64, Sums>) -> BTreeMap<u32, Sums> {
    weights.iter().filter_map(|(&address, sums)| Some((file_offset(mapping, address)?, *sums))).collect()
}
