//! The stack of a guest that sits in a host call, seen from another thread.
//!
//! Everything is read through the kernel, so it can be wrong but do no harm, also when the store is gone. Whether the guest has stayed in
//! the call meanwhile is the caller's to know.

use std::ops::Range;

use wasmtime::{AsContextMut, Func, Module};

use super::frames::{Exit, Stack};
use super::layout::{Context, IS_KNOWN_TARGET, Layout};
use super::live::walk_exit;
use super::offsets::{CodeOffsets, Functions};
use super::trie::MAX_FRAMES;
use super::{capture::call_before, peek};

/// Looks at the stack of one store's guest.
#[derive(Debug)]
pub(crate) struct Asleep {
    context: Context,
    module: Module,
    /// Its machine code.
    text: Range<usize>,
}

impl Asleep {
    /// For guests of `module` in this store; `func` is any function of an instance in it. `None` where frames cannot be walked.
    pub(crate) fn new(store: impl AsContextMut, module: &Module, func: Func) -> Option<Self> {
        if !IS_KNOWN_TARGET {
            return None;
        }
        let context = Context::find(store, func, Layout::ours())?;
        let text = module.text().as_ptr_range();
        Some(Self { context, module: module.clone(), text: text.start.addr()..text.end.addr() })
    }

    /// The stack as offsets in the file that was compiled, innermost first; `None` if it is none.
    pub(crate) fn stack(&self) -> Option<Vec<u32>> {
        let [pc, trampoline_fp, entry_fp] =
            self.context.fields().map(|offset| peek::word(self.context.address.wrapping_add(offset)));
        let exit = Exit { pc: pc?, trampoline_fp: trampoline_fp?, entry_fp: entry_fp? };
        if exit.trampoline_fp >= exit.entry_fp {
            return None;
        }
        let mut code = Vec::new();
        let mut is_bad = false;
        let mut push = |pc: usize| {
            let offset = pc.checked_sub(self.text.start).and_then(|offset| u32::try_from(offset).ok());
            is_bad = !self.text.contains(&pc);
            code.extend(offset.filter(|_| !is_bad).map(call_before));
            !is_bad && code.len() < MAX_FRAMES
        };
        let is_whole = push(exit.pc) && walk_exit(&mut Stack::elsewhere(), exit, &mut push);
        if is_bad || !(is_whole || code.len() >= MAX_FRAMES) {
            return None;
        }
        let offsets =
            CodeOffsets::resolve(self.module.address_map()?, &Functions::of_module(&self.module), code.clone());
        Some(code.into_iter().filter_map(|code| offsets.file_offset(code)).collect())
    }
}

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use std::sync::{Mutex, mpsc};

    use wasmtime::{Caller, Instance, Store};

    use super::*;
    use crate::stack::capture::tests::engine;
    use crate::stack::file_offsets;

    #[test]
    fn a_guest_in_a_host_call_is_seen_from_another_thread() {
        let guest = r#"(module (import "" "wait" (func $wait))
            (func $deep (param i32)
              (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (call $wait))))
            (func (export "run") (param i32) (call $deep (local.get 0))))"#;
        let engine = engine();
        let module = Module::new(&engine, guest).unwrap();
        for depth in [0, 30] {
            let (say, said) = mpsc::channel();
            let (let_go, wait) = mpsc::channel::<()>();
            let wait = Mutex::new(wait);
            let mut store = Store::new(&engine, ());
            let host = Func::wrap(&mut store, move |caller: Caller<'_, ()>| {
                say.send(file_offsets(caller)).unwrap();
                // Until the other side hangs up.
                let _ = wait.lock().unwrap().recv();
            });
            let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
            let run = instance.get_typed_func::<i32, ()>(&mut store, "run").unwrap();
            let asleep = Asleep::new(&mut store, &module, *run.func()).unwrap();
            assert_eq!(asleep.stack(), None, "it was never entered");
            let thread = std::thread::spawn(move || {
                run.call(&mut store, depth).unwrap();
                store
            });
            let captured = said.recv().unwrap();
            assert!(captured.len() > usize::try_from(depth).unwrap());
            assert_eq!(asleep.stack(), Some(captured));
            drop(let_go);
            let store = thread.join().unwrap();
            assert_eq!(asleep.stack(), None, "it has returned");
            drop(store);
            // Whatever is there now, looking does no harm.
            let _ = asleep.stack();
        }
    }
}
