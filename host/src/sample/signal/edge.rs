//! Functions seen while their frame is being made or taken down.
//!
//! There the frame pointer is still, or again, the caller's, so the chain of frames begins at the caller and does not have
//! the address that the function will return to. Which instructions these are, the code itself tells, and then also where the
//! address is: on top of the stack, or in the link register.
//!
//! Cranelift's frames begin with `push rbp; mov rbp, rsp` and `stp x29, x30, [sp, #-16]!; mov x29, sp`, and end with
//! `pop rbp; ret` and `ldp x29, x30, [sp], #16; ret`, or a jump to another function in the place of `ret`.

/// What was seen of an interrupted thread beside its chain of frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The instruction, as an offset in the code.
    pub(super) at: usize,
    /// The word at the stack pointer and the one above.
    pub(super) top: [u64; 2],
    /// The link register.
    pub(super) lr: u64,
    /// The first return address of the chain.
    pub(super) first: Option<u64>,
}

/// The return address that the chain lacks. `code` is the code that `seen.at` is in, `is_own` whether an offset in it is in
/// the same function.
pub(super) fn missing_return(code: &[u8], seen: &Seen, is_own: impl Fn(usize) -> bool) -> Option<u64> {
    if cfg!(target_arch = "aarch64") { aarch64(code, seen, is_own) } else { x86_64(code, seen, is_own) }
}

fn x86_64(code: &[u8], seen: &Seen, is_own: impl Fn(usize) -> bool) -> Option<u64> {
    const PUSH_RBP: u8 = 0x55;
    const MOV_RBP_RSP: [u8; 3] = [0x48, 0x89, 0xe5];
    let rest = code.get(seen.at..)?;
    let on_top = Some(seen.top[0]);
    match rest {
        [PUSH_RBP, mov @ ..] if mov.starts_with(&MOV_RBP_RSP) => on_top,
        // The caller's frame pointer has been pushed.
        mov if mov.starts_with(&MOV_RBP_RSP) && code.get(seen.at.wrapping_sub(1)) == Some(&PUSH_RBP) => {
            Some(seen.top[1])
        }
        // ret, ret n
        [0xc3 | 0xc2, ..] => on_top,
        // jmp to a place that the instruction names
        [0xe9, offset @ ..] => {
            let offset = i32::from_le_bytes(*offset.first_chunk()?);
            let target = (seen.at + 5).checked_add_signed(isize::try_from(offset).ok()?)?;
            on_top.filter(|_| !is_own(target))
        }
        // jmp to a place in a register: another function, or a case of a table
        [0xff, 0xe0..=0xe7, ..] | [0x41, 0xff, 0xe0..=0xe7, ..] => on_top.filter(|_| is_after_call(code, seen)),
        _ => None,
    }
}

/// Whether what is on top of the stack can be a return address of this code: a call stands before it.
fn is_after_call(code: &[u8], seen: &Seen) -> bool {
    let Some(before) = usize::try_from(seen.top[0]).ok().and_then(|at| code.get(..at)) else { return false };
    let ends_with =
        |len: usize, is_call: &dyn Fn(&[u8]) -> bool| before.len() >= len && is_call(&before[before.len() - len..]);
    // call rel32; call reg; call r8–r15; call [reg + offset]
    ends_with(5, &|call| call[0] == 0xe8)
        || ends_with(2, &|call| call[0] == 0xff && (0xd0..=0xd7).contains(&call[1]))
        || ends_with(3, &|call| call[0] == 0xff && (0x50..=0x57).contains(&call[1]))
        || ends_with(6, &|call| call[0] == 0xff && (0x90..=0x97).contains(&call[1]))
}

