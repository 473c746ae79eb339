//! From machine code back to the module's file.

use std::ops::Range;

use rustc_hash::FxHashMap;
use wasmtime::component::Component;
use wasmtime::{Module, ModuleFunction};

/// Bytes between two functions that are there to align the second. Trampolines, which may stand between functions too,
/// are longer.
const MAX_PADDING: usize = 32;

/// A function's machine code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionCode {
    /// Where it begins, as an offset in the code of the whole file.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The core module of the file that it belongs to.
    pub module: u32,
    /// Its index in that module.
    pub index: u32,
}

/// The functions of a module or component, by their place in its machine code.
#[derive(Debug, Clone, Default)]
pub struct Functions {
    by_start: Vec<FunctionCode>,
}

impl Functions {
    /// Those of a module.
    #[must_use]
    pub fn of_module(module: &Module) -> Self {
        Self::of(module.functions())
    }

    /// Those of all modules in a component.
    #[must_use]
    pub fn of_component(component: &Component) -> Self {
        Self::of(component.functions())
    }

    fn of(functions: impl Iterator<Item = ModuleFunction>) -> Self {
        let mut by_start: Vec<_> = functions
            .map(|it| FunctionCode {
                start: it.offset,
                end: it.offset.saturating_add(it.len),
                module: it.module.as_u32(),
                index: it.index.as_u32(),
            })
            .collect();
        by_start.sort_unstable_by_key(|it| it.start);
        Self { by_start }
    }

    /// The function that an instruction is in.
    #[must_use]
    pub fn at(&self, code: usize) -> Option<&FunctionCode> {
        let after = self.by_start.partition_point(|it| it.start <= code);
        self.by_start.get(after.checked_sub(1)?).filter(|it| code < it.end)
    }

    /// The code of a function.
    #[must_use]
    pub fn code_of(&self, module: u32, index: u32) -> Option<Range<usize>> {
        let function = self.by_start.iter().find(|it| (it.module, it.index) == (module, index))?;
        Some(function.start..function.end)
    }

    /// The code from the first function on in which there is nothing else. wasmtime puts trampolines after all functions.
    #[must_use]
    pub fn contiguous(&self) -> Range<usize> {
        let Some(first) = self.by_start.first() else { return 0..0 };
        let mut end = first.end;
        for function in &self.by_start {
            if function.start > end.saturating_add(MAX_PADDING) {
                break;
            }
            end = function.end.max(end);
        }
        first.start..end
    }
}

/// File offsets of instructions in a module's machine code.
#[derive(Debug, Default)]
pub struct CodeOffsets {
    by_code: FxHashMap<u32, u32>,
}

impl CodeOffsets {
    /// Looks up instructions, given as offsets in the machine code: that of a call is any byte of it, such as the last one
    /// before its return address. `map` is [`Module::address_map`] or a component's. One pass over it serves all, as it has
    /// tens of millions of entries for a big module.
    ///
    /// Code that stands for no instruction of the file (frames are made, registers saved) has the offset of what is
    /// before it in the function, or else of what comes next.
    #[must_use]
    pub fn resolve(
        map: impl Iterator<Item = (usize, Option<u32>)>,
        functions: &Functions,
        wanted: impl IntoIterator<Item = u32>,
    ) -> Self {
        let mut wanted: Vec<u32> = wanted.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut by_code = FxHashMap::default();
        let mut wanted = wanted.into_iter().peekable();
        // The last entry with an offset, and those that wait for the next one.
        let mut before: Option<(usize, u32)> = None;
        let mut waiting: Vec<(usize, u32)> = Vec::new();
        let has = |start: usize| move |(at, _): &(usize, u32)| *at >= start;
        let look_up = |at: u32, before: Option<(usize, u32)>, by_code: &mut FxHashMap<u32, u32>| {
            let function = functions.at(at as usize)?;
            match before.filter(has(function.start)) {
                Some((_, file)) => {
                    by_code.insert(at, file);
                    None
                }
                None => Some((function.end, at)),
            }
        };
        for (code, file) in map {
            // Entries hold from their offset to the next one's.
            while let Some(at) = wanted.next_if(|&at| (at as usize) < code) {
                waiting.extend(look_up(at, before, &mut by_code));
            }
            if let Some(file) = file {
                by_code.extend(waiting.drain(..).filter(|&(end, _)| code < end).map(|(_, at)| (at, file)));
                before = Some((code, file));
            }
            if wanted.peek().is_none() && waiting.is_empty() {
                break;
            }
        }
        for at in wanted {
            look_up(at, before, &mut by_code);
        }
        Self { by_code }
    }

    /// Adds what another look-up has found.
    pub fn extend(&mut self, more: Self) {
        self.by_code.extend(more.by_code);
    }

    /// The file offset of an instruction; `None` for code that is none of the guest's.
    #[must_use]
    pub fn file_offset(&self, code: u32) -> Option<u32> {
        self.by_code.get(&code).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions() -> Functions {
        let function = |start, end, index| FunctionCode { start, end, module: 0, index };
        Functions {
            by_start: vec![function(0, 10, 0), function(16, 30, 1), function(32, 40, 2), function(100, 110, 3)],
        }
    }

    #[test]
    fn an_instruction_belongs_to_the_function_it_stands_in() {
        let functions = functions();
        let index = |at| functions.at(at).map(|it| it.index);
        assert_eq!([0, 9, 10, 16, 29, 31, 39, 99, 109, 110].map(index), {
            [Some(0), Some(0), None, Some(1), Some(1), None, Some(2), None, Some(3), None]
        });
        assert_eq!(functions.contiguous(), 0..40);
    }

    #[test]
    fn code_without_an_instruction_has_its_neighbours_offset() {
        let map = [
            (0, None),
            (4, Some(104)),
            (6, None),
            (16, None),
            (20, Some(120)),
            (32, None),
            (100, None),
            (102, Some(7)),
        ];
        let wanted = [0, 3, 4, 5, 7, 9, 12, 16, 20, 29, 33, 100, 105, 200];
        let offsets = CodeOffsets::resolve(map.into_iter(), &functions(), wanted);
        let found = wanted.map(|at| offsets.file_offset(at));
        let known = |offset| Some(offset);
        assert_eq!(
            found,
            [
                known(104),
                known(104),
                known(104),
                known(104),
                known(104),
                known(104),
                None,
                known(120),
                known(120),
                known(120),
                None,
                known(7),
                known(7),
                None
            ]
        );
    }
}
