//! The code that goes into an allocator's functions, and the two functions that it calls.
//!
//! It counts down the bytes asked for and calls the host only when a sample is due; a freed block is looked up in a
//! filter first. The filter is a table of 65,536 counters, one of which each sampled block raises and lowers by its
//! address; a counter that has reached 255 stays there. All of it is kept by the code here, so that the host needs no
//! access to the guest's memories, which it does not have inside a component.
//!
//! Allocator functions call each other (`calloc` calls `malloc`). A depth flag makes the outermost call the event.

use wasm_encoder::{Function, InstructionSink, MemArg, ValType};

use super::body::Edit;
use crate::heap::bell::NOT_SAMPLED;
use crate::heap::hook::{GoAlloc, GoSize, Kind, Size};

/// Set in a hook number: a goroutine (the block) is about to lose its wasm frames, so that its stack can be seen now
/// only.
pub const SUSPENDED: i32 = 1 << 30;

/// Go's registers are globals: its stack pointer and its current goroutine.
pub(in crate::heap) const GO_STACK_POINTER: u32 = 0;
/// See [`GO_STACK_POINTER`].
pub(in crate::heap) const GO_GOROUTINE: u32 = 2;

/// The countdown before the host has armed it: more than any guest allocates.
pub(super) const UNARMED: i64 = i64::MAX;

/// Counts below this one are armed.
const ARMED_BELOW: i64 = 1 << 62;

/// Bytes of the largest block: as many as machines can address.
const MAX_BLOCK: i64 = 1 << 47;

/// Pages of the memory of ours: the filter, and behind it the queue of freed blocks.
pub(super) const PAGES: u64 = 2;

/// Where the queue begins: how many blocks wait in it (4 bytes), [`IS_TELLING`] (4 bytes), their names (8 bytes each).
pub const QUEUE: u32 = 1 << 16;

/// 1 while the guest calls the first hook, which deals with the queue by itself.
pub const IS_TELLING: u32 = QUEUE + 4;

/// Blocks that fit into the queue.
pub const QUEUE_LENGTH: u32 = 4096;

/// Where the first name in the queue stands.
pub const QUEUE_NAMES: u32 = QUEUE + 8;

/// A counter of the filter that stays as it is.
pub const FILTER_FULL: u8 = 255;

/// The same of a filter that threads share. They look at a counter before they raise it, so that some may do so at once; it must
/// not run over.
const SHARED_FULL: u8 = 128;

const FILTER_MASK: i32 = 0xffff;

/// The filter's counter for a block; the code made here does the same. Allocators put blocks of a size at multiples of
/// large powers of two, where the low bits are all alike, so higher ones are mixed in.
#[must_use]
pub fn filter_slot(block: u64) -> usize {
    usize::try_from((block >> 4 ^ (block & 0xffff_ffff) >> 16) & 0xffff).unwrap_or_default()
}

/// Indices of what was appended to the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Appended {
    pub(super) reach: Reach,
    /// The filter.
    pub(super) memory: u32,
    /// Whether other threads have it too. There is no queue of freed blocks then: another thread might be given one again, and
    /// tell of that, before this one has told that it was freed.
    pub(super) is_shared: bool,
    /// Bytes until the next sample.
    pub(super) countdown: u32,
    /// 1 inside an allocator function.
    pub(super) depth: u32,
    /// The function made by [`record`].
    pub(super) record: u32,
    /// The function made by [`forget`].
    pub(super) forget: u32,
    /// Whether the module can throw exceptions through its allocator.
    pub(super) catches: bool,
}

/// How code reaches the host.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach {
    /// Through a table of two slots, of these types, which the host fills.
    Table { table: u32, on_alloc_type: u32, on_free_type: u32 },
    /// Through functions of the module's own.
    Functions { on_alloc: u32, on_free: u32 },
}

/// A function to be hooked. It has the parameters that its kind reads, and they are integers.
#[derive(Debug, Clone)]
pub(super) struct Hooked {
    pub(super) function: u32,
    pub(super) params: Vec<ValType>,
    pub(super) result: Option<ValType>,
    /// How many bytes a page of the module's first memory has, as a power of 2.
    pub(super) page_size_log2: u32,
    /// The number that the host knows it by.
    pub(super) hook: i32,
    pub(super) kind: Kind,
}

