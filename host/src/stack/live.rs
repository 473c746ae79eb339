//! What a signal handler must know of a running guest to walk its stack at any instruction.
//!
//! Hooks at the guest's border write it and the handler reads it, on one thread; so order matters and nothing else. Other
//! threads may only call [`Live::forget`].

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};

use super::atomics::{load, store};
use super::frames::{Exit, Stack};
use super::interrupted::{Place, Registers, Top};
use super::layout::Context;
use super::moving::moving_frame;
use super::own::OwnStack;

/// Nested stays in the guest (a host function that calls the guest, and so on) whose outer parts are kept. Beyond, the
/// middle ones are left out.
const MAX_NESTED: usize = 32;

/// The part of a running guest's state that its stack begins with.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// The store's `VMStoreContext`; 0 while the guest is not entered.
    context: AtomicUsize,
    /// Offsets of its fields.
    fields: [AtomicUsize; 3],
    own_stack: OwnStack,
    depth: AtomicUsize,
    /// How the outer activations were left: return address, trampoline, entry.
    outer: [[AtomicUsize; 3]; MAX_NESTED],
    is_walking: AtomicBool,
}

impl Live {
    /// The guest is entered. The store's hook calls this on the guest's thread before the first instruction.
    pub(crate) fn enter(&self, context: Context) {
        let depth = self.depth.load(Ordering::Relaxed);
        if depth == 0 {
            store(&self.fields, context.fields());
        } else if let Some(outer) = self.outer.get(depth - 1) {
            // SAFETY: the store is alive, as its hook has called us; contexts of other layouts do not get here.
            let Exit { pc, trampoline_fp, entry_fp } = unsafe { Exit::read(context.address, context.fields()) };
            store(outer, [pc, trampoline_fp, entry_fp]);
        }
        compiler_fence(Ordering::SeqCst);
        self.depth.store(depth + 1, Ordering::Relaxed);
        self.context.store(context.address, Ordering::SeqCst);
    }

    /// The guest is left. True if that was the outermost stay.
    pub(crate) fn leave(&self) -> bool {
        let depth = self.depth.load(Ordering::Relaxed).saturating_sub(1);
        if depth == 0 {
            self.context.store(0, Ordering::SeqCst);
        }
        self.depth.store(depth, Ordering::Relaxed);
        depth == 0
    }

    /// How often the guest has been entered without having been left.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// The stack of the thread that the guest runs on; fibers have others.
    pub(crate) fn set_own_stack(&self, stack: &Range<usize>) {
        self.own_stack.set(stack);
    }

    /// The store is about to go. When this returns, nothing of it is read any more, whichever thread a handler runs on.
    pub(crate) fn forget(&self) {
        self.context.store(0, Ordering::SeqCst);
        while self.is_walking.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        self.depth.store(0, Ordering::Relaxed);
    }

    /// Walks the guest's stack from the registers of the instruction at which its thread was interrupted. Return addresses
    /// go to `push`, innermost first, until it wants no more. `None` where there is no guest.
    ///
    /// Safe in a signal handler on the guest's thread. `place` says where the instruction stands.
    pub(crate) fn walk(&self, registers: &Registers, place: Place, push: &mut dyn FnMut(usize) -> bool) -> Option<Top> {
        self.is_walking.store(true, Ordering::SeqCst);
        let address = self.context.load(Ordering::SeqCst);
        let top = (address != 0).then(|| self.walk_at(address, registers, place, push));
        self.is_walking.store(false, Ordering::SeqCst);
        top
    }

    fn walk_at(&self, context: usize, registers: &Registers, place: Place, push: &mut dyn FnMut(usize) -> bool) -> Top {
        // SAFETY: the store is alive: whoever drops it calls `forget` first, which waits for us.
        let exit = unsafe { Exit::read(context, load(&self.fields)) };
        // SAFETY: a thread's stack is mapped from where it is in use to its end.
        let mut stack = unsafe { Stack::new(self.own_stack.used(registers.sp, exit.trampoline_fp)) };
        let nested = self.depth.load(Ordering::Relaxed).saturating_sub(1);
        let outer = self.outer.get(..nested.min(MAX_NESTED)).unwrap_or_default();
        let [outer_pc, outer_trampoline_fp, outer_entry_fp] = outer.last().map(load).unwrap_or_default();

        let mut top = Top { pc: 0, words: [0; 2], is_whole: true, has_frame: false, is_gone: false };
        match place {
            // Before its first call to the host the guest has none under way: it is being entered, or has trapped. Or it
            // is being left, and what was noted before is put back, word by word.
            Place::Host
                if (exit.pc, exit.trampoline_fp) == (outer_pc, outer_trampoline_fp)
                    || exit.entry_fp == outer_entry_fp
                    || !self.own_stack.has_below(registers.sp, exit) => {}
            Place::Host => {
                top.pc = exit.pc;
                top.is_whole = walk_exit(&mut stack, exit, push);
                // A guest that has trapped leaves its notes until wasmtime has dealt with that, but not its frames.
                top.is_gone = !top.is_whole;
            }
            // It is being entered, and its own entry is not noted yet; or has been left.
            Place::Trampoline if exit.entry_fp == outer_entry_fp || registers.sp > exit.entry_fp => {}
            Place::Guest | Place::Trampoline => {
                let moved = moving_frame(registers);
                let fp = registers.fp.wrapping_add(moved);
                top.pc = registers.pc;
                top.words = stack.frame(registers.sp).unwrap_or_default();
                top.is_whole = stack.callers(fp, exit.entry_fp, &mut *push);
                top.has_frame = moved == 0 && fp != exit.entry_fp;
            }
        }
        for outer in outer.iter().rev() {
            let [pc, trampoline_fp, entry_fp] = load(outer);
            let exit = Exit { pc, trampoline_fp, entry_fp };
            if pc == 0 {
                // Another task of the same store, which waits on a fiber of its own.
                continue;
            }
            top.is_whole = top.is_whole && push(pc) && walk_exit(&mut stack, exit, push);
        }
        top
    }
}

/// Walks an activation that has called the host. False where the notes are not of a call under way: the trampoline's frame
/// does not hold the return address that was noted, or its callers do not lead to where the guest was entered.
pub(super) fn walk_exit(stack: &mut Stack, exit: Exit, push: &mut dyn FnMut(usize) -> bool) -> bool {
    let Some([fp, pc]) = stack.frame(exit.trampoline_fp) else { return false };
    pc == exit.pc && stack.callers(fp, exit.entry_fp, push)
}
