//! Frames of a stack that is not the calling thread's own, such as a fiber's, read through the kernel.

use super::frames::WORD;
use super::peek;

/// Bytes that are read at once: many frames, since the next one is likely to be near.
const CHUNK: usize = 1024;

/// The piece of such a stack that was read last.
#[derive(Default)]
pub(super) struct Afar(Option<Chunk>);

struct Chunk {
    at: usize,
    len: usize,
    bytes: [u8; CHUNK],
}

impl Afar {
    /// The frame at `fp`: its caller's frame pointer, and the address that it returns to. `None` if nothing is mapped there.
    pub(super) fn frame(&mut self, fp: usize) -> Option<[usize; 2]> {
        let has_it = |chunk: &Chunk| fp >= chunk.at && fp - chunk.at + 2 * WORD <= chunk.len;
        if !self.0.as_ref().is_some_and(has_it) {
            let chunk = self.0.insert(Chunk { at: fp, len: 0, bytes: [0; CHUNK] });
            chunk.len = peek::bytes(fp, &mut chunk.bytes);
        }
        let chunk = self.0.as_ref()?;
        let (low, rest) = chunk.bytes.get(..chunk.len)?.get(fp - chunk.at..)?.split_first_chunk::<WORD>()?;
        Some([usize::from_ne_bytes(*low), usize::from_ne_bytes(*rest.first_chunk::<WORD>()?)])
    }
}
