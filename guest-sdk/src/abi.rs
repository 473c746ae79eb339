//! What a guest and wprof say to each other: the imports of the module `wprof`, and the codes that they return. Both sides
//! read this file.
//!
//! All values are `i32` or `i64`. Pointers are offsets in the memory that the guest exports as `memory`. A call that can
//! fail returns a negative [code](Code). Every import that answers 0 answers as where there is no wprof, so a guest whose
//! imports are stubbed runs as if its profiling was never there:
//!
//! | import | arguments | result |
//! |---|---|---|
//! | `version` | | [`VERSION`]; 0 without wprof |
//! | `last_error` | `buf, cap` | text of the calling thread's last error, cut to `cap` bytes; its whole length |
//! | `cpu_start` | `hz` (0: 100) | 0, or [`Code::Busy`] |
//! | `cpu_stop` | | a stream of the profile; 0 if none was running that this guest has started |
//! | `profile_new` | `name, len` | a handle, or [`Code::EmptyName`], [`Code::NameTaken`], [`Code::BadName`], [`Code::Limit`] |
//! | `profile_lookup` | `name, len` | a handle; 0 if there is no such profile |
//! | `profiles_list` | `buf, cap` | all names in order, a NUL behind each, if they fit; the length of that |
//! | `profile_count` | `profile` | entries, as `i64`; or [`Code::UnknownHandle`] |
//! | `profile_add` | `profile, key: i64, skip` | 0, or [`Code::BuiltIn`], [`Code::Duplicate`], [`Code::UnknownHandle`], [`Code::Limit`] |
//! | `profile_remove` | `profile, key: i64` | 0, or [`Code::UnknownHandle`] |
//! | `profile_write` | `profile, debug` | a stream of it; or [`Code::UnknownHandle`], [`Code::Unavailable`] |
//! | `stream_read` | `stream, buf, cap` | bytes read; 0 at its end; or [`Code::UnknownHandle`] |
//! | `stream_close` | `stream` | |
//! | `labels_with` | `labels, list, len` | `labels` with those of a packed list; or [`Code::BadLabels`], [`Code::Limit`], [`Code::UnknownHandle`] |
//! | `labels_use` | `labels` | makes them the calling thread's own; those that it had; or [`Code::UnknownHandle`] |
//! | `labels_cell` | `cell` | from now on the calling thread's labels are what stands in these 4 bytes, where it may change them without a call; those that it has now, which stand there then; or [`Code::Unavailable`] |
//! | `labels_current` | | the calling thread's own; 0 for none |
//! | `labels_read` | `labels, buf, cap` | the packed list of them, sorted by key, if it fits; the length of that; or [`Code::UnknownHandle`] |
//! | `set_block_profile_rate` | `nanos: i64` | |
//! | `set_mutex_profile_fraction` | `n` (negative: only asks) | the one before |
//! | `set_mem_profile_rate` | `bytes: i64` | |
//! | `lock_waits` | `lock: i64` | the calling thread begins to wait for a lock |
//! | `lock_taken` | `lock: i64` | it has it now |
//! | `lock_released` | `lock: i64` | the calling thread is about to give up a lock that others wait for |
//! | `alloc_gap` | | bytes until the first block to be sampled, as `i64`; [`NEVER`] if wprof sees allocations by itself; 0 without wprof |
//! | `alloc_sampled` | `block, size: i64` | a block is sampled; bytes until the next one, as `i64` |
//! | `free_sampled` | `block` | a block that may have been sampled is freed |
//!
//! All of them may be given [`Code::Fault`] where a pointer leads out of the memory.
//!
//! A *packed list* of labels is, for each, the length of the key and that of the value in 4 bytes each, little-endian, the
//! key and the value, in UTF-8. It may name a key twice: the last value counts.

/// The module that all imports are in.
pub const MODULE: &str = "wprof";

/// The version of these imports.
pub const VERSION: i32 = 1;

/// A gap between sampled blocks that is never used up.
pub const NEVER: i64 = i64::MAX;

/// Bytes that a profile's name may have.
pub const MAX_NAME: usize = 1 << 10;

/// Bytes that a packed list of labels may have, and all labels of a thread together.
pub const MAX_LABELS: usize = 64 << 10;

/// Why a call has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum Code {
    /// A pointer and its length lead out of the guest's memory, or there is no such memory.
    Fault = -1,
    /// Go: `pprof: NewProfile with empty name`.
    EmptyName = -2,
    /// Go: `pprof: NewProfile name already in use`.
    NameTaken = -3,
    /// Not UTF-8, or with spaces or control characters, which the text form of profiles has no way to say.
    BadName = -4,
    /// Go: `pprof: use of uninitialized Profile`. Also of streams and labels.
    UnknownHandle = -5,
    /// Go: `pprof: Add called on built-in Profile`.
    BuiltIn = -6,
    /// Go: `pprof: Profile.Add of duplicate value`.
    Duplicate = -7,
    /// Go: `cpu profiling already in use`.
    Busy = -8,
    /// Larger or more than wprof keeps for a guest; nothing was kept.
    Limit = -9,
    /// A list of labels that breaks off, or is not UTF-8.
    BadLabels = -10,
    /// What is not measured in this run, or could not be written.
    Unavailable = -11,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Fault,
        Self::EmptyName,
        Self::NameTaken,
        Self::BadName,
        Self::UnknownHandle,
        Self::BuiltIn,
        Self::Duplicate,
        Self::Busy,
        Self::Limit,
        Self::BadLabels,
        Self::Unavailable,
    ];

    /// The code that a result is, if it is one.
    #[must_use]
    pub fn of(result: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|code| *code as i32 == result)
    }
}
