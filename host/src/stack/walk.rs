//! Walking the guest's frames from a host call, as wasmtime does for its own backtraces, in nanoseconds a frame.
//!
//! When the guest calls the host, its trampoline stores the call's return address and its own frame pointer in the store's
//! `VMStoreContext`; that of the trampoline that entered the guest is there too. Between the two lie the guest's frames.
//!
//! Only the innermost activation is walked. [`super::Stacks`] asks for a walk only when there is no other.

use std::ops::Range;
use std::sync::OnceLock;

use wasmtime::{AsContext, AsContextMut, Func, Module};

use super::bounds::own_stack;
use super::frames::{Exit, Stack};
use super::layout::{Context, IS_KNOWN_TARGET, Layout};
use super::thread::this_thread;
use super::trie::MAX_FRAMES;

/// Walks the stack of one store's guest on one thread.
#[derive(Debug)]
pub struct Walker {
    context: Context,
    /// Whether it holds what it should, once that was looked at.
    is_as_expected: OnceLock<bool>,
    /// Where the store's data lies, which tells the store from others.
    store: usize,
    /// The module's machine code.
    text: Range<usize>,
    /// The thread, and its stack. One alone would not do: the stack of a thread that has ended may become another's.
    thread: u64,
    stack: Range<usize>,
}

impl Walker {
    /// A walker for guests of `module` in this store and on this thread. `func` is any function of an instance in it.
    /// `None` where frames cannot be walked.
    pub fn new<T: 'static>(mut store: impl AsContextMut<Data = T>, module: &Module, func: Func) -> Option<Self> {
        if !IS_KNOWN_TARGET {
            return None;
        }
        let stack = own_stack()?;
        let text = module.text().as_ptr_range();
        let context = Context::find(&mut store, func, Layout::ours())?;
        let store = std::ptr::from_ref(store.as_context().data()).addr();
        let is_as_expected = OnceLock::new();
        Some(Self {
            context,
            is_as_expected,
            store,
            text: text.start.addr()..text.end.addr(),
            thread: this_thread(),
            stack,
        })
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
        if !*self.is_as_expected.get_or_init(|| self.context.is_as_expected(&self.text, &self.stack)) {
            return false;
        }
        // SAFETY: the store is alive, as it is borrowed, and the layout was just looked at.
        let exit = unsafe { Exit::read(self.context.address, self.context.fields()) };
        // SAFETY: what lies between this function's own frame and the end of the thread's stack is in use.
        let mut stack = unsafe { Stack::new(here..self.stack.end) };
        let Some([fp, _]) = stack.frame(exit.trampoline_fp) else { return false };
        let mut is_bad = false;
        let mut push = |pc: usize| {
            // Code of one module is below 4 GiB: it is made of a file of that size at most.
            let offset = pc.checked_sub(self.text.start).and_then(|offset| u32::try_from(offset).ok());
            is_bad = !self.text.contains(&pc);
            frames.extend(offset.filter(|_| !is_bad));
            !is_bad && frames.len() <= MAX_FRAMES
        };
        let is_whole = push(exit.pc) && stack.callers(fp, exit.entry_fp, push);
        is_whole || (frames.len() > MAX_FRAMES && !is_bad)
    }
}
