//! The imports of the module `wprof`, as safe functions. Where they are not linked, functions in their place answer 0, as
//! [`abi`](crate::abi) says, and cost nothing.
//!
//! They are linked in core modules for wasm32, as the feature `enable` says. A component for WASI 0.2 is made of a module
//! whose imports are all known to `wit-component`; these are not.

use core::sync::atomic::{AtomicI32, Ordering::Relaxed};

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

cfg_select! {
    test => {
        // Each test's thread has a wprof of its own, or none.
        use crate::fake as raw;
        pub(crate) const LINKED: bool = true;
        macro_rules! imports {
            ($($import:tt)*) => {};
        }
    }
    all(feature = "enable", target_arch = "wasm32", not(any(target_env = "p2", target_env = "p3"))) => {
        pub(crate) const LINKED: bool = true;
        macro_rules! imports {
            ($($(#[$if:meta])? $safety:ident fn $name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
                mod raw {
                    #[link(wasm_import_module = "wprof")]
                    unsafe extern "C" {
                        $($(#[$if])? pub(crate) $safety fn $name($($arg: $type),*) $(-> $result)?;)*
                    }
                }
            };
        }
    }
    _ => {
        /// Whether this build can ever meet wprof.
        pub(crate) const LINKED: bool = false;
        macro_rules! imports {
            ($($(#[$if:meta])? $safety:ident fn $name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
                mod raw {
                    $($(#[$if])? stand_in!($safety fn $name($($type),*) $(-> $result)?);)*
                }
            };
        }
        /// A function in place of an import.
        macro_rules! stand_in {
            ($safety:ident fn $name:ident($($type:ty),*)) => {
                stand_in!($safety fn $name($($type),*) -> (), ());
            };
            ($safety:ident fn $name:ident($($type:ty),*) -> $result:ty) => {
                stand_in!($safety fn $name($($type),*) -> $result, 0);
            };
            (safe fn $name:ident($($type:ty),*) -> $result:ty, $answer:expr) => {
                #[inline(always)]
                pub(crate) fn $name($(_: $type),*) -> $result {
                    $answer
                }
            };
            (unsafe fn $name:ident($($type:ty),*) -> $result:ty, $answer:expr) => {
                #[inline(always)]
                pub(crate) unsafe fn $name($(_: $type),*) -> $result {
                    $answer
                }
            };
        }
    }
}

imports! {
    safe fn version() -> i32;
    unsafe fn last_error(buf: *mut u8, cap: usize) -> i32;
    safe fn cpu_start(hz: i32) -> i32;
    safe fn cpu_stop() -> i32;
    unsafe fn profile_new(name: *const u8, len: usize) -> i32;
    unsafe fn profile_lookup(name: *const u8, len: usize) -> i32;
    unsafe fn profiles_list(buf: *mut u8, cap: usize) -> i32;
    safe fn profile_count(profile: i32) -> i64;
    safe fn profile_add(profile: i32, key: i64, skip: i32) -> i32;
    safe fn profile_remove(profile: i32, key: i64) -> i32;
    safe fn profile_write(profile: i32, debug: i32) -> i32;
    unsafe fn stream_read(stream: i32, buf: *mut u8, cap: usize) -> i32;
    safe fn stream_close(stream: i32);
    unsafe fn labels_with(labels: i32, list: *const u8, len: usize) -> i32;
    safe fn labels_use(labels: i32) -> i32;
    unsafe fn labels_cell(cell: *const core::sync::atomic::AtomicI32) -> i32;
    safe fn labels_current() -> i32;
    unsafe fn labels_read(labels: i32, buf: *mut u8, cap: usize) -> i32;
    safe fn set_block_profile_rate(nanos: i64);
    safe fn set_mutex_profile_fraction(n: i32) -> i32;
    safe fn set_mem_profile_rate(bytes: i64);
    #[cfg(feature = "std")]
    safe fn lock_waits(lock: i64);
    #[cfg(feature = "std")]
    safe fn lock_taken(lock: i64);
    #[cfg(feature = "std")]
    safe fn lock_released(lock: i64);
    safe fn alloc_gap() -> i64;
    safe fn alloc_sampled(block: usize, size: i64) -> i64;
    safe fn free_sampled(block: usize);
}

pub(crate) use raw::{
    alloc_gap, alloc_sampled, cpu_start, cpu_stop, free_sampled, labels_current, labels_use, profile_add,
    profile_count, profile_remove, profile_write, set_block_profile_rate, set_mem_profile_rate,
    set_mutex_profile_fraction, stream_close,
};
#[cfg(feature = "std")]
pub(crate) use raw::{lock_released, lock_taken, lock_waits};

/// Whether wprof is there. It is asked once; by tests each time, as each has a wprof of its own or none.
#[inline]
pub(crate) fn is_on() -> bool {
    const NOT_ASKED: i32 = -1;
    static VERSION: AtomicI32 = AtomicI32::new(NOT_ASKED);
    if !LINKED {
        return false;
    }
    let mut version = VERSION.load(Relaxed);
    if version == NOT_ASKED || cfg!(test) {
        version = raw::version().max(0);
        VERSION.store(version, Relaxed);
    }
    version > 0
}

#[inline]
pub(crate) fn profile_new(name: &str) -> i32 {
    // SAFETY: the text is there, and as long as that.
    unsafe { raw::profile_new(name.as_ptr(), name.len()) }
}

#[inline]
pub(crate) fn profile_lookup(name: &str) -> i32 {
    // SAFETY: as above.
    unsafe { raw::profile_lookup(name.as_ptr(), name.len()) }
}

/// Appends the list of `labels`: a set, or the code why there is none.
#[inline]
pub(crate) fn labels_with(labels: i32, list: &[u8]) -> i32 {
    // SAFETY: the list is there, and as long as that.
    unsafe { raw::labels_with(labels, list.as_ptr(), list.len()) }
}

/// Has wprof look the calling thread's labels up in `cell`, which must be there as long as the thread: those that it has now,
/// which the cell has then, or a code.
#[inline]
pub(crate) fn labels_cell(cell: &AtomicI32) -> i32 {
    // SAFETY: wprof reads it at any time, and writes it, atomically, when this thread calls. If it reads what is gone, it takes
    // any number for a set's.
    unsafe { raw::labels_cell(cell) }
}

/// The bytes that were read, 0 at the end, or a code.
#[inline]
pub(crate) fn stream_read(stream: i32, buf: &mut [u8]) -> i32 {
    // SAFETY: there is room for as many bytes.
    unsafe { raw::stream_read(stream, buf.as_mut_ptr(), buf.len()) }
}

/// All names, a NUL behind each.
pub(crate) fn profiles_list() -> Vec<u8> {
    whole(|buf| {
        // SAFETY: there is room for as many bytes.
        unsafe { raw::profiles_list(buf.as_mut_ptr(), buf.len()) }
    })
}

/// The packed list of these labels; none of no set.
pub(crate) fn labels_read(labels: i32) -> Vec<u8> {
    whole(|buf| {
        // SAFETY: there is room for as many bytes.
        unsafe { raw::labels_read(labels, buf.as_mut_ptr(), buf.len()) }
    })
}

/// Why the last call of this thread has failed, in wprof's words; perhaps nothing.
pub(crate) fn last_error() -> String {
    let text = whole(|buf| {
        // SAFETY: there is room for as many bytes.
        unsafe { raw::last_error(buf.as_mut_ptr(), buf.len()) }
    });
    String::from_utf8_lossy(&text).into_owned()
}

/// All bytes of an answer whose length is known only when it is given.
fn whole(mut read: impl FnMut(&mut [u8]) -> i32) -> Vec<u8> {
    let mut bytes = vec![0; 256];
    loop {
        // A code is no answer at all.
        let len = usize::try_from(read(&mut bytes)).unwrap_or(0);
        if len <= bytes.len() {
            bytes.truncate(len);
            return bytes;
        }
        // It may have grown meanwhile, by another thread.
        bytes.resize(len, 0);
    }
}
