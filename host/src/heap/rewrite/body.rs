//! Code put into a function: before its body, and around it.
//!
//! The body's own instructions stay as they are, but for those that leave the function: where something is to be done
//! afterwards, the body becomes a block, so `return` becomes a branch to its end. A branch to the function's own label
//! needs no change, since the block stands where that was. A tail call becomes a call and such a branch.

use std::ops::Range;

use wasm_encoder::{BlockType, Catch, Encode, InstructionSink, ValType};
use wasmparser::{BinaryReader, FunctionBody, Operator};

/// What to put into a function.
#[derive(Debug)]
pub(super) struct Edit {
    first_local: u32,
    locals: Vec<ValType>,
    before: Vec<u8>,
    /// Opens the blocks around the body.
    open: Vec<u8>,
    /// Closes those that the body's own end does not close, and keeps the result.
    close: Vec<u8>,
    after: Vec<u8>,
}

/// Code of a function that was edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands in the file.
    Old(Range<usize>),
    /// Put in.
    New(Vec<u8>),
    /// Put in the place of the instruction at an offset of the file.
    Instead(usize, Vec<u8>),
}

/// Code in the place of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instead {
    /// Where that stands in the file.
    pub(super) instruction: Range<usize>,
    pub(super) code: Vec<u8>,
}

/// Bounds of wasmparser's.
const MAX_LOCALS: u32 = 50_000;
const MAX_FUNCTION: usize = 7_654_321;

impl Edit {
    /// Nothing, for a function that has so many locals, parameters included.
    pub(super) fn new(n_locals: u32) -> Self {
        let empty = Vec::new;
        Self {
            first_local: n_locals,
            locals: Vec::new(),
            before: empty(),
            open: empty(),
            close: empty(),
            after: empty(),
        }
    }

    /// Another local.
    pub(super) fn local(&mut self, ty: ValType) -> u32 {
        self.locals.push(ty);
        self.first_local + u32::try_from(self.locals.len() - 1).unwrap_or(u32::MAX)
    }

    /// Code to run first.
    pub(super) fn before(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.before)
    }

    /// Makes the body a block whose result is the local returned here. `unwind`: when an exception passes, the global
    /// is set to the local first.
    pub(super) fn around(&mut self, result_type: ValType, unwind: Option<(u32, u32)>) -> u32 {
        let result = self.local(result_type);
        let ty = BlockType::Result(result_type);
        let mut open = InstructionSink::new(&mut self.open);
        let mut close = InstructionSink::new(&mut self.close);
        match unwind {
            None => {
                open.block(ty);
                close.local_set(result);
            }
            Some((global, local)) => {
                open.block(BlockType::Empty).block(BlockType::Result(ValType::EXNREF));
                open.try_table(ty, [Catch::AllRef { label: 0 }]);
                close.local_set(result).br(1).end();
                close.local_get(local).global_set(global).throw_ref().end();
            }
        }
        result
    }

    /// Code to run last; it leaves the function's result.
    pub(super) fn after(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.after)
    }

    /// The function's new code entry. `body` is where its body stands in `bytes`, its declarations of locals first; `instead` is
    /// what instructions of it are to be, in their order.
    pub(super) fn apply(self, bytes: &[u8], body: Range<usize>, instead: Vec<Instead>) -> Result<Vec<Piece>, String> {
        let at = format!("the function at {:#x}", body.start);
        let pieces = self.pieces(bytes, body).map_err(|error| format!("{at} cannot be read: {error}"))?;
        let pieces = pieces.ok_or_else(|| format!("{at} makes a tail call out of a try_table"))?;
        let pieces = put_in(pieces, instead);
        let n_bytes: usize = pieces.iter().map(Piece::len).sum();
        if n_bytes > MAX_FUNCTION {
            return Err(format!("{at} is so large that wprof's code has no room in it"));
        }
        let mut length = Vec::new();
        n_bytes.encode(&mut length);
        Ok(std::iter::once(Piece::New(length)).chain(pieces).collect())
    }

    /// `None` if it does what cannot be kept.
    fn pieces(self, bytes: &[u8], body: Range<usize>) -> wasmparser::Result<Option<Vec<Piece>>> {
        let code = bytes.get(body.clone()).unwrap_or_default();
        let function = FunctionBody::new(BinaryReader::new(code, body.start));
        let mut pieces = Vec::new();
        let first = function.get_operators_reader()?.original_position();
        if self.locals.is_empty() {
            pieces.push(Piece::Old(body.start..first));
        } else {
            let mut groups = BinaryReader::new(code, body.start);
            let n_groups = groups.read_var_u32()?;
            let mut count = Vec::new();
            (n_groups + u32::try_from(self.locals.len()).unwrap_or(u32::MAX)).encode(&mut count);
            pieces.push(Piece::New(count));
            pieces.push(Piece::Old(groups.original_position()..first));
            let mut own = Vec::new();
            for ty in &self.locals {
                1_u32.encode(&mut own);
                ty.encode(&mut own);
            }
            pieces.push(Piece::New(own));
        }
        let mut before = self.before;
        before.extend_from_slice(&self.open);
        pieces.push(Piece::New(before));
        if self.open.is_empty() {
            pieces.push(Piece::Old(first..body.end));
            return Ok(Some(pieces));
        }
        if !branch_instead_of_returning(&function, first..body.end, &mut pieces)? {
            return Ok(None);
        }
        let mut after = self.close;
        after.extend_from_slice(&self.after);
        InstructionSink::new(&mut after).end();
        pieces.push(Piece::New(after));
        Ok(Some(pieces))
    }
}

