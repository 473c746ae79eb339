//! Capturing stacks during a run: by frame pointers where that is possible, else by wasmtime.

use wasmtime::{AsContext, Module, WasmBacktrace};

use super::offsets::{CodeOffsets, Functions};
use super::trie::{NodeId, StackTrie};
use super::walk::Walker;

/// Walks that are compared with wasmtime's own capture at the beginning.
const CHECKED_AT_FIRST: u32 = 32;

/// After that, one walk in so many is compared.
const CHECKED_EVERY: u32 = 1 << 14;

/// Frames at the root of every stack of a Go guest: the scheduler's loop, and what has called it.
const SCHEDULER_FRAMES: usize = 2;

/// A stack in [`Stacks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StackId {
    node: NodeId,
    walked: bool,
}

impl StackId {
    /// Puts ids in the order in which they were first seen.
    #[must_use]
    pub fn order(self) -> (bool, usize) {
        (self.walked, self.node.index())
    }

    #[cfg(test)]
    pub(crate) fn of_captured(node: NodeId) -> Self {
        Self { node, walked: false }
    }
}

/// The stacks of a run.
#[derive(Debug, Default)]
pub struct Stacks {
    /// Of the module whose frames are walked.
    functions: Option<Functions>,
    /// Set when a walk differed from wasmtime's capture.
    walker_failed: bool,
    n_walks: u32,
    /// Stacks as return addresses in machine code.
    walked: StackTrie,
    /// Stacks as offsets in the file that was compiled.
    captured: StackTrie,
    /// Kept between captures, so that one allocates nothing of ours.
    scratch: Vec<u32>,
}

impl Stacks {
    /// Frames of this module may be walked from now on.
    pub fn walk_in(&mut self, module: &Module) {
        self.functions.get_or_insert_with(|| Functions::of_module(module));
    }

    /// Whether walking frames gave something else than wasmtime's own capture, and was given up.
    #[must_use]
    pub fn walker_failed(&self) -> bool {
        self.walker_failed
    }

    /// The stack of the guest that has called the host, walked by this walker if there is one. Where the guest was entered
    /// again from a host function its frames are in several pieces, and must not be walked.
    pub fn capture<T: 'static>(&mut self, store: impl AsContext<Data = T>, walker: Option<&Walker>) -> StackId {
        if !self.walker_failed
            && let Some((walker, functions)) = walker.zip(self.functions.as_ref())
        {
            self.scratch.clear();
            if walker.walk(&store, &mut self.scratch) {
                self.n_walks = self.n_walks.wrapping_add(1);
                let is_checked = self.n_walks <= CHECKED_AT_FIRST || self.n_walks.is_multiple_of(CHECKED_EVERY);
                if !is_checked || agrees(functions, &store, &self.scratch) {
                    return StackId { node: self.walked.add(&self.scratch), walked: true };
                }
                self.walker_failed = true;
            }
        }
        capture_into(&store, &mut self.scratch);
        StackId { node: self.captured.add(&self.scratch), walked: false }
    }

    /// Joins two stacks of a goroutine: `captured` lacks the callers of its outermost function if that was taken up again
    /// by Go's scheduler; `earlier`, captured when the goroutine lost its frames, has them. Where the two do not meet,
    /// `captured` is the answer.
    pub fn rejoin(&mut self, captured: StackId, earlier: StackId) -> StackId {
        let can = captured.walked && earlier.walked && !self.walker_failed;
        let Some(functions) = self.functions.as_ref().filter(|_| can) else {
            return captured;
        };
        let (mut frames, _) = self.walked.frames(captured.node);
        let Some(n_kept) = frames.len().checked_sub(SCHEDULER_FRAMES).filter(|&n_kept| n_kept > 0) else {
            return captured;
        };
        let outermost = called_from(functions, frames[n_kept - 1]);
        let (callers, is_cut) = self.walked.frames(earlier.node);
        let Some(met) =
            callers.iter().position(|&frame| called_from(functions, frame) == outermost).filter(|_| !is_cut)
        else {
            return captured;
        };
        frames.truncate(n_kept);
        frames.extend_from_slice(&callers[met + 1..]);
        StackId { node: self.walked.add(&frames), walked: true }
    }

    /// A stack as it was taken, to be looked up later with [`Lookup::frames`].
    #[must_use]
    pub fn taken(&self, id: StackId) -> TakenStack {
        let (frames, is_cut) = if id.walked { &self.walked } else { &self.captured }.frames(id.node);
        TakenStack { frames, is_cut, walked: id.walked }
    }

    /// Machine code that [`Lookup::add`] has not been told of yet, whose stacks were taken when there were so many places; and
    /// how many there are now.
    #[must_use]
    pub fn code_since(&self, n_known: usize) -> (Vec<u32>, usize) {
        (self.walked.frames_since(n_known).map(call_before).collect(), self.walked.n_ids())
    }
}

