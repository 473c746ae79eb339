//! Profiles of a guest's own: what it has open, each with the stack that opened it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::abi::Code;
use crate::error::{WriteError, panic_text};
use crate::imports;
use crate::key::Key;
use crate::sink::{Sink, write_stream};

/// A profile of stacks: those that led to what is now in it. Go's `Profile`.
///
/// A guest makes profiles of its own for what it has open: connections, files, tasks. Wprof's own (`heap`, `block`, …) are
/// found by [`lookup`](Self::lookup). Clones are the same profile. Without wprof one can be made, and stays empty.
///
/// ```
/// use std::sync::LazyLock;
/// use wprof_guest::Profile;
///
/// static CONNECTIONS: LazyLock<Profile> = LazyLock::new(|| Profile::new("example.com/net.connections"));
///
/// struct Connection {
///     id: u64,
/// }
///
/// impl Connection {
///     fn open(id: u64) -> Self {
///         CONNECTIONS.add(&id, 0);
///         Self { id }
///     }
/// }
///
/// impl Drop for Connection {
///     fn drop(&mut self) {
///         CONNECTIONS.remove(&self.id);
///     }
/// }
///
/// drop(Connection::open(1));
/// assert_eq!(CONNECTIONS.count(), 0);
/// ```
#[derive(Debug, Clone)]
pub struct Profile {
    /// 0 without wprof.
    handle: i32,
    name: Arc<str>,
}

impl Profile {
    /// Makes a profile. Go's `NewProfile`.
    ///
    /// A name is by convention `import/path.thing`, so that those of libraries do not meet: `example.com/net.connections`.
    ///
    /// # Panics
    ///
    /// Under wprof: `pprof: NewProfile with empty name`; `pprof: NewProfile name already in use: NAME`, which wprof's own
    /// names are; and, other than in Go, if the name has spaces or control characters, or if it is longer than
    /// [`MAX_NAME`](crate::abi::MAX_NAME) or there are more profiles than wprof keeps.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let handle = imports::profile_new(name);
        if handle < 0 {
            fail(handle, name);
        }
        Self { handle, name: name.into() }
    }

    /// The profile of this name, wprof's own or a guest's. Go's `Lookup`. Without wprof there is none.
    #[must_use]
    pub fn lookup(name: &str) -> Option<Self> {
        let handle = imports::profile_lookup(name);
        (handle > 0).then(|| Self { handle, name: name.into() })
    }

    /// Go's `Profile.Name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is in it now; of wprof's own, the number of records. Go's `Profile.Count`.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::try_from(imports::profile_count(self.handle)).unwrap_or(0)
    }

    /// Adds a value, with the stack of the caller. Go's `Profile.Add`.
    ///
    /// It stays until it is [removed](Self::remove). The value itself is not kept, only its [key](Key). `skip` leaves out so
    /// many callers: at 0 the stack begins at the function that calls `add`, at 1 at that one's caller. If nothing is left
    /// then, the value is counted, but has no stack. Labels of the thread are kept with it.
    ///
    /// Once a guest has more values than wprof keeps, further ones are not kept, and nobody is told; removing them does
    /// nothing.
    ///
    /// # Panics
    ///
    /// `pprof: Profile.Add of duplicate value` if it is in it already; `pprof: Add called on built-in Profile NAME`.
    #[inline]
    pub fn add(&self, value: &(impl Key + ?Sized), skip: u32) {
        self.add_key(value.key(), skip);
    }

    /// All frames between the caller and the import are this crate's, as wprof leaves those out by their names.
    fn add_key(&self, key: i64, skip: u32) {
        let skip = i32::try_from(skip).unwrap_or(i32::MAX);
        let result = imports::profile_add(self.handle, key, skip);
        if result < 0 && Code::of(result) != Some(Code::Limit) {
            fail(result, &self.name);
        }
    }

    /// Removes a value; does nothing if it is not in it. Go's `Profile.Remove`.
    pub fn remove(&self, value: &(impl Key + ?Sized)) {
        imports::profile_remove(self.handle, value.key());
    }

    /// Writes the profile. Go's `Profile.WriteTo`.
    ///
    /// At `debug` 0 in pprof's format, compressed, for `wprof` and `go tool pprof`. At others as text to be read; 2 is of
    /// use for `goroutine` only, whose stacks are then written as Go writes them at a crash. Writes nothing without wprof.
    ///
    /// # Errors
    ///
    /// If the sink fails, or this run does not measure what the profile is of.
    pub fn write_to(&self, writer: &mut (impl Sink + ?Sized), debug: u32) -> Result<(), WriteError> {
        let debug = i32::try_from(debug).unwrap_or(i32::MAX);
        write_stream(imports::profile_write(self.handle, debug), writer)
    }
}

/// All profiles, in the order of their names. Go's `Profiles`. Without wprof there are none.
#[must_use]
pub fn profiles() -> Vec<Profile> {
    let names = imports::profiles_list();
    let names = names.split(|&byte| byte == 0).filter_map(|name| str::from_utf8(name).ok());
    // Behind the last NUL is nothing; a profile cannot go.
    names.filter(|name| !name.is_empty()).filter_map(Profile::lookup).collect()
}

#[cold]
#[inline(never)]
#[expect(clippy::panic, reason = "as Go")]
fn fail(result: i32, name: &str) -> ! {
    panic!("{}", panic_text(result, name))
}

#[cfg(test)]
mod tests;