impl Hooked {
    fn param_type(&self, param: u32) -> ValType {
        self.params.get(param as usize).copied().unwrap_or(ValType::I32)
    }
}

/// What to put into a hooked function that has so many locals, parameters included.
pub(super) fn edit(hooked: &Hooked, own: &Appended, n_locals: u32) -> Edit {
    let mut edit = Edit::new(n_locals);
    match hooked.kind {
        Kind::Alloc { size, bias } => allocation(&mut edit, hooked, own, size, None, bias),
        Kind::Realloc { block, size, bias } => allocation(&mut edit, hooked, own, size, Some(block), bias),
        Kind::AllocInto { out, size } => allocation_into(&mut edit, hooked, own, out, size),
        Kind::Free { block, bias } => forget_block(&mut edit.before(), own, hooked, bias, |code| {
            push_integer(code, hooked, block);
        }),
        Kind::Go(go) => go_allocation(&mut edit, hooked, own, go),
        Kind::GoSwitch => go_switch(&mut edit.before(), hooked, own),
    }
    edit
}

/// `malloc` and its like, and with `old` those that resize. Functions may overwrite their parameters, so these are
/// kept.
fn allocation(edit: &mut Edit, hooked: &Hooked, own: &Appended, size: Size, old: Option<u32>, bias: i32) {
    let result_type = hooked.result.unwrap_or(ValType::I32);
    let (bytes, outer) = (edit.local(ValType::I64), edit.local(ValType::I32));
    let old = old.map(|param| (param, edit.local(ValType::I64)));
    let mut code = edit.before();
    push_size(&mut code, hooked, size);
    code.local_set(bytes);
    if let Some((param, block)) = old {
        push_integer(&mut code, hooked, param);
        code.local_set(block);
    }
    // What is below all others calls none of them, and is nearly always called by one: it is on the path of each block.
    let is_lowest = matches!(size, Size::Less(..));
    if !is_lowest {
        enter(&mut code, own, outer);
    }
    let result = edit.around(result_type, (own.catches && !is_lowest).then_some((own.depth, outer)));
    let mut code = edit.after();
    if is_lowest {
        code.global_get(own.depth).i32_eqz().if_(wasm_encoder::BlockType::Empty);
    } else {
        leave(&mut code, own, outer);
    }
    is_null(code.local_get(result), result_type);
    code.if_(wasm_encoder::BlockType::Empty);
    let forget = |code: &mut InstructionSink<'_>, block| {
        forget_block(code, own, hooked, bias, |code| {
            code.local_get(block);
        });
    };
    if let Some((_, block)) = old {
        // Null for a size of 0 means that the block was freed; otherwise resizing failed, and it stays.
        code.local_get(bytes).i64_eqz().if_(wasm_encoder::BlockType::Empty);
        forget(&mut code, block);
        code.end();
    }
    code.else_();
    if let Some((_, block)) = old {
        forget(&mut code, block);
    }
    count_down(&mut code, own, bytes, may_be_huge(hooked, size));
    code.local_get(result);
    extend(&mut code, result_type);
    add_bias(&mut code, bias);
    code.local_get(bytes).i32_const(hooked.hook).call(own.record);
    code.end().end().end().end();
    code.local_get(result);
}

