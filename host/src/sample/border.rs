//! Where the guest is entered and left, when no call hook of the store's tells.

use std::pin::Pin;
use std::task::{self, Poll};

use super::{Handle, signal};

/// Where a host without a call hook enters the guest.
#[derive(Debug, Clone, Default)]
pub struct Border(pub(super) Option<signal::Handle>);

/// A call into a guest of an async store, which may move from thread to thread between its polls; see [`Handle::polled`].
#[derive(Debug)]
pub struct Polled<F> {
    pub(super) call: Pin<Box<F>>,
    pub(super) sampler: Handle,
}

/// A stay in the guest, which ends when this is dropped.
#[derive(Debug)]
pub struct Stay<'a>(Option<&'a signal::Handle>);

impl<F: Future> Future for Polled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<F::Output> {
        let _running = Running::new(self.sampler.clone());
        self.call.as_mut().poll(context)
    }
}

/// Between the beginning and the end of a poll.
struct Running(Handle);

impl Running {
    fn new(handle: Handle) -> Self {
        handle.resume();
        Self(handle)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.pause();
    }
}

impl Border {
    /// The guest is entered, until what this returns is dropped.
    #[must_use]
    pub fn cross(&self) -> Stay<'_> {
        if let Some(handle) = &self.0 {
            handle.enter();
        }
        Stay(self.0.as_ref())
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        if let Some(handle) = self.0 {
            handle.leave();
        }
    }
}
