//! CPU samples: who is on the guest's stack when a tick of CPU time has passed.
//!
//! A [`RawSamples`] holds what was seen as module offsets and weights; nothing here knows names.
//! [`epoch`] fills it from wasmtime's epoch checks and call hooks.

mod clock;
pub mod epoch;
mod raw;

pub use clock::{CpuClock, Nanos, thread_cpu_elsewhere};
pub use raw::{Leaf, RawSamples, StackSample};