fn aarch64(code: &[u8], seen: &Seen, is_own: impl Fn(usize) -> bool) -> Option<u64> {
    const STP_FP_LR: u32 = 0xa9bf_7bfd;
    // The same without making room, in a function that has just made some for the parameters of a tail call.
    const STP_FP_LR_AGAIN: u32 = 0xa900_7bfd;
    const MOV_FP_SP: u32 = 0x9100_03fd;
    const LDP_FP_LR: u32 = 0xa8c1_7bfd;
    const RET: u32 = 0xd65f_03c0;
    let word = |at: usize| code.get(at..).and_then(<[u8]>::first_chunk).map(|word| u32::from_le_bytes(*word));
    let in_register = Some(seen.lr);
    let before = word(seen.at.wrapping_sub(4));
    match word(seen.at)? {
        STP_FP_LR | STP_FP_LR_AGAIN | RET => in_register,
        MOV_FP_SP if matches!(before, Some(STP_FP_LR | STP_FP_LR_AGAIN)) => in_register,
        // The frame is gone; what may follow before the end is to free the room of parameters.
        _ if before == Some(LDP_FP_LR) => in_register,
        // b to a place that the instruction names, in words, in 26 bits
        branch if branch >> 26 == 0b000_101 => {
            let offset = (branch << 6).cast_signed() >> 4;
            let target = seen.at.checked_add_signed(isize::try_from(offset).ok()?)?;
            in_register.filter(|_| !is_own(target))
        }
        // br to a place in a register: another function, or a case of a table. The link register then holds the function's
        // own return address, or, in a frame, one that the chain begins with or that is in the function.
        branch if branch & 0xffff_fc1f == 0xd61f_0000 => {
            in_register.filter(|&lr| seen.first != Some(lr) && usize::try_from(lr).is_ok_and(|lr| !is_own(lr)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One function at 16..32, and a call before 8.
    fn is_own(at: usize) -> bool {
        (16..32).contains(&at)
    }

    fn on_x86_64(code: &[u8], at: usize) -> Option<u64> {
        let mut all = [0x90; 48];
        all[3] = 0xe8;
        all[16..16 + code.len()].copy_from_slice(code);
        x86_64(&all, &Seen { at: 16 + at, top: [8, 9], lr: 7, first: Some(5) }, is_own)
    }

    #[test]
    fn x86_64_frames_that_are_not_there() {
        let entry = [0x55, 0x48, 0x89, 0xe5, 0x90];
        assert_eq!(on_x86_64(&entry, 0), Some(8), "before push");
        assert_eq!(on_x86_64(&entry, 1), Some(9), "before mov");
        assert_eq!(on_x86_64(&entry, 4), None, "in the body");
        let exit = [0x5d, 0xc3];
        assert_eq!(on_x86_64(&exit, 0), None, "before pop");
        assert_eq!(on_x86_64(&exit, 1), Some(8), "before ret");
        assert_eq!(on_x86_64(&[0xc2, 16, 0], 0), Some(8), "before ret 16");
        assert_eq!(on_x86_64(&[0xe9, 0x20, 0, 0, 0], 0), Some(8), "a tail call onwards");
        assert_eq!(on_x86_64(&[0xe9, 0xeb, 0xff, 0xff, 0xff], 0), Some(8), "a tail call back to 0");
        assert_eq!(on_x86_64(&[0xe9, 1, 0, 0, 0], 0), None, "a jump in the function");
        assert_eq!(on_x86_64(&[0xff, 0xe0], 0), Some(8), "a tail call through a register, the top after a call");
        assert_eq!(on_x86_64(&[0x41, 0xff, 0xe3], 0), Some(8));
        let no_call = x86_64(&[0xff, 0xe0, 0x90], &Seen { at: 0, top: [2, 0], ..Seen::default() }, is_own);
        assert_eq!(no_call, None, "a case of a table");
        assert_eq!(on_x86_64(&[0x48, 0x89, 0xe5], 0), None, "mov rbp, rsp that no push precedes");
    }

    fn on_aarch64(code: &[u32], at: usize, first: u64) -> Option<u64> {
        let mut all = [0x1f, 0x20, 0x03, 0xd5].repeat(12);
        for (idx, word) in code.iter().enumerate() {
            all[16 + 4 * idx..20 + 4 * idx].copy_from_slice(&word.to_le_bytes());
        }
        aarch64(&all, &Seen { at: 16 + 4 * at, top: [8, 9], lr: 7, first: Some(first) }, is_own)
    }

    #[test]
    fn aarch64_frames_that_are_not_there() {
        let entry = [0xa9bf_7bfd, 0x9100_03fd, 0xd503_201f];
        assert_eq!(on_aarch64(&entry, 0, 5), Some(7), "before stp");
        assert_eq!(on_aarch64(&entry, 1, 5), Some(7), "before mov");
        assert_eq!(on_aarch64(&entry, 2, 5), None, "in the body");
        let exit = [0xa8c1_7bfd, 0xd65f_03c0];
        assert_eq!(on_aarch64(&exit, 0, 5), None, "before ldp");
        assert_eq!(on_aarch64(&exit, 1, 5), Some(7), "before ret");
        let moved = [0xa900_7bfd, 0x9100_03fd, 0xd503_201f];
        assert_eq!(on_aarch64(&moved, 0, 5), Some(7), "before stp, having made room for parameters");
        assert_eq!(on_aarch64(&moved, 1, 5), Some(7), "before mov, having made room for parameters");
        assert_eq!(on_aarch64(&moved, 2, 5), None, "in the body");
        let frees = [0xa8c1_7bfd, 0x9100_c3ff, 0xd65f_03c0];
        assert_eq!(on_aarch64(&frees, 1, 5), Some(7), "before the room for parameters is freed");
        assert_eq!(on_aarch64(&frees, 2, 5), Some(7), "before ret");
        assert_eq!(on_aarch64(&[0x1400_0008], 0, 5), Some(7), "a tail call onwards, 32 bytes");
        assert_eq!(on_aarch64(&[0x17ff_fffc], 0, 5), Some(7), "a tail call back to 0");
        assert_eq!(on_aarch64(&[0x1400_0001], 0, 5), None, "a branch in the function");
        assert_eq!(on_aarch64(&[0xd61f_0200], 0, 5), Some(7), "a tail call through x16");
        assert_eq!(on_aarch64(&[0xd61f_0200], 0, 7), None, "a case of a table in a function that has not called yet");
    }
}
