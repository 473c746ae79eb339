//! The guest's half: what is appended to a core module so that its wrappers can ring.

use wasm_encoder::{BlockType, ConstExpr, Function, HeapType, InstructionSink, RefType, TableType, ValType};

use super::{ARM_ANSWERS, MAX_ANSWERS, word};
use crate::heap::rewrite::SUSPENDED;

/// Set in the countdown that comes back from the first allocation, which may have been too small for its gap.
pub(in crate::heap) const NOT_SAMPLED: i64 = i64::MIN;

/// Indices of what was appended to the module.
#[derive(Debug, Clone, Copy)]
pub(in crate::heap) struct At {
    /// The [`table`].
    pub(in crate::heap) table: u32,
    /// The first of the [`globals`].
    pub(in crate::heap) globals: u32,
    /// The first of the [`functions`].
    pub(in crate::heap) functions: u32,
}

impl At {
    /// `on_alloc(block i64, bytes i64, hook i32) -> i64`: a sample is due. Returns the countdown to the next, with
    /// [`NOT_SAMPLED`] if none was due yet.
    pub(in crate::heap) fn on_alloc(self) -> u32 {
        self.functions
    }

    /// `on_free(block i64, hook i32) -> i32`: 1 if the block was a sampled one and the filter should let it go.
    pub(in crate::heap) fn on_free(self) -> u32 {
        self.functions + 1
    }

    /// State of the random numbers; 0 before the instance is armed.
    fn state(self) -> u32 {
        self.globals
    }

    /// Mean bytes between samples.
    fn mean(self) -> u32 {
        self.globals + 1
    }

    /// The instance's number, where words have it.
    fn instance(self) -> u32 {
        self.globals + 2
    }
}

/// The bell. Its elements say nothing.
pub(in crate::heap) fn table() -> TableType {
    TableType { element_type: RefType::FUNCREF, minimum: 0, maximum: Some(MAX_ANSWERS), table64: true, shared: false }
}

/// Mutable globals.
pub(in crate::heap) fn globals() -> [(ValType, ConstExpr); 3] {
    [(); 3].map(|()| (ValType::I64, ConstExpr::i64_const(0)))
}

/// The two functions that [`At`] describes.
pub(in crate::heap) fn functions(at: At) -> [Function; 2] {
    [on_alloc(at), on_free(at)]
}

fn on_alloc(at: At) -> Function {
    let (block, bytes, hook, gap, bits, n_bits, is_new) = (0, 1, 2, 3, 4, 5, 6);
    let floats = 7;
    let (i32, i64, f64) = (ValType::I32, ValType::I64, ValType::F64);
    let mut function = Function::new_with_locals_types([i64, i64, i32, i32, f64, f64]);
    let mut code = function.instructions();
    code.global_get(at.state()).i64_eqz().local_tee(is_new).if_(BlockType::Empty);
    // A goroutine is left before anything was allocated: not worth more.
    code.local_get(hook).i32_const(SUSPENDED).i32_and().if_(BlockType::Empty);
    code.i64_const(0).return_().end();
    arm(&mut code, at, bits, n_bits);
    code.else_();
    ring_alloc(&mut code, at, (block, bytes, hook));
    code.local_get(hook).i32_const(SUSPENDED).i32_and().if_(BlockType::Empty);
    code.i64_const(0).return_().end();
    code.end();
    draw(&mut code, at, (gap, floats));
    // The bytes that led here have not been counted down from a gap yet.
    code.local_get(is_new).if_(BlockType::Empty);
    code.local_get(gap).local_get(bytes).i64_sub().local_tee(gap).i64_const(0).i64_lt_s().if_(BlockType::Empty);
    code.local_get(block).local_get(bytes).local_get(hook).call(at.on_alloc()).local_set(gap);
    code.else_().local_get(gap).i64_const(NOT_SAMPLED).i64_or().local_set(gap);
    code.end().end();
    code.local_get(gap).end();
    function
}

fn on_free(at: At) -> Function {
    let block = 0;
    let mut function = Function::new([]);
    let mut code = function.instructions();
    code.global_get(at.state()).i64_eqz().if_(BlockType::Empty).i32_const(0).return_().end();
    ring(&mut code, at, |code| push_word(code, at, word::FREE, block));
    // Where every block is sampled the filter need not be right, for which a table would have to grow.
    code.global_get(at.mean()).i64_const(1).i64_eq().if_(BlockType::Empty).i32_const(0).return_().end();
    ask(&mut code, at);
    code.end();
    function
}

/// Asks for seed, instance and mean.
fn arm(code: &mut InstructionSink<'_>, at: At, bits: u32, n_bits: u32) {
    let half = ARM_ANSWERS.cast_signed() / 2;
    ring(code, at, |code| {
        code.i64_const(word::ARM.cast_signed());
    });
    code.i32_const(2 * half).local_set(n_bits);
    code.loop_(BlockType::Empty);
    code.local_get(bits).i64_const(1).i64_shl();
    ask(code, at);
    code.i64_extend_i32_u().i64_or().local_set(bits);
    code.local_get(n_bits).i32_const(1).i32_sub().local_tee(n_bits).i32_const(half).i32_eq().if_(BlockType::Empty);
    code.local_get(bits).global_set(at.state()).end();
    code.local_get(n_bits).br_if(0).end();
    let below_instance = word::mask(word::BLOCK_BITS).cast_signed();
    code.local_get(bits).i64_const(below_instance).i64_and().global_set(at.mean());
    let instance = (word::mask(word::KIND_SHIFT) ^ word::mask(word::BLOCK_BITS)).cast_signed();
    code.local_get(bits).i64_const(instance).i64_and().global_set(at.instance());
}

