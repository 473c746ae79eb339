//! What a profiler is to measure.

use crate::heap::find::Asked;
use crate::heap::probe::Sampling;
use crate::registry::CpuOptions;

/// How CPU samples are to be taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CpuSampler {
    /// By signals where that works, else by epochs.
    #[default]
    Auto,
    /// By a timer that interrupts the guest's thread.
    Signal,
    /// By wasmtime's epoch interruption.
    Epoch,
}

/// What to measure. [`Options::default`] is what Go does: CPU time when somebody asks for it, one block in 512 KiB.
#[derive(Debug, Clone)]
pub struct Options {
    /// The profile of CPU time that begins with each module. Without it, it is for clients of `/debug/pprof/profile` to begin,
    /// for [`Profiler::start_cpu`](super::Profiler::start_cpu), and for guests.
    pub cpu: Option<CpuOptions>,
    /// How those of clients are taken.
    pub client_cpu: CpuOptions,
    /// Who takes the samples.
    pub sampler: CpuSampler,
    /// Which blocks of memory are looked at; rate 0 leaves modules as they are.
    pub heap: Sampling,
    /// Allocators beside those that are found by themselves.
    pub allocators: Vec<Asked>,
    /// Waiting is noted once in so many nanoseconds of it, as by Go's `SetBlockProfileRate`; 0 for never.
    pub block_rate: u32,
    /// One in so many waits for a guest's locks is noted, as by Go's `SetMutexProfileFraction`; 0 for none.
    pub mutex_fraction: u32,
    /// Whether profiles have addresses without names.
    pub strips_symbols: bool,
}

impl Default for Options {
    fn default() -> Self {
        let client_cpu = CpuOptions { hz: 100, has_wall: false };
        Self {
            cpu: None,
            client_cpu,
            sampler: CpuSampler::Auto,
            heap: Sampling { rate: 512 << 10, seed: None },
            allocators: Vec::new(),
            block_rate: 0,
            mutex_fraction: 0,
            strips_symbols: false,
        }
    }
}
