//! Shared values that are the same only if they are one: a comparison costs nothing, however large the value.

use std::ops::Deref;
use std::rc::Rc;

/// An [`Rc`] that compares by identity.
#[derive(Debug, Default)]
pub(crate) struct Same<T>(pub(crate) Rc<T>);

impl<T> Same<T> {
    pub(crate) fn new(value: T) -> Same<T> {
        Same(Rc::new(value))
    }
}

impl<T> Clone for Same<T> {
    fn clone(&self) -> Self {
        Same(Rc::clone(&self.0))
    }
}

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for Same<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
