//! An allocator that tells wprof of the blocks that it samples: for guests whose own allocator wprof does not find.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

use crate::abi::NEVER;
use crate::imports;
use crate::sampled::Sampled;

/// An allocator around another, whose blocks wprof samples for the heap profile.
///
/// Wprof finds the allocators of Rust, C and others by their names and needs none of this; this one learns so and steps
/// back. It is for guests without names, and for allocators of a guest's own. With the feature `std`, or any other allocator
/// in the place of `System`:
///
/// ```
/// use std::alloc::System;
/// use wprof_guest::Alloc;
///
/// #[global_allocator]
/// static ALLOC: Alloc<System> = Alloc(System);
/// ```
///
/// Between samples an allocation costs a subtraction, and a free a look into a small table. Without wprof they cost a load
/// each, or nothing where imports are not linked. A reallocation is a free and an allocation; if it fails, a block that was
/// sampled is no longer counted as live.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alloc<A>(
    /// The allocator that has the memory.
    pub A,
);

/// Bytes until the next sample. Whoever takes it below zero samples its block.
///
/// 0 at first, so that the first allocation asks for the first gap. A static, as there is one count in a guest, however many
/// allocators are wrapped.
static LEFT: AtomicI64 = AtomicI64::new(0);

/// Whether the first gap was asked for.
static WAS_ASKED: AtomicBool = AtomicBool::new(false);

/// No gap is so large; what is above is [`NEVER`], or was.
const NO_MORE: i64 = NEVER / 2;

/// What [`LEFT`] is raised by while a block is sampled, so that no other thread takes it below zero meanwhile.
const BUSY: i64 = NEVER / 4;

static SAMPLED: Sampled = Sampled::new();

/// Has the next allocation ask for the first gap, as at the start.
pub(crate) fn ask_again() {
    if imports::LINKED {
        WAS_ASKED.store(false, Relaxed);
        LEFT.store(0, Relaxed);
    }
}

/// Counts a new block.
#[inline]
fn allocated(block: *mut u8, size: usize) {
    if !imports::LINKED || block.is_null() || LEFT.load(Relaxed) > NO_MORE {
        return;
    }
    let size = size as i64;
    let left = LEFT.fetch_sub(size, Relaxed);
    if left >= 0 && left < size {
        sample(block, size, left - size);
    }
}

/// Has the block sampled that took the count to `left`, which is below zero, and draws the next gap.
#[cold]
#[inline(never)]
fn sample(block: *mut u8, size: i64, left: i64) {
    LEFT.fetch_add(BUSY, Relaxed);
    if !WAS_ASKED.swap(true, Relaxed) {
        let gap = imports::alloc_gap();
        if gap == 0 {
            LEFT.store(NEVER, Relaxed);
            return;
        }
        if gap >= size {
            return start_gap(gap - size, left);
        }
    }
    // Before wprof knows it, as nobody can free it sooner than the caller has it.
    SAMPLED.insert(block.addr());
    start_gap(imports::alloc_sampled(block.addr(), size), left);
}

/// What others have allocated meanwhile counts already.
fn start_gap(gap: i64, left: i64) {
    if gap > BUSY {
        LEFT.store(NEVER, Relaxed);
    } else {
        LEFT.fetch_add(gap - left - BUSY, Relaxed);
    }
}

/// Tells of a block that is about to be freed, while no other can have its place.
#[inline]
fn freed(block: *mut u8) {
    if imports::LINKED && SAMPLED.remove(block.addr()) {
        imports::free_sampled(block.addr());
    }
}

