//! Walking the guest's frames from a host call, as wasmtime does for its own backtraces, in nanoseconds a frame.
//!
//! wasmtime keeps frame pointers in guest code. When the guest calls the host, its trampoline stores the call's
//! return address and its own frame pointer in the store's `VMStoreContext`; that of the trampoline that entered the
//! guest is there too. Between the two lie the guest's frames, each with its caller's frame pointer and return address.
//!
//! Only the innermost activation is walked. [`super::Stacks`] asks for a walk only when there is no other.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{AsContext, AsContextMut, Func, Module};
use wasmtime_environ::{HostPtr, PtrSize, VMCONTEXT_MAGIC, offsets};

use super::bounds::own_stack;
use super::trie::MAX_FRAMES;

/// Walks the stack of one store's guest on one thread.
#[derive(Debug)]
pub struct Walker {
    /// Where the store's `VMStoreContext` lies, which is inside the store.
    context: usize,
    /// Where the store's data lies, which tells the store from others.
    store: usize,
    /// The module's machine code.
    text: Range<usize>,
    /// The thread, and its stack. One alone would not do: the stack of a thread that has ended may become another's.
    thread: u64,
    stack: Range<usize>,
}

/// Whether frames look as this file expects them: the caller's frame pointer, then the return address.
const IS_KNOWN_TARGET: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), target_pointer_width = "64"));

const WORD: usize = size_of::<usize>();

impl Walker {
    /// A walker for guests of `module` in this store and on this thread. `func` is any function of an instance in it.
    /// `None` where frames cannot be walked.
    pub fn new<T: 'static>(mut store: impl AsContextMut<Data = T>, module: &Module, func: Func) -> Option<Self> {
        if !IS_KNOWN_TARGET {
            return None;
        }
        let stack = own_stack()?;
        let text = module.text().as_ptr_range();
        let func_ref = func.to_raw(&mut store).addr();
        // SAFETY: wasmtime documents the pointer as that of a live `VMFuncRef`, whose field this is.
        let vmctx = unsafe { read(func_ref + usize::from(offsets::VMFuncRef(HostPtr).vmctx())) };
        // SAFETY: every `vmctx` begins with its magic number.
        let magic = unsafe { std::ptr::with_exposed_provenance::<u32>(vmctx).read() };
        if magic != VMCONTEXT_MAGIC {
            // A host function.
            return None;
        }
        // SAFETY: the magic number is that of an instance's `vmctx`, where this field is.
        let context = unsafe { read(vmctx + usize::from(HostPtr.vmctx_store_context())) };
        let store = std::ptr::from_ref(store.as_context().data()).addr();
        Some(Self { context, store, text: text.start.addr()..text.end.addr(), thread: this_thread(), stack })
    }

    /// Appends the guest's frames to `frames`, innermost first, as offsets of return addresses in the module's machine
    /// code, at most one more than [`MAX_FRAMES`]. False if they cannot be walked; `frames` is then of no use.
    ///
    /// Call it from a host function that the guest has called.
    pub fn walk<T: 'static>(&self, store: impl AsContext<Data = T>, frames: &mut Vec<u32>) -> bool {
        let marker = 0_usize;
        let here = (&raw const marker).addr();
        let is_own_thread = this_thread() == self.thread && self.stack.contains(&here);
        if std::ptr::from_ref(store.as_context().data()).addr() != self.store || !is_own_thread {
            return false;
        }
        let fields = offsets::VMStoreContext(HostPtr);
        // SAFETY: the store is alive, as it is borrowed, and its `VMStoreContext` is part of it.
        let field = |offset: u8| unsafe { read(self.context + usize::from(offset)) };
        let mut pc = field(fields.last_wasm_exit_pc());
        let trampoline = field(fields.last_wasm_exit_trampoline_fp());
        let end = field(fields.last_wasm_entry_fp());
        // Both words of a frame lie between our own and the end of the stack.
        let frames_lie_in = here..self.stack.end.saturating_sub(2 * WORD);
        let is_frame = |fp: usize| frames_lie_in.contains(&fp) && fp.is_multiple_of(WORD);
        if !is_frame(trampoline) {
            return false;
        }
        // SAFETY: just checked.
        let mut fp = unsafe { read(trampoline) };
        let mut inner = trampoline;
        while fp != end {
            if fp <= inner || !is_frame(fp) || !self.text.contains(&pc) {
                return false;
            }
            // Code of one module is below 4 GiB: it is made of a file of that size at most.
            let Ok(offset) = u32::try_from(pc - self.text.start) else { return false };
            frames.push(offset);
            if frames.len() > MAX_FRAMES {
                return true;
            }
            inner = fp;
            // SAFETY: checked at the head of the loop.
            pc = unsafe { read(fp + WORD) };
            // SAFETY: as above.
            fp = unsafe { read(fp) };
        }
        true
    }
}

/// A number that no other thread has or has had.
fn this_thread() -> u64 {
    static N_THREADS: AtomicU64 = AtomicU64::new(0);
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(N_THREADS.fetch_add(1, Ordering::Relaxed) + 1);
        }
        number.get()
    })
}

/// Reads a word.
///
/// # Safety
///
/// `address` must be aligned and in mapped memory that nobody writes meanwhile.
unsafe fn read(address: usize) -> usize {
    // SAFETY: as the caller promises. Volatile, since wasm code has written it behind the compiler's back.
    unsafe { std::ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}
