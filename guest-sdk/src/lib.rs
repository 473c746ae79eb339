//! What a guest tells wprof: labels, profiles of its own, waits for locks, when to profile. Go's `runtime/pprof`, for
//! programs that run as WebAssembly.
//!
//! A guest needs none of this to be profiled. One that uses it runs everywhere: see [outside wprof](#outside-wprof).
//!
//! ```
//! use std::sync::LazyLock;
//! use wprof_guest::{Call, Profile, cpu, do_, heap, labels};
//!
//! /// The requests that are not answered yet, with the stacks that took them.
//! static OPEN: LazyLock<Profile> = LazyLock::new(|| Profile::new("example.com/server.requests"));
//!
//! fn answer(id: u64, tenant: &str) -> usize {
//!     OPEN.add(&id, 0);
//!     // Samples that are taken within have these labels.
//!     let n = do_(labels! { "tenant" => tenant, "stage" => "render" }, || tenant.len());
//!     OPEN.remove(&id);
//!     n
//! }
//!
//! // With the feature `std`: `cpu::start(std::fs::File::create("cpu.pb.gz")?)?`.
//! cpu::start(Call(|bytes: &[u8]| Ok(drop(bytes.to_vec()))))?;
//! assert_eq!(answer(1, "anna") + answer(2, "ben"), 7);
//! cpu::stop()?;
//!
//! let mut profile = Vec::new();
//! heap::write(&mut profile)?;
//! OPEN.write_to(&mut profile, 1)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # For those who know Go's
//!
//! | Go | here |
//! |---|---|
//! | `pprof.StartCPUProfile`, `StopCPUProfile` | [`cpu::start`], [`cpu::stop`] |
//! | `runtime.SetCPUProfileRate` | [`cpu::start_at`] |
//! | `pprof.WriteHeapProfile` | [`heap::write`] |
//! | `pprof.NewProfile`, `Lookup`, `Profiles` | [`Profile::new`], [`Profile::lookup`], [`profiles`] |
//! | `Profile.Name`, `Count`, `Add`, `Remove`, `WriteTo` | [`name`](Profile::name), [`count`](Profile::count), [`add`](Profile::add), [`remove`](Profile::remove), [`write_to`](Profile::write_to) |
//! | `pprof.Labels`, `LabelSet` | [`labels!`], [`LabelSet::of`], [`LabelSet::from_pairs`] |
//! | `context.Context` | [`Context`] |
//! | `pprof.WithLabels`, `SetGoroutineLabels` | [`with_labels`], [`set_labels`] |
//! | `pprof.Do` | [`do_`], with a context of one's own [`do_in`], as a guard [`span`] |
//! | `pprof.Label`, `ForLabels` | [`label`], [`for_labels`] |
//! | `runtime.SetBlockProfileRate`, `SetMutexProfileFraction`, `MemProfileRate` | [`set_block_profile_rate`], [`set_mutex_profile_fraction`], [`set_mem_profile_rate`] |
//! | `sync.Mutex`, `RWMutex`, `Cond` | `sync::Mutex`, `sync::RwLock`, `sync::Condvar` (feature `std`) |
//!
//! Go keeps labels for a goroutine, this crate for a thread. Where Go starts a goroutine, a thread has the labels that its
//! spawner had. [`Alloc`] has no like in Go: it is for allocators that wprof does not find.
//!
//! # Outside wprof
//!
//! Under another runtime the imports are missing. For that the guest is built without the feature `enable`: then there are
//! none. So it is, of itself, on targets other than wasm32, and for WASI 0.2. Everything compiles and runs, and does what a
//! program does that is not profiled: nothing is written, a profile stays empty, [`profiles`] has none, locks are std's. Labels
//! are plain data and work all the same, only that nobody is told of them.
//!
//! # Features
//!
//! - `enable` (default): the imports of the module `wprof`, which [`abi`] lists, are used.
//! - `std`: a [`Sink`] is whatever is `std::io::Write`; locks, in `sync`; and labels are each thread's own, not the process's.
//!
//! Without `std` the crate needs `alloc` alone. It depends on no other crate.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

pub mod abi;
mod allocator;
pub mod cpu;
mod error;
pub mod heap;
#[expect(unsafe_code, reason = "imports take pointers")]
mod imports;
mod key;
mod labels;
mod lock;
mod profile;
mod rates;
mod sampled;
mod sink;
#[cfg(feature = "std")]
pub mod sync;

#[cfg(test)]
#[expect(unsafe_code, reason = "it stands for imports")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "its handles are places in short lists")]
mod fake;

pub use allocator::Alloc;
pub use error::{Error, SinkError, WriteError};
pub use key::Key;
pub use labels::{Context, LabelSet, Span, do_, do_in, for_labels, label, set_labels, span, with_labels};
pub use profile::{Profile, profiles};
pub use rates::{set_block_profile_rate, set_mem_profile_rate, set_mutex_profile_fraction};
pub use sink::{Call, Sink};
