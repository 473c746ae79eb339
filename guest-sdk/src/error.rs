//! Why a call has failed.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::error;
use core::fmt;

use crate::abi::Code;
use crate::imports;

/// What wprof has answered.
///
/// Its text is Go's where Go has one: `cpu profiling already in use`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    result: i32,
    text: Cow<'static, str>,
}

impl Error {
    /// The error that a negative result of an import is, at once after that call.
    #[cold]
    pub(crate) fn of(result: i32) -> Self {
        let text = match Code::of(result) {
            Some(code @ (Code::Fault | Code::Unavailable)) => told_or(text(code)),
            Some(code) => Cow::Borrowed(text(code)),
            None => told_or("not known to this version of the SDK"),
        };
        Self { result, text }
    }

    /// Its code; none if a newer wprof gave one that this SDK does not know.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        Code::of(self.result)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl error::Error for Error {}

/// What wprof says of the last error, as it knows more than its code.
fn told_or(text: &'static str) -> Cow<'static, str> {
    let told = imports::last_error();
    if told.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(told) }
}

/// The same texts as `wprof_strerror` has in C.
fn text(code: Code) -> &'static str {
    match code {
        Code::Fault => "a pointer leads out of the guest's memory",
        Code::EmptyName => "pprof: NewProfile with empty name",
        Code::NameTaken => "pprof: NewProfile name already in use",
        Code::BadName => "a profile's name is UTF-8 without spaces and control characters",
        Code::UnknownHandle => "pprof: use of uninitialized Profile",
        Code::BuiltIn => "pprof: Add called on built-in Profile",
        Code::Duplicate => "pprof: Profile.Add of duplicate value",
        Code::Busy => "cpu profiling already in use",
        Code::Limit => "more than wprof keeps for a guest",
        Code::BadLabels => "a list of labels breaks off, or is not UTF-8",
        Code::Unavailable => "not measured in this run",
    }
}

/// Any error of a sink.
pub type SinkError = Box<dyn error::Error + Send + Sync>;

/// Why a profile could not be written.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The sink did not take it. With the feature `std` this is the writer's [`std::io::Error`].
    #[cfg_attr(
        not(feature = "std"),
        doc = "\n\n[`std::io::Error`]: https://doc.rust-lang.org/std/io/struct.Error.html"
    )]
    Sink(SinkError),
    /// Wprof did not give it.
    Wprof(Error),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sink(error) => write!(f, "write the profile: {error}"),
            Self::Wprof(error) => write!(f, "get the profile: {error}"),
        }
    }
}

impl error::Error for WriteError {}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        Self::Wprof(error)
    }
}

/// The text of a panic, which may name what it is about.
pub(crate) fn panic_text(result: i32, name: &str) -> String {
    match Code::of(result) {
        Some(Code::NameTaken) => format!("{}: {name}", text(Code::NameTaken)),
        Some(Code::BuiltIn) => format!("{} {name}", text(Code::BuiltIn)),
        Some(Code::BadName) => format!("{}: {name:?}", text(Code::BadName)),
        _ => Error::of(result).text.into_owned(),
    }
}