/// `posix_memalign`: 0 says that the block stands where a parameter points. A function that is none may have left
/// anything there, and the parameter may point anywhere; reading it must not trap.
fn allocation_into(edit: &mut Edit, hooked: &Hooked, own: &Appended, out: u32, size: Size) {
    let result_type = hooked.result.unwrap_or(ValType::I32);
    let pointer = hooked.param_type(out);
    let (bytes, outer, place) = (edit.local(ValType::I64), edit.local(ValType::I32), edit.local(pointer));
    let block = edit.local(ValType::I64);
    let mut code = edit.before();
    push_size(&mut code, hooked, size);
    code.local_set(bytes).local_get(out).local_set(place);
    enter(&mut code, own, outer);
    let result = edit.around(result_type, own.catches.then_some((own.depth, outer)));
    let mut code = edit.after();
    leave(&mut code, own, outer);
    is_null(code.local_get(result), result_type);
    code.if_(wasm_encoder::BlockType::Empty);
    count_down(&mut code, own, bytes, may_be_huge(hooked, size));
    let n_bytes = if pointer == ValType::I64 { 8 } else { 4 };
    code.local_get(place);
    extend(&mut code, pointer);
    code.local_tee(block).i64_const(0).i64_ge_s();
    code.memory_size(0);
    extend(&mut code, pointer);
    code.i64_const(i64::from(hooked.page_size_log2)).i64_shl().i64_const(n_bytes).i64_sub();
    code.local_get(block).i64_ge_s().i32_and().if_(wasm_encoder::BlockType::Empty);
    code.local_get(place);
    match pointer {
        ValType::I64 => code.i64_load(at(0, 0)),
        _ => code.i64_load32_u(at(0, 0)),
    };
    code.local_tee(block).i64_eqz().i32_eqz().if_(wasm_encoder::BlockType::Empty);
    code.local_get(block).local_get(bytes).i32_const(hooked.hook).call(own.record).end().end();
    code.end().end().end().end();
    code.local_get(result);
}

/// Only those functions of Go's allocator are hooked that call no other, so depth has no part in it. A call ends when
/// the function returns 0. When it returns 1, the goroutine is being switched; the call ends in another wasm call, which
/// comes from the scheduler's loop.
fn go_allocation(edit: &mut Edit, hooked: &Hooked, own: &Appended, go: GoAlloc) {
    use wasm_encoder::BlockType::Empty;
    let (stack, bytes) = (edit.local(ValType::I32), edit.local(ValType::I64));
    let result = edit.around(ValType::I32, None);
    let mut code = edit.after();
    code.local_get(result).i32_eqz().if_(Empty);
    code.global_get(GO_STACK_POINTER).local_set(stack);
    if let Some(tiny) = go.tiny_result {
        code.local_get(stack).i32_load(at(0, tiny)).i32_const(15).i32_and().i32_eqz().if_(Empty);
    }
    match go.size {
        GoSize::Const(size) => code.i64_const(i64::from(size)),
        GoSize::At(offset) => code.local_get(stack).i64_load(at(0, offset)),
    };
    code.local_set(bytes);
    count_down(&mut code, own, bytes, matches!(go.size, GoSize::At(_)));
    code.global_get(GO_GOROUTINE).local_get(bytes).i32_const(hooked.hook);
    tell_host(&mut code, own);
    set_countdown(&mut code, own);
    code.end().end();
    if go.tiny_result.is_some() {
        code.end();
    }
    code.end().local_get(result);
}

/// Lets the host see the stack of a goroutine that is about to lose it.
fn go_switch(code: &mut InstructionSink<'_>, hooked: &Hooked, own: &Appended) {
    code.global_get(own.countdown).i64_const(ARMED_BELOW).i64_lt_s().if_(wasm_encoder::BlockType::Empty);
    code.global_get(GO_GOROUTINE).i64_const(0).i32_const(hooked.hook | SUSPENDED);
    tell_host(code, own);
    code.drop().end();
}

/// Takes a sample: `(block i64, bytes i64, hook i32)`.
pub(super) fn record(own: &Appended) -> Function {
    let (block, bytes, hook, slot, counter, countdown) = (0, 1, 2, 3, 4, 5);
    let mut function = Function::new_with_locals_types([ValType::I32, ValType::I32, ValType::I64]);
    let mut code = function.instructions();
    code.local_get(block).local_get(bytes).local_get(hook);
    tell_host(&mut code, own);
    code.local_tee(countdown);
    set_countdown(&mut code, own);
    if let Reach::Functions { .. } = own.reach {
        code.local_get(countdown).i64_const(0).i64_lt_s().if_(wasm_encoder::BlockType::Empty).return_().end();
    }
    push_slot(&mut code, |code| {
        code.local_get(block);
    });
    code.local_tee(slot).i32_load8_u(at(own.memory, 0)).local_tee(counter);
    if own.is_shared {
        code.i32_const(i32::from(SHARED_FULL)).i32_lt_u().if_(wasm_encoder::BlockType::Empty);
        code.local_get(slot).i32_const(1).i32_atomic_rmw8_add_u(at(own.memory, 0)).drop();
    } else {
        code.i32_const(i32::from(FILTER_FULL)).i32_ne().if_(wasm_encoder::BlockType::Empty);
        code.local_get(slot).local_get(counter).i32_const(1).i32_add().i32_store8(at(own.memory, 0));
    }
    code.end().end();
    function
}

