//! The chain of frames that guest code makes, read from a stack.
//!
//! wasmtime keeps frame pointers in guest code: each frame holds its caller's frame pointer and, one word above, the
//! address that it will return to. On x86-64 and aarch64 alike.

use std::ops::Range;

use super::afar::Afar;

pub(super) const WORD: usize = size_of::<usize>();

/// Reads frames of a stack: of the calling thread's own directly, of any other (a fiber's) through the kernel.
pub(super) struct Stack {
    /// What of the calling thread's own stack may be read.
    own: Range<usize>,
    afar: Afar,
}

impl Stack {
    /// A stack of which `own` may be read directly.
    ///
    /// # Safety
    ///
    /// All of `own` must be mapped and stay so while this exists.
    pub(super) unsafe fn new(own: Range<usize>) -> Self {
        Self { own, afar: Afar::default() }
    }

    /// A stack of which nothing may be read directly.
    pub(super) fn elsewhere() -> Self {
        Self { own: 0..0, afar: Afar::default() }
    }

    /// The frame at `fp`: its caller's frame pointer, and the address that it returns to.
    pub(super) fn frame(&mut self, fp: usize) -> Option<[usize; 2]> {
        if !fp.is_multiple_of(WORD) {
            return None;
        }
        let end = fp.checked_add(2 * WORD)?;
        if self.own.start <= fp && end <= self.own.end {
            // SAFETY: aligned, and inside what `new` was promised to be mapped.
            let caller = unsafe { read(fp) };
            // SAFETY: as above.
            return Some([caller, unsafe { read(fp + WORD) }]);
        }
        self.afar.frame(fp)
    }

    /// Gives `push` the return addresses of the frames from `fp` outwards to the one that has been called with the frame
    /// pointer `end`, that one's left out, until `push` wants no more. True if it got there.
    ///
    /// Each step must lead outwards, so a walk ends whatever the stack holds.
    pub(super) fn callers(&mut self, mut fp: usize, end: usize, mut push: impl FnMut(usize) -> bool) -> bool {
        while fp != end {
            let Some([caller, pc]) = self.frame(fp) else { return false };
            if caller == end {
                return true;
            }
            if caller <= fp || caller > end || !push(pc) {
                return false;
            }
            fp = caller;
        }
        true
    }
}

/// What wasmtime has noted of the innermost stay in the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Exit {
    /// The return address of the guest's last call to the host; 0 before the first.
    pub(super) pc: usize,
    /// The frame pointer of the trampoline that made it.
    pub(super) trampoline_fp: usize,
    /// The frame pointer of the trampoline that entered the guest; 0 outside.
    pub(super) entry_fp: usize,
}

impl Exit {
    /// Reads it, by a [`Context`](super::Context)'s address and the offsets of its fields.
    ///
    /// # Safety
    ///
    /// The context's store must be alive, and its layout one that has been seen to be as expected.
    pub(super) unsafe fn read(context: usize, [pc, trampoline_fp, entry_fp]: [usize; 3]) -> Self {
        // SAFETY: with the right layout each of the three is an aligned word of the store.
        let field = |offset: usize| unsafe { read(context.wrapping_add(offset)) };
        Self { pc: field(pc), trampoline_fp: field(trampoline_fp), entry_fp: field(entry_fp) }
    }
}

/// Reads a word.
///
/// # Safety
///
/// `address` must be aligned and in mapped memory.
unsafe fn read(address: usize) -> usize {
    // SAFETY: as the caller promises. Volatile, since wasm code has written it behind the compiler's back.
    unsafe { std::ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}
