//! speedscope's own file format: <https://www.speedscope.app/file-format-schema.json>.
//!
//! A file is a table of frames, shared by *profiles*: stacks of frames with a weight each (`sampled`), or calls opened
//! and closed at some time (`evented`). A profile has one unit, so what is one profile of several sample types here is
//! several profiles there.

mod read;
mod write;

pub use read::read;
pub use write::write;

/// What says that a file is of this format.
const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

/// Files by this program have a profile for each sample type; in those of others, they are threads.
const EXPORTER: &str = "wprof";

/// speedscope's units, with ours, and how many nanoseconds a unit of time is.
const UNITS: [(&str, &str, Option<i64>); 6] = [
    ("nanoseconds", "nanoseconds", Some(1)),
    ("microseconds", "microseconds", Some(1_000)),
    ("milliseconds", "milliseconds", Some(1_000_000)),
    ("seconds", "seconds", Some(1_000_000_000)),
    ("bytes", "bytes", None),
    ("none", "count", None),
];

#[cfg(test)]
mod tests;