/// Tells the host of a block that is freed and may have been sampled: `(block i64, hook i32)`. Through a table it waits in
/// the queue until the host is called anyway, or the queue is full; the host then lowers the filter's counters. That
/// saves every second call of the host where all blocks are sampled.
pub(super) fn forget(own: &Appended) -> Function {
    use wasm_encoder::BlockType::Empty;
    let (block, hook, slot, counter) = (0, 1, 2, 3);
    let mut function = Function::new_with_locals_types([ValType::I32, ValType::I32]);
    let mut code = function.instructions();
    match own.reach {
        Reach::Table { table, on_free_type, .. } if own.is_shared => {
            code.local_get(block).local_get(hook).i32_const(1).call_indirect(table, on_free_type).if_(Empty);
            push_slot(&mut code, |code| {
                code.local_get(block);
            });
            code.local_tee(slot).i32_load8_u(at(own.memory, 0)).i32_const(i32::from(SHARED_FULL)).i32_lt_u().if_(Empty);
            code.local_get(slot).i32_const(1).i32_atomic_rmw8_sub_u(at(own.memory, 0)).drop();
            code.end().end().end();
        }
        Reach::Table { table, on_free_type, .. } => {
            let count = at(own.memory, QUEUE);
            code.i32_const(0).i32_const(0).i32_load(count).local_tee(slot).i32_const(1).i32_add().i32_store(count);
            code.local_get(slot).i32_const(3).i32_shl().local_get(block).i64_store(at(own.memory, QUEUE_NAMES));
            code.local_get(slot).i32_const(QUEUE_LENGTH.cast_signed() - 1).i32_ge_u().if_(Empty);
            code.local_get(block).local_get(hook).i32_const(1).call_indirect(table, on_free_type).drop();
            code.end().end();
        }
        Reach::Functions { on_free, .. } => {
            code.local_get(block).local_get(hook).call(on_free).if_(Empty);
            push_slot(&mut code, |code| {
                code.local_get(block);
            });
            code.local_tee(slot).i32_load8_u(at(own.memory, 0)).local_tee(counter);
            code.i32_const(i32::from(FILTER_FULL)).i32_ne().if_(Empty);
            code.local_get(slot).local_get(counter).i32_const(1).i32_sub().i32_store8(at(own.memory, 0));
            code.end().end().end();
        }
    }
    function
}

/// Hands `(block or goroutine i64, bytes i64, hook i32)` to the host, and leaves its answer, an i64.
fn tell_host(code: &mut InstructionSink<'_>, own: &Appended) {
    match own.reach {
        Reach::Table { table, on_alloc_type, .. } if own.is_shared => {
            code.i32_const(0).call_indirect(table, on_alloc_type);
        }
        Reach::Table { table, on_alloc_type, .. } => {
            let is_telling = at(own.memory, IS_TELLING);
            code.i32_const(0).i32_const(1).i32_store(is_telling);
            code.i32_const(0).call_indirect(table, on_alloc_type);
            code.i32_const(0).i32_const(0).i32_store(is_telling);
        }
        Reach::Functions { on_alloc, .. } => {
            code.call(on_alloc);
        }
    }
}

/// Takes the countdown that the host has returned.
fn set_countdown(code: &mut InstructionSink<'_>, own: &Appended) {
    if let Reach::Functions { .. } = own.reach {
        code.i64_const(!NOT_SAMPLED).i64_and();
    }
    code.global_set(own.countdown);
}

