//! What a guest passes by pointers, which may lead anywhere.

use wasmtime::Caller;
use wprof_guest::abi::Code;

use crate::memory;

/// Bytes at a pointer of the guest's. More than `most` are [`Code::Limit`], and are not looked at.
pub(super) fn read<T: 'static>(caller: &mut Caller<'_, T>, at: i32, len: i32, most: usize) -> Result<Vec<u8>, Code> {
    let (at, len) = (at.cast_unsigned(), len.cast_unsigned());
    let read = memory::with(caller, |memory| {
        if memory::has(&memory, at, len) && len as usize > most {
            return Err(Code::Limit);
        }
        memory::read(&memory, at, len).ok_or(Code::Fault)
    });
    read.unwrap_or(Err(Code::Fault))
}

/// Writes bytes to a buffer of the guest's, whose `cap` bytes must all be there.
pub(super) fn write<T: 'static>(caller: &mut Caller<'_, T>, at: i32, cap: i32, bytes: &[u8]) -> Result<(), Code> {
    let (at, cap) = (at.cast_unsigned(), cap.cast_unsigned());
    let written = memory::with(caller, |mut memory| {
        let has_room = memory::has(&memory, at, cap) && bytes.len() <= cap as usize;
        has_room.then(|| memory::write(&mut memory, at, bytes)).flatten()
    });
    written.flatten().ok_or(Code::Fault)
}
