//! The stack of the thread that a guest runs on, as a signal handler may know it.

use std::ops::Range;
use std::sync::atomic::AtomicUsize;

use super::atomics::{load, store};
use super::frames::Exit;

/// Bytes that host functions may have used of a fiber's stack before they enter the guest.
const FIBER_TOP: usize = 64 << 10;

/// Its bounds.
#[derive(Debug, Default)]
pub(super) struct OwnStack([AtomicUsize; 2]);

impl OwnStack {
    pub(super) fn set(&self, stack: &Range<usize>) {
        store(&self.0, [stack.start, stack.end]);
    }

    fn all(&self) -> Range<usize> {
        let [start, end] = load(&self.0);
        start..end
    }

    /// What of it is known to be in use: below the stack pointer nothing is promised. Where that is on another stack, as a
    /// handler may be, what wasmtime has noted last tells how far down this one has been used.
    pub(super) fn used(&self, sp: usize, noted: usize) -> Range<usize> {
        let own = self.all();
        let from = [sp, noted].into_iter().find(|at| own.contains(at));
        from.unwrap_or(own.end)..own.end
    }

    /// Whether host code with this stack pointer can be in the call that was noted. After a trap it is not: its stack begins
    /// again where the guest was entered, or is that of a signal handler.
    pub(super) fn has_below(&self, sp: usize, exit: Exit) -> bool {
        let own = self.all();
        if own.contains(&exit.trampoline_fp) {
            own.contains(&sp) && sp < exit.trampoline_fp
        } else {
            // On a fiber, whose bounds are not known; what is right above its frames is the fiber too.
            !(exit.trampoline_fp..exit.entry_fp.saturating_add(FIBER_TOP)).contains(&sp)
        }
    }
}