/// Notes in a local whether this call comes from inside the allocator.
fn enter(code: &mut InstructionSink<'_>, own: &Appended, outer: u32) {
    code.global_get(own.depth).local_set(outer).i32_const(1).global_set(own.depth);
}

/// Opens a block for the outermost call.
fn leave(code: &mut InstructionSink<'_>, own: &Appended, outer: u32) {
    code.local_get(outer).global_set(own.depth);
    code.local_get(outer).i32_eqz().if_(wasm_encoder::BlockType::Empty);
}

/// Opens two blocks that are entered if a sample is due after these bytes; none is after no bytes at all. Where they can be
/// more than any memory has, the function may be no allocator after all: the count must not run over.
fn count_down(code: &mut InstructionSink<'_>, own: &Appended, bytes: u32, may_be_huge: bool) {
    use wasm_encoder::BlockType::Empty;
    if may_be_huge {
        code.local_get(bytes).i64_const(MAX_BLOCK).i64_le_u().if_(Empty);
    } else {
        code.block(Empty);
    }
    code.global_get(own.countdown).local_get(bytes).i64_sub().global_set(own.countdown);
    code.global_get(own.countdown).i64_const(0).i64_lt_s().if_(Empty);
}

/// Whether a size can be more than 32 bits hold.
fn may_be_huge(hooked: &Hooked, size: Size) -> bool {
    !matches!(size, Size::Param(param) if hooked.param_type(param) != ValType::I64)
}

/// Forgets a block, unless it is null or cannot be a sampled one. It neither heeds nor sets the depth: a collector may
/// free blocks inside an allocation.
fn forget_block(
    code: &mut InstructionSink<'_>,
    own: &Appended,
    hooked: &Hooked,
    bias: i32,
    push_block: impl Fn(&mut InstructionSink<'_>),
) {
    use wasm_encoder::BlockType::Empty;
    let push_name = |code: &mut InstructionSink<'_>| {
        push_block(code);
        add_bias(code, bias);
    };
    push_slot(code, push_name);
    code.i32_load8_u(at(own.memory, 0)).if_(Empty);
    push_block(code);
    code.i64_eqz().i32_eqz().if_(Empty);
    push_name(code);
    code.i32_const(hooked.hook).call(own.forget).end().end();
}

/// A parameter that is a pointer or a size: as an i64 without a sign.
fn push_integer(code: &mut InstructionSink<'_>, hooked: &Hooked, param: u32) {
    code.local_get(param);
    extend(code, hooked.param_type(param));
}

fn push_size(code: &mut InstructionSink<'_>, hooked: &Hooked, size: Size) {
    match size {
        Size::Param(param) => push_integer(code, hooked, param),
        Size::Product(count, each) => {
            push_integer(code, hooked, count);
            push_integer(code, hooked, each);
            code.i64_mul();
        }
        Size::Less(param, own) => {
            push_integer(code, hooked, param);
            code.i64_const(i64::from(own)).i64_sub();
        }
    }
}

fn extend(code: &mut InstructionSink<'_>, from: ValType) {
    if from != ValType::I64 {
        code.i64_extend_i32_u();
    }
}

fn add_bias(code: &mut InstructionSink<'_>, bias: i32) {
    if bias != 0 {
        code.i64_const(i64::from(bias)).i64_add();
    }
}

/// The filter's counter for the block that is pushed; see [`filter_slot`].
fn push_slot(code: &mut InstructionSink<'_>, push_block: impl Fn(&mut InstructionSink<'_>)) {
    push_block(code);
    code.i32_wrap_i64().i32_const(4).i32_shr_u();
    push_block(code);
    code.i32_wrap_i64().i32_const(16).i32_shr_u().i32_xor().i32_const(FILTER_MASK).i32_and();
}

fn is_null(code: &mut InstructionSink<'_>, ty: ValType) {
    match ty {
        ValType::I64 => code.i64_eqz(),
        _ => code.i32_eqz(),
    };
}

/// Alignment is only a hint.
fn at(memory_index: u32, offset: u32) -> MemArg {
    MemArg { offset: u64::from(offset), align: 0, memory_index }
}
