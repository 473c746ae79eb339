//! Why a file cannot be read, and why a profile cannot be written.

use std::io;

use crate::codec;

/// Why bytes are no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No profile that `decode` reads, and of no other format either.
    #[error(transparent)]
    Profile(#[from] codec::Error),
    /// Folded stacks with a line that is none.
    #[error("folded stacks: {0}")]
    Collapsed(LineError),
    /// JSON, but not a speedscope file, or one that contradicts itself.
    #[error("JSON, but not a profile of speedscope's: {0}")]
    Speedscope(JsonError),
}

// Not by `#[from]`, which would make them sources, too: then a chain of errors says each twice.
impl From<LineError> for ReadError {
    fn from(error: LineError) -> Self {
        ReadError::Collapsed(error)
    }
}

impl From<JsonError> for ReadError {
    fn from(error: JsonError) -> Self {
        ReadError::Speedscope(error)
    }
}

/// A line of text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct LineError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: LineProblem,
}

/// What is wrong with a line of folded stacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineProblem {
    /// It does not end in a value.
    #[error("found {found:?}, expected frames and a value: \"main;work 12\"")]
    NoValue {
        /// How it ends.
        found: String,
    },
    /// Its value has a fraction, a sign or an exponent.
    #[error("value {found} is not a whole number of 0 or more")]
    NotWhole {
        /// The value.
        found: String,
    },
    /// Its value does not fit.
    #[error("value {found} is too large, expected at most 9223372036854775807")]
    TooLarge {
        /// The value.
        found: String,
    },
    /// There is nothing before the value.
    #[error("a value without a stack")]
    NoStack,
    /// It is no line of a text at all.
    #[error("found a control character, expected text")]
    NotText,
    /// There is no line with a stack.
    #[error("found the end, expected a stack")]
    Nothing,
}

/// What is wrong with speedscope's JSON. Profiles, samples and events are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It is not JSON, or not of the schema; with the line and column.
    #[error("{0}")]
    Syntax(String),
    /// A profile of a type that does not exist.
    #[error("profile {profile} is of type {found:?}, expected \"sampled\" or \"evented\"")]
    Type {
        /// The profile.
        profile: usize,
        /// Its type.
        found: String,
    },
    /// As many weights as samples are needed.
    #[error("profile {profile} has {weights} weights for {samples} samples")]
    Weights {
        /// The profile.
        profile: usize,
        /// How many samples it has.
        samples: usize,
        /// How many weights.
        weights: usize,
    },
    /// A reference to a frame that does not exist.
    #[error("profile {profile}, {what} {idx}: frame {frame} is past the table's {len} entries")]
    NoFrame {
        /// The profile.
        profile: usize,
        /// `sample` or `event`.
        what: &'static str,
        /// Which.
        idx: usize,
        /// The frame.
        frame: u32,
        /// The table's length.
        len: usize,
    },
    /// A weight that is no whole number where it should be, or does not fit 64 bits.
    #[error("profile {profile}, {what} {idx}: {found} {unit} are not a whole number of 64 bits")]
    Value {
        /// The profile.
        profile: usize,
        /// `sample` or `event`.
        what: &'static str,
        /// Which.
        idx: usize,
        /// The value.
        found: String,
        /// Its unit.
        unit: String,
    },
    /// An event before the one before it.
    #[error("profile {profile}, event {idx} is at {at}, before the event before it")]
    Order {
        /// The profile.
        profile: usize,
        /// The event.
        idx: usize,
        /// When it says it was.
        at: String,
    },
    /// An event closes a frame that is not the innermost open one.
    #[error("profile {profile}, event {idx} closes frame {frame}, which is not the innermost that is open")]
    Nesting {
        /// The profile.
        profile: usize,
        /// The event.
        idx: usize,
        /// The frame it closes.
        frame: u32,
    },
    /// An event of a type that does not exist.
    #[error("profile {profile}, event {idx} is of type {found:?}, expected \"O\" or \"C\"")]
    Event {
        /// The profile.
        profile: usize,
        /// The event.
        idx: usize,
        /// Its type.
        found: String,
    },
    /// Nested calls unfold to more stacks than the limit has room for.
    #[error("its stacks are larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
}

/// Why a profile has no such form, or could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The output takes no more.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The profile has no such sample type.
    #[error("sample type {sample_index} of {len}")]
    NoSampleType {
        /// The one that was asked for.
        sample_index: usize,
        /// How many there are.
        len: usize,
    },
    /// Its reader takes no negative values, which differences of profiles have.
    #[error("a sample of {value} {unit} ({kind}): this format has no negative values, as a difference of profiles has")]
    Negative {
        /// The value.
        value: i64,
        /// The sample type's name.
        kind: String,
        /// The sample type's unit.
        unit: String,
    },
    /// Go has no text form for this kind of profile.
    #[error(
        "a profile of {types} has no text form, only heap, contention and count profiles have; \
         the other formats take any profile"
    )]
    NoTextForm {
        /// Its sample types, as kind/unit.
        types: String,
    },
    /// A reader of the text refuses bytes without blocks, and drops blocks without bytes.
    #[error("a sample of {objects} blocks and {bytes} bytes: heap profiles in text form have both or neither")]
    HalfCounted {
        /// The blocks.
        objects: u64,
        /// Their bytes.
        bytes: u64,
    },
}
