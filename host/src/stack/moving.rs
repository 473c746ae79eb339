//! Frames that are on the move when they are seen.

use super::interrupted::Registers;
#[cfg(target_arch = "x86_64")]
use super::peek;

/// The longest of these sequences, in bytes.
#[cfg(target_arch = "x86_64")]
const MAX_LEN: usize = 25;

/// How far above the frame pointer the frame still lies, in a function that makes room below it for the parameters of a
/// tail call: Cranelift sets the frame pointer first and then copies the frame's two words.
#[cfg(target_arch = "x86_64")]
pub(super) fn moving_frame(registers: &Registers) -> usize {
    if registers.sp != registers.fp {
        return 0;
    }
    let mut around = [0; 2 * MAX_LEN];
    let n_read = peek::bytes(registers.pc.wrapping_sub(MAX_LEN), &mut around);
    let around = around.get(..n_read).unwrap_or_default();
    // The next instruction is any of the sequence's four.
    let starts = (1..=MAX_LEN).filter_map(|start| Some((start, distance(around.get(start..)?)?)));
    let mut copying = starts.filter(|&(start, (len, _))| start.wrapping_add(len) > MAX_LEN);
    copying.next().map_or(0, |(_, (_, distance))| distance)
}

/// The length of such a sequence at the beginning of `code`, and the distance over which it copies:
/// `mov r11, [rsp+n]; mov [rsp], r11; mov r11, [rsp+n+8]; mov [rsp+8], r11`.
#[cfg(target_arch = "x86_64")]
fn distance(code: &[u8]) -> Option<(usize, usize)> {
    const STORE: [u8; 4] = [0x4c, 0x89, 0x1c, 0x24];
    const STORE_NEXT: [u8; 5] = [0x4c, 0x89, 0x5c, 0x24, 8];
    let load = |code: &[u8]| -> Option<(usize, usize)> {
        match code {
            [0x4c, 0x8b, 0x5c, 0x24, n, ..] => Some((5, usize::from(*n))),
            [0x4c, 0x8b, 0x9c, 0x24, n @ ..] => Some((8, usize::try_from(u32::from_le_bytes(*n.first_chunk()?)).ok()?)),
            _ => None,
        }
    };
    let (first, distance) = load(code)?;
    let rest = code.get(first..)?.strip_prefix(&STORE)?;
    let (second, next) = load(rest)?;
    rest.get(second..)?.strip_prefix(&STORE_NEXT)?;
    (next == distance.wrapping_add(8)).then_some((first + STORE.len() + second + STORE_NEXT.len(), distance))
}

/// Elsewhere frames are not moved so.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn moving_frame(_: &Registers) -> usize {
    0
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_copied_still_lies_where_it_comes_from() {
        let short = [
            0x4c_u8, 0x8b, 0x5c, 0x24, 0x30, 0x4c, 0x89, 0x1c, 0x24, 0x4c, 0x8b, 0x5c, 0x24, 0x38, 0x4c, 0x89, 0x5c,
            0x24, 8,
        ];
        let long = [
            0x4c_u8, 0x8b, 0x9c, 0x24, 0x80, 1, 0, 0, 0x4c, 0x89, 0x1c, 0x24, 0x4c, 0x8b, 0x9c, 0x24, 0x88, 1, 0, 0,
            0x4c, 0x89, 0x5c, 0x24, 8,
        ];
        for (copy, instructions, distance) in [(&short[..], [0, 5, 9, 14], 0x30), (&long, [0, 8, 12, 20], 0x180)] {
            let code = [&[0x90; 40][..], copy, &[0x90; 40]].concat();
            let seen_at = |at: usize| {
                let pc = code.as_ptr().expose_provenance() + at;
                moving_frame(&Registers { pc, sp: 64, fp: 64, ..Registers::default() })
            };
            assert!(peek::open());
            for at in instructions {
                assert_eq!(seen_at(40 + at), distance, "{at}");
            }
            assert_eq!([39, 40 + copy.len()].map(seen_at), [0, 0]);
        }
    }
}
