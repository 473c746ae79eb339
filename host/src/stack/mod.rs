//! Guest stacks: walking them by frame pointers, keeping them as paths of a tree, and from code to file offsets.
//!
//! # Safety
//!
//! This folder holds all `unsafe` of the crate, in `walk` and `bounds`. What they read is
//!
//! - wasmtime's `VMStoreContext` of a store that is borrowed while it is read. Its place is found once, through the
//!   public `Func::to_raw`, with offsets that the crate `wasmtime-environ` of exactly our version computes; a magic
//!   number is checked on the way.
//! - words of the calling thread's own stack: each address is aligned and lies between the reader's own frame and the
//!   stack's end as the system reports it, so it is mapped, whatever it holds. Each step must lead outwards, so a walk
//!   ends.
//!
//! A wrong value can thus make a wrong stack, but no wild read. Wrong stacks are caught too: the first walks, and one
//! in some thousands after that, are compared with what wasmtime itself captures; the first difference ends walking
//! for good, and wasmtime's capture is used instead.

#[expect(unsafe_code, reason = "see the safety case above")]
mod bounds;
mod capture;
mod offsets;
mod trie;
#[expect(unsafe_code, reason = "see the safety case above")]
mod walk;

pub use capture::{Resolved, StackId, Stacks};
pub use offsets::CodeOffsets;
pub use trie::{MAX_FRAMES, NodeId, StackTrie};
pub use walk::Walker;
