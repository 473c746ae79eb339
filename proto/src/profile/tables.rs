//! The rows of a profile's tables, and their ids.

use std::ops::Range;

use super::strings::StringId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 0-based; the format's own id is one more. Only with the profile that made it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// The row's position in its table.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A function of a profile.
    FunctionId
);
id!(
    /// A location of a profile.
    LocationId
);
id!(
    /// A mapping of a profile.
    MappingId
);

/// A quantity and the unit it is counted in: `cpu` in `nanoseconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ValueType {
    /// What is counted.
    pub kind: StringId,
    /// The unit, as [`units`](crate::units) knows it; anything else is printed as it is.
    pub unit: StringId,
}

/// A function of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Function {
    /// As people read it.
    pub name: StringId,
    /// As the binary spells it; empty if that is the name.
    pub system_name: StringId,
    /// The source file; empty if unknown.
    pub filename: StringId,
    /// The line it begins on; 0 if unknown.
    pub start_line: i64,
}

/// A binary's code, and where in the profile's addresses it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mapping {
    /// The first address.
    pub start: u64,
    /// One past the last address.
    pub limit: u64,
    /// Where in the file `start` is, in bytes.
    pub offset: u64,
    /// The binary's path; a name in `[]` is no file.
    pub filename: StringId,
    /// What tells builds apart; empty if unknown.
    pub build_id: StringId,
    /// The writer looked up function names.
    pub has_functions: bool,
    /// The writer looked up source files.
    pub has_filenames: bool,
    /// The writer looked up line numbers.
    pub has_line_numbers: bool,
    /// The writer looked up inlined frames.
    pub has_inline_frames: bool,
}

/// A source line that a location stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Line {
    /// The function the line is in.
    pub function: FunctionId,
    /// 1-based; 0 if unknown.
    pub line: i64,
    /// 1-based; 0 if unknown.
    pub column: i64,
}

/// A code address. [`Profile::lines`](super::Profile::lines) gives the source lines it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// The binary it is in, where known.
    pub mapping: Option<MappingId>,
    /// The address, between the mapping's `start` and `limit` if all is well; 0 if unknown.
    pub address: u64,
    /// Several addresses were folded into this one.
    pub is_folded: bool,
    pub(crate) lines_start: u32,
    pub(crate) lines_end: u32,
}

impl Location {
    pub(crate) fn lines(&self) -> Range<usize> {
        self.lines_start as usize..self.lines_end as usize
    }
}
