//! Where a guest's memory goes: any module, unmodified, of any toolchain.
//!
//! ```text
//! file → find → rewrite → compiled        guest: malloc → wrapper → countdown → probe
//!                   ↘ AddressMap                                               ↓
//!                                                         stack, Live → Sampled → record
//! ```
//!
//! [`find`] tells what allocates, by name and signature; [`rewrite`] puts wrappers in front of it, which count bytes down
//! in the guest and call the host when a sample is due; [`probe`] is what they call, [`attach`] joins the two; [`live`]
//! keeps the books. Inside components, where no embedder reaches core instances, a [`bell`] stands between the two.
//! [`imports`] does the same for allocators that a module imports. [`grow`] notes which stacks made the
//! guest's memories grow.

pub mod attach;
pub mod bell;
pub mod find;
pub mod gaps;
pub mod grow;
pub mod hook;
pub mod imports;
pub mod limits;
pub mod live;
pub mod prepare;
pub mod probe;
mod queue;
pub mod rewrite;

/// What joins a prepared file's instance to its probe.
#[derive(Debug, Clone)]
pub struct HeapHooks {
    /// What to fill in a rewritten core module's instance.
    pub armed: Option<rewrite::Armed>,
    /// What to wrap in the linker.
    pub imports: Vec<find::ImportHook>,
    /// What is told of samples.
    pub probe: probe::Probe,
}
