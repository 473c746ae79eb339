//! What can be wrong with a profile's bytes.

use std::fmt;

/// Why bytes are not a profile, and where.
///
/// One pointer wide, as the reading of every number may return it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    offset: Option<usize>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There were no bytes, or a gzip of none.
    #[error("empty input file")]
    Empty,
    /// The gzip wrapping is damaged.
    #[error("damaged gzip: {0}")]
    Gzip(String),
    /// The message is larger than [`Limits`](super::Limits) admits.
    #[error("profile is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// These are not a profile's bytes: a field is cut short, or of an impossible kind.
    #[error("not a profile: {what}: {problem}")]
    Wire {
        /// The field that was being read.
        what: &'static str,
        /// What was wrong with it.
        problem: String,
    },
    /// A length reaches past the end.
    #[error("not a profile: {what} of {length} bytes, with only {left} left")]
    CutShort {
        /// The field that was being read.
        what: &'static str,
        /// The length it claims.
        length: u64,
        /// The bytes that are left.
        left: usize,
    },
    /// The message has no sample types, samples nor tables: most likely it is some other format.
    #[error("not a profile: no field of one in {length} bytes")]
    NotAProfile {
        /// The message's size.
        length: usize,
    },
    /// These are not a profile's bytes, but text: perhaps a format older than `profile.proto`.
    #[error("not a profile.proto message, but text: {start:?}")]
    Text {
        /// How it begins.
        start: String,
    },
    /// `time_nanos` came twice: two profiles were written one after the other.
    #[error("concatenated profiles detected")]
    Concatenated,
    /// The string table must begin with the empty text.
    #[error("string 0 is {found:?}, expected \"\"")]
    FirstString {
        /// The text in its place.
        found: String,
    },
    /// A text's index is past the table.
    #[error("{what}: string {index} is past the table's {len} entries")]
    NoString {
        /// The field holding the index.
        what: &'static str,
        /// The index.
        index: i64,
        /// The table's length.
        len: usize,
    },
    /// A reference to a row that does not exist.
    #[error("{what} {id} does not exist")]
    Dangling {
        /// The field holding the id.
        what: &'static str,
        /// The id.
        id: u64,
    },
    /// Ids start at 1.
    #[error("{table} with reserved id 0")]
    ZeroId {
        /// The kind of row.
        table: &'static str,
    },
    /// Two rows have the same id.
    #[error("multiple {table}s with same id {id}")]
    DuplicateId {
        /// The kind of row.
        table: &'static str,
        /// The id.
        id: u64,
    },
    /// A table has 2³² rows or more.
    #[error("too many {table}s: 2^32 or more")]
    TooMany {
        /// The kind of row.
        table: &'static str,
    },
    /// Samples, but no sample types.
    #[error("missing sample type information")]
    NoSampleTypes,
    /// A sample's values do not fit the sample types.
    #[error("sample {sample} has {found} values, expected {expected}: one for each sample type")]
    ValueCount {
        /// The sample's position.
        sample: usize,
        /// How many values it has.
        found: usize,
        /// How many sample types there are.
        expected: usize,
    },
}

impl Error {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where, in bytes from the start of the inflated message; `None` if it has no one place.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }
}

impl ErrorKind {
    #[cold]
    pub(super) fn at(self, offset: usize) -> Error {
        Error(Box::new(Inner { kind: self, offset: Some(offset) }))
    }

    #[cold]
    pub(super) fn at_no_offset(self) -> Error {
        Error(Box::new(Inner { kind: self, offset: None }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, offset } = &*self.0;
        match offset {
            Some(offset) => write!(f, "{kind} (at offset {offset:#x})"),
            None => write!(f, "{kind}"),
        }
    }
}

impl std::error::Error for Error {}
