//! Profiles: the model, the format, and the questions one asks.
//!
//! [`Profile`] is the waist of wprof. All before it makes one: [`ProfileBuilder`] from samples, [`decode`] from bytes,
//! [`merge`] from several. All after asks it questions: [`analysis`] answers with tables and trees, whose numbers
//! [`units`] turns into text. Nothing here knows a file, a clock or a thread, and all of it runs in the browser.
//!
//! ```
//! use proto::analysis::top::{TopOptions, top};
//! use proto::{FunctionSpec, Limits, Line, ProfileBuilder, decode, encode_gzip};
//!
//! // Two functions, `fib` called by `main`, seen three times in all.
//! let mut builder = ProfileBuilder::new(&[("samples", "count"), ("cpu", "nanoseconds")]);
//! let mut frame = |name| {
//!     let function = builder.function(FunctionSpec { name, ..FunctionSpec::default() });
//!     builder.location(None, 0, &[Line { function, line: 0, column: 0 }])
//! };
//! let [main, fib] = [frame("main"), frame("fib")];
//! builder.sample(&[fib, main], &[2, 20_000_000], &[]);
//! builder.sample(&[main], &[1, 10_000_000], &[]);
//!
//! // To a file's bytes, and back.
//! let profile = builder.finish();
//! let bytes = encode_gzip(&profile);
//! assert_eq!(decode(&bytes, &Limits::default())?, profile);
//!
//! // Where is the time?
//! let top = top(&profile, &TopOptions { sample_index: 1, ..TopOptions::default() });
//! assert_eq!((top.rows[0].name.as_str(), top.rows[0].flat), ("fib", 20_000_000));
//! assert_eq!(top.scale.amount(top.total).to_string(), "30ms");
//! # Ok::<(), proto::Error>(())
//! ```
//!
//! The layers, none of which looks up: [`profile`], then [`codec`] and [`heap`], then [`formats`], and beside them [`analysis`].
#![forbid(unsafe_code)]

pub mod analysis;
pub mod codec;
pub mod formats;
pub mod heap;
pub mod profile;
pub mod units;

#[cfg(test)]
mod stacks;

pub use codec::{Error, Limits, decode, encode, encode_gzip};
pub use profile::{
    Function, FunctionId, FunctionSpec, Label, LabelSpec, LabelValue, Line, Location, LocationId, Mapping, MappingId,
    MappingSpec, MergeError, Profile, ProfileBuilder, SampleRef, StringId, ValueType, merge,
};
