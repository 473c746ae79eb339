//! `memory.atomic.wait` and `notify` in guests with threads: each becomes a call of a function of ours, which does the same and
//! tells the host who waits for what, and who ends that.
//!
//! The functions take one parameter more, the offset that the instruction has. Only the first memory is looked at, which is the
//! one that threads share.

use std::ops::Range;

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};
use wasmparser::{BinaryReader, FunctionBody, Operator};

use super::body::Instead;

/// What the host is told in the second parameter; in the case of [`TAKEN`] the instruction's result is in the bits above.
pub const WAITS: i32 = 0;
/// It does not wait any more.
pub const TAKEN: i32 = 1;
/// Those that wait at the address are about to be woken.
pub const NOTIFIES: i32 = 2;
/// Where the result begins.
pub const RESULT_SHIFT: u32 = 8;

/// The slot of the table that the host has its function in.
pub(super) const SLOT: u32 = 2;

/// All atomic instructions begin so.
const PREFIX: u8 = 0xfe;

/// Functions of ours: `wait32`, `wait64`, `notify`.
pub(super) const N_FUNCTIONS: u32 = 3;

/// How the functions reach the host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub(super) table: u32,
    /// `(i64, i32) -> i32`.
    pub(super) host_type: u32,
    /// The first of the functions.
    pub(super) functions: u32,
}

/// Their parameters, each before the offset. All return an i32.
pub(super) const PARAMS: [&[ValType]; N_FUNCTIONS as usize] = [
    &[ValType::I32, ValType::I32, ValType::I64, ValType::I32],
    &[ValType::I32, ValType::I64, ValType::I64, ValType::I32],
    &[ValType::I32, ValType::I32, ValType::I32],
];

/// What is to stand in the place of the instructions of one body, which begins there in `bytes`.
pub(super) fn instead(bytes: &[u8], body: Range<usize>, own: Reach) -> Result<Vec<Instead>, String> {
    let code = bytes.get(body.clone()).unwrap_or_default();
    // Most bodies have none, and need not be read properly.
    if !code.contains(&PREFIX) {
        return Ok(Vec::new());
    }
    read(&FunctionBody::new(BinaryReader::new(code, body.start)), own)
        .map_err(|error| format!("the function at {:#x} cannot be read: {error}", body.start))
}

fn read(body: &FunctionBody<'_>, own: Reach) -> wasmparser::Result<Vec<Instead>> {
    let mut all = Vec::new();
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let (operator, start) = operators.read_with_offset()?;
        let (function, memarg) = match operator {
            Operator::MemoryAtomicWait32 { memarg } => (0, memarg),
            Operator::MemoryAtomicWait64 { memarg } => (1, memarg),
            Operator::MemoryAtomicNotify { memarg } => (2, memarg),
            _ => continue,
        };
        // Offsets in a memory of 32 bits have no more of them.
        let Some(offset) = u32::try_from(memarg.offset).ok().filter(|_| memarg.memory == 0) else { continue };
        let mut code = Vec::new();
        InstructionSink::new(&mut code).i32_const(offset.cast_signed()).call(own.functions + function);
        all.push(Instead { instruction: start..operators.original_position(), code });
    }
    Ok(all)
}

/// The functions, in the order of [`PARAMS`].
pub(super) fn functions(own: Reach) -> [Function; N_FUNCTIONS as usize] {
    [wait(own, true), wait(own, false), notify(own)]
}

fn wait(own: Reach, is_32: bool) -> Function {
    let (address, expected, timeout, offset, place, result) = (0, 1, 2, 3, 4, 5);
    let mut function = Function::new_with_locals_types([ValType::I64, ValType::I32]);
    let mut code = function.instructions();
    set_place(&mut code, address, offset, place);
    code.local_get(place).i32_const(WAITS);
    tell(&mut code, own);
    code.local_get(place).i32_wrap_i64().local_get(expected).local_get(timeout);
    if is_32 {
        code.memory_atomic_wait32(at(2));
    } else {
        code.memory_atomic_wait64(at(3));
    }
    code.local_set(result);
    code.local_get(place);
    code.local_get(result).i32_const(RESULT_SHIFT.cast_signed()).i32_shl().i32_const(TAKEN).i32_or();
    tell(&mut code, own);
    code.local_get(result).end();
    function
}

fn notify(own: Reach) -> Function {
    let (address, count, offset, place) = (0, 1, 2, 3);
    let mut function = Function::new_with_locals_types([ValType::I64]);
    let mut code = function.instructions();
    set_place(&mut code, address, offset, place);
    code.local_get(count).if_(BlockType::Empty).local_get(place).i32_const(NOTIFIES);
    tell(&mut code, own);
    code.end().local_get(place).i32_wrap_i64().local_get(count).memory_atomic_notify(at(2)).end();
    function
}

/// Adds address and offset. What is beyond the memory's reach traps, as it would have.
fn set_place(code: &mut InstructionSink<'_>, address: u32, offset: u32, place: u32) {
    code.local_get(address).i64_extend_i32_u().local_get(offset).i64_extend_i32_u().i64_add().local_tee(place);
    code.i64_const(i64::from(u32::MAX)).i64_gt_u().if_(BlockType::Empty).unreachable().end();
}

/// Hands the two values on the stack to the host.
fn tell(code: &mut InstructionSink<'_>, own: Reach) {
    code.i32_const(SLOT.cast_signed()).call_indirect(own.table, own.host_type).drop();
}

/// Atomic instructions demand their natural alignment.
fn at(align: u32) -> MemArg {
    MemArg { offset: 0, align, memory_index: 0 }
}
