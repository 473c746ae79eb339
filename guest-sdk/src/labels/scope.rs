//! Labels for a while: of a function's run, or until a guard is dropped.

use core::marker::PhantomData;
use core::mem;

use super::context::Context;
use super::current;
use super::set::LabelSet;

/// Makes the labels of `ctx` those of the calling thread, in place of all that it had. Go's `SetGoroutineLabels`.
pub fn set_labels(ctx: &Context) {
    current::set(ctx.clone());
}

/// Runs `f` with more labels on the calling thread, and then gives it those back that it had, also when `f` panics.
/// Go's `Do` with the context at hand.
///
/// Labels that were added to the same ones before cost little more than telling wprof twice.
///
/// ```
/// use wprof_guest::{Context, do_, label, labels};
///
/// do_(labels! { "stage" => "outer", "tenant" => "a" }, || {
///     do_(labels! { "stage" => "inner" }, || {
///         assert_eq!(label(&Context::current(), "stage"), Some("inner"));
///         assert_eq!(label(&Context::current(), "tenant"), Some("a"));
///     });
///     assert_eq!(label(&Context::current(), "stage"), Some("outer"));
/// });
/// assert_eq!(label(&Context::current(), "stage"), None);
/// ```
#[inline]
pub fn do_<R>(labels: LabelSet<'_>, f: impl FnOnce() -> R) -> R {
    let _span = span(labels);
    f()
}

/// Runs `f` with the labels of `ctx` and others on the calling thread. Go's `Do`.
///
/// Afterwards, also when `f` panics, the thread has the labels of `ctx`, whatever it had before: as in Go, which takes it
/// that the thread works for `ctx`.
pub fn do_in<R>(ctx: &Context, labels: LabelSet<'_>, f: impl FnOnce(&Context) -> R) -> R {
    let inner = ctx.with_labels(labels);
    let _restore = Restore(ctx);
    set_labels(&inner);
    f(&inner)
}

struct Restore<'a>(&'a Context);

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        set_labels(self.0);
    }
}

/// Adds labels to those of the calling thread until the guard is dropped: [`do_`] for what is not one function.
///
/// Go has none.
#[inline]
#[must_use = "the labels go when the guard is dropped"]
pub fn span(labels: LabelSet<'_>) -> Span {
    Span { before: current::replace_with(|current| current.with_labels(labels)), of_one_thread: PhantomData }
}

/// When it is dropped, the thread has the labels that it had before [`span`]. Guards are dropped in the reverse order in
/// which they were made, or the thread keeps labels of one that has gone.
#[derive(Debug)]
pub struct Span {
    before: Context,
    of_one_thread: PhantomData<*const ()>,
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        current::set(mem::take(&mut self.before));
    }
}

#[cfg(test)]
mod tests;