/// Puts code in the place of instructions, none of which is edited otherwise.
fn put_in(pieces: Vec<Piece>, instead: Vec<Instead>) -> Vec<Piece> {
    let mut instead = instead.into_iter().peekable();
    let mut all = Vec::with_capacity(pieces.len() + 2 * instead.len());
    for piece in pieces {
        let Piece::Old(mut range) = piece else {
            all.push(piece);
            continue;
        };
        while let Some(Instead { instruction, code }) = instead.next_if(|it| it.instruction.start < range.end) {
            all.push(Piece::Old(range.start..instruction.start));
            all.push(Piece::Instead(instruction.start, code));
            range.start = instruction.end;
        }
        all.push(Piece::Old(range));
    }
    all
}

impl Piece {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Old(range) => range.len(),
            Self::New(code) | Self::Instead(_, code) => code.len(),
        }
    }
}

/// How many locals a function has, parameters included.
pub(super) fn count_locals(bytes: &[u8], body: Range<usize>, n_params: usize) -> Result<u32, String> {
    let function = FunctionBody::new(BinaryReader::new(bytes.get(body.clone()).unwrap_or_default(), body.start));
    let mut n_locals = u32::try_from(n_params).unwrap_or(u32::MAX);
    let groups = function.get_locals_reader().map_err(|error| error.to_string())?;
    for group in groups {
        n_locals = n_locals.saturating_add(group.map_err(|error| error.to_string())?.0);
    }
    const OURS: u32 = 8;
    if n_locals > MAX_LOCALS - OURS {
        return Err(format!("an allocator function has {n_locals} locals, which leaves no room for wprof's"));
    }
    Ok(n_locals)
}

/// False if a tail call leaves a `try_table`, which would catch what a call throws.
fn branch_instead_of_returning(
    function: &FunctionBody<'_>,
    code: Range<usize>,
    pieces: &mut Vec<Piece>,
) -> wasmparser::Result<bool> {
    let mut operators = function.get_operators_reader()?;
    let mut depth = 0_u32;
    // Depths of the `try_table`s that are open.
    let mut catching = Vec::new();
    let mut copied = code.start;
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        let next = operators.original_position();
        // A tail call's opcode differs from that of the call.
        let call = match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                depth += 1;
                if let Operator::TryTable { .. } = operator {
                    catching.push(depth);
                }
                continue;
            }
            Operator::End => {
                catching.pop_if(|it| *it == depth);
                depth = depth.saturating_sub(1);
                continue;
            }
            Operator::Return => None,
            Operator::ReturnCall { .. } => Some(0x10),
            Operator::ReturnCallIndirect { .. } => Some(0x11),
            Operator::ReturnCallRef { .. } => Some(0x14),
            _ => continue,
        };
        pieces.push(Piece::Old(copied..offset));
        if let Some(opcode) = call {
            if !catching.is_empty() {
                return Ok(false);
            }
            pieces.push(Piece::New(vec![opcode]));
            pieces.push(Piece::Old(offset + 1..next));
        }
        let mut branch = Vec::new();
        InstructionSink::new(&mut branch).br(depth);
        pieces.push(Piece::New(branch));
        copied = next;
    }
    pieces.push(Piece::Old(copied..code.end));
    Ok(true)
}
