//! The guest's memory, in which whatever it passes may be.

use wasmtime::{Caller, Extern};
use wprof_guest::abi::Code;

/// The export that the guest's pointers are offsets in.
pub(super) const MEMORY: &str = "memory";

/// Bytes at a pointer of the guest's. More than `most` are [`Code::Limit`], and are not looked at.
pub(super) fn read<T: 'static>(caller: &mut Caller<'_, T>, at: i32, len: i32, most: usize) -> Result<Vec<u8>, Code> {
    let (start, len) = (address(at), address(len));
    let end = start.checked_add(len).ok_or(Code::Fault)?;
    let Some(Extern::Memory(memory)) = caller.get_export(MEMORY) else { return Err(Code::Fault) };
    let bytes = memory.data(&*caller).get(start..end).ok_or(Code::Fault)?;
    if len > most { Err(Code::Limit) } else { Ok(bytes.to_vec()) }
}

/// Writes bytes to a buffer of the guest's, whose `cap` bytes must all be there.
pub(super) fn write<T: 'static>(caller: &mut Caller<'_, T>, at: i32, cap: i32, bytes: &[u8]) -> Result<(), Code> {
    let (start, cap) = (address(at), address(cap));
    let end = start.checked_add(cap).ok_or(Code::Fault)?;
    let Some(Extern::Memory(memory)) = caller.get_export(MEMORY) else { return Err(Code::Fault) };
    let room = memory.data_mut(caller).get_mut(start..end).and_then(|it| it.get_mut(..bytes.len()));
    room.ok_or(Code::Fault)?.copy_from_slice(bytes);
    Ok(())
}

/// Pointers and lengths of a 32-bit guest have no sign.
fn address(value: i32) -> usize {
    value.cast_unsigned() as usize
}
