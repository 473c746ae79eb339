//! A thread that a signal has interrupted: its registers, and what a walk from there finds first.

use super::peek;

/// The registers that a walk begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Registers {
    /// The next instruction.
    pub(crate) pc: usize,
    /// The stack pointer.
    pub(crate) sp: usize,
    /// The frame pointer.
    pub(crate) fp: usize,
    /// The link register; 0 on machines without one.
    pub(crate) lr: usize,
    /// The register that holds what a system call answers.
    pub(crate) result: usize,
}

/// Where an instruction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a function of the guest's.
    Guest,
    /// In code that wasmtime has made to enter or leave the guest.
    Trampoline,
    /// Anywhere else.
    Host,
}

/// What a walk found at the top, beside the return addresses that it has pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Top {
    /// The instruction; in the host, where the guest's last call returns to, 0 if it has made none.
    pub(crate) pc: usize,
    /// The word at the stack pointer, and the one above.
    pub(crate) words: [usize; 2],
    /// Whether every activation was walked to its end.
    pub(crate) is_whole: bool,
    /// Whether the guest's frames were found to be gone while the host runs; what was pushed then means nothing.
    pub(crate) is_gone: bool,
    /// Whether the frame pointer is that of a frame of the guest's, as wasmtime expects it where the guest traps.
    pub(crate) has_frame: bool,
}

impl Registers {
    /// Whether the thread was waiting in a system call, which the signal has ended: the call's answer is then `EINTR`, or the
    /// next instruction makes it once more (signal(7)). A call that was at work answers something else.
    ///
    /// Safe in a signal handler.
    pub(crate) fn is_blocked(&self) -> bool {
        const CALL: &[u8] = if cfg!(target_arch = "aarch64") { &[1, 0, 0, 0xd4] } else { &[0x0f, 0x05] };
        const EINTR: usize = 4;
        let mut around = [0; 2 * CALL.len()];
        let n_read = peek::bytes(self.pc.wrapping_sub(CALL.len()), &mut around);
        let Some((before, next)) = around.get(..n_read).and_then(|code| code.split_at_checked(CALL.len())) else {
            return false;
        };
        next == CALL || (before == CALL && self.result == EINTR.wrapping_neg())
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(super) fn registers(context: &libc::ucontext_t) -> Registers {
    let register = |name: libc::c_int| {
        let index = usize::try_from(name).unwrap_or_default();
        context.uc_mcontext.gregs.get(index).and_then(|value| usize::try_from(value.cast_unsigned()).ok()).unwrap_or(0)
    };
    Registers {
        pc: register(libc::REG_RIP),
        sp: register(libc::REG_RSP),
        fp: register(libc::REG_RBP),
        lr: 0,
        result: register(libc::REG_RAX),
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(super) fn set_pc(context: &mut libc::ucontext_t, pc: usize) {
    if let Some(register) = usize::try_from(libc::REG_RIP).ok().and_then(|idx| context.uc_mcontext.gregs.get_mut(idx)) {
        *register = (pc as u64).cast_signed();
    }
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
pub(super) fn registers(context: &libc::ucontext_t) -> Registers {
    let of = &context.uc_mcontext;
    let word = |value: u64| usize::try_from(value).unwrap_or(0);
    let register = |index: usize| of.regs.get(index).map_or(0, |&value| word(value));
    Registers { pc: word(of.pc), sp: word(of.sp), fp: register(29), lr: register(30), result: register(0) }
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
pub(super) fn set_pc(context: &mut libc::ucontext_t, pc: usize) {
    context.uc_mcontext.pc = pc as u64;
}

/// The part of `siginfo_t` that a timer's signal fills (sigaction(2); linux/include/uapi/asm-generic/siginfo.h).
#[cfg(target_os = "linux")]
#[repr(C)]
pub(super) struct TimerInfo {
    pub(super) signal: libc::c_int,
    pub(super) errno: libc::c_int,
    pub(super) code: libc::c_int,
    pub(super) padding: libc::c_int,
    pub(super) timer: libc::c_int,
    pub(super) overrun: libc::c_int,
    pub(super) value: usize,
}
