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
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Offset(usize),
    Line(usize),
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There were no bytes, or a gzip of none.
    #[error("empty input file")]
    Empty,
    /// The gzip wrapping is damaged. The offset is then of the file's own bytes.
    #[error("damaged gzip: {problem}")]
    Gzip {
        /// What is wrong with it.
        problem: String,
    },
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
    /// A single sample, row or text is larger than any program makes them.
    #[error("{what} of {length} bytes, more than the limit of {limit}")]
    LongField {
        /// The field.
        what: &'static str,
        /// Its length.
        length: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The message has no sample types, samples nor tables: most likely it is some other format.
    #[error("not a profile: no field of one in {length} bytes")]
    NotAProfile {
        /// The message's size.
        length: usize,
    },
    /// These are not a profile's bytes, but text, and of no format that we know.
    #[error("not a profile.proto message, but text: {start:?}")]
    Text {
        /// How it begins.
        start: String,
    },
    /// It begins as one of the formats older than `profile.proto`, but does not go on so.
    #[error("{format}: found {found}, expected {expected}")]
    Legacy {
        /// The format it was taken for.
        format: Format,
        /// What is there.
        found: String,
        /// What the format wants there.
        expected: &'static str,
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
    /// The samples do not fit into memory. In a browser, there are 4 GiB of it.
    #[error("out of memory after {n_samples} samples")]
    NoMemory {
        /// How many were read.
        n_samples: usize,
    },
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

/// The formats older than `profile.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// gperftools' CPU profile: machine words.
    Cpu,
    /// A heap, growth or fragmentation profile in text.
    Heap,
    /// jemalloc's own heap text.
    Jemalloc,
    /// A Go profile in text whose rows are counts.
    Count,
    /// The stacks of a program's threads.
    Threads,
    /// Waits for locks.
    Contention,
    /// A Java heap or contention profile in text.
    Java,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Cpu => "binary CPU profile",
            Format::Heap => "heap profile text",
            Format::Jemalloc => "jemalloc heap profile",
            Format::Count => "count profile text",
            Format::Threads => "threadz text",
            Format::Contention => "contention profile text",
            Format::Java => "Java profile text",
        })
    }
}

impl Error {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where, in bytes from the start of the inflated file; `None` if it has no one place, or a [`line`](Self::line).
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        match self.0.place {
            Place::Offset(offset) => Some(offset),
            Place::Nowhere | Place::Line(_) => None,
        }
    }

    /// The line of a text that it is in, counted from 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self.0.place {
            Place::Line(line) => Some(line),
            Place::Nowhere | Place::Offset(_) => None,
        }
    }
}

impl ErrorKind {
    #[cold]
    pub(super) fn at(self, offset: usize) -> Error {
        Error(Box::new(Inner { kind: self, place: Place::Offset(offset) }))
    }

    #[cold]
    pub(super) fn at_line(self, line: usize) -> Error {
        Error(Box::new(Inner { kind: self, place: Place::Line(line) }))
    }

    #[cold]
    pub(super) fn at_no_offset(self) -> Error {
        Error(Box::new(Inner { kind: self, place: Place::Nowhere }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, place } = &*self.0;
        match place {
            Place::Offset(offset) => write!(f, "{kind} (at offset {offset:#x})"),
            Place::Line(line) => write!(f, "{kind} (at line {line})"),
            Place::Nowhere => write!(f, "{kind}"),
        }
    }
}

impl std::error::Error for Error {}