/// Tells of a sample, in one word if that has room.
fn ring_alloc(code: &mut InstructionSink<'_>, at: At, (block, bytes, hook): (u32, u32, u32)) {
    let shifted = |code: &mut InstructionSink<'_>, by: u32| {
        code.i64_const(i64::from(by)).i64_shr_u();
    };
    shifted(code.local_get(block), word::SMALL_BLOCK_BITS);
    shifted(code.local_get(bytes), word::SMALL_SIZE_BITS);
    code.i64_or();
    shifted(code.local_get(hook).i64_extend_i32_u(), word::SMALL_HOOK_BITS);
    code.i64_or();
    shifted(code.global_get(at.instance()), word::BLOCK_BITS + word::SMALL_INSTANCE_BITS);
    code.i64_or().i64_eqz().if_(BlockType::Empty);

    let size_at = word::SMALL_BLOCK_BITS;
    let hook_at = size_at + word::SMALL_SIZE_BITS + word::SMALL_INSTANCE_BITS;
    ring(code, at, |code| {
        code.i64_const(word::SMALL_ALLOC.cast_signed()).global_get(at.instance()).i64_or();
        code.local_get(hook).i64_extend_i32_u().i64_const(i64::from(hook_at)).i64_shl().i64_or();
        code.local_get(bytes).i64_const(i64::from(size_at)).i64_shl().i64_or();
        code.local_get(block).i64_or();
    });
    code.else_();
    ring(code, at, |code| {
        code.local_get(hook).local_get(hook).i32_const(word::FLAG_SHIFT.cast_signed()).i32_shr_u().i32_or();
        code.i64_extend_i32_u().i64_const(word::mask(word::HOOK_BITS).cast_signed()).i64_and();
        code.i64_const(i64::from(word::SIZE_BITS)).i64_shl();
        code.local_get(bytes).i64_const(word::mask(word::SIZE_BITS).cast_signed()).i64_and().i64_or();
        code.i64_const(word::ALLOC.cast_signed()).i64_or();
    });
    ring(code, at, |code| push_word(code, at, word::BLOCK, block));
    code.end();
}

/// Draws an exponential gap: 0 if every block is to be sampled.
///
/// With u uniform in (0, 1], −ln u is exponential. The leading zeros of u's binary fraction, k, count halvings, so
/// −ln u = k ln 2 − ln m with m uniform in (1/2, 1]; and −ln m = 2 artanh s with s = (1 − m)/(1 + m) ≤ 1/3, of which
/// five terms of the series are exact to 10⁻⁶.
fn draw(code: &mut InstructionSink<'_>, at: At, (gap, floats): (u32, u32)) {
    let (s, square) = (floats, floats + 1);
    code.i64_const(0).local_set(gap);
    code.global_get(at.mean()).i64_const(1).i64_ne().if_(BlockType::Empty);
    // Marsaglia's xorshift64, with Vigna's multiplication: xorshift64*.
    code.global_get(at.state()).local_set(gap);
    code.local_get(gap).local_get(gap).i64_const(12).i64_shr_u().i64_xor().local_set(gap);
    code.local_get(gap).local_get(gap).i64_const(25).i64_shl().i64_xor().local_set(gap);
    code.local_get(gap).local_get(gap).i64_const(27).i64_shr_u().i64_xor().local_tee(gap).global_set(at.state());
    code.local_get(gap).i64_const(0x2545_f491_4f6c_dd1d).i64_mul().local_set(gap);
    // m = 1 − (low half) / 2^33; 1 − m, over 1 + m.
    code.local_get(gap).i64_const(0xffff_ffff).i64_and().f64_convert_i64_s();
    code.f64_const((2.0_f64).powi(-33).into()).f64_mul().local_tee(s);
    code.f64_const(2.0.into()).local_get(s).f64_sub().f64_div().local_tee(s);
    code.local_get(s).f64_mul().local_set(square);
    code.local_get(square).f64_const((2.0 / 9.0).into()).f64_mul();
    for odd in [7.0, 5.0, 3.0, 1.0] {
        code.f64_const((2.0 / odd).into()).f64_add().local_get(if odd > 1.0 { square } else { s }).f64_mul();
    }
    // k: leading zeros of the high half.
    code.local_get(gap).i64_const(1 << 31).i64_or().i64_clz().f64_convert_i64_s();
    code.f64_const(std::f64::consts::LN_2.into()).f64_mul().f64_add();
    code.global_get(at.mean()).f64_convert_i64_s().f64_mul().i64_trunc_sat_f64_s().local_set(gap);
    code.end();
}

/// Pushes a word about a block.
fn push_word(code: &mut InstructionSink<'_>, at: At, word: u64, block: u32) {
    code.local_get(block).i64_const(word::mask(word::BLOCK_BITS).cast_signed()).i64_and();
    code.global_get(at.instance()).i64_or().i64_const(word.cast_signed()).i64_or();
}

/// Asks the bell to grow by a word.
fn ring(code: &mut InstructionSink<'_>, at: At, push_word: impl FnOnce(&mut InstructionSink<'_>)) {
    code.ref_null(HeapType::FUNC);
    push_word(code);
    code.table_grow(at.table).drop();
}

/// Pushes the host's answer, 1 or 0.
fn ask(code: &mut InstructionSink<'_>, at: At) {
    code.ref_null(HeapType::FUNC).i64_const(1).table_grow(at.table).i64_const(-1).i64_ne();
}
