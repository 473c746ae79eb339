//! In the place of `signal` on machines where nobody walks frames.

use std::io;
use std::time::Duration;

use super::interrupted::Registers;

/// As in `signal`.
pub(crate) type OnTick = fn(u32, u32, &Registers) -> Option<usize>;

/// A timer that cannot be had.
#[derive(Debug)]
pub(crate) struct Timer(std::convert::Infallible);

impl Timer {
    /// Refuses.
    pub(crate) fn for_this_thread(_: u32, _: OnTick) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "it needs Linux on x86-64 or aarch64"))
    }

    /// Cannot be called, as there is no timer.
    pub(crate) fn id(&self) -> usize {
        match self.0 {}
    }
}

/// There is no timer to set.
pub(crate) fn set_timer(_: usize, _: Duration, _: Duration) -> io::Result<()> {
    Ok(())
}
