//! The guest's memory, its own or one that threads share, in which whatever it passes may be.
//!
//! What threads share may change at any time, so it is only ever copied.

use wasmtime::{Caller, Extern};
use wiggle::{GuestMemory, GuestPtr};

/// The export that the guest's pointers are offsets in, as in WASI.
pub(crate) const MEMORY: &str = "memory";

/// Does something with the memory of the guest that calls; `None` if it has none.
pub(crate) fn with<T: 'static, R>(caller: &mut Caller<'_, T>, act: impl FnOnce(GuestMemory<'_>) -> R) -> Option<R> {
    match caller.get_export(MEMORY)? {
        Extern::Memory(memory) => Some(act(GuestMemory::Unshared(memory.data_mut(caller)))),
        Extern::SharedMemory(memory) => Some(act(GuestMemory::Shared(memory.data()))),
        _ => None,
    }
}

/// Whether it has all of these bytes.
pub(crate) fn has(memory: &GuestMemory<'_>, at: u32, len: u32) -> bool {
    let size = match memory {
        GuestMemory::Unshared(bytes) => bytes.len(),
        GuestMemory::Shared(bytes) => bytes.len(),
    };
    u64::from(at) + u64::from(len) <= size as u64
}

/// A copy of bytes; `None` where they are not all there.
pub(crate) fn read(memory: &GuestMemory<'_>, at: u32, len: u32) -> Option<Vec<u8>> {
    memory.to_vec(GuestPtr::<[u8]>::new((at, len))).ok()
}

/// Bytes are put there; `None` where there is no room.
pub(crate) fn write(memory: &mut GuestMemory<'_>, at: u32, bytes: &[u8]) -> Option<()> {
    let len = u32::try_from(bytes.len()).ok()?;
    memory.copy_from_slice(bytes, GuestPtr::<[u8]>::new((at, len))).ok()
}