#[expect(unsafe_code, reason = "an allocator's promises are made to std")]
// SAFETY: every block comes from the allocator within and goes back there, with the layout that the caller gave.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Alloc<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the allocator asks for.
        let block = unsafe { self.0.alloc(layout) };
        allocated(block, layout.size());
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe { self.0.alloc_zeroed(layout) };
        allocated(block, layout.size());
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        freed(block);
        // SAFETY: as above.
        unsafe { self.0.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        freed(block);
        // SAFETY: as above.
        let block = unsafe { self.0.realloc(block, layout, size) };
        allocated(block, size);
        block
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;

    use super::{Alloc, GlobalAlloc, Layout, ask_again};
    use crate::fake::Fake;

    const ALLOC: Alloc<System> = Alloc(System);
    const MARK: u8 = 0xa5;

    /// A block of `size` bytes, the first of which is [`MARK`].
    #[expect(unsafe_code, reason = "allocators are called so")]
    fn alloc(size: usize) -> (*mut u8, Layout) {
        let layout = Layout::from_size_align(size, 8).unwrap();
        // SAFETY: no size here is 0.
        let block = unsafe { ALLOC.alloc(layout) };
        // SAFETY: as above; the block is as large as that.
        unsafe { block.write(MARK) };
        (block, layout)
    }

    #[expect(unsafe_code, reason = "allocators are called so")]
    fn realloc((block, layout): (*mut u8, Layout), size: usize) -> (*mut u8, Layout) {
        // SAFETY: it is one of these blocks.
        let grown = unsafe { ALLOC.realloc(block, layout, size) };
        // SAFETY: its first byte was written by `alloc`.
        assert_eq!(unsafe { grown.read() }, MARK);
        (grown, Layout::from_size_align(size, 8).unwrap())
    }

    #[expect(unsafe_code, reason = "allocators are called so")]
    fn free((block, layout): (*mut u8, Layout)) {
        // SAFETY: it is one of these blocks, and freed once.
        unsafe { ALLOC.dealloc(block, layout) }
    }

    /// One test, as the count is the process's.
    #[test]
    #[expect(unsafe_code, reason = "allocators are called so")]
    fn blocks_are_sampled_as_the_gaps_say_and_their_end_is_told() {
        let fake = Fake::install();
        fake.gaps(&[100, 50, 0, 10]);
        ask_again();
        let unsampled = alloc(100);
        assert!(fake.calls().is_empty());
        let first = alloc(1);
        assert_eq!(fake.calls(), ["sampled 1"]);
        let second = alloc(51);
        assert_eq!(fake.calls(), ["sampled 51"]);
        let third = alloc(8);
        assert_eq!(fake.calls(), ["sampled 8"]);
        free(unsampled);
        assert!(fake.calls().is_empty());
        free(first);
        assert_eq!(fake.calls(), ["freed"]);
        // Freed and allocated: 10 bytes were left, and the answer was that no more are wanted.
        let second = realloc(second, 11);
        assert_eq!(fake.calls(), ["freed", "sampled 11"]);
        let more = alloc(1 << 20);
        assert!(fake.calls().is_empty());
        [second, third, more].into_iter().for_each(free);
        assert_eq!(fake.calls(), ["freed", "freed"]);

        // A gap that begins anew, as after a new rate.
        fake.gaps(&[7, 1000]);
        ask_again();
        let layout = Layout::from_size_align(8, 8).unwrap();
        // SAFETY: its size is not 0.
        let zeroed = unsafe { ALLOC.alloc_zeroed(layout) };
        // SAFETY: it has been zeroed.
        assert_eq!(unsafe { zeroed.read() }, 0);
        assert_eq!(fake.calls(), ["sampled 8"]);
        free((zeroed, layout));

        // Wprof sees blocks by itself.
        fake.calls();
        fake.gaps(&[crate::abi::NEVER]);
        ask_again();
        [1, 1 << 20].into_iter().map(alloc).for_each(free);
        drop(fake);
        ask_again();
        [1, 1 << 20].into_iter().map(alloc).for_each(free);
        let fake = Fake::install();
        [1, 1 << 20].into_iter().map(alloc).for_each(free);
        assert!(fake.calls().is_empty(), "there was no wprof when it was asked");
    }
}
