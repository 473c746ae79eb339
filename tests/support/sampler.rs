//! The two ways of taking CPU samples, and tests that run on both.

use crate::machine::skip;

/// What `--sampler` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampler {
    /// wasmtime's epoch checks; works everywhere.
    Epoch,
    /// A timer's signal to the guest's thread.
    Signal,
}

impl Sampler {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Signal => "signal",
        }
    }

    /// Whether it can be had on a machine of this kind; where it cannot, the test of this name is said to be skipped. Where it
    /// can, a wprof that refuses it is at fault.
    #[must_use]
    pub fn is_here(self, test: &str) -> bool {
        let has_signals = cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));
        let is_here = self == Self::Epoch || has_signals;
        if !is_here {
            skip(format_args!("{test}: the signal sampler is for Linux on x86-64 and aarch64"));
        }
        is_here
    }
}

/// Makes two tests of each of these functions, `NAME::epoch` and `NAME::signal`; it is given the sampler.
#[macro_export]
macro_rules! on_both_samplers {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            use $crate::sampler::Sampler;

            #[test]
            fn epoch() {
                super::$test(Sampler::Epoch);
            }

            #[test]
            fn signal() {
                if Sampler::Signal.is_here(stringify!($test)) {
                    super::$test(Sampler::Signal);
                }
            }
        }
    )+};
}
