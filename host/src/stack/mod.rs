//! Guest stacks: walking them by frame pointers, keeping them as paths of a tree, and from code to file offsets.
//!
//! # Safety
//!
//! This folder holds all `unsafe` of the crate, in `walk`, `live`, `frames`, `signal` and `bounds`.
//!
//! *What is read.* Two kinds of memory that Rust does not know of:
//!
//! - three words of wasmtime's `VMStoreContext`, which is part of the store. Its place is found once a store, through the
//!   public `Func::to_raw`, with offsets that the crate `wasmtime-environ` of exactly our version computes. On the way
//!   there every read goes through the kernel (`peek`), which refuses what is not mapped, and a magic number is checked; the
//!   three words are then known to be mapped as long as the store lives. A walk from a host function has the store borrowed.
//!   A walk from a signal handler happens between `Live::enter` and `Live::forget` or the last `leave`; `forget` is called
//!   before a store goes and waits for a walk that is under way.
//! - words of stacks. Of the calling thread's own stack, addresses between where it is in use and its end as the system
//!   reports it; those are mapped, whatever they hold. Of any other stack (a fiber's, another thread's) through the kernel only. Each
//!   step of a walk must lead outwards, so it ends.
//!
//! A wrong value can thus make a wrong stack, but no wild read. Wrong stacks are caught too: walks from host functions are
//! compared with what wasmtime itself captures, the first ones and one in some thousands after that; the signal sampler
//! tests itself when it starts, and takes no stack with a frame that is not in the guest's code.
//!
//! *What runs in a signal handler.* `signal::handler`, `Live::walk`, and the sampler's `on_tick`, whose code is safe: atomics,
//! a preallocated ring, two clocks. Nothing allocates, locks or panics; indices are checked with `get`. Data that the
//! handler shares with other threads is atomic. The one thing that it changes in the interrupted thread is the program
//! counter, to end a guest: to an instruction that traps, in code that wasmtime has compiled, and only if the thread was
//! in a function of the guest's. That is what the thread would see had the guest's next instruction trapped.

mod afar;
mod asleep;
mod atomics;
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "see the safety case above")]
mod bounds;
#[cfg(not(target_os = "linux"))]
#[path = "no_bounds.rs"]
mod bounds;
pub(crate) mod capture;
#[expect(unsafe_code, reason = "see the safety case above")]
mod frames;
mod interrupted;
mod layout;
#[expect(unsafe_code, reason = "see the safety case above")]
mod live;
mod moving;
mod offsets;
mod own;
mod peek;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[expect(unsafe_code, reason = "see the safety case above")]
mod signal;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "no_signal.rs"]
mod signal;
#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
#[expect(unsafe_code, reason = "it sets a flag of the processor and a handler, in tests")]
pub(crate) mod step;
mod thread;
mod trie;
#[expect(unsafe_code, reason = "see the safety case above")]
mod walk;

pub use capture::{Lookup, StackId, Stacks, TakenStack};
pub use offsets::{CodeOffsets, FunctionCode, Functions};
pub use trie::{MAX_FRAMES, NodeId, StackTrie};
pub use walk::Walker;

pub(crate) use asleep::Asleep;
pub(crate) use bounds::own_stack;
pub(crate) use capture::{capture_into, file_offsets};
pub(crate) use interrupted::{Place, Registers};
pub(crate) use layout::{Context, Layout};
pub(crate) use live::Live;
pub(crate) use peek::{open as can_peek, u32 as peek_u32};
pub(crate) use signal::{Timer, set_timer};
pub(crate) use thread::this_thread;
