//! How a wrapper inside a component tells the host of an event: it rings.
//!
//! A component's core modules get their imports from inside the component, so no function of ours can be handed to
//! them. A component import could be, and lowered to a core function, but a call of such traps ("cannot leave component
//! instance") while values are lowered into the guest's memory; and what the host gives to a guest, strings and lists,
//! is allocated just then, by its `cabi_realloc`.
//!
//! What does reach the host from everywhere is the request to grow a table. wasmtime asks the store's limiter, saying
//! how large the table is and how large it is to be, and then calls the store's call hook, which can see the guest's
//! stack. So a rewritten module has a table of its own that is asked to grow by absurd numbers (`word`), which say
//! what has happened. They are always refused, and the guest goes on. The only answer that the host can give is to
//! let the table grow by one element when asked to: 1 bit, at 8 bytes each. Therefore gaps between samples are drawn in
//! the guest, which asks for a seed when it allocates for the first time. What else is asked is not asked often: whether
//! a freed block was a sampled one.
//!
//! `guest` makes the wasm functions that ring, `host` hears them. Nothing else in a component has to be changed, so it
//! does not matter how its core modules are nested, aliased, exported or instantiated.

mod guest;
mod host;

pub(in crate::heap) use guest::{At, NOT_SAMPLED, functions, globals, table};
pub use host::{Bell, Event};

/// How large a bell may grow: answers with "yes" that one instance can be given, 8 MB of them. It is an odd number, so
/// that no other table is taken for a bell. When they are used up, freed blocks stay in the guest's filter, which costs
/// it a ring for each of their neighbours that are freed.
pub(in crate::heap) const MAX_ANSWERS: u64 = 1_048_573;

/// Instances that can be told apart, and hooks.
pub(in crate::heap) const MAX_INSTANCES: u64 = 1 << 12;
/// See [`MAX_INSTANCES`].
pub(in crate::heap) const MAX_HOOKS: usize = 1 << 12;

/// By how many elements a bell is asked to grow. All have bit 63 set, so no host could grow a table so far, and bit 62
/// clear, so that no sum overflows.
///
/// ```text
/// bits  63 62 61 60 59                                                              0
///        1  0  0  0  0  0                                                                   ARM
///        1  0  0  0  1  hook (7)  instance (4)  size (16)  block (32)                       SMALL_ALLOC
///        1  0  0  1  hook with its flags (15)   size (45)                                   ALLOC, then
///        1  0  1  0  instance (12)              block (48)                                  BLOCK
///        1  0  1  1  instance (12)              block (48)                                  FREE
/// ```
mod word {
    pub(super) const RING: u64 = 1 << 63;
    pub(super) const KIND_SHIFT: u32 = 60;
    /// An instance allocates for the first time, and asks for [`super::ARM_ANSWERS`] bits.
    pub(super) const ARM: u64 = RING;
    /// A block was sampled. One word says it all, which is so nearly always.
    pub(super) const SMALL_ALLOC: u64 = RING | 1 << 59;
    /// A block was sampled: the first of two words.
    pub(super) const ALLOC: u64 = RING | 1 << KIND_SHIFT;
    /// The second of two words.
    pub(super) const BLOCK: u64 = RING | 2 << KIND_SHIFT;
    /// A block is freed that may have been sampled; the guest may ask whether it was.
    pub(super) const FREE: u64 = RING | 3 << KIND_SHIFT;

    pub(super) const BLOCK_BITS: u32 = 48;
    pub(super) const SIZE_BITS: u32 = 45;
    pub(super) const HOOK_BITS: u32 = 15;
    pub(super) const SMALL_BLOCK_BITS: u32 = 32;
    pub(super) const SMALL_SIZE_BITS: u32 = 16;
    pub(super) const SMALL_INSTANCE_BITS: u32 = 4;
    pub(super) const SMALL_HOOK_BITS: u32 = 7;
    /// A hook number's flags come down so far to stand beside the number.
    pub(super) const FLAG_SHIFT: u32 = 16;

    pub(super) const fn mask(bits: u32) -> u64 {
        (1 << bits) - 1
    }
}

/// Bits that an instance gets when it is armed, highest first: 64 of seed, 12 of instance, 48 of mean gap, and 4 spare
/// ones at the top of the second half.
const ARM_ANSWERS: u32 = 128;

#[cfg(test)]
pub(in crate::heap) mod harness;
#[cfg(test)]
mod tests;