/// A stack, by whatever it was taken with.
#[derive(Debug, Clone)]
pub struct TakenStack {
    frames: Vec<u32>,
    is_cut: bool,
    walked: bool,
}

/// File offsets of the stacks of a run, which are asked for again and again while it goes on.
#[derive(Debug, Default)]
pub struct Lookup {
    offsets: CodeOffsets,
    n_known: usize,
}

impl Lookup {
    /// How many places it knows, for [`Stacks::code_since`].
    #[must_use]
    pub fn n_known(&self) -> usize {
        self.n_known
    }

    /// Looks up places in a module's machine code, with which there are so many.
    pub fn add(&mut self, module: &Module, (code, n_known): (Vec<u32>, usize)) {
        if let Some(map) = module.address_map().filter(|_| !code.is_empty()) {
            self.offsets.extend(CodeOffsets::resolve(map, &Functions::of_module(module), code));
        }
        self.n_known = n_known;
    }

    /// A stack as offsets in the file that was compiled, innermost first, and whether it was cut at the root side.
    #[must_use]
    pub fn frames(&self, TakenStack { frames, is_cut, walked }: TakenStack) -> (Vec<u32>, bool) {
        let look_up = |frame| self.offsets.file_offset(call_before(frame));
        (if walked { frames.into_iter().filter_map(look_up).collect() } else { frames }, is_cut)
    }
}

/// The stack of the guest that has called the host, as wasmtime captures it: offsets in the file that was compiled, innermost
/// first.
pub(crate) fn file_offsets<T: 'static>(store: impl AsContext<Data = T>) -> Vec<u32> {
    let mut offsets = Vec::new();
    capture_into(store, &mut offsets);
    offsets
}

/// The same, in place of what was there.
pub(crate) fn capture_into<T: 'static>(store: impl AsContext<Data = T>, offsets: &mut Vec<u32>) {
    offsets.clear();
    let backtrace = WasmBacktrace::force_capture(store);
    let frames = backtrace.frames().iter().filter_map(wasmtime::FrameInfo::module_offset);
    offsets.extend(frames.filter_map(|offset| u32::try_from(offset).ok()));
}

/// The last byte of the call that returns to `code`.
pub(super) fn call_before(code: u32) -> u32 {
    code.saturating_sub(1)
}

/// The function that a call returning to `code` stands in.
fn called_from(functions: &Functions, code: u32) -> Option<u32> {
    functions.at(call_before(code) as usize).map(|function| function.index)
}

/// Whether a walked stack has the functions that wasmtime's own capture has.
fn agrees<T: 'static>(functions: &Functions, store: impl AsContext<Data = T>, walked: &[u32]) -> bool {
    let backtrace = WasmBacktrace::force_capture(store);
    let captured = backtrace.frames().iter().map(|it| Some(it.func_index()));
    walked.iter().map(|&frame| called_from(functions, frame)).eq(captured)
}

#[cfg(test)]
pub(crate) mod tests;
