//! Where wasmtime keeps what a walk begins with: the store's `VMStoreContext`, and the fields in it.
//!
//! The offsets are those that the crate `wasmtime-environ` of exactly our version computes for the code that it compiles.
//! They are trusted only after a check in a host call ([`Context::is_as_expected`]). Until then every read goes through the
//! kernel, so that a wrong offset is found out and is never a crash.

use std::ops::Range;

use wasmtime::{AsContextMut, Func};
use wasmtime_environ::{HostPtr, PtrSize, VMCONTEXT_MAGIC, offsets};

use super::peek;

/// Whether frames look as this file expects them.
pub(super) const IS_KNOWN_TARGET: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), target_pointer_width = "64"));

/// Offsets of the fields that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Of the `VMContext` in a `VMFuncRef`.
    pub(crate) vmctx: usize,
    /// Of the `VMStoreContext` in a `VMContext`.
    pub(crate) store_context: usize,
    /// Of what is stored when the guest calls the host: the call's return address …
    pub(crate) exit_pc: usize,
    /// … and the frame pointer of the trampoline that makes the call.
    pub(crate) exit_trampoline_fp: usize,
    /// Of the frame pointer of the trampoline that entered the guest.
    pub(crate) entry_fp: usize,
}

impl Layout {
    /// That of the wasmtime that this crate is built with.
    pub(crate) fn ours() -> Self {
        let fields = offsets::VMStoreContext(HostPtr);
        Self {
            vmctx: offsets::VMFuncRef(HostPtr).vmctx().into(),
            store_context: HostPtr.vmctx_store_context().into(),
            exit_pc: fields.last_wasm_exit_pc().into(),
            exit_trampoline_fp: fields.last_wasm_exit_trampoline_fp().into(),
            entry_fp: fields.last_wasm_entry_fp().into(),
        }
    }
}

/// A store's `VMStoreContext`, which lies inside the store and so lives as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    pub(super) address: usize,
    pub(super) layout: Layout,
}

impl Context {
    /// Finds it by any function of an instance in that store. `None` where the function is the host's, or where wasmtime's
    /// structures are not as `layout` says.
    pub(crate) fn find(mut store: impl AsContextMut, func: Func, layout: Layout) -> Option<Self> {
        if !peek::open() {
            return None;
        }
        let func_ref = func.to_raw(&mut store).expose_provenance();
        let vmctx = peek::word(func_ref.checked_add(layout.vmctx)?)?;
        let mut magic = [0; 4];
        // Every `vmctx` of an instance begins with this number.
        if peek::bytes(vmctx, &mut magic) != magic.len() || u32::from_ne_bytes(magic) != VMCONTEXT_MAGIC {
            return None;
        }
        let address = peek::word(vmctx.checked_add(layout.store_context)?)?;
        let context = Self { address, layout };
        let is_word = |offset: &usize| {
            let at = address.checked_add(*offset);
            at.is_some_and(|at| at.is_multiple_of(size_of::<usize>()) && peek::word(at).is_some())
        };
        context.fields().iter().all(is_word).then_some(context)
    }
}

impl Context {
    /// Whether the fields hold what they must in a host function that a guest with this machine code has called, on the
    /// calling thread with this stack. All reads go through the kernel.
    pub(crate) fn is_as_expected(&self, text: &Range<usize>, stack: &Range<usize>) -> bool {
        let marker = 0_u8;
        let here = (&raw const marker).addr();
        let [pc, trampoline_fp, entry_fp] = self.fields().map(|offset| peek::word(self.address.wrapping_add(offset)));
        let (Some(pc), Some(trampoline_fp), Some(entry_fp)) = (pc, trampoline_fp, entry_fp) else { return false };
        let is_ordered =
            stack.contains(&here) && here < trampoline_fp && trampoline_fp < entry_fp && stack.contains(&entry_fp);
        text.contains(&pc) && is_ordered && peek::word(trampoline_fp.wrapping_add(size_of::<usize>())) == Some(pc)
    }

    /// Offsets of the fields that [`Exit::read`](super::frames::Exit::read) reads.
    pub(super) fn fields(&self) -> [usize; 3] {
        [self.layout.exit_pc, self.layout.exit_trampoline_fp, self.layout.entry_fp]
    }
}
