//! Runs code one instruction at a time, for tests that must see what happens between any two.

use std::mem::MaybeUninit;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::interrupted::{Registers, registers};

/// Called before each instruction, in a signal handler.
pub(crate) type OnStep = fn(&Registers);

static ON_STEP: OnceLock<OnStep> = OnceLock::new();

/// Runs `run` on this thread with the processor's trap flag set. One at a time in a process, and always the same `on_step`.
pub(crate) fn step_through(on_step: OnStep, run: impl FnOnce()) {
    static STEPPING: Mutex<()> = Mutex::new(());
    let _stepping = STEPPING.lock().unwrap_or_else(PoisonError::into_inner);
    ON_STEP.get_or_init(|| on_step);
    // SAFETY: a plain structure of numbers.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the structure is ours, the handler keeps to what a handler may do, and nobody else uses this signal.
    let is_set = unsafe { libc::sigaction(libc::SIGTRAP, &raw const action, std::ptr::null_mut()) };
    assert_eq!(is_set, 0, "sigaction");
    set_trap_flag(true);
    run();
    set_trap_flag(false);
}

fn set_trap_flag(on: bool) {
    const TRAP_FLAG: u64 = 1 << 8;
    let (set, keep) = if on { (TRAP_FLAG, u64::MAX) } else { (0, !TRAP_FLAG) };
    // SAFETY: changes one flag, of which the compiler knows nothing; the stack is as before.
    unsafe {
        std::arch::asm!("pushfq", "and [rsp], {keep}", "or [rsp], {set}", "popfq", keep = in(reg) keep, set = in(reg) set);
    }
}

extern "C" fn handler(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel gives it to a handler with SA_SIGINFO.
    let context = unsafe { context.cast::<libc::ucontext_t>().as_ref() };
    if let (Some(on_step), Some(context)) = (ON_STEP.get(), context) {
        on_step(&registers(context));
    }
}
